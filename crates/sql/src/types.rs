//! The types of the columns of CSV and TSV tables, for queries.
//!
//! A type is given only where it changes nothing: every cell of the first rows must read back to the text that it is.
//! `007`, `+1`, `2.50` and integers beyond 64 bits stay text, which a query can `CAST` where it wants numbers.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder};
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::DataType;

/// The largest magnitude up to which a 64-bit float holds every whole number.
const EXACT: u64 = 1 << 53;

/// What the cells of a column have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    /// There are none but empty ones.
    #[default]
    Empty,
    Boolean,
    /// Whole numbers that a float holds too.
    Integer,
    /// Whole numbers, some of them too long for a float.
    Long,
    Decimal,
    Text,
}

impl Kind {
    /// The kind of one cell.
    pub(super) fn of(cell: &str) -> Self {
        if cell.is_empty() {
            return Self::Empty;
        }
        if let Some(value) = integer(cell) {
            return if value.unsigned_abs() <= EXACT { Self::Integer } else { Self::Long };
        }
        match cell {
            "true" | "false" => Self::Boolean,
            _ if is_exact_decimal(cell) => Self::Decimal,
            _ => Self::Text,
        }
    }

    /// The kind that holds the cells of both; text holds everything.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (one, two) if one == two => one,
            (Self::Empty, known) | (known, Self::Empty) => known,
            (Self::Integer, Self::Long) | (Self::Long, Self::Integer) => Self::Long,
            (Self::Integer, Self::Decimal) | (Self::Decimal, Self::Integer) => Self::Decimal,
            _ => Self::Text,
        }
    }

    /// The type of a column of this kind.
    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Empty | Self::Text => DataType::Utf8,
            Self::Boolean => DataType::Boolean,
            Self::Integer | Self::Long => DataType::Int64,
            Self::Decimal => DataType::Float64,
        }
    }
}

/// The cells as a column of type `kind`, one of [`Kind::data_type`]; an empty cell is null where it is not text.
///
/// # Errors
/// The row, counted from 0, whose cell is not of the type.
pub(super) fn column(cells: &StringArray, kind: &DataType) -> Result<ArrayRef, usize> {
    Ok(match kind {
        DataType::Boolean => {
            let mut built = BooleanBuilder::with_capacity(cells.len());
            each(cells, |cell| cell.parse().ok(), |value| built.append_option(value))?;
            Arc::new(built.finish())
        }
        DataType::Int64 => {
            let mut built = Int64Builder::with_capacity(cells.len());
            each(cells, integer, |value| built.append_option(value))?;
            Arc::new(built.finish())
        }
        DataType::Float64 => {
            let mut built = Float64Builder::with_capacity(cells.len());
            each(cells, number, |value| built.append_option(value))?;
            Arc::new(built.finish())
        }
        _ => Arc::new(cells.clone()),
    })
}

/// What the cells of a column of type `kind` are, in words.
pub(super) fn described(kind: &DataType) -> &'static str {
    match kind {
        DataType::Boolean => "true or false",
        DataType::Int64 => "whole numbers",
        DataType::Float64 => "numbers",
        _ => "text",
    }
}

fn each<T>(
    cells: &StringArray,
    parse: impl Fn(&str) -> Option<T>,
    mut append: impl FnMut(Option<T>),
) -> Result<(), usize> {
    for (row, cell) in cells.iter().enumerate() {
        append(match cell {
            None | Some("") => None,
            Some(cell) => Some(parse(cell).ok_or(row)?),
        });
    }
    Ok(())
}

/// A whole number of 64 bits that is written as it would be written back.
fn integer(cell: &str) -> Option<i64> {
    (is_plain_whole(cell.strip_prefix('-').unwrap_or(cell)) && cell != "-0").then(|| cell.parse().ok())?
}

/// Digits without needless zeros.
fn is_plain_whole(digits: &str) -> bool {
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits.len() == 1 || !digits.starts_with('0'))
}

/// Whether a cell is a decimal that reads back to the same text, also with the one zero of `1.0`.
fn is_exact_decimal(cell: &str) -> bool {
    let Some((whole, fraction)) = cell.strip_prefix('-').unwrap_or(cell).split_once('.') else { return false };
    is_plain_whole(whole)
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
        && cell.parse::<f64>().is_ok_and(|value| {
            let shown = value.to_string();
            shown == cell || cell.strip_suffix(".0").is_some_and(|cell| cell == shown)
        })
}

/// A number in a column of decimals. Cells beyond the first rows may be written in other ways (`1e-05`), so long as the
/// number is the same; a code such as `007` or a whole number that a float cannot hold is none.
fn number(cell: &str) -> Option<f64> {
    let unsigned = cell.strip_prefix('-').unwrap_or(cell);
    let whole = &unsigned[..unsigned.bytes().take_while(u8::is_ascii_digit).count()];
    if !is_plain_whole(whole) || (whole == unsigned && integer(cell)?.unsigned_abs() > EXACT) {
        return None;
    }
    cell.parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Float64Type, Int64Type};

    use super::*;

    fn of(cells: &[&str]) -> Kind {
        cells.iter().fold(Kind::Empty, |kind, cell| kind.and(Kind::of(cell)))
    }

    #[test]
    fn a_type_changes_no_text() {
        for text in ["007", "+1", "-0", "1e5", "9223372036854775808", " 1", "True", "1.", ".5", "2.50", "00.5", "NaN"] {
            assert_eq!(of(&[text]), Kind::Text, "{text}");
        }
        assert_eq!(of(&["0.1234567890123456789"]), Kind::Text, "more digits than a float has");
        for whole in ["0", "-1", "42", "9007199254740992"] {
            assert_eq!(of(&["", whole]), Kind::Integer, "{whole}");
        }
        assert_eq!(of(&["1", "9007199254740993", "-9223372036854775808"]), Kind::Long);
        for decimal in ["0.5", "-0.25", "1.0", "0.0", "123456.789"] {
            assert_eq!(of(&[decimal, "1", ""]), Kind::Decimal, "{decimal}");
        }
        assert_eq!(of(&["0.5", "9007199254740993"]), Kind::Text, "the float would lose a digit");
        assert_eq!(of(&["true", "false", ""]), Kind::Boolean);
        assert_eq!(of(&["true", "1"]), Kind::Text);
        assert_eq!(of(&["", ""]), Kind::Empty);
    }

    #[test]
    fn cells_that_do_not_fit_are_found() {
        let cells = |cells: &[&str]| StringArray::from(cells.to_vec());
        let whole = column(&cells(&["1", "", "-7"]), &DataType::Int64).unwrap();
        assert_eq!(whole.as_primitive::<Int64Type>().iter().collect::<Vec<_>>(), [Some(1), None, Some(-7)]);
        assert_eq!(column(&cells(&["1", "", "007"]), &DataType::Int64).unwrap_err(), 2);
        let floats = column(&cells(&["1", "1e-05", "2.50"]), &DataType::Float64).unwrap();
        assert_eq!(floats.as_primitive::<Float64Type>().values().to_vec(), [1.0, 1e-5, 2.5]);
        for odd in ["007", "9007199254740993", "inf", "1e999", "+1", "x", "é", "-"] {
            assert_eq!(column(&cells(&[odd]), &DataType::Float64).unwrap_err(), 0, "{odd}");
        }
        assert_eq!(column(&cells(&["true", "yes"]), &DataType::Boolean).unwrap_err(), 1);
        let text = column(&cells(&["", "a"]), &DataType::Utf8).unwrap();
        assert_eq!(text.as_string::<i32>().value(0), "", "an empty text is a text");
    }
}
