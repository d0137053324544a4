//! A zoo of delimited files, made anew by the descriptions of the test files of two readers' own suites (csv-spectrum,
//! and the readers of DuckDB and pandas): what becomes of each.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fmt::Write;

use common::{Folder, cells, names, open, read_all};

/// Name and content of each file.
const ZOO: &[(&str, &[u8])] = &[
    // csv-spectrum
    ("comma_in_quotes.csv", b"first,last,address,city,zip\nJohn,Doe,120 any st.,\"Anytown, WW\",08123\n"),
    ("empty.csv", b"a,b,c\n1,\"\",\"\"\n2,3,4\n"),
    ("empty_crlf.csv", b"a,b,c\r\n1,\"\",\"\"\r\n2,3,4\r\n"),
    ("escaped_quotes.csv", b"a,b\n1,\"ha \"\"ha\"\" ha\"\n3,4\n"),
    ("json.csv", b"key,val\n1,\"{\"\"type\"\": \"\"Point\"\", \"\"coordinates\"\": [102.0, 0.5]}\"\n"),
    ("location_coordinates.csv", b"name,location\nA,\"(1.5, -2.5)\"\n"),
    ("newlines.csv", b"a,b,c\n1,2,3\n\"Once upon \na time\",5,6\n7,8,9\n"),
    ("newlines_crlf.csv", b"a,b,c\r\n1,2,3\r\n\"Once upon \r\na time\",5,6\r\n7,8,9\r\n"),
    ("quotes_and_newlines.csv", b"a,b\n1,\"ha \n\"\"ha\"\" \nha\"\n3,4\n"),
    ("simple.csv", b"a,b,c\n1,2,3\n"),
    ("simple_crlf.csv", b"a,b,c\r\n1,2,3\r\n"),
    ("utf8.csv", "a,b,c\n1,2,3\n4,5,ʤ\n".as_bytes()),
    // delimiters
    ("semicolon.csv", b"a;b\n1;x,y\n2;z\n"),
    ("pipe.csv", b"a|b\n1|x\n2|y\n"),
    ("tab.csv", b"a\tb\n1\tx\n2\ty\n"),
    ("comma.tsv", b"a,b\n1,x\n2,y\n"),
    ("decimal_comma.csv", b"a;b\n1,5;2,5\n3,5;4,5\n"),
    ("delimiter_in_quotes.csv", b"\"a;b\";c\n\"x;y\";z\n"),
    ("trailing_delimiter.csv", b"a,b,\n1,2,\n"),
    ("leading_delimiter.csv", b",a\n0,x\n"),
    ("only_delimiters.csv", b"a,b,c\n,,\n"),
    ("excel_sep.csv", b"sep=;\na;b\n1;2\n"),
    ("one_column.csv", b"a\nx\ny\n"),
    ("one_column_semicolons.csv", b"a\nx; y\nz\n"),
    ("mostly_semicolons.csv", b"a;b\n1;2\n3;4\n5;6\n7;8\n9\n"),
    // quotes
    ("all_quoted.csv", b"\"a\",\"b\"\n\"1\",\"x\"\n"),
    ("quoted_empty.csv", b"a\n\"\"\nx\n"),
    ("quote_in_field.csv", b"a,b\n5\" disk,x\n"),
    ("unclosed_last.csv", b"a,b\n1,x\n2,\"y\n"),
    ("unclosed_middle.csv", b"a,b\n1,\"x\n2,y\n3,z\n"),
    ("text_after_quote.csv", b"a,b\n\"x\"y,1\nz,2\n"),
    ("space_before_quote.csv", b"a,b\n1, \"x\"\n"),
    ("space_after_quote.csv", b"a,b\n\"x\" ,1\n"),
    ("single_quotes.csv", b"'a','b'\n'x, y','it''s'\n"),
    ("backslash.csv", b"a,b\n\"say \\\"hi\\\"\",1\n"),
    ("backslash_at_end.csv", b"a,b\n\"C:\\\\dir\\\\\",1\n"),
    ("unquoted_tsv.tsv", b"a\tb\n\"x\t1\ny\" z\t2\n"),
    ("quoted_header_newline.csv", b"\"a\nb\",c\n1,2\n"),
    ("triple_quotes.csv", b"a\n\"\"\"x\"\"\"\n"),
    // line ends
    ("cr_only.csv", b"a,b\r1,2\r3,4\r"),
    ("mixed_ends.csv", b"a,b\r\n1,2\n3,4\r\n"),
    ("no_final_end.csv", b"a,b\n1,2"),
    ("double_cr.csv", b"a,b\r\r\n1,2\r\r\n"),
    ("cr_in_field.csv", b"a,b\nx\ry,1\n"),
    ("blank_lines.csv", b"\n\na,b\n\n1,2\n\n"),
    ("blank_rows_one_column.csv", b"a\n\nx\n\n"),
    ("only_line_ends.csv", b"\n\r\n\n"),
    ("nothing.csv", b""),
    // headers
    ("header_only.csv", b"a,b\n"),
    ("headerless.csv", b"1,x\n2,y\n"),
    ("headerless_text.csv", b"x,y\nz,w\n"),
    ("numbers_above_text.csv", b"2019,2020\nx,y\n"),
    ("duplicate_names.csv", b"a,a,a_1\n1,2,3\n"),
    ("unnamed_index.csv", b",a\n0,x\n"),
    ("spaces_in_names.csv", b"a , b\n1,2\n"),
    // shapes
    ("short_row.csv", b"a,b\n1\n2,3\n"),
    ("long_row.csv", b"a,b\n1,2,3\n"),
    ("comments_above.csv", b"# one\n# two\na,b\n1,2\n"),
    ("comment_as_header.csv", b"#a,b\n1,2\n"),
    ("null_words.csv", b"a,b\nNULL,NA\n\\N,nan\n"),
    ("leading_zeros.csv", b"a,b\n007,1.50\n"),
    // encodings
    ("mark.csv", b"\xef\xbb\xbfa,b\n1,2\n"),
    ("utf16le.csv", b"\xff\xfea\0,\0b\0\n\0\x31\0,\0\xe9\0\n\0"),
    ("utf16be.csv", b"\xfe\xff\0a\0,\0b\0\n\0\x31\0,\0\xe9\0\n"),
    ("latin1.csv", b"a,b\ncaf\xe9 noir,1\n"),
    ("cp1252_signs.csv", b"a,b\n\x93price\x94 \x80 20,1\n"),
    ("one_bad_byte.csv", b"a,b\ncaf\xc3\xa9,1\nx\xff,2\n"),
    ("nul_bytes.csv", b"a,b\nx\0y,1\n"),
    ("zip.csv", b"PK\x03\x04\x14\0\0\0"),
];

#[test]
fn what_becomes_of_each_file() {
    let folder = Folder::new();
    let mut outcomes = String::new();
    for (name, bytes) in ZOO {
        let input = folder.write(name, bytes);
        let told = |text: String| {
            text.replace(&format!("{input}, "), "").replace(&format!("{input}: "), "").replace(&input, name)
        };
        let outcome = open(&input).and_then(|source| {
            let notes = source.notes().iter().map(|note| format!(" ({})", told(note.clone()))).collect::<String>();
            let batch = read_all(source)?;
            Ok(format!("{:?} {:?}{notes}", names(&batch), cells(&batch)))
        });
        writeln!(outcomes, "{name}: {}", outcome.unwrap_or_else(|error| told(format!("error: {error}")))).unwrap();
    }
    assert!(ZOO.len() >= 60);
    insta::assert_snapshot!(outcomes, @r##"
    comma_in_quotes.csv: ["first", "last", "address", "city", "zip"] [["John", "Doe", "120 any st.", "Anytown, WW", "08123"]]
    empty.csv: ["a", "b", "c"] [["1", "", ""], ["2", "3", "4"]]
    empty_crlf.csv: ["a", "b", "c"] [["1", "", ""], ["2", "3", "4"]]
    escaped_quotes.csv: ["a", "b"] [["1", "ha \"ha\" ha"], ["3", "4"]]
    json.csv: ["key", "val"] [["1", "{\"type\": \"Point\", \"coordinates\": [102.0, 0.5]}"]]
    location_coordinates.csv: ["name", "location"] [["A", "(1.5, -2.5)"]]
    newlines.csv: ["a", "b", "c"] [["1", "2", "3"], ["Once upon \na time", "5", "6"], ["7", "8", "9"]]
    newlines_crlf.csv: ["a", "b", "c"] [["1", "2", "3"], ["Once upon \r\na time", "5", "6"], ["7", "8", "9"]]
    quotes_and_newlines.csv: ["a", "b"] [["1", "ha \n\"ha\" \nha"], ["3", "4"]]
    simple.csv: ["a", "b", "c"] [["1", "2", "3"]]
    simple_crlf.csv: ["a", "b", "c"] [["1", "2", "3"]]
    utf8.csv: ["a", "b", "c"] [["1", "2", "3"], ["4", "5", "ʤ"]]
    semicolon.csv: ["a", "b"] [["1", "x,y"], ["2", "z"]] (delimiter `;`)
    pipe.csv: ["a", "b"] [["1", "x"], ["2", "y"]] (delimiter `|`)
    tab.csv: ["a", "b"] [["1", "x"], ["2", "y"]] (delimiter tab)
    comma.tsv: ["a", "b"] [["1", "x"], ["2", "y"]] (delimiter `,`)
    decimal_comma.csv: ["a", "b"] [["1,5", "2,5"], ["3,5", "4,5"]] (delimiter `;`)
    delimiter_in_quotes.csv: ["a;b", "c"] [["x;y", "z"]] (delimiter `;`)
    trailing_delimiter.csv: ["a", "b", "column3"] [["1", "2", ""]] (column 3 named `column3`)
    leading_delimiter.csv: ["column1", "a"] [["0", "x"]] (column 1 named `column1`)
    only_delimiters.csv: ["a", "b", "c"] [["", "", ""]]
    excel_sep.csv: ["a", "b"] [["1", "2"]] (delimiter `;`)
    one_column.csv: ["a"] [["x"], ["y"]]
    one_column_semicolons.csv: ["a"] [["x; y"], ["z"]]
    mostly_semicolons.csv: error: line 6: 1 field, but the header has 2
    all_quoted.csv: ["a", "b"] [["1", "x"]]
    quoted_empty.csv: ["a"] [[""], ["x"]]
    quote_in_field.csv: ["a", "b"] [["5\" disk", "x"]]
    unclosed_last.csv: error: line 3: unclosed quote in this row
    unclosed_middle.csv: error: line 2: unclosed quote in this row
    text_after_quote.csv: error: line 2: text follows a closing quote
    space_before_quote.csv: ["a", "b"] [["1", " \"x\""]]
    space_after_quote.csv: error: line 2: text follows a closing quote
    single_quotes.csv: ["a", "b"] [["x, y", "it's"]] (quote `'`)
    backslash.csv: ["a", "b"] [["say \"hi\"", "1"]] (escape `\`)
    backslash_at_end.csv: ["a", "b"] [["C:\\\\dir\\\\", "1"]]
    unquoted_tsv.tsv: ["a", "b"] [["\"x", "1"], ["y\" z", "2"]] (no quotes)
    quoted_header_newline.csv: ["a\nb", "c"] [["1", "2"]]
    triple_quotes.csv: ["a"] [["\"x\""]]
    cr_only.csv: ["a", "b"] [["1", "2"], ["3", "4"]]
    mixed_ends.csv: ["a", "b"] [["1", "2"], ["3", "4"]]
    no_final_end.csv: ["a", "b"] [["1", "2"]]
    double_cr.csv: ["a", "b"] [["1", "2"]]
    cr_in_field.csv: ["a", "b"] [["x\ry", "1"]]
    blank_lines.csv: ["a", "b"] [["1", "2"]]
    blank_rows_one_column.csv: ["a"] [[""], ["x"], [""]]
    only_line_ends.csv: error: only_line_ends.csv is empty
    nothing.csv: error: nothing.csv is empty
    header_only.csv: ["a", "b"] []
    headerless.csv: ["column1", "column2"] [["1", "x"], ["2", "y"]] (no header (columns named `column1`, `column2` and so on))
    headerless_text.csv: ["x", "y"] [["z", "w"]]
    numbers_above_text.csv: ["2019", "2020"] [["x", "y"]]
    duplicate_names.csv: ["a", "a_2", "a_1"] [["1", "2", "3"]] (column 2 named `a_2`)
    unnamed_index.csv: ["column1", "a"] [["0", "x"]] (column 1 named `column1`)
    spaces_in_names.csv: ["a ", " b"] [["1", "2"]]
    short_row.csv: error: line 2: 1 field, but the header has 2
    long_row.csv: error: line 2: 3 fields, but the header has 2
    comments_above.csv: ["a", "b"] [["1", "2"]] (2 comment lines skipped)
    comment_as_header.csv: ["#a", "b"] [["1", "2"]]
    null_words.csv: ["a", "b"] [["NULL", "NA"], ["\\N", "nan"]]
    leading_zeros.csv: ["a", "b"] [["007", "1.50"]]
    mark.csv: ["a", "b"] [["1", "2"]]
    utf16le.csv: ["a", "b"] [["1", "é"]]
    utf16be.csv: ["a", "b"] [["1", "é"]]
    latin1.csv: ["a", "b"] [["café noir", "1"]] (encoding windows-1252)
    cp1252_signs.csv: ["a", "b"] [["“price” € 20", "1"]] (encoding windows-1252)
    one_bad_byte.csv: error: line 3: column "a" is not valid UTF-8
    nul_bytes.csv: ["a", "b"] [["x\0y", "1"]]
    zip.csv: error: zip.csv is not text: it is a zip archive or an Excel workbook; save the workbook as CSV, or unpack the archive
    "##);
}
