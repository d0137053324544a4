//! `albertine classify --input`: tables, good and bad.

use std::fs;

use arrow_array::{BinaryArray, Int64Array, StringArray};

use crate::support::{BUSINESS, SPORTS, Sandbox, assert_conversation, column};

#[test]
fn a_table_keeps_its_rows_columns_and_values() {
    let sandbox = Sandbox::new();
    sandbox.file("news.csv", format!("id,text\n007,\"{BUSINESS}\"\n008,\"{SPORTS}\"\n"));
    assert_conversation!(sandbox.run(&["classify", "--input", "news.csv"]), @r#"
    exit code: 0
    ----- stdout -----
    {"id":"007","text":"Stocks fell on Wall Street as oil prices rose and investors feared inflation.","label":"Business","score":[SCORE]}
    {"id":"008","text":"The striker scored twice as the team won the cup final after extra time.","label":"Sports","score":[SCORE]}
    ----- stderr -----
    2 rows in [TIME]
    "#);
}

#[test]
fn standard_input_is_one_text_a_line() {
    let sandbox = Sandbox::new();
    let lines = format!("{BUSINESS}\n{SPORTS}\n");
    assert_conversation!(sandbox.run_with_input(&["classify"], lines.as_bytes()), @r#"
    exit code: 0
    ----- stdout -----
    {"text":"Stocks fell on Wall Street as oil prices rose and investors feared inflation.","label":"Business","score":[SCORE]}
    {"text":"The striker scored twice as the team won the cup final after extra time.","label":"Sports","score":[SCORE]}
    ----- stderr -----
    2 rows in [TIME]
    "#);
    let json = format!("{{\"title\": \"{SPORTS}\"}}\n");
    let arguments = ["classify", "--input", "-", "--input-format", "jsonl", "--text-column", "title", "--quiet"];
    assert_conversation!(sandbox.run_with_input(&arguments, json.as_bytes()), @r#"
    exit code: 0
    ----- stdout -----
    {"title":"The striker scored twice as the team won the cup final after extra time.","label":"Sports","score":[SCORE]}
    ----- stderr -----
    "#);
}

#[test]
fn two_text_columns_are_joined() {
    let sandbox = Sandbox::new();
    sandbox.file("news.csv", "title,description\nCup final,The striker scored twice and the team won.\n");
    let arguments = ["classify", "--input", "news.csv", "--text-column", "title", "--text-column", "description"];
    assert_conversation!(sandbox.run(&arguments), @r#"
    exit code: 0
    ----- stdout -----
    {"title":"Cup final","description":"The striker scored twice and the team won.","label":"Sports","score":[SCORE]}
    ----- stderr -----
    1 row in [TIME]
    "#);
}

#[test]
fn a_column_of_the_input_is_never_overwritten() {
    let sandbox = Sandbox::new();
    sandbox.file("news.csv", format!("label,text\nmine,\"{BUSINESS}\"\n"));
    assert_conversation!(sandbox.run(&["classify", "--input", "news.csv"]), @r#"
    exit code: 0
    ----- stdout -----
    {"label":"mine","text":"Stocks fell on Wall Street as oil prices rose and investors feared inflation.","predicted_label":"Business","score":[SCORE]}
    ----- stderr -----
    warning: the input has a column `label`, so the new column is called `predicted_label`
    1 row in [TIME]
    "#);
}

#[test]
fn a_missing_file_is_told() {
    assert_conversation!(Sandbox::new().run(&["classify", "--input", "missing.csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: missing.csv does not exist
    "#);
    assert_conversation!(Sandbox::new().run(&["classify", "--input", "*.parquet"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: no file to read matches *.parquet
    "#);
}

#[test]
fn an_empty_file_is_told() {
    let sandbox = Sandbox::new();
    sandbox.file("empty.csv", "").file("empty.parquet", "");
    assert_conversation!(sandbox.run(&["classify", "--input", "empty.csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: empty.csv is empty
    "#);
    assert_conversation!(sandbox.run(&["classify", "--input", "empty.parquet"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: empty.parquet is empty
    "#);
}

#[test]
fn a_table_without_rows_gives_a_table_without_rows() {
    let sandbox = Sandbox::new();
    sandbox.file("header.csv", "id,text\n");
    sandbox.parquet("none.parquet", vec![("text", column(StringArray::from(Vec::<&str>::new())))]);
    assert_conversation!(sandbox.run(&["classify", "--input", "header.csv", "--output-format", "csv"]), @r#"
    exit code: 0
    ----- stdout -----
    id,text,label,score
    ----- stderr -----
    0 rows in [TIME]
    "#);
    assert_conversation!(sandbox.run(&["classify", "--input", "none.parquet", "--output", "out.parquet"]), @r#"
    exit code: 0
    ----- stdout -----
    ----- stderr -----
    0 rows in [TIME], written to out.parquet
    "#);
    assert!(fs::metadata(sandbox.path("out.parquet")).expect("an output").len() > 0);
    assert_conversation!(sandbox.run_with_input(&["classify"], b""), @r#"
    exit code: 0
    ----- stdout -----
    ----- stderr -----
    0 rows in [TIME]
    "#);
}

#[test]
fn a_name_without_a_format_is_told() {
    let sandbox = Sandbox::new();
    sandbox.file("news.data", "text\n");
    assert_conversation!(sandbox.run(&["classify", "--input", "news.data"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the format of news.data cannot be told from its name; the formats are csv, tsv, jsonl, parquet and txt
    hint: give the format with `--input-format`
    "#);
}

#[test]
fn a_wrong_text_column_lists_the_columns() {
    let sandbox = Sandbox::new();
    sandbox.file("news.csv", "id,title,description\n1,a,b\n");
    assert_conversation!(sandbox.run(&["classify", "--input", "news.csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no column `text`; the columns are `id`, `title`, `description`
    hint: name the text column with `--text-column`
    "#);
}

#[test]
fn a_text_column_that_is_not_text_is_told() {
    let sandbox = Sandbox::new();
    sandbox.parquet("numbers.parquet", vec![("text", column(Int64Array::from(vec![1, 2])))]);
    assert_conversation!(sandbox.run(&["classify", "--input", "numbers.parquet"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: column `text` holds Int64, not text
    hint: choose a text column with `--text-column`
    "#);
}

#[test]
fn invalid_utf8_is_told_with_its_line_or_kept_as_null() {
    let sandbox = Sandbox::new();
    sandbox.file("latin.csv", b"id,text\n1,fine news\n2,\xff\xfe news \x01\n");
    assert_conversation!(sandbox.run(&["classify", "--input", "latin.csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: latin.csv, line 3: column "text" is not valid UTF-8
    hint: `--input-encoding` gives the encoding, such as windows-1252; `classify --errors null` keeps what can be read of such rows, `--rejects FILE` puts them aside
    "#);
    assert_conversation!(sandbox.run(&["classify", "--input", "latin.csv", "--errors", "null"]), @r#"
    exit code: 1
    ----- stdout -----
    {"id":"1","text":"fine news","error":null,"label":"Business","score":[SCORE]}
    {"id":"2","text":null,"error":"latin.csv, line 3: column \"text\" is not valid UTF-8","label":null,"score":null}
    ----- stderr -----
    2 rows in [TIME]
    warning: 1 text was null or blank and got no label
    warning: latin.csv, line 3: column "text" is not valid UTF-8
    warning: 1 row could not be read whole; what is missing or damaged is null, and fields and keys without a column are left out
    "#);
}

#[test]
fn a_ragged_row_is_told_with_its_line_or_kept_as_null() {
    let sandbox = Sandbox::new();
    sandbox.file("ragged.csv", "id,text\n1,fine news\n2\n3,more news\n");
    assert_conversation!(sandbox.run(&["classify", "--input", "ragged.csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: ragged.csv, line 3: 1 field, but the header has 2
    hint: `--delimiter`, `--quote` and `--escape` say how the file is written; `classify --errors null` keeps what can be read of such rows, `--rejects FILE` puts them aside
    "#);
    assert_conversation!(sandbox.run(&["classify", "--input", "ragged.csv", "--errors", "null"]), @r#"
    exit code: 1
    ----- stdout -----
    {"id":"1","text":"fine news","error":null,"label":"Business","score":[SCORE]}
    {"id":"2","text":null,"error":"ragged.csv, line 3: 1 field, but the header has 2","label":null,"score":null}
    {"id":"3","text":"more news","error":null,"label":"Business","score":[SCORE]}
    ----- stderr -----
    3 rows in [TIME]
    warning: 1 text was null or blank and got no label
    warning: ragged.csv, line 3: 1 field, but the header has 2
    warning: 1 row could not be read whole; what is missing or damaged is null, and fields and keys without a column are left out
    "#);
}

#[test]
fn columns_of_bytes_are_texts_and_labels() {
    let sandbox = Sandbox::new();
    let bytes = |values: [&[u8]; 2]| column(BinaryArray::from(values.to_vec()));
    sandbox.parquet(
        "news.parquet",
        vec![("text", bytes([BUSINESS.as_bytes(), SPORTS.as_bytes()])), ("label", bytes([b"Business", b"Sports"]))],
    );
    let said = sandbox.run(&["evaluate", "--input", "news.parquet"]);
    assert!(said.contains("\"eval_accuracy\":1.0") || said.contains("\"eval_accuracy\": 1.0"), "{said}");
    assert_conversation!(sandbox.run(&["classify", "--input", "news.parquet", "--text-column", "1"]), @r#"
    exit code: 0
    ----- stdout -----
    {"text":"Stocks fell on Wall Street as oil prices rose and investors feared inflation.","label":"427573696e657373","predicted_label":"Business","score":[SCORE]}
    {"text":"The striker scored twice as the team won the cup final after extra time.","label":"53706f727473","predicted_label":"Sports","score":[SCORE]}
    ----- stderr -----
    warning: the input has a column `label`, so the new column is called `predicted_label`
    2 rows in [TIME]
    "#);
    sandbox.parquet("odd.parquet", vec![("text", bytes([b"fine", b"caf\xe9"]))]);
    assert_conversation!(sandbox.run(&["classify", "--input", "odd.parquet"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: odd.parquet, row 2: column "text" is not valid UTF-8
    "#);
}

#[cfg(unix)]
#[test]
fn the_name_of_a_table_need_not_be_utf8() {
    use std::os::unix::ffi::OsStrExt;
    let sandbox = Sandbox::new();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.csv");
    fs::write(sandbox.path("").join(name), "text\nfine news\n").unwrap();
    let output = sandbox.command(&["classify", "--input"]).arg(name).output().unwrap();
    assert!(output.status.success() && output.stdout.starts_with(b"{\"text\":\"fine news\""));
}

#[test]
fn a_column_that_is_not_there_is_told_with_the_nearest() {
    let sandbox = Sandbox::new();
    sandbox.file("news.csv", "id,Text,headline\n1,a,b\n");
    assert_conversation!(sandbox.run(&["classify", "--input", "news.csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no column `text` (did you mean `Text`?); the columns are `id`, `Text`, `headline`
    hint: name the text column with `--text-column`
    "#);
    let said = sandbox.run(&["classify", "--input", "news.csv", "--text-column", "headlines"]);
    assert!(said.contains("(did you mean `headline`?)"), "{said}");
    let said = sandbox.run(&["classify", "--input", "news.csv", "--text-column", "body"]);
    assert!(said.contains("no column `body`; the columns"), "{said}");
}

/// Columns are found from what a pipe gives in its first seconds.
#[test]
fn a_late_key_of_a_pipe_costs_no_row_before_it() {
    use std::io::Write;
    use std::process::Stdio;
    let conversation = |more: &[&str]| {
        let sandbox = Sandbox::new();
        let mut child = sandbox.command(&[&["classify", "--input", "-", "--input-format", "jsonl"], more].concat());
        let mut child = child.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"{\"text\":\"fine news\"}\n").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(2500));
        stdin.write_all(b"{\"text\":\"more news\"}\n{\"text\":\"late news\",\"n\":1}\n").unwrap();
        drop(stdin);
        crate::support::conversation(&child.wait_with_output().unwrap())
    };
    assert_conversation!(conversation(&[]), @r#"
    exit code: 2
    ----- stdout -----
    {"text":"fine news","label":"Business","score":[SCORE]}
    {"text":"more news","label":"Business","score":[SCORE]}
    ----- stderr -----
    error: standard input, line 3: the key "n" is not in the lines that the columns were found from
    hint: write every key in the first object, or read a file instead of a pipe; `classify --errors null` leaves such keys out and continues
    "#);
    let said = conversation(&["--errors", "null"]);
    assert!(
        said.starts_with("exit code: 1") && said.contains("late news\",\"error\":\"standard input, line 3: the key"),
        "{said}"
    );
}

#[test]
fn a_line_that_is_no_object_is_told() {
    let sandbox = Sandbox::new();
    sandbox.file("bad.jsonl", "{\"text\": \"fine\"}\n[1, 2]\n");
    assert_conversation!(sandbox.run(&["classify", "--input", "bad.jsonl"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: bad.jsonl, line 2: it is not a JSON object
    hint: `classify --errors null` keeps what can be read of such rows, `--rejects FILE` puts them aside
    "#);
}

#[test]
fn nul_bytes_are_part_of_a_text() {
    let sandbox = Sandbox::new();
    sandbox.file("nul.csv", format!("id,text\n1,\"{SPORTS}\0\0\"\n"));
    assert_conversation!(sandbox.run(&["classify", "--input", "nul.csv"]), @r#"
    exit code: 0
    ----- stdout -----
    {"id":"1","text":"The striker scored twice as the team won the cup final after extra time.\u0000\u0000","label":"Sports","score":[SCORE]}
    ----- stderr -----
    1 row in [TIME]
    "#);
}

#[test]
fn ten_megabytes_in_one_row_are_cut_and_kept() {
    let sandbox = Sandbox::new();
    let text = "the team won the match ".repeat(10 * 1024 * 1024 / 23);
    sandbox.file("long.csv", format!("id,text\n1,{text}\n2,short\n"));
    assert_conversation!(sandbox.run(&["classify", "--input", "long.csv", "--output", "out.csv"]), @r#"
    exit code: 0
    ----- stdout -----
    ----- stderr -----
    2 rows in [TIME], written to out.csv
    warning: 1 text was longer than 512 pieces and was truncated
    "#);
    let out = sandbox.read("out.csv");
    assert!(out.contains(text.trim_end()), "the text is not kept whole");
    assert_eq!(out.lines().count(), 3);
}

#[test]
fn null_and_blank_texts_get_no_label() {
    let sandbox = Sandbox::new();
    let texts = vec![Some(BUSINESS), None, Some(""), Some(" \t ")];
    sandbox.parquet("blank.parquet", vec![("text", column(StringArray::from(texts)))]);
    assert_conversation!(sandbox.run(&["classify", "--input", "blank.parquet"]), @r#"
    exit code: 0
    ----- stdout -----
    {"text":"Stocks fell on Wall Street as oil prices rose and investors feared inflation.","label":"Business","score":[SCORE]}
    {"text":null,"label":null,"score":null}
    {"text":"","label":null,"score":null}
    {"text":" \t ","label":null,"score":null}
    ----- stderr -----
    4 rows in [TIME]
    warning: 3 texts were null or blank and got no label
    "#);
}

#[test]
fn a_damaged_table_is_told() {
    let sandbox = Sandbox::new();
    sandbox.parquet("whole.parquet", vec![("text", column(StringArray::from(vec![SPORTS; 100])))]);
    let whole = fs::read(sandbox.path("whole.parquet")).expect("a file");
    sandbox.file("cut.parquet", &whole[..whole.len() / 2]).file("not.parquet", "text\nnews\n");
    sandbox.file("cut.csv.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x2b]);
    assert_conversation!(sandbox.run(&["classify", "--input", "cut.parquet"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: cannot read cut.parquet as parquet: invalid Parquet file; corrupt footer
    "#);
    assert_conversation!(sandbox.run(&["classify", "--input", "not.parquet"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: cannot read not.parquet as parquet: invalid Parquet file; corrupt footer
    "#);
    assert_conversation!(sandbox.run(&["classify", "--input", "cut.csv.gz"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the compressed data of cut.csv.gz is damaged or truncated: incomplete deflate stream
    "#);
}

#[test]
fn files_with_different_columns_are_told() {
    let sandbox = Sandbox::new();
    sandbox.file("a.csv", "id,text\n1,news\n").file("b.csv", "id,title\n1,news\n");
    assert_conversation!(sandbox.run(&["classify", "--input", "a.csv", "--input", "b.csv"]), @r#"
    exit code: 0
    ----- stdout -----
    {"id":"1","text":"news","title":null,"label":"Sci/Tech","score":[SCORE]}
    {"id":"1","text":null,"title":"news","label":null,"score":null}
    ----- stderr -----
    a.csv: no column `title` (null)
    b.csv: no column `text` (null)
    2 rows in [TIME]
    warning: 1 text was null or blank and got no label
    "#);
}
