//! The classification head, forward and back: `classifier(tanh(pooler(first token)))`.

use albertine_kernels::{Activation, Dropout, Matrix};
use albertine_model::Parts;

use super::linear::Linear;
use super::{Arithmetic, Lent, drops};
use crate::Tensors;

#[derive(Debug)]
pub(super) struct Head<'m> {
    arithmetic: Arithmetic<'m>,
    pooler: Linear,
    classifier: Linear,
}

/// What the gradient needs of a forward pass.
#[derive(Debug)]
pub(super) struct Pooled<'m> {
    /// The first token of each document, `[documents, hidden]`.
    first: Lent<'m>,
    /// Behind the pooler, before tanh.
    before: Lent<'m>,
    /// What went into the classifier.
    kept: Lent<'m>,
}

impl<'m> Pooled<'m> {
    pub(super) fn into_kept(self) -> Lent<'m> {
        self.kept
    }
}

impl<'m> Head<'m> {
    pub(super) fn new(weights: &Tensors, indices: &Parts<usize>, arithmetic: Arithmetic<'m>) -> Self {
        Self {
            arithmetic,
            pooler: Linear::new(weights, indices.pooler, arithmetic),
            classifier: Linear::new(weights, indices.classifier, arithmetic),
        }
    }

    /// `[documents, labels]`, from the hidden states of first tokens, `[documents, hidden]`; `drop` is of what goes into
    /// the classifier.
    pub(super) fn forward(&self, first: Lent<'m>, drop: Option<Dropout>) -> (Lent<'m>, Pooled<'m>) {
        let arithmetic = self.arithmetic;
        let before = self.pooler.forward(arithmetic, &first, None);
        let mut kept = arithmetic.matrix(before.rows(), before.columns());
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
        saved: &Pooled<'_>,
        drop: Option<Dropout>,
        gradient: &Matrix,
        gradients: &mut Tensors,
    ) -> Lent<'m> {
        let arithmetic = self.arithmetic;
        let mut pooled = self.classifier.backward(arithmetic, &saved.kept, gradient, None, gradients);
        drops::apply(drop, &mut pooled);
        for document in 0..pooled.rows() {
            let row = pooled.row_mut(document);
            arithmetic.kernels.activation_gradient(row, saved.before.row(document), Activation::Tanh);
        }
        self.pooler.backward(arithmetic, &saved.first, &pooled, None, gradients)
    }
}
