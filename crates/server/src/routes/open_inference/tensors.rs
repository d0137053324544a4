//! Tensors in JSON.

use albertine::model::argmax;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::integer::{self, Integer};
use super::binary;
use crate::error::ApiError;

pub(super) const TEXT: &str = "text";
pub(super) const LABEL: &str = "label";
pub(super) const SCORE: &str = "score";
pub(super) const SCORES: &str = "scores";
pub(super) const BYTES: &str = "BYTES";
pub(super) const FP32: &str = "FP32";

/// Values that belong to a request, an input or an output. Only those of the binary tensor extension are read.
#[derive(Debug, Deserialize, ToSchema)]
struct TensorParameters {
    /// Of a request: whether the outputs follow the JSON.
    binary_data_output: Option<bool>,
    /// Of an output: whether it follows the JSON.
    binary_data: Option<bool>,
    /// Of an input: the bytes behind the JSON. Their lengths say the same.
    #[serde(rename = "binary_data_size")]
    #[schema(schema_with = integer::any)]
    _binary_data_size: Option<Integer>,
}

/// A request for inference.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InferRequest {
    /// The answer has the same.
    pub(super) id: Option<String>,
    parameters: Option<TensorParameters>,
    #[schema(min_items = 1, max_items = 1)]
    inputs: Vec<InputTensor>,
    /// The outputs that are wanted; all if there are none.
    outputs: Option<Vec<RequestedOutput>>,
}

/// The tensor of texts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InputTensor {
    /// `text`; another name is taken for it.
    #[serde(rename = "name")]
    _name: String,
    /// The number of texts, or that number and 1. It counts where the data is not in the JSON.
    #[schema(schema_with = integer::counts)]
    shape: Vec<Integer>,
    datatype: DataType,
    #[serde(rename = "parameters")]
    _parameters: Option<TensorParameters>,
    /// The texts, in a flat list or in lists as the shape has them.
    #[schema(schema_with = data_schema, required = true)]
    data: Option<Vec<Nested>>,
}

/// The type of the texts.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
enum DataType {
    #[serde(rename = "BYTES")]
    Bytes,
}

/// A text, or a list of texts.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Nested {
    Text(String),
    Texts(Vec<String>),
}

/// The texts; a binary tensor has none here.
fn data_schema() -> utoipa::openapi::schema::Schema {
    use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, Type};
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let texts = ArrayBuilder::new().items(text()).min_items(Some(1));
    ArrayBuilder::new().items(AnyOfBuilder::new().item(text()).item(texts)).min_items(Some(1)).into()
}

/// An output that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RequestedOutput {
    name: OutputName,
    parameters: Option<TensorParameters>,
}

/// An output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum OutputName {
    /// The best label.
    Label,
    /// Its score.
    Score,
    /// The score of each label.
    Scores,
}

impl InferRequest {
    /// The texts, where they are in the JSON.
    pub(super) fn texts(&self) -> Result<Vec<String>, ApiError> {
        let data = self.input()?.data.as_ref();
        let data = data.ok_or_else(|| ApiError::Json("inputs[0]: missing field `data`".to_owned()))?;
        let mut texts = Vec::with_capacity(data.len());
        for value in data {
            match value {
                Nested::Text(text) => texts.push(text.clone()),
                Nested::Texts(several) if several.is_empty() => {
                    return Err(ApiError::Json("inputs[0].data: a list in it is empty".to_owned()));
                }
                Nested::Texts(several) => texts.extend(several.iter().cloned()),
            }
        }
        if texts.is_empty() {
            return Err(ApiError::Json("inputs[0].data: the list is empty".to_owned()));
        }
        Ok(texts)
    }

    /// The texts, where they follow the JSON, if there are at most `most`.
    pub(super) fn binary_texts(&self, data: &[u8], most: usize) -> Result<Vec<String>, ApiError> {
        let input = self.input()?;
        if input.data.is_some() {
            return self.texts();
        }
        let count = input.shape.iter().try_fold(1usize, |count, size| count.checked_mul(size.count()?));
        match count.unwrap_or(usize::MAX) {
            // each takes more memory than its bytes
            count if count > most => Err(ApiError::TooManyTexts { count, limit: most }),
            count => binary::texts(data, count),
        }
    }

    /// Whether the outputs shall follow the JSON: by a parameter of the request, or of its outputs.
    pub(super) fn wants_binary(&self) -> bool {
        let of_outputs = self.outputs.iter().flatten().find_map(|output| output.parameters.as_ref()?.binary_data);
        let of_request = || self.parameters.as_ref()?.binary_data_output;
        of_outputs.or_else(of_request).unwrap_or(false)
    }

    /// The outputs that are wanted, each once.
    pub(super) fn output_names(&self) -> Result<Vec<OutputName>, ApiError> {
        let all = vec![OutputName::Label, OutputName::Score, OutputName::Scores];
        let Some(outputs) = self.outputs.as_ref().filter(|outputs| !outputs.is_empty()) else { return Ok(all) };
        let mut names = Vec::new();
        for output in outputs {
            if !names.contains(&output.name) {
                names.push(output.name);
            }
        }
        Ok(names)
    }

    fn input(&self) -> Result<&InputTensor, ApiError> {
        match &self.inputs[..] {
            [input] => {
                let DataType::Bytes = input.datatype;
                if input.shape.iter().any(|size| size.count().is_none()) {
                    return Err(ApiError::Json("inputs[0].shape: a size is below 0".to_owned()));
                }
                Ok(input)
            }
            inputs => {
                Err(ApiError::Json(format!("inputs: one tensor `{TEXT}` was expected, but there are {}", inputs.len())))
            }
        }
    }
}

/// The answer to a request for inference.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InferAnswer {
    pub(super) model_name: String,
    pub(super) model_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) id: Option<String>,
    pub(super) outputs: Vec<OutputTensor>,
}

/// A tensor of an answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OutputTensor {
    pub(super) name: &'static str,
    pub(super) shape: Vec<usize>,
    pub(super) datatype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) parameters: Option<BinarySize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) data: Option<Data>,
}

/// How many of the bytes behind the JSON are a tensor's.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BinarySize {
    pub(super) binary_data_size: usize,
}

/// The values of a tensor, in rows.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Data {
    /// Of `BYTES`.
    Texts(Vec<String>),
    /// Of `FP32`.
    Numbers(Vec<f32>),
}

impl InferAnswer {
    pub(super) fn new(
        model_name: String,
        id: Option<String>,
        outputs: &[OutputName],
        labels: &[String],
        scores: &[Option<Vec<f32>>],
    ) -> Self {
        let best = |scores: &Option<Vec<f32>>| scores.as_ref().map(|scores| argmax(scores));
        let rows = scores.len();
        let tensor =
            |name, datatype, shape, data| OutputTensor { name, shape, datatype, parameters: None, data: Some(data) };
        let output = |name: &OutputName| match name {
            OutputName::Label => {
                let label = |scores| best(scores).map(|label| labels[label].clone()).unwrap_or_default();
                tensor(LABEL, BYTES, vec![rows], Data::Texts(scores.iter().map(label).collect()))
            }
            OutputName::Score => {
                let score = |scores: &Option<Vec<f32>>| {
                    scores.as_ref().zip(best(scores)).map_or(0.0, |(scores, label)| scores[label])
                };
                tensor(SCORE, FP32, vec![rows], Data::Numbers(scores.iter().map(score).collect()))
            }
            OutputName::Scores => {
                let blank = vec![0.0; labels.len()];
                let all = scores.iter().flat_map(|scores| scores.as_ref().unwrap_or(&blank).iter().copied());
                tensor(SCORES, FP32, vec![rows, labels.len()], Data::Numbers(all.collect()))
            }
        };
        Self { model_name, model_version: super::VERSION, id, outputs: outputs.iter().map(output).collect() }
    }
}
