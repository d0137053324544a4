//! The network with what its gradient needs: forward over a ragged batch, and back.
//!
//! The forward pass is that of `albertine_model`, but keeps what each step was given. All products are those of the
//! kernels, and every sum has an order that depends on the batch alone, so that a gradient is the same bit for bit at
//! any number of threads.

mod drops;
mod embeddings;
mod encoder;
mod head;
mod layer;
mod linear;
mod masked_language;
mod norm;
mod rows;
mod workspace;

use std::ops::Deref;

use albertine_kernels::{CpuError, Element, Kernels, Matrix, Precision};
use albertine_model::{Architecture, ModelConfig, RaggedBatch};
use rayon::prelude::*;

pub(crate) use self::drops::Drops;
use self::encoder::Encoder;
use self::head::Head;
use self::linear::Linear;
pub(crate) use self::masked_language::MaskedLanguageModel;
use self::workspace::Lent;
pub(crate) use self::workspace::Workspace;
use crate::Tensors;

/// The kernels, the element that its products multiply, and the memory that they use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arithmetic<'m> {
    pub(crate) kernels: Kernels,
    pub(crate) operand: Element,
    pub(crate) workspace: &'m Workspace,
}

/// Rows as a product reads them.
enum Operand<'r, 'm> {
    AsGiven(&'r Matrix),
    Converted(Lent<'m>),
}

impl Deref for Operand<'_, '_> {
    type Target = Matrix;

    fn deref(&self) -> &Matrix {
        match self {
            Self::AsGiven(rows) => rows,
            Self::Converted(rows) => rows,
        }
    }
}

impl<'m> Arithmetic<'m> {
    /// What products multiply at a precision of floating point; everything else is f32, and so are all sums.
    pub(crate) fn new(kernels: Kernels, precision: Precision, workspace: &'m Workspace) -> Result<Self, CpuError> {
        Ok(Self { kernels, operand: kernels.elements(precision)?.operand, workspace })
    }

    /// The same in f32, for what is too small to gain from less.
    fn exact(self) -> Result<Self, CpuError> {
        Self::new(self.kernels, Precision::F32, self.workspace)
    }

    /// Rows as a product reads them: converted if they are not that already.
    fn operand<'r>(self, rows: &'r Matrix) -> Operand<'r, 'm> {
        if self.operand == rows.element() {
            return Operand::AsGiven(rows);
        }
        let mut converted = self.workspace.matrix(self.operand, rows.rows(), rows.columns());
        self.kernels.convert(rows, &mut converted);
        Operand::Converted(converted)
    }

    /// A matrix of f32 whose values are not set yet.
    fn matrix(self, rows: usize, columns: usize) -> Lent<'m> {
        self.workspace.matrix(Element::F32, rows, columns)
    }

    /// The same rows of f32 once more.
    fn copied(self, rows: &Matrix) -> Lent<'m> {
        let mut copy = self.matrix(rows.rows(), rows.columns());
        copy.par_rows_mut().enumerate().for_each(|(row, values)| values.copy_from_slice(rows.row(row)));
        copy
    }
}

/// The loss of logits, `[rows, columns]`, and its gradient with respect to them.
pub(crate) trait LogitLoss: Sync {
    fn loss(&self, logits: &Matrix) -> (f64, Matrix);
}

/// A classifier whose weights are packed for one step of training.
#[derive(Debug)]
pub(crate) struct Network<'w> {
    encoder: Encoder<'w>,
    head: Head<'w>,
}

/// The loss of a batch and what the model said.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) loss: f64,
    /// `[documents, labels]`
    pub(crate) logits: Vec<f32>,
}

impl Step {
    fn new(loss: f64, logits: &Matrix) -> Self {
        Self { loss, logits: (0..logits.rows()).flat_map(|document| logits.row(document).to_vec()).collect() }
    }
}

impl<'w> Network<'w> {
    pub(crate) fn new(
        config: &ModelConfig,
        weights: &'w Tensors,
        arithmetic: Arithmetic<'w>,
    ) -> Result<Self, CpuError> {
        let encoder = Encoder::new(config, weights, arithmetic);
        Ok(Self { encoder, head: Head::new(weights, &config.tensors().indices(), arithmetic.exact()?) })
    }

    /// About how much memory the activations of so many tokens take, in bytes.
    pub(crate) fn memory(architecture: &Architecture, tokens: usize) -> u64 {
        let (hidden, wide) = (architecture.hidden_size() as u64, architecture.intermediate_size() as u64);
        // What a layer keeps: input, queries, keys, values, context, two normal rows, what went into the feed-forward part.
        let kept = (8 * hidden + wide) * architecture.layer_order().len() as u64;
        // And what comes and goes on the way back.
        (kept + 6 * hidden + 4 * wide) * tokens as u64 * size_of::<f32>() as u64
    }

    /// The loss of a batch, and its gradient added to `gradients`.
    ///
    /// The batch has no empty document and no token, position or token type that the model lacks. `drops` says what
    /// dropout leaves out.
    pub(crate) fn step(
        &self,
        batch: &RaggedBatch,
        loss: &dyn LogitLoss,
        drops: Option<Drops>,
        gradients: &mut Tensors,
    ) -> Step {
        let first_tokens = &batch.starts()[..batch.documents()];
        let (first, kept) = self.encoder.forward(batch, first_tokens, drops);
        let drop = drops.and_then(Drops::classifier);
        let (logits, pooled) = self.head.forward(first, drop);
        let (loss, gradient) = loss.loss(&logits);
        let back = self.head.backward(&pooled, drop, &gradient, gradients);
        self.encoder.backward(batch, kept, drops, back, gradients);
        Step::new(loss, &logits)
    }

    /// What goes into the classifier, `[documents, hidden]`, before something of it is dropped.
    pub(crate) fn pooled(&self, batch: &RaggedBatch) -> Lent<'w> {
        let (first, _) = self.encoder.forward(batch, &batch.starts()[..batch.documents()], None);
        self.head.forward(first, None).1.into_kept()
    }
}

/// The classifier alone, packed for one step of training.
#[derive(Debug)]
pub(crate) struct Classifier<'m> {
    arithmetic: Arithmetic<'m>,
    linear: Linear,
}

impl<'m> Classifier<'m> {
    pub(crate) fn new(config: &ModelConfig, weights: &Tensors, arithmetic: Arithmetic<'m>) -> Result<Self, CpuError> {
        let arithmetic = arithmetic.exact()?;
        Ok(Self { arithmetic, linear: Linear::new(weights, config.tensors().indices().classifier, arithmetic) })
    }

    /// The same step as [`Network::step`] for what goes into the classifier, `[documents, hidden]`.
    pub(crate) fn step(
        &self,
        mut pooled: Matrix,
        loss: &dyn LogitLoss,
        drops: Option<Drops>,
        gradients: &mut Tensors,
    ) -> Step {
        drops::apply(drops.and_then(Drops::classifier), &mut pooled);
        let logits = self.linear.forward(self.arithmetic, &pooled, None);
        let (loss, gradient) = loss.loss(&logits);
        self.linear.add_gradient(self.arithmetic, &pooled, &gradient, gradients);
        Step::new(loss, &logits)
    }
}

#[cfg(test)]
mod tests;
