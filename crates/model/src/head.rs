//! The classification head: a pooler over the first token and a linear layer to the logits.

use albertine_kernels::{Activation, Kernels};

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
            pooler: Linear::load(weights, "pooler", hidden, hidden, kernels)?,
            classifier: Linear::load(weights, "classifier", labels, hidden, kernels)?,
            labels,
        })
    }

    /// Fills `logits`, `[documents, labels]`, from the hidden states of the first tokens, `[documents, hidden]`.
    /// `pooled` is working memory of the size of `first`.
    pub(crate) fn forward(&self, kernels: Kernels, logits: &mut [f32], first: &[f32], pooled: &mut [f32]) {
        self.pooler.forward_activated(kernels, pooled, first, Activation::Tanh);
        self.classifier.forward(kernels, logits, pooled);
    }

    /// The logits of a document.
    pub(crate) fn labels(&self) -> usize {
        self.labels
    }
}
