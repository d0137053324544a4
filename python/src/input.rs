//! Columns as they come from other libraries, made to those that stages read.
//!
//! Other libraries hold the same rows in other types (polars has no maps, its texts are views), forget the metadata of
//! columns, and promise that texts are UTF-8 without having looked. Here all of that is settled, once, before any
//! stage.

use std::collections::HashMap;
use std::sync::Arc;

use albertine::Error;
use albertine::annotation::AnnotatorType;
use albertine::column::{annotation_field, annotator_type};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, MapArray, RecordBatch, RecordBatchOptions, StructArray};
use arrow_buffer::OffsetBuffer;
use arrow_cast::cast;
use arrow_schema::ArrowError;
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};

use crate::error::Failure;

/// The columns of a stream as stages read them.
#[derive(Debug, Clone)]
pub(crate) struct InputColumns {
    schema: SchemaRef,
    /// Columns that hold annotations.
    annotations: Vec<usize>,
    /// Columns that hold texts.
    texts: Vec<usize>,
}

impl InputColumns {
    /// For streams of `schema`, in which `kinds` names the annotator types of annotation columns that do not say it
    /// themselves.
    pub(crate) fn new(schema: &Schema, kinds: &HashMap<String, String>) -> Self {
        let (mut annotations, mut texts) = (Vec::new(), Vec::new());
        let mut fields: Vec<FieldRef> = Vec::with_capacity(schema.fields().len());
        for (index, field) in schema.fields().iter().enumerate() {
            let kind = annotator_type(field).or_else(|| kinds.get(field.name()).map(String::as_str));
            if let Some(kind) = kind.and_then(known_kind).filter(|_| is_list_of_structs(field.data_type())) {
                annotations.push(index);
                fields.push(Arc::new(annotation_field(field.name(), kind)));
                continue;
            }
            if holds_text(field.data_type()) {
                texts.push(index);
            }
            fields.push(field.clone());
        }
        let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
        Self { schema, annotations, texts }
    }

    /// The columns.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// A batch with its columns as stages read them. `first` is the number of its first row.
    pub(crate) fn convert(&self, batch: &RecordBatch, first: usize) -> Result<RecordBatch, Failure> {
        for &index in self.texts.iter().chain(&self.annotations) {
            if let Some(row) = first_broken_row(batch.column(index)) {
                let column = self.schema.field(index).name().clone();
                return Err(Failure::NotUtf8 { column, row: first + row });
            }
        }
        let mut columns = batch.columns().to_vec();
        for &index in &self.annotations {
            columns[index] = conform(&columns[index], self.schema.field(index)).map_err(Error::from)?;
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options).map_err(Error::from)?)
    }
}

fn known_kind(name: &str) -> Option<AnnotatorType> {
    AnnotatorType::ALL.into_iter().find(|kind| kind.name() == name)
}

fn is_list_of_structs(kind: &DataType) -> bool {
    match kind {
        DataType::List(element) | DataType::LargeList(element) => matches!(element.data_type(), DataType::Struct(_)),
        _ => false,
    }
}

/// Whether a stage may read texts from such a column: as it is, or as a list of texts or a map of them.
fn holds_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => holds_text(values),
        DataType::List(element) | DataType::LargeList(element) => holds_text(element.data_type()),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => fields.iter().any(|field| holds_text(field.data_type())),
            _ => false,
        },
        _ => false,
    }
}

/// The first row of a column that holds no sound text; none in a sound column. What C gives is taken at its word by
/// Arrow.
fn first_broken_row(column: &ArrayRef) -> Option<usize> {
    let is_broken = |start: usize, rows: usize| column.slice(start, rows).to_data().validate_full().is_err();
    if !is_broken(0, column.len()) {
        return None;
    }
    // the first of 0.. rows that makes a beginning broken
    let (mut sound, mut broken) = (0, column.len());
    while broken - sound > 1 {
        let middle = sound + (broken - sound) / 2;
        if is_broken(sound, middle - sound) {
            broken = middle;
        } else {
            sound = middle;
        }
    }
    Some(sound)
}

/// An annotation column in the types of `field`.
fn conform(column: &ArrayRef, field: &Field) -> Result<ArrayRef, ArrowError> {
    let wanted = field.data_type();
    // the same names inside as well: files and other libraries give the parts of lists and maps names of their own
    if column.data_type() == wanted {
        return Ok(column.clone());
    }
    let not_ours = || ArrowError::CastError(format!("column `{}` holds no annotations", field.name()));
    let DataType::List(element) = wanted else { return Err(not_ours()) };
    let DataType::Struct(fields) = element.data_type() else { return Err(not_ours()) };
    let list = as_list(column)?;
    let annotations = list.values().as_struct_opt().ok_or_else(not_ours)?;
    let parts = fields.iter().map(|field| {
        let part = annotations.column_by_name(field.name()).ok_or_else(not_ours)?;
        match field.data_type() {
            DataType::Map(entries, _) => map_of(part, entries),
            kind => cast(part, kind),
        }
    });
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    let annotations = StructArray::try_new(fields.clone(), parts, annotations.nulls().cloned())?;
    let (_, offsets, _, nulls) = list.into_parts();
    Ok(Arc::new(ListArray::try_new(element.clone(), offsets, Arc::new(annotations), nulls)?))
}

/// Lists with offsets of 32 bits.
fn as_list(column: &ArrayRef) -> Result<ListArray, ArrowError> {
    if let Some(list) = column.as_list_opt::<i32>() {
        return Ok(list.clone());
    }
    let large = column.as_list_opt::<i64>();
    let large = large.ok_or_else(|| ArrowError::CastError(format!("{} is no list", column.data_type())))?;
    let offsets = large.offsets().iter().map(|&offset| i32::try_from(offset));
    let offsets = offsets.collect::<Result<Vec<i32>, _>>();
    let offsets = offsets.map_err(|_| ArrowError::CastError("a batch with over 2 GiB of annotations".to_owned()))?;
    let element: FieldRef = match large.data_type() {
        DataType::LargeList(element) => element.clone(),
        other => Arc::new(Field::new("element", other.clone(), true)),
    };
    ListArray::try_new(element, OffsetBuffer::new(offsets.into()), large.values().clone(), large.nulls().cloned())
}

/// A map, or a list of structs of two fields, as a map of `entries`.
fn map_of(column: &ArrayRef, entries: &FieldRef) -> Result<ArrayRef, ArrowError> {
    let (offsets, pairs, nulls) = match column.as_map_opt() {
        Some(map) => (map.offsets().clone(), map.entries().clone(), map.nulls().cloned()),
        None => {
            let list = as_list(column)?;
            let pairs = list.values().as_struct_opt().cloned();
            let pairs = pairs.ok_or_else(|| ArrowError::CastError("metadata that is no map".to_owned()))?;
            (list.offsets().clone(), pairs, list.nulls().cloned())
        }
    };
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(ArrowError::CastError("a map without entries".to_owned()));
    };
    if pairs.num_columns() != fields.len() {
        return Err(ArrowError::CastError("metadata that is no map".to_owned()));
    }
    let parts = pairs.columns().iter().zip(fields).map(|(part, field)| cast(part, field.data_type()));
    let pairs = StructArray::try_new(fields.clone(), parts.collect::<Result<Vec<_>, _>>()?, None)?;
    Ok(Arc::new(MapArray::try_new(entries.clone(), offsets, pairs, nulls, false)?))
}
