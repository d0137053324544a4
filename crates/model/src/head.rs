//! The classification head: a pooler over the first token and a linear layer to the logits.

use albertine_kernels::{Activation, Element, Kernels, Matrix};

use crate::encoder::{Linear, Reads};
use crate::{ModelConfig, ModelError, Weights};

/// `logits = classifier(tanh(pooler(first token)))`
#[derive(Debug)]
pub(crate) struct Head {
    /// `[hidden, hidden]`
    pooler: Linear,
    /// `[labels, hidden]`
    classifier: Linear,
}

impl Head {
    /// What it is given of each document.
    pub(crate) const READS: Reads = Reads::FirstToken;

    pub(crate) fn load(config: &ModelConfig, weights: &Weights<'_>, kernels: Kernels) -> Result<Self, ModelError> {
        let parts = config.tensors();
        Ok(Self {
            pooler: Linear::load(weights, &parts.pooler, kernels, Element::F32)?,
            classifier: Linear::load(weights, &parts.classifier, kernels, Element::F32)?,
        })
    }

    /// Fills `logits`, `[documents, labels]`, from the hidden states of the first tokens, `[documents, hidden]`.
    /// `pooled` is working memory. One row a document is so little work that it is f32 at every precision.
    pub(crate) fn forward(&self, kernels: Kernels, logits: &mut Matrix, first: &Matrix, pooled: &mut Matrix) {
        pooled.reshape(Element::F32, first.rows(), self.pooler.outputs());
        self.pooler.forward_activated(kernels, pooled, first, Activation::Tanh);
        logits.reshape(Element::F32, first.rows(), self.classifier.outputs());
        self.classifier.forward(kernels, logits, pooled);
    }
}
