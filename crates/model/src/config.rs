//! `config.json`: the shape of an ALBERT and the meaning of its logits.
//!
//! Defaults are those of transformers' `AlbertConfig`. What changes the result and is not known is an error, not a
//! default: an activation, a position kind, a model type.

mod fields;
mod kinds;
pub(crate) mod labels;

use std::path::Path;

use albertine_formats::FormatError;
use serde_json::{Map, Value};

use self::fields::Fields;
pub use self::kinds::{Activation, ProblemType};
use crate::{Folder, ModelError};

/// The file's name in a model directory.
pub(crate) const CONFIG: &str = "config.json";

/// The largest `config.json` that is read, in bytes. Label names are all that makes one long; any other JSON may take
/// some thirty times its size in memory while it is read.
pub(crate) const MAX_CONFIG: u64 = 8 << 20;

/// The most weights in one tensor or in all of them. The largest published ALBERT has 223 million.
const MAX_PARAMETERS: usize = 1 << 32;

/// The shape of an ALBERT sequence classifier; fields are named as in `config.json`.
///
/// A value of this type has been checked: no size is zero or absurd, heads divide the hidden size, groups fit the
/// layers, and no product of its sizes overflows.
///
/// ```
/// use std::path::Path;
/// use albertine_model::{Activation, AlbertConfig};
///
/// let json = br#"{
///     "model_type": "albert", "hidden_size": 64, "num_attention_heads": 4, "hidden_act": "gelu",
///     "id2label": {"0": "World", "1": "Sports"}
/// }"#;
/// let config = AlbertConfig::from_slice(json, Path::new("config.json"))?;
/// assert_eq!(config.labels, ["World", "Sports"]);
/// assert_eq!(config.hidden_act, Activation::Gelu);
/// assert_eq!(config.problem_type, None); // the file does not say
/// assert_eq!(config.embedding_size, 128); // transformers' default
/// # Ok::<(), albertine_model::ModelError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct AlbertConfig {
    /// Pieces in the vocabulary.
    pub vocab_size: usize,
    /// Width of a piece's embedding, before it is projected to the hidden size.
    pub embedding_size: usize,
    /// Width of the encoder.
    pub hidden_size: usize,
    /// Times that a group of layers is applied.
    pub num_hidden_layers: usize,
    /// Groups of layers with weights of their own; layer `i` uses the group `i · groups / layers`, rounded down.
    pub num_hidden_groups: usize,
    /// Attention heads; they divide the hidden size.
    pub num_attention_heads: usize,
    /// Width of the feed-forward part.
    pub intermediate_size: usize,
    /// Layers in a group, applied one after the other.
    pub inner_group_num: usize,
    /// Positions: the most pieces of a document, `[CLS]` and `[SEP]` included.
    pub max_position_embeddings: usize,
    /// Token types; a document of one part uses only type 0.
    pub type_vocab_size: usize,
    /// The function of the feed-forward part.
    pub hidden_act: Activation,
    /// What is added to the variance in every LayerNorm.
    pub layer_norm_eps: f32,
    /// The labels, in the order of the logits: `id2label`, or `LABEL_0` and so on.
    pub labels: Vec<String>,
    /// What the logits mean, if the file says it. Where it does not, their number decides, as [`ProblemType`] has it.
    pub problem_type: Option<ProblemType>,
}

impl AlbertConfig {
    /// Reads `config.json` of a model directory, or of a zip archive of one.
    ///
    /// # Errors
    /// [`ModelError::MissingConfig`] with what the directory holds instead, or what [`AlbertConfig::from_slice`] finds.
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
        only(&fields, "model_type", "albert")?;
        only(&fields, "position_embedding_type", "absolute")?;

        let labels = labels::read(&fields)?;
        let config = Self {
            vocab_size: fields.size("vocab_size", 30_000, 1 << 24)?,
            embedding_size: fields.size("embedding_size", 128, 1 << 16)?,
            hidden_size: fields.size("hidden_size", 4096, 1 << 16)?,
            num_hidden_layers: fields.size("num_hidden_layers", 12, 256)?,
            num_hidden_groups: fields.size("num_hidden_groups", 1, 256)?,
            num_attention_heads: fields.size("num_attention_heads", 64, 1 << 16)?,
            intermediate_size: fields.size("intermediate_size", 16_384, 1 << 20)?,
            inner_group_num: fields.size("inner_group_num", 1, 16)?,
            max_position_embeddings: fields.size("max_position_embeddings", 512, 1 << 20)?,
            type_vocab_size: fields.size("type_vocab_size", 2, 1 << 16)?,
            hidden_act: hidden_act(&fields)?,
            layer_norm_eps: layer_norm_eps(&fields)?,
            problem_type: problem_type(&fields)?,
            labels,
        };
        config.check_together(&fields)?;
        Ok(config)
    }

    /// The number of weights of a model of this shape.
    pub fn parameters(&self) -> usize {
        crate::layout::tensors(self).iter().map(|tensor| tensor.shape.iter().product::<usize>()).sum()
    }

    /// The layers in the order in which they are applied: places among those that have weights of their own, of which each
    /// group has [`inner_group_num`](Self::inner_group_num).
    ///
    /// ```
    /// # use std::path::Path;
    /// # use albertine_model::AlbertConfig;
    /// let json = br#"{"model_type": "albert", "num_hidden_layers": 4, "num_hidden_groups": 2}"#;
    /// let config = AlbertConfig::from_slice(json, Path::new("config.json"))?;
    /// assert_eq!(config.layer_order(), [0, 0, 1, 1]);
    /// # Ok::<(), albertine_model::ModelError>(())
    /// ```
    #[must_use]
    pub fn layer_order(&self) -> Vec<usize> {
        // In the floating-point arithmetic of transformers' `AlbertTransformer`.
        let in_group = self.num_hidden_layers as f64 / self.num_hidden_groups as f64;
        let group = |layer: usize| ((layer as f64 / in_group) as usize).min(self.num_hidden_groups - 1);
        (0..self.num_hidden_layers)
            .flat_map(|layer| {
                let first = group(layer) * self.inner_group_num;
                first..first + self.inner_group_num
            })
            .collect()
    }

    /// The rules that tie one field to another.
    fn check_together(&self, fields: &Fields<'_>) -> Result<(), ModelError> {
        let Self { hidden_size, num_attention_heads: heads, num_hidden_groups: groups, .. } = *self;
        if hidden_size % heads != 0 {
            let expected = format!("a divisor of hidden_size, {hidden_size}");
            return Err(fields.error_text("num_attention_heads", heads.to_string(), expected));
        }
        if groups > self.num_hidden_layers {
            let expected = format!("at most num_hidden_layers, {}", self.num_hidden_layers);
            return Err(fields.error_text("num_hidden_groups", groups.to_string(), expected));
        }
        // The caps above bound every size, so a sum over all tensors is tried in checked arithmetic only once, here.
        let total = crate::layout::tensors(self).iter().try_fold(0_usize, |total, tensor| {
            let elements = tensor.shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size))?;
            total.checked_add(elements).filter(|total| *total <= MAX_PARAMETERS)
        });
        if total.is_none() {
            let expected = format!("a shape of at most {MAX_PARAMETERS} weights with the other sizes");
            return Err(fields.error_text("hidden_size", hidden_size.to_string(), expected));
        }
        Ok(())
    }
}

/// A field that may only have one value, or be absent.
fn only(fields: &Fields<'_>, field: &'static str, wanted: &str) -> Result<(), ModelError> {
    match fields.text(field)? {
        Some(found) if found != wanted => Err(fields.error_text(field, format!("{found:?}"), format!("{wanted:?}"))),
        _ => Ok(()),
    }
}

fn hidden_act(fields: &Fields<'_>) -> Result<Activation, ModelError> {
    let name = fields.text("hidden_act")?.unwrap_or("gelu_new");
    Activation::from_name(name).ok_or_else(|| fields.error_text("hidden_act", format!("{name:?}"), Activation::NAMES))
}

fn layer_norm_eps(fields: &Fields<'_>) -> Result<f32, ModelError> {
    let Some(value) = fields.get("layer_norm_eps") else { return Ok(1e-12) };
    value
        .as_f64()
        .filter(|eps| (0.0..=1.0).contains(eps))
        .map(|eps| eps as f32)
        .ok_or_else(|| fields.error("layer_norm_eps", value, "a number from 0 to 1"))
}

fn problem_type(fields: &Fields<'_>) -> Result<Option<ProblemType>, ModelError> {
    let Some(name) = fields.text("problem_type")? else { return Ok(None) };
    let unknown = || fields.error_text("problem_type", format!("{name:?}"), ProblemType::NAMES);
    ProblemType::from_name(name).map(Some).ok_or_else(unknown)
}

#[cfg(test)]
mod tests;
