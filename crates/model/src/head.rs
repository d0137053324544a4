//! The classification head: a pooler over the first token and a linear layer to the logits.

use albertine_kernels::{Activation, Element, Kernels, Matrix};

use crate::encoder::Linear;
use crate::{AlbertConfig, ModelError, Weights};

/// `logits = classifier(tanh(pooler(first token)))`
#[derive(Debug)]
pub(crate) struct Head {
    /// `[hidden, hidden]`
    pooler: Linear,
    /// `[labels, hidden]`
    classifier: Linear,
    labels: usize,
}

impl Head {
    pub(crate) fn load(config: &AlbertConfig, weights: &Weights<'_>, kernels: Kernels) -> Result<Self, ModelError> {
        let (hidden, labels) = (config.hidden_size, config.labels.len());
        Ok(Self {
            pooler: Linear::load(weights, "pooler", [hidden, hidden], kernels, Element::F32)?,
            classifier: Linear::load(weights, "classifier", [labels, hidden], kernels, Element::F32)?,
            labels,
        })
    }

    /// Fills `logits`, `[documents, labels]`, from the hidden states of the first tokens, `[documents, hidden]`.
    /// `pooled` is working memory. One row a document is so little work that it is f32 at every precision.
    pub(crate) fn forward(&self, kernels: Kernels, logits: &mut Matrix, first: &Matrix, pooled: &mut Matrix) {
        pooled.reshape(Element::F32, first.rows(), self.pooler.outputs());
        self.pooler.forward_activated(kernels, pooled, first, Activation::Tanh);
        logits.reshape(Element::F32, first.rows(), self.labels);
        self.classifier.forward(kernels, logits, pooled);
    }
}
