//! `albertine classify --input`: tables as other programs write them.

use crate::support::{BUSINESS, SPORTS, Sandbox, assert_conversation};

#[test]
fn a_spreadsheet_with_semicolons_is_read_and_said() {
    let sandbox = Sandbox::new();
    sandbox.file("excel.csv", format!("id;text\n1;{BUSINESS}\n2;{SPORTS}\n"));
    assert_conversation!(sandbox.run(&["classify", "--input", "excel.csv"]), @r#"
    exit code: 0
    ----- stdout -----
    {"id":"1","text":"Stocks fell on Wall Street as oil prices rose and investors feared inflation.","label":"Business","score":[SCORE]}
    {"id":"2","text":"The striker scored twice as the team won the cup final after extra time.","label":"Sports","score":[SCORE]}
    ----- stderr -----
    excel.csv: delimiter `;`
    2 rows in [TIME]
    "#);
    assert_conversation!(sandbox.run(&["classify", "--input", "excel.csv", "--delimiter", ","]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no column `text`; the columns are `id;text`
    hint: name the text column with `--text-column`
    "#);
}

#[test]
fn a_file_without_a_header_has_numbered_columns() {
    let sandbox = Sandbox::new();
    sandbox.file("ag_news.csv", format!("\"3\",\"{BUSINESS}\"\n\"2\",\"{SPORTS}\"\n"));
    assert_conversation!(sandbox.run(&["classify", "--input", "ag_news.csv", "--text-column", "2"]), @r#"
    exit code: 0
    ----- stdout -----
    {"column1":"3","column2":"Stocks fell on Wall Street as oil prices rose and investors feared inflation.","label":"Business","score":[SCORE]}
    {"column1":"2","column2":"The striker scored twice as the team won the cup final after extra time.","label":"Sports","score":[SCORE]}
    ----- stderr -----
    ag_news.csv: no header (columns named `column1`, `column2` and so on)
    2 rows in [TIME]
    "#);
    assert_conversation!(sandbox.run(&["classify", "--input", "ag_news.csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    ag_news.csv: no header (columns named `column1`, `column2` and so on)
    error: there is no column `text`; the columns are `column1`, `column2`
    hint: name the text column with `--text-column`
    "#);
    sandbox.file("texts.csv", format!("Gold rose,x\n\"{SPORTS}\",y\n"));
    let arguments = ["classify", "--input", "texts.csv", "--no-header", "--text-column", "column1", "--quiet"];
    assert_conversation!(sandbox.run(&arguments), @r#"
    exit code: 0
    ----- stdout -----
    {"column1":"Gold rose","column2":"x","label":"Business","score":[SCORE]}
    {"column1":"The striker scored twice as the team won the cup final after extra time.","column2":"y","label":"Sports","score":[SCORE]}
    ----- stderr -----
    "#);
}

#[test]
fn an_index_column_without_a_name_is_numbered() {
    let sandbox = Sandbox::new();
    sandbox.file("pandas.csv", format!(",text,text\n0,\"{BUSINESS}\",b\n"));
    assert_conversation!(sandbox.run(&["classify", "--input", "pandas.csv"]), @r#"
    exit code: 0
    ----- stdout -----
    {"column1":"0","text":"Stocks fell on Wall Street as oil prices rose and investors feared inflation.","text_1":"b","label":"Business","score":[SCORE]}
    ----- stderr -----
    pandas.csv: column 1 named `column1`, column 3 named `text_1`
    1 row in [TIME]
    "#);
}

#[test]
fn backslashes_before_quotes_are_read_as_spark_means_them() {
    let sandbox = Sandbox::new();
    sandbox.file("spark.csv", "text,id\n\"The word \\\"stock\\\", as used, rose\",1\nplain text,2\n");
    assert_conversation!(sandbox.run(&["classify", "--input", "spark.csv"]), @r#"
    exit code: 0
    ----- stdout -----
    {"text":"The word \"stock\", as used, rose","id":"1","label":"Business","score":[SCORE]}
    {"text":"plain text","id":"2","label":"Sci/Tech","score":[SCORE]}
    ----- stderr -----
    spark.csv: escape `\`
    2 rows in [TIME]
    "#);
}

#[test]
fn text_after_a_closing_quote_costs_its_row_only() {
    let sandbox = Sandbox::new();
    let news = "id,text,lang\n1,\"Shares of \"\"Acme\"\" fell\n2,\"Oil prices rose\",en\n3,\"Gold rose\",en\n";
    sandbox.file("news.csv", news);
    assert_conversation!(sandbox.run(&["classify", "--input", "news.csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: news.csv, line 2: text follows a closing quote on line 3
    hint: `--delimiter`, `--quote` and `--escape` say how the file is written; `classify --errors null` keeps what can be read of such rows, `--rejects FILE` puts them aside
    "#);
    assert_conversation!(sandbox.run(&["classify", "--input", "news.csv", "--errors", "null"]), @r#"
    exit code: 1
    ----- stdout -----
    {"id":"1","text":null,"lang":null,"error":"news.csv, line 2: text follows a closing quote on line 3","label":null,"score":null}
    {"id":"2","text":"Oil prices rose","lang":"en","error":null,"label":"Business","score":[SCORE]}
    {"id":"3","text":"Gold rose","lang":"en","error":null,"label":"Business","score":[SCORE]}
    ----- stderr -----
    3 rows in [TIME]
    warning: 1 text was null or blank and got no label
    warning: news.csv, line 2: text follows a closing quote on line 3
    warning: 1 row could not be read whole; what is missing or damaged is null, and fields and keys without a column are left out
    "#);
}

#[test]
fn an_empty_line_of_a_table_of_one_column_is_a_row() {
    let sandbox = Sandbox::new();
    sandbox.file("polars.csv", format!("text\n{BUSINESS}\n\n{SPORTS}\n"));
    assert_conversation!(sandbox.run(&["classify", "--input", "polars.csv"]), @r#"
    exit code: 0
    ----- stdout -----
    {"text":"Stocks fell on Wall Street as oil prices rose and investors feared inflation.","label":"Business","score":[SCORE]}
    {"text":"","label":null,"score":null}
    {"text":"The striker scored twice as the team won the cup final after extra time.","label":"Sports","score":[SCORE]}
    ----- stderr -----
    3 rows in [TIME]
    warning: 1 text was null or blank and got no label
    "#);
}

#[test]
fn other_encodings_are_read_and_what_is_no_text_is_refused() {
    let sandbox = Sandbox::new();
    let utf16: Vec<u8> = format!("text\tid\r\n{SPORTS}\t1\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    sandbox.file("excel_unicode.csv", [&[0xff, 0xfe], utf16.as_slice()].concat());
    assert_conversation!(sandbox.run(&["classify", "--input", "excel_unicode.csv"]), @r#"
    exit code: 0
    ----- stdout -----
    {"text":"The striker scored twice as the team won the cup final after extra time.","id":"1","label":"Sports","score":[SCORE]}
    ----- stderr -----
    excel_unicode.csv: delimiter tab
    1 row in [TIME]
    "#);
    sandbox.file("latin.csv", b"id,text\n1,The caf\xe9 team won the cup final\n");
    assert_conversation!(sandbox.run(&["classify", "--input", "latin.csv"]), @r#"
    exit code: 0
    ----- stdout -----
    {"id":"1","text":"The café team won the cup final","label":"Sports","score":[SCORE]}
    ----- stderr -----
    latin.csv: encoding windows-1252
    1 row in [TIME]
    "#);
    assert_conversation!(sandbox.run(&["classify", "--input", "latin.csv", "--input-encoding", "utf-8"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: latin.csv, line 2: column "text" is not valid UTF-8
    hint: `--input-encoding` gives the encoding, such as windows-1252; `classify --errors null` keeps what can be read of such rows, `--rejects FILE` puts them aside
    "#);
    sandbox.file("book.csv", b"PK\x03\x04\x14\0\x06\0");
    assert_conversation!(sandbox.run(&["classify", "--input", "book.csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: book.csv is not text: it is a zip archive or an Excel workbook; save the workbook as CSV, or unpack the archive
    "#);
    assert_conversation!(sandbox.run(&["classify", "--input", "latin.csv", "--input-encoding", "klingon"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value 'klingon' for '--input-encoding <NAME>': klingon is not a character encoding; some are utf-8, utf-16le, utf-16be, windows-1252 and shift_jis

    For more information, try '--help'.
    "#);
}

#[test]
fn one_array_of_objects_is_a_table() {
    let sandbox = Sandbox::new();
    sandbox.file("records.json", format!("[{{\"text\":\"{BUSINESS}\"}},\n {{\"text\":\"{SPORTS}\"}}]\n"));
    assert_conversation!(sandbox.run(&["classify", "--input", "records.json"]), @r#"
    exit code: 0
    ----- stdout -----
    {"text":"Stocks fell on Wall Street as oil prices rose and investors feared inflation.","label":"Business","score":[SCORE]}
    {"text":"The striker scored twice as the team won the cup final after extra time.","label":"Sports","score":[SCORE]}
    ----- stderr -----
    2 rows in [TIME]
    "#);
}

#[test]
fn json_as_python_writes_it_keeps_its_rows() {
    let sandbox = Sandbox::new();
    sandbox.file(
        "t.jsonl",
        format!(
            "{{\"text\":\"{SPORTS}\",\"price\":NaN,\"id\":123456789012345678901}}\n{{\"text\":[1],\"price\":1.5}}\n"
        ),
    );
    assert_conversation!(sandbox.run(&["classify", "--input", "t.jsonl"]), @r#"
    exit code: 0
    ----- stdout -----
    {"text":"The striker scored twice as the team won the cup final after extra time.","price":null,"id":"123456789012345678901","label":"Sports","score":[SCORE]}
    {"text":"[1]","price":1.5,"id":null,"label":"Sci/Tech","score":[SCORE]}
    ----- stderr -----
    t.jsonl: NaN and infinities read as null
    t.jsonl: column `text` read as text (its values have different types)
    2 rows in [TIME]
    "#);
}

#[test]
fn folders_of_spark_are_tables_with_their_partitions() {
    let sandbox = Sandbox::new();
    sandbox.file("out/_temporary/0/part-1.csv", "text\nUNCOMMITTED\n").file("out/_SUCCESS", "");
    sandbox.file("out/year=2024/part-0.csv", format!("text\n{SPORTS}\n"));
    assert_conversation!(sandbox.run(&["classify", "--input", "out", "--quiet"]), @r#"
    exit code: 0
    ----- stdout -----
    {"text":"The striker scored twice as the team won the cup final after extra time.","year":2024,"label":"Sports","score":[SCORE]}
    ----- stderr -----
    "#);
    assert_conversation!(sandbox.run(&["classify", "--input", "out/**/*.csv", "--quiet"]), @r#"
    exit code: 0
    ----- stdout -----
    {"text":"The striker scored twice as the team won the cup final after extra time.","year":2024,"label":"Sports","score":[SCORE]}
    ----- stderr -----
    "#);
}

#[test]
fn a_character_of_a_dialect_is_one_character() {
    let sandbox = Sandbox::new();
    assert_conversation!(sandbox.run(&["classify", "--input", "a.csv", "--delimiter", "::"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value '::' for '--delimiter <CHAR>': not one ASCII character

    For more information, try '--help'.
    "#);
    assert_conversation!(sandbox.run(&["classify", "--input", "a.csv", "--header", "--no-header"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the argument '--header' cannot be used with '--no-header'

    Usage: albertine classify --input <PATH|GLOB|URL|-> --header [TEXT]...

    For more information, try '--help'.
    "#);
    sandbox.file("a.txt", format!("{SPORTS}\u{1}x\n"));
    let arguments = [
        "classify",
        "--input",
        "a.txt",
        "--input-format",
        "csv",
        "--delimiter",
        r"\x01",
        "--no-header",
        "--text-column",
        "1",
        "--quiet",
    ];
    assert_conversation!(sandbox.run(&arguments), @r#"
    exit code: 0
    ----- stdout -----
    {"column1":"The striker scored twice as the team won the cup final after extra time.","column2":"x","label":"Sports","score":[SCORE]}
    ----- stderr -----
    "#);
}
