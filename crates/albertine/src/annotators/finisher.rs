//! From annotations to plain columns.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::builder::{ArrayBuilder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, ListArray, StructArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, FieldRef, Fields, SchemaRef};
use serde_json::{Map, Value};

use super::Annotator;
use super::stage::Registration;
use crate::column::{self, AnnotationColumn, AnnotationRef, annotator_type};
use crate::params::{ParamMap, Params};
use crate::{CancellationToken, Counts, Error, OutputSchema, text_column};

const STAGE: &str = "Finisher";

pub(super) const REGISTRATION: Registration =
    Registration { name: STAGE, from_params: |params, _| Ok(Finisher::from_params(params)?.into()) };

/// Turns annotation columns into plain ones, for programs that want plain values: lists of the results, or one string a
/// row.
///
/// ```
/// use albertine::prelude::*;
/// # use std::sync::Arc;
/// # use arrow_array::cast::AsArray;
/// # use arrow_array::StringArray;
/// # use arrow_array::RecordBatch;
/// # let texts = StringArray::from(vec!["Hi there. Go."]);
/// # let batch = RecordBatch::try_from_iter([("text", Arc::new(texts) as _)])?;
/// let finisher = Finisher::new().input_cols(["sentence"]).output_as_array(false).include_metadata(true);
/// let stages = [DocumentAssembler::new().into(), SentenceDetector::new().into(), finisher.into()];
/// let table = Pipeline::new().stages(stages).fit(&batch.schema())?.transform(&batch)?;
/// let finished = table["finished_sentence"].as_string::<i32>();
/// assert_eq!(finished.value(0), "sentence->0#result->Hi there.@sentence->1#result->Go.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Finisher {
    input_cols: Vec<String>,
    output_cols: Option<Vec<String>>,
    output_as_array: bool,
    include_metadata: bool,
    clean_annotations: bool,
    value_split_symbol: String,
    annotation_split_symbol: String,
}

impl Default for Finisher {
    fn default() -> Self {
        Self {
            input_cols: Vec::new(),
            output_cols: None,
            output_as_array: true,
            include_metadata: false,
            clean_annotations: true,
            value_split_symbol: "#".to_owned(),
            annotation_split_symbol: "@".to_owned(),
        }
    }
}

impl Finisher {
    /// A finisher without input columns yet; annotation columns are dropped after it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The annotation columns to turn into plain ones.
    #[must_use]
    pub fn input_cols<I: Into<String>>(mut self, columns: impl IntoIterator<Item = I>) -> Self {
        self.input_cols = columns.into_iter().map(Into::into).collect();
        self
    }

    /// The names of the plain columns, one for each input column; without it `finished_` and the name of the input
    /// column.
    #[must_use]
    pub fn output_cols<I: Into<String>>(mut self, columns: impl IntoIterator<Item = I>) -> Self {
        self.output_cols = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// Whether a row gets a list with the result of each annotation, or one string of all of them; true by
    /// default.
    #[must_use]
    pub fn output_as_array(mut self, array: bool) -> Self {
        self.output_as_array = array;
        self
    }

    /// Whether metadata is kept: with lists as a second column (`<name>_metadata`) of pairs, in a string as
    /// `key->value` before each result. False by default.
    #[must_use]
    pub fn include_metadata(mut self, include: bool) -> Self {
        self.include_metadata = include;
        self
    }

    /// What stands between the pairs of one annotation in a string: `#` by default.
    #[must_use]
    pub fn value_split_symbol(mut self, symbol: impl Into<String>) -> Self {
        self.value_split_symbol = symbol.into();
        self
    }

    /// What stands between the annotations of a row in a string: `@` by default.
    #[must_use]
    pub fn annotation_split_symbol(mut self, symbol: impl Into<String>) -> Self {
        self.annotation_split_symbol = symbol.into();
        self
    }

    /// Whether every annotation column of the table is dropped, also those that are not listed; true by
    /// default.
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

    /// The names of the plain columns that it writes, those of metadata left out.
    #[must_use]
    pub fn get_output_cols(&self) -> Vec<String> {
        let usual = || self.input_cols.iter().map(|column| format!("finished_{column}")).collect();
        self.output_cols.clone().unwrap_or_else(usual)
    }

    /// Whether a row gets a list.
    #[must_use]
    pub fn get_output_as_array(&self) -> bool {
        self.output_as_array
    }

    /// Whether metadata is kept.
    #[must_use]
    pub fn get_include_metadata(&self) -> bool {
        self.include_metadata
    }

    /// What stands between the pairs of one annotation in a string.
    #[must_use]
    pub fn get_value_split_symbol(&self) -> &str {
        &self.value_split_symbol
    }

    /// What stands between the annotations of a row in a string.
    #[must_use]
    pub fn get_annotation_split_symbol(&self) -> &str {
        &self.annotation_split_symbol
    }

    /// Whether every annotation column of the table is dropped.
    #[must_use]
    pub fn get_clean_annotations(&self) -> bool {
        self.clean_annotations
    }

    fn from_params(map: &Map<String, Value>) -> Result<Self, Error> {
        let params = Params::new(STAGE, map);
        let usual = Self::default();
        Ok(Self {
            input_cols: params.texts("inputCols")?.unwrap_or_default(),
            output_cols: params.texts("outputCols")?,
            output_as_array: params.flag("outputAsArray")?.unwrap_or(usual.output_as_array),
            include_metadata: params.flag("includeMetadata")?.unwrap_or(usual.include_metadata),
            clean_annotations: params.flag("cleanAnnotations")?.unwrap_or(usual.clean_annotations),
            value_split_symbol: params.text("valueSplitSymbol")?.unwrap_or(usual.value_split_symbol),
            annotation_split_symbol: params.text("annotationSplitSymbol")?.unwrap_or(usual.annotation_split_symbol),
        })
    }

    /// The columns that are added: name and type.
    fn added(&self) -> Vec<(String, DataType)> {
        let plain = if self.output_as_array { DataType::List(result_field()) } else { DataType::Utf8 };
        let outputs = self.get_output_cols();
        let mut added: Vec<_> = outputs.iter().map(|name| (name.clone(), plain.clone())).collect();
        if self.output_as_array && self.include_metadata {
            added.extend(outputs.iter().map(|name| (format!("{name}_metadata"), DataType::List(pair_field()))));
        }
        added
    }

    /// One string for each row.
    fn strings(&self, annotations: &AnnotationColumn<'_>) -> ArrayRef {
        let mut strings = StringBuilder::new();
        for row in 0..annotations.rows() {
            let texts: Vec<String> = annotations.row(row).map(|annotation| self.string(annotation)).collect();
            strings.append_value(texts.join(&self.annotation_split_symbol));
        }
        Arc::new(strings.finish())
    }

    fn string(&self, annotation: AnnotationRef<'_>) -> String {
        if !self.include_metadata {
            return annotation.result.to_owned();
        }
        let metadata = annotation.metadata().map(|(key, value)| (key, value.unwrap_or("null")));
        let pairs = metadata.chain([("result", annotation.result)]).map(|(key, value)| format!("{key}->{value}"));
        pairs.collect::<Vec<_>>().join(&self.value_split_symbol)
    }
}

impl Annotator for Finisher {
    fn name(&self) -> &'static str {
        STAGE
    }

    fn params(&self) -> Map<String, Value> {
        ParamMap::default()
            .with("inputCols", self.input_cols.clone())
            .with_some("outputCols", self.output_cols.clone())
            .with("outputAsArray", self.output_as_array)
            .with("includeMetadata", self.include_metadata)
            .with("cleanAnnotations", self.clean_annotations)
            .with("valueSplitSymbol", self.value_split_symbol.as_str())
            .with("annotationSplitSymbol", self.annotation_split_symbol.as_str())
            .into_map()
    }

    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, Error> {
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
        let stays = |index| !self.clean_annotations || annotator_type(input.field(index)).is_none();
        let kept = OutputSchema::unchanged(input).keeping(stays);
        let mut added: Vec<FieldRef> = Vec::new();
        for (output, kind) in self.added() {
            if kept.schema().fields().iter().chain(&added).any(|field| *field.name() == output) {
                return Err(Error::OutputColumnTaken { stage: STAGE, column: output });
            }
            added.push(Arc::new(Field::new(output, kind, true)));
        }
        Ok(kept.adding(added))
    }

    fn run(&self, batch: &RecordBatch, _: &CancellationToken) -> Result<(RecordBatch, Option<Counts>), Error> {
        let schema = self.output_schema(&batch.schema())?;
        let columns: Vec<AnnotationColumn<'_>> =
            self.input_cols.iter().map(|column| column::read(batch, STAGE, column)).collect::<Result<_, _>>()?;
        let plain = |column: &AnnotationColumn<'_>| match self.output_as_array {
            true => results(column),
            false => self.strings(column),
        };
        let mut written: Vec<ArrayRef> = columns.iter().map(plain).collect();
        if self.output_as_array && self.include_metadata {
            written.extend(columns.iter().map(pairs));
        }
        Ok((schema.assemble(batch, written)?, None))
    }
}

fn result_field() -> FieldRef {
    Arc::new(Field::new("element", DataType::Utf8, true))
}

/// A key and its value, named as Scala names the parts of a pair.
fn pair_fields() -> Fields {
    Fields::from(vec![Field::new("_1", DataType::Utf8, true), Field::new("_2", DataType::Utf8, true)])
}

fn pair_field() -> FieldRef {
    Arc::new(Field::new("element", DataType::Struct(pair_fields()), true))
}

/// A list of results for each row.
fn results(annotations: &AnnotationColumn<'_>) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new()).with_field(result_field());
    for row in 0..annotations.rows() {
        annotations.row(row).for_each(|annotation| lists.values().append_value(annotation.result));
        lists.append(true);
    }
    Arc::new(lists.finish())
}

/// A list of the metadata of all annotations for each row.
fn pairs(annotations: &AnnotationColumn<'_>) -> ArrayRef {
    let mut keys = StringBuilder::new();
    let mut values = StringBuilder::new();
    let mut ends = vec![0];
    for row in 0..annotations.rows() {
        for (key, value) in annotations.row(row).flat_map(|annotation| annotation.metadata()) {
            keys.append_value(key);
            values.append_option(value);
        }
        ends.push(ArrayBuilder::len(&keys) as i32);
    }
    let columns: Vec<ArrayRef> = vec![Arc::new(keys.finish()), Arc::new(values.finish())];
    let pairs = StructArray::new(pair_fields(), columns, None);
    Arc::new(ListArray::new(pair_field(), OffsetBuffer::new(ends.into()), Arc::new(pairs), None))
}
