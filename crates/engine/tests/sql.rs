//! Queries over files, with the built-in model as a function.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::{Arc, LazyLock};

use albertine::{Classifier, ClassifierSettings};
use albertine_engine::{EngineError, Sql};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use common::{Folder, cells, copy, gzip, names};

const NEWS: &str = "id,text\n\
    7,Stocks fell on Wall Street as oil prices rose.\n\
    8,\"The striker scored twice\nas the team won the cup final.\"\n\
    9,\n\
    10,Stocks rose on Wall Street as oil prices fell.\n";

static SQL: LazyLock<Sql> = LazyLock::new(|| {
    let classifier = Classifier::pretrained("ag_news", ClassifierSettings::default()).unwrap();
    Sql::new(Arc::new(classifier)).unwrap()
});

fn query(sql: &str) -> Result<RecordBatch, EngineError> {
    let rows = SQL.query(sql)?;
    let schema = rows.schema();
    let batches = rows.collect::<Result<Vec<_>, _>>()?;
    Ok(concat_batches(&schema, &batches).unwrap())
}

fn fault(sql: &str) -> String {
    query(sql).unwrap_err().to_string()
}

#[test]
fn every_format_is_a_table_and_rows_keep_their_order() {
    let folder = Folder::new();
    let input = folder.write("a.csv", NEWS);
    for name in ["b.parquet", "c.jsonl", "d.tsv", "e.csv.gz", "f.jsonl.gz", "g.csv.zst", "odd [1] name.csv"] {
        copy(&input, &folder.at(name)).unwrap();
    }
    for name in ["a.csv", "b.parquet", "c.jsonl", "d.tsv", "e.csv.gz", "f.jsonl.gz", "g.csv.zst", "odd [1] name.csv"] {
        let found = query(&format!("SELECT id, classify(text) AS label FROM '{}'", folder.input(name))).unwrap();
        let expected = [["7", "Business"], ["8", "Sports"], ["9", "∅"], ["10", "Business"]];
        assert_eq!(cells(&found), expected, "{name}");
        assert_eq!(names(&found), ["id", "label"]);
    }
}

#[test]
fn labels_are_counted_over_patterns_and_folders() {
    let folder = Folder::new();
    folder.write("in/a.csv", NEWS);
    folder.write("in/b.csv", NEWS);
    for name in [folder.input("in/*.csv"), folder.input("in")] {
        let sql = format!(
            "SELECT label, count(*) AS n FROM (SELECT classify(text) AS label FROM '{name}') GROUP BY 1 ORDER BY n DESC, label"
        );
        assert_eq!(cells(&query(&sql).unwrap()), [["Business", "4"], ["Sports", "2"], ["∅", "2"]]);
    }
}

#[test]
fn a_backslash_before_a_quotation_mark_is_a_letter_like_any_other() {
    let folder = Folder::new();
    let input = folder.write("a.csv", "id,text\n1,\"He said \\\"\"no\\\"\" twice\"\n2,\"one \\\"\n3,plain\n");
    let found = query(&format!("SELECT id + 1, text FROM '{input}'")).unwrap();
    assert_eq!(cells(&found), [["2", "He said \\\"no\\\" twice"], ["3", "one \\"], ["4", "plain"]]);
}

#[test]
fn types_hold_the_cells_of_every_file() {
    let folder = Folder::new();
    folder.write("in/a.csv", "n,m,empty,s\n1,1,,1\n");
    folder.write("in/b.csv", "n,m,empty,s\n2.5,2,4,x\n");
    let sql =
        format!("SELECT sum(n), sum(m), max(empty), max(s), arrow_typeof(max(s)) FROM '{}'", folder.input("in/*.csv"));
    assert_eq!(cells(&query(&sql).unwrap())[0][..4], ["3.5", "3", "4", "x"]);
    folder.write("in/c.csv", "n,m,other,s\n1,1,1,1\n");
    assert!(fault(&sql).contains("c.csv"), "{}", fault(&sql));
}

#[test]
fn the_functions_take_any_text() {
    let text = "'Stocks fell on Wall Street.'";
    let found = query(&format!(
        "SELECT classify({text}), classify(arrow_cast({text}, 'LargeUtf8')), classify(arrow_cast({text}, 'Utf8View')), \
         classify(arrow_cast({text}, 'Dictionary(Int32, Utf8)')), classify(NULL), classify('  '), classify_score({text}) > 0.25"
    ));
    assert_eq!(cells(&found.unwrap()), [["Business", "Business", "Business", "Business", "∅", "∅", "true"]]);
    let folder = Folder::new();
    let input = folder.write("a.csv", NEWS);
    let both = query(&format!(
        "SELECT classify(text), classify_score(text) BETWEEN 0.25 AND 1 FROM '{input}' WHERE classify(text) = 'Sports'"
    ));
    assert_eq!(cells(&both.unwrap()), [["Sports", "true"]]);
}

#[test]
fn joins_and_common_tables() {
    let folder = Folder::new();
    let (a, b) = (folder.write("a.csv", NEWS), folder.write("b.jsonl", "{\"id\":8,\"who\":\"x\"}\n"));
    let sql = format!(
        "WITH news AS (SELECT * FROM '{a}') SELECT classify(n.text), who FROM news n JOIN '{b}' b ON n.id = b.id"
    );
    assert_eq!(cells(&query(&sql).unwrap()), [["Sports", "x"]]);
}

#[test]
fn mistakes_are_explained() {
    let folder = Folder::new();
    let a = folder.write("a.csv", NEWS);
    assert_eq!(fault(&format!("SELECT body FROM '{a}'")), "there is no column body; the columns are id, text");
    assert_eq!(fault("SELECT * FROM 'no/such.csv'"), "no/such.csv does not exist");
    assert_eq!(fault("SELECT * FROM 'no/*.csv'"), "no file to read matches no/*.csv");
    let hint = "a table is a file, written in single quotes: FROM 'news.parquet'";
    assert_eq!(fault("SELECT * FROM news"), format!("there is no table news; {hint}"));
    assert_eq!(fault("SELECT * FROM news.parquet"), format!("there is no table news.parquet; {hint}"));
    assert_eq!(
        fault(&format!("SELECT classify(id) FROM '{a}'")),
        "classify() takes text, not Int64; CAST(.. AS VARCHAR) makes text of it"
    );
    assert_eq!(fault("SELECT classify('a', 'b')"), "classify() takes one text, not 2 arguments");
    let error = fault("SELEC 1");
    assert!(error.starts_with("the query is not SQL: "), "{error}");
    assert_eq!(fault("SELECT clasify('a')"), "invalid function 'clasify', did you mean 'classify'?");
    for statement in
        ["CREATE TABLE t AS SELECT 1", &format!("COPY (SELECT 1) TO '{}'", folder.input("x.csv")), "SET x = 1"]
    {
        assert!(matches!(query(statement), Err(EngineError::NotAQuery { .. })), "{statement}: {}", fault(statement));
    }
    assert_eq!(fault("SET x = 1"), "only queries (SELECT, WITH, EXPLAIN) can be run, not SET x = 1");
    assert!(query("EXPLAIN SELECT 1").is_ok());
    assert_eq!(folder.names(), ["a.csv"]);
}

#[test]
fn damaged_tables_are_named() {
    let folder = Folder::new();
    for (name, bytes) in
        [("a.parquet", b"no parquet at all".to_vec()), ("b.csv.gz", gzip(NEWS.as_bytes())[..40].to_vec())]
    {
        let input = folder.write(name, bytes);
        let error = fault(&format!("SELECT * FROM '{input}'"));
        assert!(error.contains(&input), "{error}");
    }
    let empty = folder.write("e.csv", "");
    assert_eq!(fault(&format!("SELECT * FROM '{empty}'")), format!("{empty} is empty"));
    let ragged = folder.write("r.csv", "a,b\n1,2\n3\n");
    let error = fault(&format!("SELECT * FROM '{ragged}'"));
    assert!(error.contains("line"), "{error}");
}

#[test]
fn a_table_without_rows_has_columns() {
    let folder = Folder::new();
    let input = folder.write("a.csv", "id,text\n");
    let found = query(&format!("SELECT id, classify(text) AS label FROM '{input}'")).unwrap();
    assert_eq!((found.num_rows(), names(&found)), (0, vec!["id".to_owned(), "label".to_owned()]));
}
