//! Queries over files, with the built-in model as a function.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../engine/tests/common/mod.rs"]
mod common;

use std::sync::{Arc, LazyLock};

use albertine::{Classifier, ClassifierSettings, Classify, Columns, Transform};
use albertine_engine::{Format, Sink, Target};
use albertine_sql::{Sql, SqlError};
use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
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

fn query(sql: &str) -> Result<RecordBatch, SqlError> {
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
fn names_are_the_columns_letter_for_letter_or_in_other_letters() {
    let folder = Folder::new();
    let input = folder.write("a.csv", "Title,class,ID\nOil rose,x,1\n");
    for sql in ["Title", "\"Title\"", "CLASS", "Class", "ID", "upper(Title)", "count(Title) AS N"] {
        query(&format!("SELECT {sql} FROM '{input}'")).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let found = query(&format!("SELECT Title, ID FROM '{input}' WHERE ID = 1 ORDER BY Title")).unwrap();
    assert_eq!(
        (names(&found), cells(&found)),
        (vec!["Title".into(), "ID".into()], vec![vec!["Oil rose".into(), "1".into()]])
    );
    assert_eq!(
        fault(&format!("SELECT Body FROM '{input}'")),
        "there is no column Body; the columns are Title, class, ID"
    );
}

#[test]
fn two_columns_of_one_name_ask_for_other_names() {
    let folder = Folder::new();
    let (a, b) = (folder.write("a.csv", "id,text\n1,x\n"), folder.write("b.jsonl", "{\"id\":1,\"text\":\"y\"}\n"));
    let join = format!("FROM '{a}' a JOIN '{b}' b ON a.id = b.id");
    for columns in ["a.text, b.text", "*", "a.id AS n, b.text AS n"] {
        let message = fault(&format!("SELECT {columns} {join}"));
        assert!(message.contains("name them apart with AS") || message.contains("alias"), "{columns}: {message}");
    }
    let found = query(&format!("SELECT a.text AS a, b.text AS b {join}")).unwrap();
    assert_eq!(cells(&found), [["x", "y"]]);
}

#[test]
fn samples_are_refused_and_from_may_come_first() {
    let folder = Folder::new();
    let input = folder.write("a.csv", "n,meta\n1,x\n2,y\n");
    for sample in ["TABLESAMPLE 10 PERCENT", "TABLESAMPLE BERNOULLI (10)", "TABLESAMPLE (5 ROWS)", "SAMPLE 10"] {
        for sql in [
            format!("SELECT count(*) FROM '{input}' {sample}"),
            format!("SELECT * FROM (SELECT * FROM '{input}' {sample})"),
            format!("WITH t AS (SELECT * FROM '{input}' {sample}) SELECT * FROM t"),
        ] {
            assert!(query(&sql).is_err(), "{sql}");
        }
    }
    let message = fault(&format!("SELECT n FROM '{input}' TABLESAMPLE 10 PERCENT"));
    assert_eq!(message, "TABLESAMPLE is not supported; LIMIT takes the first rows of a table");
    assert_eq!(cells(&query(&format!("FROM '{input}' SELECT n ORDER BY n DESC")).unwrap()), [["2"], ["1"]]);
    assert_eq!(cells(&query(&format!("FROM '{input}' ORDER BY n")).unwrap()), [["1", "x"], ["2", "y"]]);
}

#[test]
fn fields_within_columns_have_names() {
    let folder = Folder::new();
    let input = folder.write("a.jsonl", "{\"id\":1,\"meta\":{\"title\":\"Oil\",\"Tags\":[\"a\",\"b\"]}}\n");
    for sql in ["meta.title", "meta['title']", "t.meta.title", "meta.Tags[1]", "meta['Tags'][2]"] {
        let found =
            query(&format!("SELECT {sql} AS x FROM '{input}' t")).unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert!(["Oil", "a", "b"].contains(&cells(&found)[0][0].as_str()), "{sql}");
    }
}

#[test]
fn partitions_are_columns() {
    let folder = Folder::new();
    folder.write("csv/y=2024/k=01/a.csv", "text\nOil\n");
    folder.write("csv/y=2025/k=02/a.csv", "text\nGold\n");
    for name in ["csv/y=2024/k=01/a", "csv/y=2025/k=02/a"] {
        let to = folder.at(&format!("{}.parquet", name.replace("csv", "pq")));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        copy(&folder.input(&format!("{name}.csv")), &to).unwrap();
    }
    for table in ["csv", "pq", "pq/**/*.parquet"] {
        let sql = format!("SELECT text, y + 1, k FROM '{}' ORDER BY y", folder.input(table));
        assert_eq!(cells(&query(&sql).unwrap()), [["Oil", "2025", "01"], ["Gold", "2026", "02"]], "{table}");
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
    folder.write("in/c.csv", "s,m,other\ny,1,1\n");
    folder.write("in/d.csv", "");
    assert_eq!(cells(&query(&sql).unwrap())[0][..4], ["3.5", "4", "4", "y"], "columns are matched by name");
}

/// A Parquet file with one INT96 timestamp, as Spark writes them: 9999-12-31, midnight.
fn write_int96(path: &std::path::Path) {
    let message = "message table { required int96 ts; }";
    let schema = Arc::new(parquet::schema::parser::parse_message_type(message).unwrap());
    let file = std::fs::File::create(path).unwrap();
    let mut writer = parquet::file::writer::SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let mut day = parquet::data_type::Int96::new();
    day.set_data(0, 0, 5_373_484);
    column.typed::<parquet::data_type::Int96Type>().write_batch(&[day], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn timestamps_of_spark_keep_their_year() {
    let folder = Folder::new();
    write_int96(&folder.at("a.parquet"));
    let found = query(&format!("SELECT CAST(max(ts) AS VARCHAR) FROM '{}'", folder.input("a.parquet"))).unwrap();
    assert!(cells(&found)[0][0].starts_with("9999-12-31T00:00:00"), "{found:?}");
    copy(&folder.input("a.parquet"), &folder.at("b.csv")).unwrap();
    let copied = std::fs::read_to_string(folder.at("b.csv")).unwrap();
    assert!(copied.starts_with("ts\n9999-12-31T00:00:00"), "{copied}");
}

#[test]
fn parquet_files_of_one_table_have_the_same_columns() {
    let folder = Folder::new();
    std::fs::create_dir(folder.at("in")).unwrap();
    copy(&folder.write("a.jsonl", "{\"n\":1}\n"), &folder.at("in/1.parquet")).unwrap();
    copy(&folder.write("b.jsonl", "{\"n\":1.5}\n"), &folder.at("in/2.parquet")).unwrap();
    let error = fault(&format!("SELECT sum(n) FROM '{}'", folder.input("in/*.parquet")));
    assert!(error.contains("1.parquet") && error.contains("2.parquet"), "{error}");
}

#[test]
fn a_path_may_go_up() {
    let folder = Folder::new();
    folder.write("a.csv", NEWS);
    std::fs::create_dir(folder.at("in")).unwrap();
    copy(&folder.input("a.csv"), &folder.at("in/a.parquet")).unwrap();
    for name in ["in/../a.csv", "in/../in/a.parquet"] {
        assert_eq!(
            cells(&query(&format!("SELECT count(*) FROM '{}'", folder.input(name))).unwrap()),
            [["4"]],
            "{name}"
        );
    }
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
    assert_eq!(fault("SELECT 1 INTO x"), "only queries (SELECT, WITH, EXPLAIN) can be run, not SELECT 1 INTO x");
    for statement in
        ["CREATE TABLE t AS SELECT 1", &format!("COPY (SELECT 1) TO '{}'", folder.input("x.csv")), "SET x = 1"]
    {
        assert!(matches!(query(statement), Err(SqlError::NotAQuery { .. })), "{statement}: {}", fault(statement));
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
    assert_eq!(error, format!("{ragged}, line 3: 1 field, but the header has 2"));
    let unclosed = folder.write("u.csv", "a,b\n1,\"x\n2,y\n3,z\n");
    let error = fault(&format!("SELECT count(*) FROM '{unclosed}'"));
    assert_eq!(error, format!("{unclosed}, line 2: unclosed quote in this row"));
}

#[test]
fn cells_keep_their_text() {
    let folder = Folder::new();
    let input = folder.write("a.csv", "code,plus,price,n,x,b,t\n007,+1,2.50,1,0.5,true,\n008,2,3,,1.0,,x\n");
    let found = query(&format!("SELECT * FROM '{input}'")).unwrap();
    assert_eq!(cells(&found), [["007", "+1", "2.50", "1", "0.5", "true", ""], ["008", "2", "3", "∅", "1.0", "∅", "x"]]);
    let types: Vec<_> = found.schema().fields().iter().map(|field| field.data_type().to_string()).collect();
    assert_eq!(types, ["Utf8", "Utf8", "Utf8", "Int64", "Float64", "Boolean", "Utf8"]);
    let total = query(&format!("SELECT sum(CAST(price AS DOUBLE)), count(n), count(*) FROM '{input}'")).unwrap();
    assert_eq!(cells(&total), [["5.5", "1", "2"]]);
}

#[test]
fn a_late_cell_that_does_not_fit_is_an_error_where_it_is_asked_for() {
    let folder = Folder::new();
    let rows: String = (1..=100_000).map(|n| format!("{n},t\n")).collect();
    let input = folder.write("a.csv", format!("n,text\n{rows}007,last\n"));
    let error = fault(&format!("SELECT max(n) FROM '{input}'"));
    assert_eq!(error, format!("{input}, row 100001: column \"n\" has \"007\", but the first rows have whole numbers"));
    let found = query(&format!("SELECT count(*), max(text) FROM '{input}'")).unwrap();
    assert_eq!(cells(&found), [["100001", "t"]]);
    let found = query(&format!("SELECT n FROM '{input}' LIMIT 2")).unwrap();
    assert_eq!(cells(&found), [["1"], ["2"]]);
}

#[test]
fn plain_text_is_a_table_and_a_table_is_read_as_often_as_it_is_named() {
    let folder = Folder::new();
    let lines = folder.write("a.txt", "one\ntwo\n\n");
    assert_eq!(cells(&query(&format!("SELECT text FROM '{lines}'")).unwrap()), [["one"], ["two"], [""]]);
    let json = folder.write("b.jsonl", "{\"k\":1,\"v\":\"x\"}\n{\"k\":2,\"v\":\"y\"}\n");
    let twice = format!("SELECT a.v AS one, b.v AS two FROM '{json}' a JOIN '{json}' b ON a.k = b.k ORDER BY a.k");
    assert_eq!(cells(&query(&twice).unwrap()), [["x", "x"], ["y", "y"]]);
}

#[cfg(unix)]
#[test]
fn what_can_be_read_only_once_is_no_table() {
    let error = fault("SELECT * FROM '/dev/null'");
    assert_eq!(
        error,
        "the format of /dev/null cannot be told from its name; the formats are csv, tsv, jsonl, parquet and txt"
    );
    let folder = Folder::new();
    std::os::unix::fs::symlink("/dev/null", folder.at("a.csv")).unwrap();
    let error = fault(&format!("SELECT * FROM '{}'", folder.input("a.csv")));
    assert!(error.ends_with("a table of a query must be a file, which can be read more than once"), "{error}");
}

#[test]
fn a_label_is_the_one_that_tables_get() {
    let classifier = Classifier::pretrained("ag_news", ClassifierSettings::default()).unwrap();
    let texts: arrow_array::ArrayRef = Arc::new(arrow_array::StringArray::from(vec![
        Some("Stocks fell on Wall Street as oil prices rose."),
        None,
        Some("  "),
        Some("A new telescope."),
    ]));
    let table = RecordBatch::try_from_iter_with_nullable([("text", texts, true)]).unwrap();
    let folder = Folder::new();
    let mut sink = Sink::create(Target::File(folder.at("a.parquet")), Format::Parquet, table.schema()).unwrap();
    sink.write(&table).unwrap();
    sink.finish().unwrap();
    let expected = Classify::new(Arc::new(classifier), Columns::default()).unwrap().transform(&table).unwrap();
    let sql = format!("SELECT text, classify(text), classify_score(text) FROM '{}'", folder.input("a.parquet"));
    assert_eq!(cells(&query(&sql).unwrap()), cells(&expected));
}

#[test]
fn a_table_without_rows_has_columns() {
    let folder = Folder::new();
    let input = folder.write("a.csv", "id,text\n");
    let found = query(&format!("SELECT id, classify(text) AS label FROM '{input}'")).unwrap();
    assert_eq!((found.num_rows(), names(&found)), (0, vec!["id".to_owned(), "label".to_owned()]));
}
