//! A table that a person reads on a terminal: aligned columns, cut to the terminal's width.
//!
//! The widths come from the rows of the first batch, so that a long result can be shown as it arrives, in bounded
//! memory.

use std::io::{self, Write};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::ArrowError;
use arrow_schema::{DataType, SchemaRef};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Blanks between two columns.
const GAP: usize = 2;

/// A column is not cut below this width, even where the table then gets wider than the terminal.
const LEAST_WIDTH: usize = 8;

/// Digits after the point of a float: enough for a probability, short enough to compare by eye.
const FLOAT_DIGITS: usize = 4;

/// What a null value looks like.
const NULL: &str = "-";

/// Writes record batches of one schema as one table.
#[derive(Debug)]
pub(crate) struct Table<W> {
    out: W,
    schema: SchemaRef,
    terminal_width: usize,
    colour: bool,
    widths: Option<Vec<usize>>,
}

impl<W: Write> Table<W> {
    /// A table with the columns of `schema` on `out`, which is `terminal_width` columns wide.
    pub(crate) fn new(out: W, schema: SchemaRef, terminal_width: usize, colour: bool) -> Self {
        Self { out, schema, terminal_width, colour, widths: None }
    }

    /// Adds the rows of a batch; the first rows bring the header.
    ///
    /// # Errors
    /// When a value cannot be shown, and when the output cannot be written.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let columns = batch.columns().iter().map(|column| cells(column)).collect::<Result<Vec<_>, _>>()?;
        let widths = match self.widths.take() {
            Some(widths) => widths,
            None => self.header(&columns)?,
        };
        for row in 0..batch.num_rows() {
            let line = self.line(columns.iter().map(|cells| cells[row].as_str()), &widths);
            writeln!(self.out, "{line}")?;
        }
        self.widths = Some(widths);
        Ok(())
    }

    /// Ends the table, which has a header even without rows: what is buffered is written.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if self.widths.is_none() {
            self.header(&[])?;
        }
        self.out.flush()
    }

    /// Writes the header above these columns, and gives the widths that fit them.
    fn header(&mut self, columns: &[Vec<String>]) -> io::Result<Vec<usize>> {
        let names: Vec<String> = self.schema.fields().iter().map(|field| one_line(field.name())).collect();
        let natural = names.iter().enumerate().map(|(index, name)| {
            let cells = columns.get(index).into_iter().flatten();
            cells.chain([name]).map(|text| text.width()).max().unwrap_or(0)
        });
        let widths = fit(natural.collect(), self.terminal_width);
        let line = self.line(names.iter().map(String::as_str), &widths);
        if self.colour {
            writeln!(self.out, "\x1b[1m{line}\x1b[0m")?;
        } else {
            writeln!(self.out, "{line}")?;
        }
        Ok(widths)
    }

    /// One line of the table: numbers stand right, the rest left.
    fn line<'a>(&self, cells: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
        let fields = self.schema.fields().iter();
        let cells = cells
            .zip(widths)
            .zip(fields)
            .map(|((cell, width), field)| pad(cell, *width, field.data_type().is_numeric()));
        cells.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end().to_owned()
    }
}

/// The values of a column as text.
fn cells(column: &dyn Array) -> Result<Vec<String>, ArrowError> {
    let float = |value: Option<f64>| value.map_or_else(|| NULL.to_owned(), |value| format!("{value:.FLOAT_DIGITS$}"));
    match column.data_type() {
        DataType::Float32 => {
            Ok(column.as_primitive::<Float32Type>().iter().map(|value| float(value.map(f64::from))).collect())
        }
        DataType::Float64 => Ok(column.as_primitive::<Float64Type>().iter().map(float).collect()),
        _ => {
            let options = FormatOptions::default().with_null(NULL);
            let formatter = ArrayFormatter::try_new(column, &options)?;
            (0..column.len()).map(|row| formatter.value(row).try_to_string().map(|text| one_line(&text))).collect()
        }
    }
}

/// The text without what would break the line or steer the terminal: control characters and runs of white space become
/// one blank.
fn one_line(text: &str) -> String {
    let words = text.split(|character: char| character.is_whitespace() || character.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Takes from the widest column until the table fits.
fn fit(mut widths: Vec<usize>, terminal_width: usize) -> Vec<usize> {
    let available = terminal_width.saturating_sub(GAP * widths.len().saturating_sub(1));
    loop {
        let total: usize = widths.iter().sum();
        let mut by_width: Vec<usize> = (0..widths.len()).collect();
        by_width.sort_by_key(|&column| std::cmp::Reverse(widths[column]));
        let Some(&widest) = by_width.first() else { return widths };
        if total <= available || widths[widest] <= LEAST_WIDTH {
            return widths;
        }
        let next = by_width.get(1).map_or(LEAST_WIDTH, |&column| widths[column]).max(LEAST_WIDTH);
        // Down to the next widest at once, and from there a column at a time: equals shrink together.
        let step = widths[widest].saturating_sub(next).max(1);
        widths[widest] -= step.min(total - available);
    }
}

/// The text at exactly `width` columns: blanks are added, or the end is cut and replaced with `…`.
fn pad(text: &str, width: usize, right: bool) -> String {
    let text = truncate(text, width);
    let blanks = " ".repeat(width.saturating_sub(text.width()));
    if right { blanks + &text } else { text + &blanks }
}

fn truncate(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 0;
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used >= width {
            break;
        }
        cut.push(character);
    }
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float32Array, Int64Array, StringArray};

    use super::*;

    fn batch(texts: &[Option<&str>], scores: &[Option<f32>]) -> RecordBatch {
        let text: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
        let score: ArrayRef = Arc::new(Float32Array::from(scores.to_vec()));
        RecordBatch::try_from_iter_with_nullable([("text", text, true), ("score", score, true)])
            .expect("columns of one length")
    }

    fn shown(batches: &[RecordBatch], width: usize, colour: bool) -> String {
        let mut out = Vec::new();
        let schema = batches.first().expect("a batch").schema();
        let mut table = Table::new(&mut out, schema, width, colour);
        for batch in batches {
            table.write(batch).expect("a vector takes everything");
        }
        table.finish().expect("a vector takes everything");
        String::from_utf8(out).expect("a table is text")
    }

    #[test]
    fn a_table_without_rows_has_a_header() {
        assert_eq!(shown(&[batch(&[], &[])], 80, false), "text  score\n");
        // A batch without rows does not decide the widths.
        let late = shown(&[batch(&[], &[]), batch(&[Some("a long text")], &[None])], 80, false);
        assert_eq!(late, "text         score\na long text      -\n");
    }

    #[test]
    fn columns_are_aligned_and_nulls_are_visible() {
        let table =
            shown(&[batch(&[Some("short"), None, Some("rather long")], &[Some(0.5), None, Some(0.123_45)])], 80, false);
        insta::assert_snapshot!(table, @r"
        text          score
        short        0.5000
        -                 -
        rather long  0.1235
        ");
    }

    #[test]
    fn long_texts_are_cut_to_the_terminal_and_short_columns_are_not() {
        let table = shown(&[batch(&[Some("oil prices rose sharply on Monday")], &[Some(0.25)])], 24, false);
        insta::assert_snapshot!(table, @r"
        text               score
        oil prices rose…  0.2500
        ");
        assert!(table.lines().all(|line| line.width() <= 24));
    }

    #[test]
    fn wide_characters_count_two_columns() {
        assert_eq!(truncate("株式市場が上昇", 7), "株式市…");
        assert_eq!(truncate("株式市場が上昇", 8), "株式市…");
        assert_eq!(pad("株", 4, false), "株  ");
        assert_eq!(pad("株", 4, true), "  株");
    }

    #[test]
    fn a_text_cannot_break_the_line_or_steer_the_terminal() {
        assert_eq!(one_line("\u{1b}[31mred\r\n\n\tnext\0"), "[31mred next");
        assert_eq!(one_line("  \u{7}  "), "");
    }

    #[test]
    fn later_batches_keep_the_widths_of_the_first() {
        let table = shown(&[batch(&[Some("abc")], &[Some(1.0)]), batch(&[Some("abcdefgh")], &[Some(0.0)])], 80, false);
        insta::assert_snapshot!(table, @r"
        text   score
        abc   1.0000
        abc…  0.0000
        ");
    }

    #[test]
    fn integers_stand_right_and_the_header_can_be_bold() {
        let counts: ArrayRef = Arc::new(Int64Array::from(vec![5, 1200]));
        let table = shown(&[RecordBatch::try_from_iter([("n", counts)]).expect("one column")], 80, true);
        assert_eq!(table, "\u{1b}[1m   n\u{1b}[0m\n   5\n1200\n");
    }

    #[test]
    fn a_table_that_cannot_fit_keeps_its_columns_readable() {
        assert_eq!(fit(vec![40, 40, 40], 20), [8, 8, 8]);
        assert_eq!(fit(vec![100, 6, 6], 60), [44, 6, 6]);
        assert_eq!(fit(vec![30, 30], 42), [20, 20]);
        assert_eq!(fit(Vec::new(), 42), [0; 0]);
    }
}
