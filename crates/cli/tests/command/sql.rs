//! `albertine sql`: the model as a function over files.

use arrow_array::{Int64Array, StringArray};

use crate::support::{BUSINESS, SPORTS, Sandbox, assert_conversation, column};

fn news() -> Sandbox {
    let sandbox = Sandbox::new();
    let texts = vec![Some(BUSINESS), Some(SPORTS), None, Some(SPORTS)];
    sandbox.parquet(
        "news.parquet",
        vec![("id", column(Int64Array::from(vec![1, 2, 3, 4]))), ("text", column(StringArray::from(texts)))],
    );
    sandbox.file("news/a.csv", format!("id,title\n1,\"{BUSINESS}\"\n2,\"{SPORTS}\"\n"));
    sandbox.file("news/b.csv", format!("id,title\n3,\"{SPORTS}\"\n"));
    sandbox
}

#[test]
fn labels_are_counted_over_a_parquet_file() {
    let query = "SELECT label, count(*) AS n FROM (SELECT classify(text) AS label FROM 'news.parquet') GROUP BY 1 ORDER BY 2, 1";
    assert_conversation!(news().run(&["sql", query]), @r#"
    exit code: 0
    ----- stdout -----
    {"label":"Business","n":1}
    {"label":null,"n":1}
    {"label":"Sports","n":2}
    ----- stderr -----
    warning: 1 text was null or blank and got no label
    "#);
}

#[test]
fn labels_are_counted_over_a_csv_glob() {
    let query = "SELECT classify(title) AS label, count(*) AS n FROM 'news/*.csv' GROUP BY 1 ORDER BY 2";
    assert_conversation!(news().run(&["sql", query]), @r#"
    exit code: 0
    ----- stdout -----
    {"label":"Business","n":1}
    {"label":"Sports","n":2}
    ----- stderr -----
    "#);
}

#[test]
fn a_result_goes_to_a_file_whole() {
    let sandbox = news();
    let query = "SELECT id, classify(text) AS label FROM 'news.parquet' WHERE text IS NOT NULL ORDER BY id";
    assert_conversation!(sandbox.run(&["sql", query, "--output", "labels.csv"]), @r#"
    exit code: 0
    ----- stdout -----
    ----- stderr -----
    3 rows in [TIME], written to labels.csv
    "#);
    assert_eq!(sandbox.read("labels.csv"), "id,label\n1,Business\n2,Sports\n4,Sports\n");
}

#[test]
fn an_empty_result_is_no_error() {
    assert_conversation!(news().run(&["sql", "SELECT id FROM 'news.parquet' WHERE id > 9", "--output-format", "csv"]), @r#"
    exit code: 0
    ----- stdout -----
    id
    ----- stderr -----
    "#);
}

#[test]
fn a_missing_file_is_said_to_be_missing() {
    assert_conversation!(news().run(&["sql", "SELECT * FROM 'olds.parquet'"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: olds.parquet does not exist
    "#);
}

#[test]
fn a_wrong_column_lists_the_columns() {
    assert_conversation!(news().run(&["sql", "SELECT classify(body) FROM 'news.parquet'"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no column body; the columns are id, text
    "#);
}

#[test]
fn a_number_cannot_be_classified() {
    assert_conversation!(news().run(&["sql", "SELECT classify(id) FROM 'news.parquet'"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: classify() takes text, not Int64; CAST(.. AS VARCHAR) makes text of it
    "#);
}

#[test]
fn a_query_that_is_no_query_is_told() {
    assert_conversation!(news().run(&["sql", "SELEC 1"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the query is not SQL: expected: an SQL statement, found: SELEC at Line: 1, Column: 1
    "#);
    assert_conversation!(news().run(&["sql", "DROP TABLE news"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: only queries (SELECT, WITH, EXPLAIN) can be run, not DROP TABLE news
    "#);
}
