//! The parts of a classifier as a tree: with their names and shapes, their indices, or the constants of a graph.

use super::Family;

/// A tensor that a configuration calls for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    /// Its canonical name, such as `encoder.layer.0.output.dense.weight`: that of transformers without the name of the
    /// encoder that it puts before all but the classifier's.
    pub name: String,
    /// Its shape, outermost axis first. A linear layer's weight is `[outputs, inputs]`, row-major, as PyTorch keeps it.
    pub shape: Vec<usize>,
    /// Its name in transformers' checkpoints.
    pub stored_name: String,
}

impl TensorSpec {
    pub(super) fn new(family: &Family, name: String, shape: Vec<usize>) -> Self {
        let stored_name = family.names.stored(&name);
        Self { name, shape, stored_name }
    }

    /// The number of its elements.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// What belongs to a linear layer or to a LayerNorm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Affine<T> {
    /// `[outputs, inputs]`; of a LayerNorm the scale, `[width]`.
    pub weight: T,
    /// `[outputs]`; of a LayerNorm the shift, `[width]`.
    pub bias: T,
}

impl<T> Affine<T> {
    fn map<U>(&self, f: &mut impl FnMut(&T) -> U) -> Affine<U> {
        Affine { weight: f(&self.weight), bias: f(&self.bias) }
    }
}

/// Something for each linear layer and each LayerNorm of a layer of the encoder, in the order of the computation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerParts<A> {
    /// `[hidden, hidden]`
    pub query: A,
    /// `[hidden, hidden]`
    pub key: A,
    /// `[hidden, hidden]`
    pub value: A,
    /// What follows the attention, `[hidden, hidden]`.
    pub attention_output: A,
    /// The LayerNorm behind it, `[hidden]`.
    pub attention_norm: A,
    /// The first half of the feed-forward part, `[intermediate, hidden]`.
    pub intermediate: A,
    /// The second half, `[hidden, intermediate]`.
    pub output: A,
    /// The LayerNorm behind it, `[hidden]`.
    pub output_norm: A,
}

impl<A> LayerParts<A> {
    /// The same tree with what `f` makes of each part, in the order of the computation.
    pub fn map<B>(&self, mut f: impl FnMut(&A) -> B) -> LayerParts<B> {
        LayerParts {
            query: f(&self.query),
            key: f(&self.key),
            value: f(&self.value),
            attention_output: f(&self.attention_output),
            attention_norm: f(&self.attention_norm),
            intermediate: f(&self.intermediate),
            output: f(&self.output),
            output_norm: f(&self.output_norm),
        }
    }

    /// The parts in the order of the computation.
    pub fn iter(&self) -> impl Iterator<Item = &A> {
        let Self { query, key, value, attention_output, attention_norm, intermediate, output, output_norm } = self;
        [query, key, value, attention_output, attention_norm, intermediate, output, output_norm].into_iter()
    }
}

/// Something for each tensor of a sequence classifier, in the order of the computation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts<T> {
    /// `[vocabulary, embedding]`
    pub word_embeddings: T,
    /// `[positions, embedding]`
    pub position_embeddings: T,
    /// `[token types, embedding]`
    pub token_type_embeddings: T,
    /// `[embedding]`
    pub embedding_norm: Affine<T>,
    /// From the embeddings to the first layer, `[hidden, embedding]`, if the family has one.
    pub projection: Option<Affine<T>>,
    /// The layers that have weights of their own; [`Architecture::layer_order`](crate::Architecture::layer_order) says
    /// when each is applied.
    pub layers: Vec<LayerParts<Affine<T>>>,
    /// What the head makes of a document's first token, `[hidden, hidden]`.
    pub pooler: Affine<T>,
    /// `[labels, hidden]`
    pub classifier: Affine<T>,
}

impl<T> Parts<T> {
    /// The same tree with what `f` makes of each tensor, in the order of the computation.
    pub fn map<U>(&self, mut f: impl FnMut(&T) -> U) -> Parts<U> {
        let f = &mut f;
        Parts {
            word_embeddings: f(&self.word_embeddings),
            position_embeddings: f(&self.position_embeddings),
            token_type_embeddings: f(&self.token_type_embeddings),
            embedding_norm: self.embedding_norm.map(f),
            projection: self.projection.as_ref().map(|part| part.map(f)),
            layers: self.layers.iter().map(|layer| layer.map(|part| part.map(f))).collect(),
            pooler: self.pooler.map(f),
            classifier: self.classifier.map(f),
        }
    }

    /// Every tensor's, in the order of the computation.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &T> {
        let mut all = vec![&self.word_embeddings, &self.position_embeddings, &self.token_type_embeddings];
        let layers = self.layers.iter().flat_map(LayerParts::iter);
        let parts = [&self.embedding_norm].into_iter().chain(&self.projection).chain(layers);
        for part in parts.chain([&self.pooler, &self.classifier]) {
            all.extend([&part.weight, &part.bias]);
        }
        all.into_iter()
    }

    /// The place of each tensor in [`Parts::iter`].
    #[must_use]
    pub fn indices(&self) -> Parts<usize> {
        let mut next = 0;
        self.map(|_| {
            next += 1;
            next - 1
        })
    }
}

/// Something for each tensor of the head of a masked language model, in the order of the computation. Its last matrix
/// is that of the word embeddings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaskedLanguageParts<T> {
    /// `[embedding, hidden]`
    pub dense: Affine<T>,
    /// `[embedding]`
    pub norm: Affine<T>,
    /// `[vocabulary]`
    pub bias: T,
}

impl<T> MaskedLanguageParts<T> {
    /// Every tensor's, in the order of the computation.
    pub fn into_tensors(self) -> impl Iterator<Item = T> {
        let Self { dense, norm, bias } = self;
        [dense.weight, dense.bias, norm.weight, norm.bias, bias].into_iter()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use crate::ModelConfig;

    #[test]
    fn both_ways_to_go_through_a_tree_have_one_order() {
        let json = br#"{"model_type": "albert", "num_hidden_layers": 4, "num_hidden_groups": 2, "inner_group_num": 2}"#;
        let tensors = ModelConfig::from_slice(json, Path::new("config.json")).unwrap().tensors();
        assert_eq!(tensors.layers.len(), 4);
        assert!(tensors.indices().iter().copied().eq(0..tensors.iter().len()));
        let mut mapped = Vec::new();
        tensors.map(|spec| mapped.push(spec.name.clone()));
        assert!(mapped.iter().eq(tensors.iter().map(|spec| &spec.name)));
    }
}
