//! `config.json`: the shape of a classifier and the meaning of its logits.
//!
//! Defaults are those of transformers' configuration of the family. What changes the result and is not known is an error, not a
//! default: an activation, a position kind, a model type.

mod fields;
mod kinds;
pub(crate) mod labels;

use std::path::Path;

use albertine_formats::FormatError;
use serde_json::{Map, Value};

use self::fields::Fields;
pub use self::kinds::{HiddenActivation, ProblemType};
use crate::architecture::{Affine, Architecture, MaskedLanguageParts, Parts, Size, Sizes, TensorSpec};
use crate::families::{self, Family};
use crate::{Folder, ModelError};

/// The file's name in a model directory.
pub(crate) const CONFIG: &str = "config.json";

/// The largest `config.json` that is read, in bytes. Label names are all that makes one long; any other JSON may take
/// some thirty times its size in memory while it is read.
pub(crate) const MAX_CONFIG: u64 = 8 << 20;

/// The most weights in one tensor or in all of them. The largest published ALBERT has 223 million.
const MAX_PARAMETERS: usize = 1 << 32;

/// The shape of a sequence classifier and the meaning of its logits: a `config.json` that has been checked.
///
/// ```
/// use std::path::Path;
/// use albertine_model::{HiddenActivation, ModelConfig};
///
/// let json = br#"{
///     "model_type": "albert", "hidden_size": 64, "num_attention_heads": 4, "hidden_act": "gelu",
///     "id2label": {"0": "World", "1": "Sports"}
/// }"#;
/// let config = ModelConfig::from_slice(json, Path::new("config.json"))?;
/// assert_eq!(config.labels(), ["World", "Sports"]);
/// assert_eq!(config.architecture().activation(), HiddenActivation::Gelu);
/// assert_eq!(config.problem_type(), None); // the file does not say
/// assert_eq!(config.architecture().embedding_size(), 128); // transformers' default
/// # Ok::<(), albertine_model::ModelError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    architecture: Architecture,
    labels: Vec<String>,
    problem_type: Option<ProblemType>,
    dropout: DropoutRates,
    initializer_range: f32,
}

/// The dropout probabilities of a training, each from 0 to below 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DropoutRates {
    /// Of the embeddings, and of what attention and feed-forward parts add to the hidden states.
    pub hidden: f32,
    /// Of the probabilities with which tokens attend to others.
    pub attention: f32,
    /// Of what goes into the classifier.
    pub classifier: f32,
}

impl ModelConfig {
    /// Reads `config.json` of a model directory, or of an archive of one.
    ///
    /// # Errors
    /// [`ModelError::MissingConfig`] with what the directory holds instead, or what [`ModelConfig::from_slice`] finds.
    pub fn open(directory: &Path) -> Result<Self, ModelError> {
        let folder = Folder::open(directory)?;
        match Self::read(&folder)? {
            Some(config) => Ok(config),
            None => Err(ModelError::MissingConfig { directory: directory.to_owned(), found: folder.listing()? }),
        }
    }

    /// Reads `config.json` of a folder, if it has one.
    pub(crate) fn read(folder: &Folder) -> Result<Option<Self>, ModelError> {
        let bytes = folder.read(CONFIG, MAX_CONFIG)?;
        bytes.map(|bytes| Self::from_slice(&bytes, &folder.path_of(CONFIG))).transpose()
    }

    /// Reads the bytes of a `config.json`; `origin` is the name that errors give them.
    ///
    /// # Errors
    /// [`FormatError::Json`], or [`ModelError::Field`] with the field, its value and what was expected.
    pub fn from_slice(bytes: &[u8], origin: &Path) -> Result<Self, ModelError> {
        let json: Value =
            serde_json::from_slice(bytes).map_err(|source| FormatError::Json { path: origin.to_owned(), source })?;
        let Value::Object(map) = &json else {
            let path = origin.to_owned();
            let source = serde::de::Error::custom("not an object");
            return Err(FormatError::Json { path, source }.into());
        };
        Self::from_json(map, origin)
    }

    /// Checks the fields of a `config.json`; `origin` is what errors call it.
    pub(crate) fn from_json(map: &Map<String, Value>, origin: &Path) -> Result<Self, ModelError> {
        let fields = Fields { origin, map };
        let family = family(&fields)?;
        only(&fields, "position_embedding_type", "absolute")?;
        family.refused.iter().try_for_each(|field| fields.must_be_off(field))?;

        let labels = labels::read(&fields)?;
        let size = |(size, field, default): &(Size, &'static str, usize)| {
            Ok((*size, fields.size(field, *default, size.limit())?))
        };
        let sizes = Sizes::new(&family.sizes.iter().map(size).collect::<Result<Vec<_>, ModelError>>()?);
        let activation = hidden_act(&fields, family.activation)?;
        let layer_norm_eps = layer_norm_eps(&fields)?;
        let problem_type = problem_type(&fields)?;
        let architecture = Architecture::new(family, sizes, activation, layer_norm_eps)
            .map_err(|(size, expected)| fields.error_text(family.field(size), sizes.get(size).to_string(), expected))?;
        let dropout = dropout(&fields, family)?;
        let initializer_range = initializer_range(&fields)?;
        let config = Self { architecture, labels, problem_type, dropout, initializer_range };
        config.check_elements(&fields)?;
        Ok(config)
    }

    /// The encoder and what its parts are called.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// What a person calls a model of its family, with the article: `an ALBERT`.
    #[must_use]
    pub fn noun(&self) -> &'static str {
        self.architecture().family().noun
    }

    /// The labels, in the order of the logits: `id2label`, or `LABEL_0` and so on.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// What the logits mean, if the file says it. Where it does not, their number decides, as [`ProblemType`] has it.
    #[must_use]
    pub fn problem_type(&self) -> Option<ProblemType> {
        self.problem_type
    }

    /// The dropout probabilities of a training: the file's, else transformers' defaults for the family.
    ///
    /// ```
    /// # use std::path::Path;
    /// # use albertine_model::{DropoutRates, ModelConfig};
    /// let json = br#"{"model_type": "bert", "hidden_dropout_prob": 0.2}"#;
    /// let config = ModelConfig::from_slice(json, Path::new("config.json"))?;
    /// assert_eq!(config.dropout(), DropoutRates { hidden: 0.2, attention: 0.1, classifier: 0.2 });
    /// # Ok::<(), albertine_model::ModelError>(())
    /// ```
    #[must_use]
    pub fn dropout(&self) -> DropoutRates {
        self.dropout
    }

    /// The same encoder with another classifier: its labels in the order of its logits, and what these mean.
    ///
    /// # Errors
    /// [`ModelError::LabelList`] when there are none, too many, or one that is empty, too long or there twice.
    pub fn with_labels(&self, labels: Vec<String>, problem_type: Option<ProblemType>) -> Result<Self, ModelError> {
        labels::check(&labels).map_err(|fault| ModelError::LabelList { fault })?;
        Ok(Self { labels, problem_type, ..self.clone() })
    }

    /// The names and shapes of every tensor.
    ///
    /// ```
    /// # use std::path::Path;
    /// # use albertine_model::ModelConfig;
    /// let config = ModelConfig::from_slice(br#"{"model_type": "albert", "num_labels": 4}"#, Path::new("config.json"))?;
    /// let tensors = config.tensors();
    /// assert_eq!(tensors.classifier.weight.name, "classifier.weight");
    /// assert_eq!(tensors.classifier.weight.shape, [4, 4096]);
    /// assert_eq!(tensors.pooler.bias.stored_name, "albert.pooler.bias");
    /// # Ok::<(), albertine_model::ModelError>(())
    /// ```
    #[must_use]
    pub fn tensors(&self) -> Parts<TensorSpec> {
        self.architecture.tensors(self.labels.len())
    }

    /// The names and shapes of every tensor of a masked language model with this encoder: those of
    /// [`tensors`](Self::tensors) up to the last layer, and then those of its head.
    #[must_use]
    pub fn masked_language_tensors(&self) -> Vec<TensorSpec> {
        let encoder = self.tensors().indices().pooler.weight;
        let specs = self.tensors().iter().take(encoder).cloned().collect::<Vec<_>>().into_iter();
        specs.chain(self.architecture.masked_language_head().into_tensors()).collect()
    }

    /// The places of the word embeddings and of the head in [`masked_language_tensors`](Self::masked_language_tensors);
    /// those of the encoder are as in [`tensors`](Self::tensors).
    #[must_use]
    pub fn masked_language_indices(&self) -> (usize, MaskedLanguageParts<usize>) {
        let indices = self.tensors().indices();
        let first = indices.pooler.weight;
        let pair = |first| Affine { weight: first, bias: first + 1 };
        (indices.word_embeddings, MaskedLanguageParts { dense: pair(first), norm: pair(first + 2), bias: first + 4 })
    }

    /// The same encoder with another number of pieces.
    ///
    /// # Errors
    /// [`ModelError::Field`] when it is none that a configuration may have.
    pub fn with_vocab_size(&self, pieces: usize) -> Result<Self, ModelError> {
        let (origin, map) = (Path::new(CONFIG), Map::new());
        let fields = Fields { origin, map: &map };
        if !(1..=Size::Vocabulary.limit()).contains(&pieces) {
            let expected = format!("a whole number from 1 to {}", Size::Vocabulary.limit());
            return Err(fields.error_text("vocab_size", pieces.to_string(), expected));
        }
        let config = Self { architecture: self.architecture.with_vocab_size(pieces), ..self.clone() };
        config.check_elements(&fields)?;
        Ok(config)
    }

    /// The standard deviation of new weights, `initializer_range`.
    #[must_use]
    pub fn initializer_range(&self) -> f32 {
        self.initializer_range
    }

    /// The number of weights.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.tensors().iter().map(TensorSpec::elements).sum()
    }

    /// Refuses a shape with absurdly many weights. The limits of the sizes bound every one of them, so a sum over all
    /// tensors is tried in checked arithmetic only once, here.
    fn check_elements(&self, fields: &Fields<'_>) -> Result<(), ModelError> {
        let total = self.tensors().iter().try_fold(0_usize, |total, tensor| {
            let elements = tensor.shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size))?;
            total.checked_add(elements).filter(|total| *total <= MAX_PARAMETERS)
        });
        if total.is_none() {
            let hidden = self.architecture.hidden_size().to_string();
            let field = self.architecture.family().field(Size::Hidden);
            let expected = format!("a shape of at most {MAX_PARAMETERS} weights with the other sizes");
            return Err(fields.error_text(field, hidden, expected));
        }
        Ok(())
    }
}

/// The family that `model_type` names; without one, that of the class in `architectures`.
fn family(fields: &Fields<'_>) -> Result<&'static Family, ModelError> {
    let Some(name) = fields.text("model_type")? else {
        let class = fields.get("architectures").and_then(|classes| classes.get(0)?.as_str()).unwrap_or_default();
        let is_of = |family: &&Family| family.class.split("For").next().is_some_and(|name| class.starts_with(name));
        return Ok(families::ALL.into_iter().find(is_of).unwrap_or(families::ALL[0]));
    };
    let known = families::ALL.into_iter().find(|family| family.model_type == name);
    known.ok_or_else(|| {
        let expected = families::listed(|family| format!("{:?}", family.model_type));
        fields.error_text("model_type", format!("{name:?}"), expected)
    })
}

/// A field that may only have one value, or be absent.
fn only(fields: &Fields<'_>, field: &'static str, wanted: &str) -> Result<(), ModelError> {
    match fields.text(field)? {
        Some(found) if found != wanted => Err(fields.error_text(field, format!("{found:?}"), format!("{wanted:?}"))),
        _ => Ok(()),
    }
}

fn hidden_act(fields: &Fields<'_>, default: HiddenActivation) -> Result<HiddenActivation, ModelError> {
    let Some(name) = fields.text("hidden_act")? else { return Ok(default) };
    let unknown = || fields.error_text("hidden_act", format!("{name:?}"), HiddenActivation::expected(name));
    HiddenActivation::from_name(name).ok_or_else(unknown)
}

fn layer_norm_eps(fields: &Fields<'_>) -> Result<f32, ModelError> {
    let Some(value) = fields.get("layer_norm_eps") else { return Ok(1e-12) };
    value
        .as_f64()
        .filter(|eps| (0.0..=1.0).contains(eps))
        .map(|eps| eps as f32)
        .ok_or_else(|| fields.error("layer_norm_eps", value, "a number from 0 to 1"))
}

fn initializer_range(fields: &Fields<'_>) -> Result<f32, ModelError> {
    let Some(value) = fields.get("initializer_range") else { return Ok(0.02) };
    let range = value.as_f64().filter(|range| *range > 0.0 && *range <= 1.0);
    range
        .map(|range| range as f32)
        .ok_or_else(|| fields.error("initializer_range", value, "a number above 0, at most 1"))
}

fn dropout(fields: &Fields<'_>, family: &Family) -> Result<DropoutRates, ModelError> {
    let rate = |(field, default): (&'static str, Option<f32>)| {
        let Some(value) = fields.get(field) else { return Ok(default) };
        let rate = value.as_f64().filter(|rate| (0.0..1.0).contains(rate));
        rate.map(|rate| Some(rate as f32))
            .ok_or_else(|| fields.error(field, value, "a number of at least 0 and below 1"))
    };
    let [hidden, attention, classifier] = family.dropout;
    let hidden = rate(hidden)?.unwrap_or(0.0);
    Ok(DropoutRates {
        hidden,
        attention: rate(attention)?.unwrap_or(hidden),
        classifier: rate(classifier)?.unwrap_or(hidden),
    })
}

fn problem_type(fields: &Fields<'_>) -> Result<Option<ProblemType>, ModelError> {
    let Some(name) = fields.text("problem_type")? else { return Ok(None) };
    let unknown = || fields.error_text("problem_type", format!("{name:?}"), ProblemType::NAMES);
    ProblemType::from_name(name).map(Some).ok_or_else(unknown)
}

#[cfg(test)]
mod tests;
