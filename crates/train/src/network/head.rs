//! The classification head, forward and back: `classifier(tanh(pooler(first token)))`.

use albertine_kernels::{Activation, Dropout, Element, Matrix};
use albertine_model::Parts;

use super::linear::Linear;
use super::{Arithmetic, drops};
use crate::Tensors;

#[derive(Debug)]
pub(super) struct Head {
    pooler: Linear,
    classifier: Linear,
}

/// What the gradient needs of a forward pass.
#[derive(Debug)]
pub(super) struct Pooled {
    /// The first token of each document, `[documents, hidden]`.
    first: Matrix,
    /// Behind the pooler, before tanh.
    before: Matrix,
    /// What went into the classifier.
    kept: Matrix,
}

impl Pooled {
    pub(super) fn into_kept(self) -> Matrix {
        self.kept
    }
}

impl Head {
    pub(super) fn new(weights: &Tensors, indices: &Parts<usize>, arithmetic: Arithmetic) -> Self {
        Self {
            pooler: Linear::new(weights, indices.pooler, arithmetic),
            classifier: Linear::new(weights, indices.classifier, arithmetic),
        }
    }

    /// `[documents, labels]`, from the hidden states of first tokens, `[documents, hidden]`; `drop` is of what goes into
    /// the classifier.
    pub(super) fn forward(&self, arithmetic: Arithmetic, first: Matrix, drop: Option<Dropout>) -> (Matrix, Pooled) {
        let mut kept = Matrix::default();
        let before = self.pooler.forward(arithmetic, &first, None);
        kept.reshape(Element::F32, before.rows(), before.columns());
        for document in 0..before.rows() {
            let row = kept.row_mut(document);
            row.copy_from_slice(before.row(document));
            arithmetic.kernels.activate(row, Activation::Tanh);
        }
        drops::apply(drop, &mut kept);
        let logits = self.classifier.forward(arithmetic, &kept, None);
        (logits, Pooled { first, before, kept })
    }

    /// The gradient of the hidden states of first tokens, `[documents, hidden]`, from that of the logits.
    pub(super) fn backward(
        &self,
        arithmetic: Arithmetic,
        saved: &Pooled,
        drop: Option<Dropout>,
        gradient: &Matrix,
        gradients: &mut Tensors,
    ) -> Matrix {
        let mut pooled = self.classifier.backward(arithmetic, &saved.kept, gradient, None, gradients);
        drops::apply(drop, &mut pooled);
        for document in 0..pooled.rows() {
            let row = pooled.row_mut(document);
            arithmetic.kernels.activation_gradient(row, saved.before.row(document), Activation::Tanh);
        }
        self.pooler.backward(arithmetic, &saved.first, &pooled, None, gradients)
    }
}
