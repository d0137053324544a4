//! Annotation columns: Spark NLP's schema as Arrow arrays, written and read.
//!
//! A column is
//! `list<struct<annotatorType, begin, end, result, metadata: map<string, string>, embeddings: list<float>>>`, one list
//! a row, and its field carries `{"annotatorType": ...}` as metadata: that is what a later stage checks.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::builder::{ArrayBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int32Type};
use arrow_array::{Array, ArrayRef, Float32Array, Int32Array, ListArray, MapArray, StringArray, StructArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, Fields, Schema};

use crate::annotation::{Annotation, AnnotatorType};
use crate::{Error, text_column};

/// The key of a column's metadata that names its annotator type.
pub const ANNOTATOR_TYPE: &str = "annotatorType";

fn entry_fields() -> Fields {
    Fields::from(vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)])
}

fn entries_field() -> Arc<Field> {
    Arc::new(Field::new("entries", DataType::Struct(entry_fields()), false))
}

fn vector_field() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Float32, false))
}

fn struct_fields() -> Fields {
    Fields::from(vec![
        Field::new(ANNOTATOR_TYPE, DataType::Utf8, true),
        Field::new("begin", DataType::Int32, false),
        Field::new("end", DataType::Int32, false),
        Field::new("result", DataType::Utf8, true),
        Field::new("metadata", DataType::Map(entries_field(), false), true),
        Field::new("embeddings", DataType::List(vector_field()), true),
    ])
}

fn element_field() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Struct(struct_fields()), true))
}

/// The field of an annotation column, which may be null as Spark has it, though nothing here writes one that is.
#[must_use]
pub fn annotation_field(name: &str, kind: AnnotatorType) -> Field {
    let metadata = HashMap::from([(ANNOTATOR_TYPE.to_owned(), kind.name().to_owned())]);
    Field::new(name, DataType::List(element_field()), true).with_metadata(metadata)
}

/// The annotator type that a field declares; `None` when it is not an annotation column.
#[must_use]
pub fn annotator_type(field: &Field) -> Option<&str> {
    field.metadata().get(ANNOTATOR_TYPE).map(String::as_str)
}

/// The annotation column `name` of a batch.
///
/// # Errors
/// [`Error::MissingColumn`] or [`Error::WrongAnnotation`].
pub(crate) fn read<'a>(batch: &'a RecordBatch, stage: &'static str, name: &str) -> Result<AnnotationColumn<'a>, Error> {
    text_column::find(batch.schema_ref(), name)?;
    let array = batch.column(batch.schema_ref().index_of(name)?);
    let found = || format!("holds {}", array.data_type());
    let wrong = || Error::WrongAnnotation { stage, column: name.to_owned(), expected: "annotation", found: found() };
    AnnotationColumn::new(array.as_ref()).ok_or_else(wrong)
}

/// Checks that `column` is an annotation column of type `kind`.
///
/// # Errors
/// [`Error::MissingColumn`] or [`Error::WrongAnnotation`], naming `stage`.
pub(crate) fn require(schema: &Schema, stage: &'static str, column: &str, kind: AnnotatorType) -> Result<(), Error> {
    let field = text_column::find(schema, column)?;
    let wrong =
        |found: String| Error::WrongAnnotation { stage, column: column.to_owned(), expected: kind.name(), found };
    match annotator_type(field) {
        Some(found) if found == kind.name() || found == AnnotatorType::Any.name() => {}
        Some(found) => return Err(wrong(format!("has type `{found}`"))),
        None => return Err(wrong("is not an annotation column".to_owned())),
    }
    match field.data_type() {
        DataType::List(element) if element.data_type().equals_datatype(&DataType::Struct(struct_fields())) => Ok(()),
        other => Err(wrong(format!("holds {other}"))),
    }
}

/// Writes an annotation column row by row.
#[derive(Debug)]
pub struct AnnotationColumnBuilder {
    kinds: StringBuilder,
    begins: Vec<i32>,
    ends: Vec<i32>,
    results: StringBuilder,
    metadata_ends: Vec<i32>,
    keys: StringBuilder,
    values: StringBuilder,
    vector_ends: Vec<i32>,
    row_ends: Vec<i32>,
    /// Bytes of text so far, of all parts: the most that any one of them can have.
    size: usize,
    /// Rows that were complete when the column was full.
    full_at: Option<usize>,
}

impl Default for AnnotationColumnBuilder {
    fn default() -> Self {
        Self {
            kinds: StringBuilder::new(),
            begins: Vec::new(),
            ends: Vec::new(),
            results: StringBuilder::new(),
            metadata_ends: vec![0],
            keys: StringBuilder::new(),
            values: StringBuilder::new(),
            vector_ends: vec![0],
            row_ends: vec![0],
            size: 0,
            full_at: None,
        }
    }
}

impl AnnotationColumnBuilder {
    /// Adds an annotation without a vector to the current row. A column that is full takes no more, which
    /// [`finish`](Self::finish) tells.
    pub fn push<'a, V: Into<Option<&'a str>>>(
        &mut self,
        kind: AnnotatorType,
        begin: i32,
        end: i32,
        result: &str,
        metadata: impl IntoIterator<Item = (&'a str, V)> + Clone,
    ) {
        let fact = |(key, value): (&str, V)| key.len() + value.into().map_or(0, str::len) + 1;
        let facts: usize = metadata.clone().into_iter().map(fact).sum();
        self.size = self.size.saturating_add(kind.name().len() + result.len() + facts);
        if self.size > i32::MAX as usize {
            self.full_at.get_or_insert(self.row_ends.len() - 1);
            return;
        }
        self.kinds.append_value(kind.name());
        self.begins.push(begin);
        self.ends.push(end);
        self.results.append_value(result);
        for (key, value) in metadata {
            self.keys.append_value(key);
            self.values.append_option(value.into());
        }
        self.metadata_ends.push(ArrayBuilder::len(&self.keys) as i32);
        self.vector_ends.push(0);
    }

    /// Ends the current row, which may hold no annotation.
    pub fn end_row(&mut self) {
        self.row_ends.push(self.begins.len() as i32);
    }

    /// The column.
    ///
    /// # Errors
    /// [`Error::TooManyAnnotations`] when there was more text than a column can hold, 2 GiB.
    pub fn finish(mut self) -> Result<ArrayRef, Error> {
        if let Some(rows) = self.full_at {
            return Err(Error::TooManyAnnotations { rows });
        }
        let entries = StructArray::try_new(
            entry_fields(),
            vec![Arc::new(self.keys.finish()), Arc::new(self.values.finish())],
            None,
        )?;
        let metadata =
            MapArray::try_new(entries_field(), OffsetBuffer::new(self.metadata_ends.into()), entries, None, false)?;
        let vectors = Float32Array::from(Vec::<f32>::new());
        let embeddings =
            ListArray::try_new(vector_field(), OffsetBuffer::new(self.vector_ends.into()), Arc::new(vectors), None)?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.kinds.finish()),
            Arc::new(Int32Array::from(self.begins)),
            Arc::new(Int32Array::from(self.ends)),
            Arc::new(self.results.finish()),
            Arc::new(metadata),
            Arc::new(embeddings),
        ];
        let annotations = StructArray::try_new(struct_fields(), columns, None)?;
        let rows =
            ListArray::try_new(element_field(), OffsetBuffer::new(self.row_ends.into()), Arc::new(annotations), None)?;
        Ok(Arc::new(rows))
    }
}

/// Reads an annotation column without copying it.
#[derive(Debug)]
pub struct AnnotationColumn<'a> {
    rows: &'a ListArray,
    kinds: &'a StringArray,
    begins: &'a Int32Array,
    ends: &'a Int32Array,
    results: &'a StringArray,
    metadata: &'a MapArray,
    embeddings: &'a ListArray,
}

impl<'a> AnnotationColumn<'a> {
    /// A view of `array`; `None` when it is not an annotation column.
    #[must_use]
    pub fn new(array: &'a dyn Array) -> Option<Self> {
        let rows = array.as_list_opt::<i32>()?;
        let annotations = rows.values().as_struct_opt()?;
        Some(Self {
            rows,
            kinds: annotations.column_by_name(ANNOTATOR_TYPE)?.as_string_opt::<i32>()?,
            begins: annotations.column_by_name("begin")?.as_primitive_opt::<Int32Type>()?,
            ends: annotations.column_by_name("end")?.as_primitive_opt::<Int32Type>()?,
            results: annotations.column_by_name("result")?.as_string_opt::<i32>()?,
            metadata: annotations.column_by_name("metadata")?.as_map_opt()?,
            embeddings: annotations.column_by_name("embeddings")?.as_list_opt::<i32>()?,
        })
    }

    /// Rows of the column.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The annotations of one row; none for a null row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = AnnotationRef<'a>> + use<'a> {
        let offsets = self.rows.value_offsets();
        let range = if self.rows.is_null(row) { 0..0 } else { offsets[row] as usize..offsets[row + 1] as usize };
        let (kinds, begins, ends, results, metadata, embeddings) =
            (self.kinds, self.begins, self.ends, self.results, self.metadata, self.embeddings);
        range.map(move |index| AnnotationRef {
            annotator_type: kinds.value(index),
            begin: begins.value(index),
            end: ends.value(index),
            result: results.value(index),
            metadata,
            embeddings,
            index,
        })
    }
}

/// One annotation inside a column.
#[derive(Debug, Clone, Copy)]
pub struct AnnotationRef<'a> {
    /// As [`Annotation::annotator_type`].
    pub annotator_type: &'a str,
    /// As [`Annotation::begin`].
    pub begin: i32,
    /// As [`Annotation::end`].
    pub end: i32,
    /// As [`Annotation::result`].
    pub result: &'a str,
    metadata: &'a MapArray,
    embeddings: &'a ListArray,
    index: usize,
}

impl<'a> AnnotationRef<'a> {
    /// The metadata pairs in their order.
    pub fn metadata(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + use<'a> {
        let offsets = self.metadata.value_offsets();
        let range = offsets[self.index] as usize..offsets[self.index + 1] as usize;
        let keys = self.metadata.keys().as_string_opt::<i32>();
        let values = self.metadata.values().as_string_opt::<i32>();
        let pairs = keys.zip(values);
        range.filter_map(move |index| {
            let (keys, values) = pairs?;
            Some((keys.value(index), values.is_valid(index).then(|| values.value(index))))
        })
    }

    /// The index of the document that it belongs to, as text: `sentence` in its metadata.
    #[must_use]
    pub fn sentence(&self) -> &'a str {
        self.metadata().find_map(|(key, value)| value.filter(|_| key == "sentence")).unwrap_or("0")
    }

    /// An owned copy.
    #[must_use]
    pub fn to_annotation(&self) -> Annotation {
        let metadata = self.metadata().map(|(key, value)| (key.to_owned(), value.map(str::to_owned))).collect();
        let vector = self.embeddings.value(self.index);
        let embeddings =
            vector.as_primitive_opt::<Float32Type>().map_or_else(Vec::new, |values| values.values().to_vec());
        Annotation {
            annotator_type: self.annotator_type.to_owned(),
            begin: self.begin,
            end: self.end,
            result: self.result.to_owned(),
            metadata,
            embeddings,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sample() -> ArrayRef {
        let mut builder = AnnotationColumnBuilder::default();
        builder.push(AnnotatorType::Document, 0, 1, "hi", [("sentence", "0"), ("id", "x")]);
        builder.push(AnnotatorType::Document, 3, 4, "ho", [("sentence", "1")]);
        builder.end_row();
        builder.end_row();
        builder.finish().unwrap()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let array = sample();
        let column = AnnotationColumn::new(&array).unwrap();
        assert_eq!(column.rows(), 2);
        let first: Vec<Annotation> = column.row(0).map(|a| a.to_annotation()).collect();
        assert_eq!(first.len(), 2);
        assert_eq!(first[0].to_string(), "Annotation(type: document, begin: 0, end: 1, result: hi)");
        assert_eq!(first[0].metadata("id"), Some("x"));
        assert_eq!(first[1].metadata("sentence"), Some("1"));
        assert_eq!(column.row(1).count(), 0);
    }

    #[test]
    fn a_slice_of_a_column_reads_its_own_rows() {
        let array = sample().slice(1, 1);
        assert_eq!(AnnotationColumn::new(&array).unwrap().row(0).count(), 0);
    }

    #[test]
    fn the_field_is_spark_nlp_s() {
        let field = annotation_field("class", AnnotatorType::Category);
        assert_eq!(annotator_type(&field), Some("category"));
        let DataType::List(element) = field.data_type() else { panic!("not a list") };
        let DataType::Struct(fields) = element.data_type() else { panic!("not a struct") };
        let names: Vec<&str> = fields.iter().map(|f| f.name().as_str()).collect();
        assert_eq!(names, ["annotatorType", "begin", "end", "result", "metadata", "embeddings"]);
        assert_eq!(fields.iter().map(|f| f.is_nullable()).collect::<Vec<_>>(), [true, false, false, true, true, true]);
        assert!(sample().data_type().equals_datatype(field.data_type()));
    }
}
