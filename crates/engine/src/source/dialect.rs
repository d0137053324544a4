//! How a delimited file is written, found from its beginning, as DuckDB's sniffer and Python's `csv.Sniffer` do it.
//!
//! What a file's name says (commas, or tabs) is kept wherever it reads the beginning without a fault into more than one
//! column. Only where it does not, other delimiters and quotes are tried, and one is taken if it reads every record
//! into the same number of columns, of which the first record has as many.

use super::records::{Record, parse};
use crate::{Quote, TextOptions};

/// The bytes of a file that are looked at.
pub(super) const LOOKED_AT: u64 = 256 << 10;

/// The delimiters that are tried, in this order.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The quotes and escapes that are tried, in this order.
const QUOTING: [(Option<u8>, Option<u8>); 5] =
    [(Some(b'"'), None), (Some(b'"'), Some(b'\\')), (Some(b'\''), None), (Some(b'\''), Some(b'\\')), (None, None)];

/// How the records of a file are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: Option<u8>,
    /// What stands before a quote within quotes; otherwise it is doubled.
    pub(super) escape: Option<u8>,
    pub(super) comment: Option<u8>,
    /// Whether a carriage return alone ends a record, as in files of which no line ends with a line feed.
    pub(super) carriage_returns: bool,
}

impl Dialect {
    /// The plain dialect ([RFC 4180](https://www.rfc-editor.org/rfc/rfc4180)) with this delimiter.
    #[cfg(test)]
    pub(super) const fn of(delimiter: u8) -> Self {
        Self { delimiter, quote: Some(b'"'), escape: None, comment: None, carriage_returns: false }
    }
}

/// What was found of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sniffed {
    pub(super) dialect: Dialect,
    pub(super) header: bool,
    /// The lines before the table: comments, or Excel's `sep=;`.
    pub(super) skipped: u64,
    /// What is not as the file's name and the options say, for a person to read.
    pub(super) notes: Vec<String>,
}

/// Finds how the text that begins with `head` is written; `whole` says that there is no more of it. `delimiter` is what
/// the file's name says.
pub(super) fn find(head: &[u8], whole: bool, delimiter: u8, options: &TextOptions) -> Sniffed {
    let own = options.delimiter.unwrap_or(delimiter);
    let (mut skipped, mut body, mut notes) = (0, head, Vec::new());
    let mut delimiters = vec![own];
    if let Some((named, rest)) = separator_line(head) {
        (skipped, body) = (1, rest);
        if options.delimiter.is_none() {
            delimiters = vec![named];
        }
    } else if options.delimiter.is_none() {
        delimiters.extend(DELIMITERS.into_iter().filter(|other| *other != own));
    }
    let carriage_returns = !head.contains(&b'\n');
    let quoting: Vec<_> = QUOTING
        .into_iter()
        .map(|(quote, escape)| (options.quote.map_or(quote, Quote::byte), options.escape.or(escape)))
        .filter(|(quote, escape)| quote.is_some() || escape.is_none() || options.escape.is_some())
        .collect();
    let dialect_of = |delimiter: u8, (quote, escape): (Option<u8>, Option<u8>)| Dialect {
        delimiter,
        quote,
        escape,
        comment: options.comment,
        carriage_returns,
    };
    let best = |body: &[u8]| {
        let fits = |dialect: &Dialect| Fit::of(body, whole, dialect);
        choose(&delimiters, &quoting, &dialect_of, &fits)
    };
    let (mut dialect, certain) = best(body);
    let comments = leading_comments(body);
    if !certain && options.comment.is_none() && comments.0 > 0 {
        let (after, is_certain) = best(&body[comments.1..]);
        if is_certain {
            dialect = after;
            skipped += comments.0;
            body = &body[comments.1..];
            notes.push(match comments.0 {
                1 => "1 comment line skipped".to_owned(),
                many => format!("{many} comment lines skipped"),
            });
        }
    }
    if options.delimiter.is_none() && dialect.delimiter != delimiter {
        notes.push(format!("delimiter {}", name(dialect.delimiter)));
    }
    if options.quote.is_none() && dialect.quote != Some(b'"') {
        notes.push(dialect.quote.map_or_else(|| "no quotes".to_owned(), |quote| format!("quote {}", name(quote))));
    }
    // Both readings are without a fault. The one that the name says is taken, as a table that was written so must come
    // back; texts that begin with a quote in a file without quoting are the other.
    let fits_too = |plain: &Dialect, none: &Dialect| {
        let (plain_fit, fit) = (Fit::of(body, whole, plain), Fit::of(body, whole, none));
        plain.quote.is_some()
            && plain_fit.spans_lines
            && plain_fit.is_clean()
            && fit.is_clean()
            && fit.columns == plain_fit.columns
    };
    let none = Dialect { quote: None, escape: None, ..dialect.clone() };
    if options.quote.is_none() && may_be(dialect.delimiter, (None, None), quoting[0]) && fits_too(&dialect, &none) {
        notes.push("quotes hide line ends, though every line would be a row: `--quote none` reads it so".to_owned());
    }
    if options.escape.is_none() && dialect.escape.is_some() {
        notes.push("escape `\\`".to_owned());
    }
    let header = options.header.unwrap_or_else(|| has_header(body, whole, &dialect));
    if options.header.is_none() && !header {
        notes.push("no header (columns named `column1`, `column2` and so on)".to_owned());
    }
    Sniffed { dialect, header, skipped, notes }
}

/// The dialect that fits best, and whether it fits every record. The first of each list is the plain one.
fn choose(
    delimiters: &[u8],
    quoting: &[(Option<u8>, Option<u8>)],
    dialect_of: &dyn Fn(u8, (Option<u8>, Option<u8>)) -> Dialect,
    fits: &dyn Fn(&Dialect) -> Fit,
) -> (Dialect, bool) {
    let plain_quoting = quoting[0];
    let plain = dialect_of(delimiters[0], plain_quoting);
    let plain_fit = fits(&plain);
    if plain_fit.is_clean() && plain_fit.columns > 1 {
        return (plain, true);
    }
    // The most columns that every record has; of several such dialects the plainest.
    let mut best: Option<(usize, Dialect)> = None;
    for quoting in quoting {
        for delimiter in delimiters.iter().filter(|delimiter| may_be(**delimiter, *quoting, plain_quoting)) {
            let dialect = dialect_of(*delimiter, *quoting);
            let fit = fits(&dialect);
            let most = best.as_ref().map_or(1, |(columns, _)| *columns);
            if fit.is_clean() && fit.columns > most {
                best = Some((fit.columns, dialect));
            }
        }
    }
    if let Some((_, dialect)) = best {
        return (dialect, true);
    }
    // Some records may be at fault. Another delimiter must at least be in the header and in nearly all records.
    if plain_fit.columns <= 1 {
        for delimiter in &delimiters[1..] {
            let dialect = dialect_of(*delimiter, quoting[0]);
            let fit = fits(&dialect);
            if fit.columns > 1 && fit.even * 5 >= fit.records * 4 && fit.even > 1 {
                return (dialect, false);
            }
        }
    }
    if plain_fit.is_clean() {
        return (plain, false);
    }
    // One column in other quotes.
    for quoting in &quoting[1..] {
        let dialect = dialect_of(delimiters[0], *quoting);
        if may_be(delimiters[0], *quoting, plain_quoting) && fits(&dialect).is_clean() {
            return (dialect, true);
        }
    }
    (plain, false)
}

/// Whether a file with this delimiter may be in this quoting. Without quotes are tables of tabs and pipes; between commas
/// a quote that is not closed is a damaged row.
fn may_be(delimiter: u8, quoting: (Option<u8>, Option<u8>), plain: (Option<u8>, Option<u8>)) -> bool {
    quoting.0.is_some() || plain.0.is_none() || matches!(delimiter, b'\t' | b'|')
}

/// How a dialect fits the beginning of a file.
#[derive(Debug, Default)]
struct Fit {
    records: usize,
    /// The columns of the first record.
    columns: usize,
    /// The records with as many.
    even: usize,
    /// Whether fields show that they were written in other quotes than the dialect's.
    misfit: bool,
    /// Whether the dialect's quotes are around a field at all.
    quoted: bool,
    /// Whether a record goes on over a line end.
    spans_lines: bool,
}

impl Fit {
    fn of(head: &[u8], whole: bool, dialect: &Dialect) -> Self {
        let mut fit = Self::default();
        let (mut fields, mut in_single_quotes) = (0, 0);
        for_each_record(head, whole, dialect, |record, bytes| {
            fit.spans_lines |= memchr::memchr(b'\n', bytes.trim_ascii_end()).is_some();
            if fit.records == 0 {
                fit.columns = record.len();
            }
            fit.records += 1;
            fit.even += usize::from(record.fault.is_none() && record.len() == fit.columns);
            for index in 0..record.len() {
                fit.quoted |= record.is_quoted(index);
                let field = record.field(index).unwrap_or_default();
                let in_quotes = field.len() > 1 && field.starts_with(b"\"") && field.ends_with(b"\"");
                fields += usize::from(!field.is_empty());
                in_single_quotes += usize::from(field.len() > 1 && field.starts_with(b"'") && field.ends_with(b"'"));
                fit.misfit |= in_quotes && !record.is_quoted(index) && dialect.quote != Some(b'"');
            }
        });
        // Single quotes around most fields are quotes; the others hold line ends.
        fit.misfit |= dialect.quote == Some(b'"') && fields > 0 && in_single_quotes * 3 >= fields * 2;
        // Quotes that are nowhere are no evidence for them.
        fit.misfit |= dialect.quote == Some(b'\'') && !fit.quoted;
        fit
    }

    fn is_clean(&self) -> bool {
        self.records > 0 && self.even == self.records && !self.misfit
    }
}

/// Visits the records of `head` that are whole, with their bytes.
fn for_each_record(head: &[u8], whole: bool, dialect: &Dialect, mut visit: impl FnMut(&Record, &[u8])) {
    let (mut rest, mut record) = (head, Record::default());
    while !rest.is_empty() {
        let first = rest[0];
        if matches!(first, b'\r' | b'\n') {
            rest = &rest[1..];
            continue;
        }
        if Some(first) == dialect.comment {
            rest = after_line(rest);
            continue;
        }
        record.clear();
        // The end of what is looked at is no end of a record.
        let Some(used) = parse(rest, whole, dialect, &mut record) else { return };
        visit(&record, &rest[..used]);
        rest = if record.fault.is_some() { after_line(rest) } else { &rest[used..] };
    }
}

/// What follows the first line.
fn after_line(text: &[u8]) -> &[u8] {
    text.iter().position(|byte| *byte == b'\n').map_or(&[], |end| &text[end + 1..])
}

/// The delimiter that Excel's first line `sep=;` names, and what follows that line.
fn separator_line(head: &[u8]) -> Option<(u8, &[u8])> {
    let rest = after_line(head);
    let line = head[..head.len() - rest.len()].trim_ascii_end();
    let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] = line else { return None };
    delimiter.is_ascii_punctuation().then_some((*delimiter, rest))
}

/// The number of lines at the start that begin with `#`, and their bytes.
fn leading_comments(head: &[u8]) -> (u64, usize) {
    let (mut rest, mut lines) = (head, 0);
    while rest.first() == Some(&b'#') {
        rest = after_line(rest);
        lines += 1;
    }
    (lines, head.len() - rest.len())
}

/// Whether the first record names columns: it does unless it is as numeric as the records after it.
fn has_header(head: &[u8], whole: bool, dialect: &Dialect) -> bool {
    let mut first: Option<Vec<bool>> = None;
    // For each column, whether all of its later values are numbers; nothing while it has none.
    let mut later: Vec<Option<bool>> = Vec::new();
    for_each_record(head, whole, dialect, |record, _| {
        let fields = (0..record.len()).map(|index| record.field(index).unwrap_or_default().trim_ascii());
        if first.is_none() {
            later = vec![None; record.len()];
            first = Some(fields.map(is_number).collect());
            return;
        }
        for (known, field) in later.iter_mut().zip(fields).filter(|(_, field)| !field.is_empty()) {
            *known = Some(known.unwrap_or(true) && is_number(field));
        }
    });
    let Some(first) = first else { return true };
    if later.iter().all(Option::is_none) {
        // The only record of a file.
        return !(first.len() > 1 && first.contains(&true));
    }
    let mut numeric = first.iter().zip(&later).filter(|(_, later)| **later == Some(true)).map(|(first, _)| *first);
    let Some(one) = numeric.next() else { return true };
    !(one && numeric.all(|first| first))
}

/// Whether a field is a number as people write it.
fn is_number(field: &[u8]) -> bool {
    field.iter().any(u8::is_ascii_digit)
        && field.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'))
        && std::str::from_utf8(field).is_ok_and(|field| field.parse::<f64>().is_ok())
}

/// A character in a message.
fn name(byte: u8) -> String {
    if byte == b'\t' { "tab".to_owned() } else { format!("`{}`", char::from(byte)) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn found(text: &str) -> (u8, Option<u8>, Option<u8>, bool) {
        let found = find(text.as_bytes(), true, b',', &TextOptions::default());
        (found.dialect.delimiter, found.dialect.quote, found.dialect.escape, found.header)
    }

    const PLAIN: (u8, Option<u8>, Option<u8>, bool) = (b',', Some(b'"'), None, true);

    #[test]
    fn what_reads_as_its_name_says_is_kept() {
        for text in [
            "text\nOil; gas\n",
            "a,b\n1;2,3;4\n5;6,7;8\n",
            "text,id\n\"a \"\"b\"\"; c\",1\n",
            "a|b,c\nd|e,f\n",
            "text\nOil rose\n\nGold fell\n",
            "",
            "a,b",
            "text\n'tis the season\n'twas\n",
            "a,b\n\"C:\\dir\\\",1\n",
        ] {
            assert_eq!(found(text), PLAIN, "{text:?}");
        }
    }

    #[test]
    fn other_delimiters_are_found_where_every_record_has_them() {
        for (text, delimiter) in [
            ("id;text\n1;Oil, gas\n2;Gold\n", b';'),
            ("id;text", b';'),
            ("id\ttext\n1\tOil\n", b'\t'),
            ("id|text|n\n1|Oil|2\n", b'|'),
            ("id;\"a;b\";c\n1;\"x;\ny\";z\n", b';'),
            ("id;text\n1;a\n2;b\n3\n4;d\n5;e\n6;f\n", b';'),
            ("sep=;\na;b\n1;2\n", b';'),
        ] {
            assert_eq!(found(text).0, delimiter, "{text:?}");
        }
    }

    #[test]
    fn quotes_are_found_where_the_plain_ones_are_at_fault() {
        assert_eq!(found("text,id\n\"He said \\\"no\\\" to\",1\nplain,2\n"), (b',', Some(b'"'), Some(b'\\'), true));
        assert_eq!(found("text,id\n\"5\\\"\",1\nplain,2\n"), (b',', Some(b'"'), Some(b'\\'), true));
        assert_eq!(found("text\n\"a \\\"b\\\" c\"\n"), (b',', Some(b'"'), Some(b'\\'), true));
        assert_eq!(found("id;text\n1;'a; b'\n2;'c; d'\n"), (b';', Some(b'\''), None, true));
        assert_eq!(found("'id','text'\n'1','it''s'\n"), (b',', Some(b'\''), None, true));
        assert_eq!(found("'text'\n'a \\'b\\''\n"), (b',', Some(b'\''), Some(b'\\'), true));
        let found = |text: &str| find(text.as_bytes(), true, b'\t', &TextOptions::default()).dialect;
        let none = Dialect { quote: None, ..Dialect::of(b'\t') };
        assert_eq!(found("text\tid\n\"Acme\" fell\t1\n\"Open\t2\n"), none);
        let notes = |text: &str| find(text.as_bytes(), true, b'\t', &TextOptions::default()).notes;
        let either = notes("id\ttext\n1\t\"Oil\n2\tfell\"\n3\tGold\n");
        assert_eq!(either, ["quotes hide line ends, though every line would be a row: `--quote none` reads it so"]);
        assert!(notes("id\ttext\n1\t\"Oil rose\nand fell\"\n2\tGold\n").is_empty());
        for text in [
            "id\ttext\n1\t\"Oil\n2\tfell\"\n3\tGold\n",
            "c0\tc1\n\"\"\t\"\n\t\"\n",
            "id\ttext\n1\t\"Oil rose\nand fell\"\n2\tGold\n",
            "id\ttext\n1\t\"Oil\n2\tfell\"\n3\t\"Gold\"\n",
            "id\ttext\tn\n1\t\"Oil\nand\tfell\"\t2\n",
            "text\n\"Oil\nrose\"\nGold\n",
        ] {
            assert_eq!(found(text), Dialect::of(b'\t'), "{text:?}");
        }
        let unclosed = "id,text,lang\n1,\"Shares of \"\"Acme\"\" fell\n2,\"Oil rose\",en\n3,\"Gold\",en\n";
        assert_eq!(super::find(unclosed.as_bytes(), true, b',', &TextOptions::default()).dialect, Dialect::of(b','));
    }

    #[test]
    fn a_first_record_that_is_as_numeric_as_the_others_is_no_header() {
        for (text, header) in [
            ("\"3\",\"Oil rose\"\n\"2\",\"Striker\"\n", false),
            ("3,Oil rose\n", false),
            ("id,text\n1,Oil\n", true),
            ("2019,2020\nx,y\n", true),
            (",text\n0,Oil\n", true),
            ("text\n007\n", true),
            ("1,2,text\n3,4,x\n", false),
        ] {
            assert_eq!(found(text).3, header, "{text:?}");
        }
    }

    #[test]
    fn comments_before_the_table_are_skipped_where_that_makes_it_one() {
        let find = |text: &str| find(text.as_bytes(), true, b',', &TextOptions::default());
        assert_eq!(find("# export\n# of today\nid,text\n1,#a\n").skipped, 2);
        assert_eq!(find("#id,text\n1,a\n").skipped, 0);
        assert_eq!(find("#text\na\n").skipped, 0);
    }

    #[test]
    fn what_is_given_is_not_looked_for() {
        let given = TextOptions {
            delimiter: Some(b','),
            quote: Some(Quote::None),
            header: Some(false),
            ..TextOptions::default()
        };
        let found = find(b"id;text\n1;a\n", true, b',', &given);
        assert_eq!(found.dialect, Dialect { quote: None, ..Dialect::of(b',') });
        assert_eq!((found.header, found.notes.len()), (false, 0));
    }

    #[test]
    fn the_end_of_what_is_looked_at_is_not_the_end_of_a_record() {
        let found = find(b"id;text\n1;a\n2;\"b", false, b',', &TextOptions::default());
        assert_eq!(found.dialect.delimiter, b';');
    }
}
