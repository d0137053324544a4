//! The probabilities of classes that a table has: a column for each class, or one column of structs.

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, Schema};

use crate::Error;

/// Columns of probabilities. Their classes are named by the columns, or by the fields of one column of structs, such as
/// `scores` of [`Columns::all_scores`](crate::Columns::all_scores).
///
/// ```
/// use std::sync::Arc;
/// use albertine::labels::Probabilities;
/// use arrow_array::{Float64Array, RecordBatch, StringArray};
///
/// let (no, yes) = (Float64Array::from(vec![0.25]), StringArray::from(vec!["0.75"]));
/// let table = RecordBatch::try_from_iter([("no", Arc::new(no) as _), ("yes", Arc::new(yes) as _)])?;
/// let probabilities = Probabilities::new(&table.schema(), &["no", "yes"].map(str::to_owned))?;
/// assert_eq!(probabilities.classes(), ["no", "yes"]);
/// assert_eq!(probabilities.read(&table)?, [0.25, 0.75]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Probabilities {
    columns: Vec<String>,
    classes: Vec<String>,
    is_struct: bool,
}

impl Probabilities {
    /// Those in `columns` of a table with this schema.
    ///
    /// # Errors
    /// [`Error::MissingColumn`], [`Error::SeveralColumns`], [`Error::NotProbabilities`].
    pub fn new(schema: &Schema, columns: &[String]) -> Result<Self, Error> {
        let mut classes = Vec::with_capacity(columns.len());
        let mut is_struct = false;
        for column in columns {
            let mut found = schema.fields().iter().filter(|field| field.name() == column);
            let field = match (found.next(), found.next()) {
                (Some(field), None) => field,
                (Some(_), Some(_)) => return Err(Error::SeveralColumns { column: column.clone() }),
                (None, _) => {
                    let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
                    return Err(Error::MissingColumn { column: column.clone(), columns });
                }
            };
            match field.data_type() {
                DataType::Struct(fields)
                    if columns.len() == 1 && fields.iter().all(|field| is_number(field.data_type())) =>
                {
                    is_struct = true;
                    classes.extend(fields.iter().map(|field| field.name().clone()));
                }
                kind if is_number(kind) => classes.push(column.clone()),
                kind => return Err(Error::NotProbabilities { column: column.clone(), found: kind.to_string() }),
            }
        }
        Ok(Self { columns: columns.to_vec(), classes, is_struct })
    }

    /// The names of the classes, in the order of the numbers.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The numbers of a batch, `[rows, classes]`; NaN where there is none.
    ///
    /// # Errors
    /// [`Error::Arrow`] for columns that [`new`](Self::new) refuses.
    pub fn read(&self, batch: &RecordBatch) -> Result<Vec<f64>, Error> {
        let columns: Vec<ArrayRef> = if self.is_struct {
            let all = batch[self.columns[0].as_str()].as_struct();
            // Fields of a struct that is null may hold anything.
            let of = |column: &ArrayRef| -> Result<ArrayRef, Error> {
                let column = cast(column, &DataType::Float64)?;
                let numbers = column.as_primitive::<Float64Type>().iter().enumerate();
                let present = numbers.map(|(row, number)| number.filter(|_| all.is_valid(row)));
                Ok(std::sync::Arc::new(present.collect::<arrow_array::Float64Array>()))
            };
            all.columns().iter().map(of).collect::<Result<_, _>>()?
        } else {
            let column = |name: &String| Ok(cast(&batch[name.as_str()], &DataType::Float64)?);
            self.columns.iter().map(column).collect::<Result<_, Error>>()?
        };
        let number = |row: usize, column: &ArrayRef| {
            let column = column.as_primitive::<Float64Type>();
            if column.is_valid(row) { column.value(row) } else { f64::NAN }
        };
        Ok((0..batch.num_rows()).flat_map(|row| columns.iter().map(move |column| number(row, column))).collect())
    }
}

/// Whether it is of numbers, or of text that may be numbers.
fn is_number(kind: &DataType) -> bool {
    kind.is_numeric() || matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow_array::{BooleanArray, Float32Array, StringArray, StructArray};
    use arrow_buffer::NullBuffer;
    use arrow_schema::Field;

    use super::*;

    #[test]
    fn what_is_no_number_is_missing_and_classes_are_the_fields_of_a_struct() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("0.5"), None, Some("much")]));
        let table = RecordBatch::try_from_iter([("a", texts)]).unwrap();
        let read = Probabilities::new(&table.schema(), &["a".to_owned()]).unwrap().read(&table).unwrap();
        assert!(read[0] == 0.5 && read[1].is_nan() && read[2].is_nan());

        let fields = ["x", "y"].map(|name| Field::new(name, DataType::Float32, true));
        let columns = [vec![0.25, 0.5], vec![0.75, 0.5]].map(|values| Arc::new(Float32Array::from(values)) as ArrayRef);
        let scores =
            StructArray::new(fields.to_vec().into(), columns.to_vec(), Some(NullBuffer::from(vec![true, false])));
        let table = RecordBatch::try_from_iter([("scores", Arc::new(scores) as ArrayRef)]).unwrap();
        let probabilities = Probabilities::new(&table.schema(), &["scores".to_owned()]).unwrap();
        assert_eq!(probabilities.classes(), ["x", "y"]);
        let read = probabilities.read(&table).unwrap();
        assert!(read[..2] == [0.25, 0.75] && read[2].is_nan() && read[3].is_nan());
    }

    #[test]
    fn columns_of_something_else_are_refused() {
        let booleans: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
        let schema = RecordBatch::try_from_iter([("a", booleans)]).unwrap().schema();
        let of = |column: &str| Probabilities::new(&schema, &[column.to_owned()]).unwrap_err();
        assert_eq!(of("a").to_string(), "column `a` holds Boolean, not probabilities");
        assert!(matches!(of("b"), Error::MissingColumn { .. }));
    }
}
