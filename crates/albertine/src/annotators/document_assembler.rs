//! From a text column to documents.

use albertine_text::{CleanupMode, utf16_len};
use arrow_array::RecordBatch;
use arrow_array::builder::{ArrayBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{Array, MapArray, StringArray};
use arrow_schema::{DataType, Schema, SchemaRef};
use serde_json::{Map, Value};

use super::stage::Registration;
use super::{Annotator, Stage, with_annotations, with_column};
use crate::annotation::AnnotatorType;
use crate::column::AnnotationColumnBuilder;
use crate::params::{ParamMap, Params};
use crate::{CancellationToken, Counts, Error, OutputSchema, text_column};

const STAGE: &str = "DocumentAssembler";

pub(super) const REGISTRATION: Registration =
    Registration { name: STAGE, from_params: |params, _| Ok(DocumentAssembler::from_params(params)?.into()) };

/// The first stage: turns each text into one annotation of type `document` over the whole of it.
///
/// A null text is read as an empty one, whose annotation has `begin` 0 and `end` -1, as in Spark NLP. A column of lists
/// of texts gives one document for each of its elements, with offsets of its own; `sentence` in their metadata counts
/// them.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentAssembler {
    input_col: String,
    output_col: String,
    id_col: Option<String>,
    metadata_col: Option<String>,
    cleanup_mode: CleanupMode,
}

impl Default for DocumentAssembler {
    fn default() -> Self {
        Self {
            input_col: "text".to_owned(),
            output_col: "document".to_owned(),
            id_col: None,
            metadata_col: None,
            cleanup_mode: CleanupMode::Disabled,
        }
    }
}

impl DocumentAssembler {
    /// Reads column `text`, writes column `document`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The text column to read.
    #[must_use]
    pub fn input_col(mut self, column: impl Into<String>) -> Self {
        self.input_col = column.into();
        self
    }

    /// The annotation column to write.
    #[must_use]
    pub fn output_col(mut self, column: impl Into<String>) -> Self {
        self.output_col = column.into();
        self
    }

    /// A column of texts or numbers whose value goes into the metadata of the row's documents as `id`.
    #[must_use]
    pub fn id_col(mut self, column: impl Into<String>) -> Self {
        self.id_col = Some(column.into());
        self
    }

    /// A column of maps from text to text that go into the metadata of the row's documents; `id` and `sentence` win
    /// over keys of the same name.
    #[must_use]
    pub fn metadata_col(mut self, column: impl Into<String>) -> Self {
        self.metadata_col = Some(column.into());
        self
    }

    /// What is done to the text first; offsets count in the cleaned text. Nothing unless said otherwise.
    #[must_use]
    pub fn cleanup_mode(mut self, mode: CleanupMode) -> Self {
        self.cleanup_mode = mode;
        self
    }

    /// The text column that it reads.
    #[must_use]
    pub fn get_input_col(&self) -> &str {
        &self.input_col
    }

    /// The annotation column that it writes.
    #[must_use]
    pub fn get_output_col(&self) -> &str {
        &self.output_col
    }

    /// The column of ids.
    #[must_use]
    pub fn get_id_col(&self) -> Option<&str> {
        self.id_col.as_deref()
    }

    /// The column of further metadata.
    #[must_use]
    pub fn get_metadata_col(&self) -> Option<&str> {
        self.metadata_col.as_deref()
    }

    /// What is done to the text first.
    #[must_use]
    pub fn get_cleanup_mode(&self) -> CleanupMode {
        self.cleanup_mode
    }

    fn from_params(map: &Map<String, Value>) -> Result<Self, Error> {
        let params = Params::new(STAGE, map);
        let usual = Self::default();
        Ok(Self {
            input_col: params.text("inputCol")?.unwrap_or(usual.input_col),
            output_col: params.text("outputCol")?.unwrap_or(usual.output_col),
            id_col: params.text("idCol")?,
            metadata_col: params.text("metadataCol")?,
            cleanup_mode: params
                .text("cleanupMode")?
                .map_or(Ok(usual.cleanup_mode), |mode| CleanupMode::named(&mode))?,
        })
    }
}

impl Annotator for DocumentAssembler {
    fn name(&self) -> &'static str {
        STAGE
    }

    fn params(&self) -> Map<String, Value> {
        ParamMap::default()
            .with("inputCol", self.input_col.as_str())
            .with("outputCol", self.output_col.as_str())
            .with("cleanupMode", self.cleanup_mode.name())
            .with_some("idCol", self.id_col.as_deref())
            .with_some("metadataCol", self.metadata_col.as_deref())
            .into_map()
    }

    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, Error> {
        if !is_list_of_text(text_column::find(input, &self.input_col)?.data_type()) {
            text_column::require(input, &self.input_col)?;
        }
        if let Some(column) = &self.id_col
            && !text_column::find(input, column)?.data_type().is_integer()
        {
            text_column::require(input, column)?;
        }
        if let Some(column) = &self.metadata_col {
            require_map(input, column)?;
        }
        with_annotations(input, STAGE, &self.output_col, AnnotatorType::Document)
    }

    fn run(&self, batch: &RecordBatch, _: &CancellationToken) -> Result<(RecordBatch, Option<Counts>), Error> {
        let schema = self.output_schema(&batch.schema())?;
        let texts = Texts::read(batch, &self.input_col)?;
        let ids = |column: &String| text_column::strings(batch.column(batch.schema_ref().index_of(column)?).as_ref());
        let ids = self.id_col.as_ref().map(ids).transpose()?;
        let maps = self.metadata_col.as_ref().map(|column| Maps::read(batch, column)).transpose()?;

        let mut documents = AnnotationColumnBuilder::default();
        for row in 0..batch.num_rows() {
            let given = maps.iter().flat_map(|maps| maps.row(row));
            let given = given.filter(|&(key, _)| key != "sentence" && (key != "id" || ids.is_none()));
            let mut metadata: Vec<(&str, Option<&str>)> = given.collect();
            metadata.extend(ids.as_ref().map(|ids| ("id", ids.is_valid(row).then(|| ids.value(row)))));
            for (sentence, text) in texts.row(row).enumerate() {
                let (text, sentence) = (self.cleanup_mode.apply(text), sentence.to_string());
                let metadata = metadata.iter().copied().chain([("sentence", Some(sentence.as_str()))]);
                documents.push(AnnotatorType::Document, 0, utf16_len(&text) as i32 - 1, &text, metadata);
            }
            documents.end_row();
        }
        Ok((with_column(batch, &schema, documents.finish()?)?, None))
    }

    fn on_texts_alone(&self) -> Option<Stage> {
        Some(Self { id_col: None, metadata_col: None, ..self.clone() }.into())
    }
}

fn is_list_of_text(kind: &DataType) -> bool {
    match kind {
        DataType::List(element) | DataType::LargeList(element) => text_column::is_text(element.data_type()),
        _ => false,
    }
}

/// The texts of each row: one, or the elements of a list.
struct Texts {
    texts: StringArray,
    /// Where the texts of each row end, if a row can have another number than one.
    ends: Option<Vec<usize>>,
}

impl Texts {
    fn read(batch: &RecordBatch, column: &str) -> Result<Self, Error> {
        let array = batch.column(batch.schema_ref().index_of(column)?);
        if !is_list_of_text(array.data_type()) {
            return Ok(Self { texts: text_column::read(batch, column)?.into_owned(), ends: None });
        }
        let lists = arrow_cast::cast(array, &text_column::list_type())?;
        let lists = lists.as_list::<i32>();
        let mut texts = StringBuilder::new();
        let mut ends = Vec::with_capacity(lists.len());
        for row in lists.iter() {
            for text in row.iter().flat_map(|row| row.as_string::<i32>().iter()) {
                texts.append_option(text);
            }
            ends.push(ArrayBuilder::len(&texts));
        }
        Ok(Self { texts: texts.finish(), ends: Some(ends) })
    }

    fn row(&self, row: usize) -> impl Iterator<Item = &str> {
        let range = match &self.ends {
            None => row..row + 1,
            Some(ends) => row.checked_sub(1).map_or(0, |before| ends[before])..ends[row],
        };
        range.map(|at| if self.texts.is_valid(at) { self.texts.value(at) } else { "" })
    }
}

fn require_map(schema: &Schema, column: &str) -> Result<(), Error> {
    let kind = text_column::find(schema, column)?.data_type();
    if let DataType::Map(entries, _) = kind
        && let DataType::Struct(fields) = entries.data_type()
        && fields.iter().all(|field| text_column::is_text(field.data_type()))
    {
        return Ok(());
    }
    Err(Error::NotTextMap { column: column.to_owned(), found: kind.to_string() })
}

/// A column of maps from text to text.
struct Maps {
    maps: MapArray,
    keys: StringArray,
    values: StringArray,
}

impl Maps {
    fn read(batch: &RecordBatch, column: &str) -> Result<Self, Error> {
        let maps = batch.column(batch.schema_ref().index_of(column)?).as_map().clone();
        let text = |array: &dyn Array| text_column::strings(array).map(std::borrow::Cow::into_owned);
        let (keys, values) = (text(maps.keys().as_ref())?, text(maps.values().as_ref())?);
        Ok(Self { maps, keys, values })
    }

    fn row(&self, row: usize) -> impl Iterator<Item = (&str, Option<&str>)> {
        let offsets = self.maps.value_offsets();
        let range = if self.maps.is_null(row) { 0..0 } else { offsets[row] as usize..offsets[row + 1] as usize };
        range.map(|at| (self.keys.value(at), self.values.is_valid(at).then(|| self.values.value(at))))
    }
}
