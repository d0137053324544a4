//! The classification head, forward and back: `classifier(tanh(pooler(first token)))`.

use albertine_kernels::{Activation, Dropout, Element, Matrix};
use albertine_model::{Parts, RaggedBatch};

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

    /// `[documents, labels]`; `drop` is of what goes into the classifier.
    pub(super) fn forward(
        &self,
        arithmetic: Arithmetic,
        batch: &RaggedBatch,
        hidden: &Matrix,
        drop: Option<Dropout>,
    ) -> (Matrix, Pooled) {
        let (mut first, mut kept) = (Matrix::default(), Matrix::default());
        first.reshape(Element::F32, batch.documents(), hidden.columns());
        for (document, &start) in batch.starts().iter().take(batch.documents()).enumerate() {
            first.row_mut(document).copy_from_slice(hidden.row(start));
        }
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

    /// The gradient of the hidden states, `[tokens, hidden]`, from that of the logits.
    pub(super) fn backward(
        &self,
        arithmetic: Arithmetic,
        batch: &RaggedBatch,
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
        let first = self.pooler.backward(arithmetic, &saved.first, &pooled, None, gradients);
        let mut out = Matrix::default();
        out.reshape(Element::F32, batch.tokens(), first.columns());
        for token in 0..batch.tokens() {
            out.row_mut(token).fill(0.0);
        }
        for (document, &start) in batch.starts().iter().take(batch.documents()).enumerate() {
            out.row_mut(start).copy_from_slice(first.row(document));
        }
        out
    }
}
