//! The column of true labels, and the meaning of its values.

use albertine_train::LabelNames;
use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Schema};

use crate::exit::Misuse;

/// Checks that the column of true labels is there and that its values are labels: text, numbers or booleans.
pub(crate) fn require(schema: &Schema, name: &str) -> Result<(), Misuse> {
    let hint = "name the column of true labels with `--label-column`";
    let mut found = schema.fields().iter().filter(|field| field.name() == name);
    let field = match (found.next(), found.next()) {
        (Some(field), None) => field,
        (Some(_), Some(_)) => return Err(Misuse::new(format!("there is more than one column `{name}`"), hint)),
        (None, _) => {
            let names: Vec<String> = schema.fields().iter().map(|field| format!("`{}`", field.name())).collect();
            return Err(Misuse::new(
                format!("there is no column `{name}`; the columns are {}", names.join(", ")),
                hint,
            ));
        }
    };
    if is_label(field.data_type()) {
        Ok(())
    } else {
        Err(Misuse::new(format!("column `{name}` holds {}, not labels", field.data_type()), hint))
    }
}

fn is_label(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Boolean | DataType::Null => true,
        DataType::Dictionary(_, values) => is_label(values),
        kind => kind.is_numeric(),
    }
}

/// The labels of a column as text, trimmed; whole numbers without a fraction, whatever the type of the column.
pub(crate) fn read(column: &ArrayRef) -> anyhow::Result<StringArray> {
    if column.data_type().is_floating()
        || matches!(column.data_type(), DataType::Decimal128(..) | DataType::Decimal256(..))
    {
        let numbers = cast(column, &DataType::Float64)?;
        return Ok(numbers
            .as_primitive::<Float64Type>()
            .iter()
            .map(|number| number.map(|number| number.to_string()))
            .collect());
    }
    let labels = cast(column, &DataType::Utf8)?;
    Ok(labels.as_string::<i32>().iter().map(|label| label.map(str::trim)).collect())
}

/// The table's names for the classes of the model: `given` is a line of CSV.
pub(crate) fn names(labels: &[String], given: Option<&str>) -> anyhow::Result<LabelNames> {
    let Some(given) = given else { return Ok(LabelNames::of_model(labels)?) };
    let mut reader = csv::ReaderBuilder::new().has_headers(false).trim(csv::Trim::All).from_reader(given.as_bytes());
    let mut records = reader.records();
    let names: Vec<String> = match (records.next(), records.next()) {
        (Some(Ok(record)), None) => record.iter().map(str::to_owned).collect(),
        _ => {
            return Err(Misuse::new(
                "`--labels` is not a line of CSV",
                "separate the names with commas, and quote a name that contains a comma with double quotes",
            )
            .into());
        }
    };
    Ok(LabelNames::given(labels, &names)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::sync::Arc;

    use arrow::array::{BooleanArray, Decimal128Array, Float32Array, Int8Array};

    use super::*;

    #[test]
    fn whole_numbers_are_the_same_labels_in_columns_of_any_type() {
        let decimals = Decimal128Array::from(vec![Some(100), None]).with_precision_and_scale(5, 2).unwrap();
        let columns: [ArrayRef; 3] = [
            Arc::new(Int8Array::from(vec![Some(1), None])),
            Arc::new(Float32Array::from(vec![Some(1.0), None])),
            Arc::new(decimals),
        ];
        for column in columns {
            assert!(is_label(column.data_type()));
            assert_eq!(read(&column).unwrap().iter().collect::<Vec<_>>(), [Some("1"), None], "{}", column.data_type());
        }
        let booleans: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
        assert_eq!(read(&booleans).unwrap().value(0), "true");
        assert!(!is_label(&DataType::Binary) && !is_label(&DataType::Date32));
    }

    #[test]
    fn names_are_a_line_of_csv() {
        let labels = ["a", "b"].map(str::to_owned);
        let of = |given: &str| names(&labels, Some(given)).map(|names| names.names().to_vec());
        assert_eq!(of("no, yes").expect("names"), ["no", "yes"]);
        assert_eq!(of("\"no, never\",yes").expect("names"), ["no, never", "yes"]);
        for wrong in ["", "no", "no,yes,", "no,\nyes", "b,a"] {
            assert!(of(wrong).is_err(), "{wrong:?}");
        }
    }
}
