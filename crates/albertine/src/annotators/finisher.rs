//! From annotations to plain columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use crate::column::{self, annotator_type};
use crate::{Error, text_column};

const STAGE: &str = "Finisher";

/// Turns annotation columns into lists of their results, for programs that want plain values.
#[derive(Debug, Clone)]
pub struct Finisher {
    input_cols: Vec<String>,
    output_cols: Option<Vec<String>>,
    clean_annotations: bool,
}

impl Default for Finisher {
    fn default() -> Self {
        Self { input_cols: Vec::new(), output_cols: None, clean_annotations: true }
    }
}

impl Finisher {
    /// A finisher without input columns yet; annotation columns are dropped after it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The annotation columns to turn into lists of their results.
    #[must_use]
    pub fn input_cols<I: Into<String>>(mut self, columns: impl IntoIterator<Item = I>) -> Self {
        self.input_cols = columns.into_iter().map(Into::into).collect();
        self
    }

    /// The names of the lists, one for each input column; without it `finished_` and the name of the input column.
    #[must_use]
    pub fn output_cols<I: Into<String>>(mut self, columns: impl IntoIterator<Item = I>) -> Self {
        self.output_cols = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// Whether every annotation column of the table is dropped, also those that are not listed; true unless said otherwise.
    #[must_use]
    pub fn clean_annotations(mut self, clean: bool) -> Self {
        self.clean_annotations = clean;
        self
    }

    /// The annotation columns that it reads.
    #[must_use]
    pub fn get_input_cols(&self) -> &[String] {
        &self.input_cols
    }

    /// The names of the lists that it writes.
    #[must_use]
    pub fn get_output_cols(&self) -> Vec<String> {
        let usual = || self.input_cols.iter().map(|column| format!("finished_{column}")).collect();
        self.output_cols.clone().unwrap_or_else(usual)
    }

    /// The columns of the input that stay.
    fn kept(&self, input: &Schema) -> Vec<usize> {
        let stays = |index: &usize| !self.clean_annotations || annotator_type(input.field(*index)).is_none();
        (0..input.fields().len()).filter(stays).collect()
    }

    pub(super) fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, Error> {
        let outputs = self.get_output_cols();
        if self.input_cols.is_empty() {
            return Err(Error::InputColumns { stage: STAGE, expected: 1, kinds: "any annotation", found: 0 });
        }
        if outputs.len() != self.input_cols.len() {
            return Err(Error::FinisherColumns { inputs: self.input_cols.len(), outputs: outputs.len() });
        }
        for column in &self.input_cols {
            let field = text_column::find(input, column)?;
            if annotator_type(field).is_none() {
                let found = "is not an annotation column".to_owned();
                return Err(Error::WrongAnnotation {
                    stage: STAGE,
                    column: column.clone(),
                    expected: "any annotation",
                    found,
                });
            }
        }
        let mut fields: Vec<FieldRef> =
            self.kept(input).into_iter().map(|index| input.fields()[index].clone()).collect();
        for output in outputs {
            if fields.iter().any(|field| *field.name() == output) {
                return Err(Error::OutputColumnTaken { stage: STAGE, column: output });
            }
            fields.push(Arc::new(Field::new(output, DataType::List(result_field()), false)));
        }
        Ok(Arc::new(Schema::new_with_metadata(fields, input.metadata().clone())))
    }

    pub(super) fn transform(&self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        let schema = self.output_schema(&batch.schema())?;
        let mut arrays: Vec<ArrayRef> =
            self.kept(batch.schema_ref()).into_iter().map(|index| batch.column(index).clone()).collect();
        for column in &self.input_cols {
            arrays.push(results(batch, column)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(schema, arrays, &options)?)
    }
}

fn result_field() -> FieldRef {
    Arc::new(Field::new("element", DataType::Utf8, true))
}

fn results(batch: &RecordBatch, column: &str) -> Result<ArrayRef, Error> {
    let annotations = column::read(batch, STAGE, column)?;
    let mut lists = ListBuilder::new(StringBuilder::new()).with_field(result_field());
    for row in 0..annotations.rows() {
        annotations.row(row).for_each(|annotation| lists.values().append_value(annotation.result));
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}
