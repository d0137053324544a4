//! What an encoder and its classifier are made of: one checked description, from which all else derives.

mod family;
mod parts;
mod size;

pub(crate) use self::family::{Family, Names, is_classifier};
pub use self::parts::{Affine, LayerParts, MaskedLanguageParts, Parts, TensorSpec};
pub(crate) use self::size::{Size, Sizes};
use crate::HiddenActivation;

/// The shape of a transformer encoder that reads token ids, with the family that it belongs to.
///
/// A value of this type has been checked: no size is zero or absurd, heads divide the hidden size, groups fit the layers,
/// and no product of its sizes overflows. It comes with a [`ModelConfig`](crate::ModelConfig). The layout of the weights,
/// their names, a saved `config.json`, the reading of a graph, the work of a forward pass and the network that training
/// takes back are all made from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Architecture {
    family: &'static Family,
    sizes: Sizes,
    activation: HiddenActivation,
    layer_norm_eps: f32,
}

impl Architecture {
    /// Checks sizes, each of which is within its own limit, against each other.
    ///
    /// # Errors
    /// The size that does not fit, and what would.
    pub(crate) fn new(
        family: &'static Family,
        sizes: Sizes,
        activation: HiddenActivation,
        layer_norm_eps: f32,
    ) -> Result<Self, (Size, String)> {
        let (hidden, layers) = (sizes.get(Size::Hidden), sizes.get(Size::Layers));
        if !hidden.is_multiple_of(sizes.get(Size::Heads)) {
            return Err((Size::Heads, format!("a divisor of {}, {hidden}", family.field(Size::Hidden))));
        }
        if sizes.get(Size::Groups) > layers {
            return Err((Size::Groups, format!("at most {}, {layers}", family.field(Size::Layers))));
        }
        if sizes.get(Size::Positions) <= family.position_offset {
            return Err((Size::Positions, format!("more than {}", family.position_offset)));
        }
        Ok(Self { family, sizes, activation, layer_norm_eps })
    }

    /// The same encoder with another number of pieces.
    pub(crate) fn with_vocab_size(&self, pieces: usize) -> Self {
        Self { sizes: self.sizes.with(Size::Vocabulary, pieces), ..self.clone() }
    }

    pub(crate) fn family(&self) -> &'static Family {
        self.family
    }

    pub(crate) fn size(&self, size: Size) -> usize {
        self.sizes.get(size)
    }

    /// The family's name, `model_type` in `config.json`: `albert`.
    #[must_use]
    pub fn model_type(&self) -> &'static str {
        self.family.model_type
    }

    /// The classifier's class in transformers and in Spark NLP: `AlbertForSequenceClassification`.
    #[must_use]
    pub fn class(&self) -> &'static str {
        self.family.class
    }

    /// Token ids that the model knows.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.size(Size::Vocabulary)
    }

    /// The width of a token's embedding, before it is projected to the hidden size, if it is.
    #[must_use]
    pub fn embedding_size(&self) -> usize {
        self.size(Size::Embedding)
    }

    /// Whether a linear layer stands between the embeddings and the first layer.
    #[must_use]
    pub fn has_embedding_projection(&self) -> bool {
        self.family.names.projection.is_some()
    }

    /// The width of the encoder.
    #[must_use]
    pub fn hidden_size(&self) -> usize {
        self.size(Size::Hidden)
    }

    /// Times that a group of layers is applied; where layers share nothing, the layers.
    #[must_use]
    pub fn hidden_layers(&self) -> usize {
        self.size(Size::Layers)
    }

    /// Groups of layers with weights of their own; layer `i` uses the group `i · groups / layers`, rounded down. As many
    /// as there are layers where they share nothing.
    #[must_use]
    pub fn hidden_groups(&self) -> usize {
        self.size(Size::Groups)
    }

    /// Layers in a group, applied one after the other.
    #[must_use]
    pub fn inner_groups(&self) -> usize {
        self.size(Size::InnerLayers)
    }

    /// Attention heads; they divide the hidden size.
    #[must_use]
    pub fn attention_heads(&self) -> usize {
        self.size(Size::Heads)
    }

    /// The width of the feed-forward part.
    #[must_use]
    pub fn intermediate_size(&self) -> usize {
        self.size(Size::Intermediate)
    }

    /// The most tokens of a document, the special ones included.
    #[must_use]
    pub fn max_tokens(&self) -> usize {
        self.size(Size::Positions) - self.family.position_offset
    }

    /// The row of the position embeddings that a document's first token has.
    #[must_use]
    pub fn position_offset(&self) -> usize {
        self.family.position_offset
    }

    /// Whether dropout comes between the feed-forward part and its residual in training, as it does behind attention.
    #[must_use]
    pub fn has_output_dropout(&self) -> bool {
        self.family.output_dropout
    }

    /// Token types; a document of one part uses only type 0.
    #[must_use]
    pub fn token_types(&self) -> usize {
        self.size(Size::TokenTypes)
    }

    /// The function of the feed-forward part.
    #[must_use]
    pub fn activation(&self) -> HiddenActivation {
        self.activation
    }

    /// What is added to the variance in every LayerNorm.
    #[must_use]
    pub fn layer_norm_eps(&self) -> f32 {
        self.layer_norm_eps
    }

    /// The layers in the order in which they are applied, by their indices among those that have weights of their own
    /// ([`Parts::layers`]).
    ///
    /// ```
    /// # use std::path::Path;
    /// # use albertine_model::ModelConfig;
    /// let json = br#"{"model_type": "albert", "num_hidden_layers": 4, "num_hidden_groups": 2}"#;
    /// let config = ModelConfig::from_slice(json, Path::new("config.json"))?;
    /// assert_eq!(config.architecture().layer_order(), [0, 0, 1, 1]);
    /// # Ok::<(), albertine_model::ModelError>(())
    /// ```
    #[must_use]
    pub fn layer_order(&self) -> Vec<usize> {
        // In the floating-point arithmetic of transformers' `AlbertTransformer`.
        let (layers, groups, inner) = (self.hidden_layers(), self.hidden_groups(), self.inner_groups());
        let in_group = layers as f64 / groups as f64;
        let group = |layer: usize| ((layer as f64 / in_group) as usize).min(groups - 1);
        (0..layers).flat_map(|layer| group(layer) * inner..(group(layer) + 1) * inner).collect()
    }

    /// The names and shapes of every tensor of a classifier of so many labels.
    pub(crate) fn tensors(&self, labels: usize) -> Parts<TensorSpec> {
        let names = &self.family.names;
        let (embedding, hidden, wide) = (self.embedding_size(), self.hidden_size(), self.intermediate_size());
        let spec = |name: String, shape: Vec<usize>| TensorSpec::new(self.family, name, shape);
        let table = |name: &str, rows| spec(format!("{name}.weight"), vec![rows, embedding]);
        let linear = |name: &str, outputs, inputs| Affine {
            weight: spec(format!("{name}.weight"), vec![outputs, inputs]),
            bias: spec(format!("{name}.bias"), vec![outputs]),
        };
        let norm = |name: &str, width| Affine {
            weight: spec(format!("{name}.weight"), vec![width]),
            bias: spec(format!("{name}.bias"), vec![width]),
        };
        let layer = |index: usize| {
            let prefix = names.layer(index / self.inner_groups(), index % self.inner_groups());
            let name = |part: &str| format!("{prefix}.{part}");
            let parts = &names.layer_parts;
            LayerParts {
                query: linear(&name(parts.query), hidden, hidden),
                key: linear(&name(parts.key), hidden, hidden),
                value: linear(&name(parts.value), hidden, hidden),
                attention_output: linear(&name(parts.attention_output), hidden, hidden),
                attention_norm: norm(&name(parts.attention_norm), hidden),
                intermediate: linear(&name(parts.intermediate), wide, hidden),
                output: linear(&name(parts.output), hidden, wide),
                output_norm: norm(&name(parts.output_norm), hidden),
            }
        };
        Parts {
            word_embeddings: table(names.word_embeddings, self.vocab_size()),
            position_embeddings: table(names.position_embeddings, self.size(Size::Positions)),
            token_type_embeddings: table(names.token_type_embeddings, self.token_types()),
            embedding_norm: norm(names.embedding_norm, embedding),
            projection: names.projection.map(|name| linear(name, hidden, embedding)),
            layers: (0..self.hidden_groups() * self.inner_groups()).map(layer).collect(),
            pooler: linear(names.pooler, hidden, hidden),
            classifier: linear(names.classifier, labels, hidden),
        }
    }

    /// The names and shapes of the tensors of the head of a masked language model.
    pub(crate) fn masked_language_head(&self) -> MaskedLanguageParts<TensorSpec> {
        let [dense, norm, bias] = self.family.names.masked_language;
        let embedding = self.embedding_size();
        let spec =
            |name: &str, part: &str, shape: Vec<usize>| TensorSpec::new(self.family, format!("{name}.{part}"), shape);
        MaskedLanguageParts {
            dense: Affine {
                weight: spec(dense, "weight", vec![embedding, self.hidden_size()]),
                bias: spec(dense, "bias", vec![embedding]),
            },
            norm: Affine { weight: spec(norm, "weight", vec![embedding]), bias: spec(norm, "bias", vec![embedding]) },
            bias: spec(bias, "bias", vec![self.vocab_size()]),
        }
    }
}
