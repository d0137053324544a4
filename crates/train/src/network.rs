//! The classifier with what its gradient needs: forward over a ragged batch, and back.
//!
//! The forward pass is that of `albertine_model`, but keeps what each step was given. All products are those of the
//! kernels, and every sum has an order that depends on the batch alone, so that a gradient is the same bit for bit at
//! any number of threads.

mod embeddings;
mod head;
mod layer;
mod linear;
mod norm;

use albertine_kernels::{CpuError, Element, Kernels, Matrix, Precision};
use albertine_model::{Architecture, ModelConfig, RaggedBatch};

use self::embeddings::Embeddings;
use self::head::Head;
pub(crate) use self::head::dropped;
use self::layer::Layer;
use self::linear::Linear;
use crate::{Loss, Tensors};

/// The kernels and the element that its products multiply.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arithmetic {
    pub(crate) kernels: Kernels,
    pub(crate) operand: Element,
}

impl Arithmetic {
    pub(crate) fn new(kernels: Kernels) -> Result<Self, CpuError> {
        Ok(Self { kernels, operand: kernels.elements(Precision::F32)?.operand })
    }

    /// Rows as a product reads them: converted into `memory` if they are not that already.
    pub(crate) fn operand<'a>(self, rows: &'a Matrix, memory: &'a mut Matrix) -> &'a Matrix {
        if self.operand == rows.element() {
            return rows;
        }
        memory.reshape(self.operand, rows.rows(), rows.columns());
        self.kernels.convert(rows, memory);
        memory
    }
}

/// A classifier whose weights are packed for one step of training.
#[derive(Debug)]
pub(crate) struct Network {
    arithmetic: Arithmetic,
    embeddings: Embeddings,
    layers: Vec<Layer>,
    /// The layers in the order in which they are applied, as indices of `layers`.
    order: Vec<usize>,
    head: Head,
}

/// The mean loss of a batch and what the model said.
#[derive(Debug)]
pub(crate) struct Step {
    /// In nats.
    pub(crate) loss: f64,
    /// `[documents, labels]`
    pub(crate) logits: Vec<f32>,
}

impl Step {
    fn new(loss: f64, logits: &Matrix) -> Self {
        Self { loss, logits: (0..logits.rows()).flat_map(|document| logits.row(document).to_vec()).collect() }
    }
}

impl Network {
    pub(crate) fn new(config: &ModelConfig, weights: &Tensors, kernels: Kernels) -> Result<Self, CpuError> {
        let arithmetic = Arithmetic::new(kernels)?;
        let (architecture, indices) = (config.architecture(), config.tensors().indices());
        let layer = |indices| Layer::new(architecture, weights, indices, arithmetic);
        Ok(Self {
            arithmetic,
            embeddings: Embeddings::new(architecture, weights, &indices, arithmetic),
            layers: indices.layers.iter().map(layer).collect(),
            order: architecture.layer_order(),
            head: Head::new(weights, &indices, arithmetic),
        })
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
    /// `targets` are the true classes of the documents, whose losses are divided by their `total`; the batch has no empty
    /// document and no token, position or token type that the model lacks. `drop` says what of the pooled rows is kept, by a factor for each
    /// of `[documents, hidden]`.
    pub(crate) fn step(
        &self,
        batch: &RaggedBatch,
        targets: &Targets<'_>,
        drop: Option<&[f32]>,
        gradients: &mut Tensors,
    ) -> Step {
        let (mut hidden, embedded) = self.embeddings.forward(self.arithmetic, batch);
        let mut kept = Vec::with_capacity(self.order.len());
        for &layer in &self.order {
            let (next, saved) = self.layers[layer].forward(self.arithmetic, batch, hidden);
            kept.push(saved);
            hidden = next;
        }
        let (logits, pooled) = self.head.forward(self.arithmetic, batch, &hidden, drop);
        let (loss, gradient) = targets.loss(&logits);
        let mut back = self.head.backward(self.arithmetic, batch, &pooled, drop, &gradient, gradients);
        for &layer in self.order.iter().rev() {
            let Some(saved) = kept.pop() else { break };
            back = self.layers[layer].backward(self.arithmetic, batch, saved, back, gradients);
        }
        self.embeddings.backward(self.arithmetic, batch, &embedded, back, gradients);
        Step::new(loss, &logits)
    }

    /// What goes into the classifier, `[documents, hidden]`, before something of it is dropped.
    pub(crate) fn pooled(&self, batch: &RaggedBatch) -> Matrix {
        let (mut hidden, _) = self.embeddings.forward(self.arithmetic, batch);
        for &layer in &self.order {
            hidden = self.layers[layer].forward(self.arithmetic, batch, hidden).0;
        }
        self.head.forward(self.arithmetic, batch, &hidden, None).1.into_kept()
    }
}

/// The classifier alone, packed for one step of training.
#[derive(Debug)]
pub(crate) struct Classifier {
    arithmetic: Arithmetic,
    linear: Linear,
}

impl Classifier {
    pub(crate) fn new(config: &ModelConfig, weights: &Tensors, kernels: Kernels) -> Result<Self, CpuError> {
        let arithmetic = Arithmetic::new(kernels)?;
        Ok(Self { arithmetic, linear: Linear::new(weights, config.tensors().indices().classifier, arithmetic) })
    }

    /// The same step as [`Network::step`] for what goes into the classifier, `[documents, hidden]`.
    pub(crate) fn step(&self, pooled: &Matrix, targets: &Targets<'_>, gradients: &mut Tensors) -> Step {
        let logits = self.linear.forward(self.arithmetic, pooled, None);
        let (loss, gradient) = targets.loss(&logits);
        self.linear.add_gradient(self.arithmetic, pooled, &gradient, gradients);
        Step::new(loss, &logits)
    }
}

/// What a batch should have been, and how much each of it counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Targets<'a> {
    /// The true class of each document.
    pub(crate) classes: &'a [usize],
    /// How much each class counts; all the same without.
    pub(crate) weights: Option<&'a [f32]>,
    /// How much of the target goes to all classes alike, from 0 to 1.
    pub(crate) smoothing: f32,
    /// What the losses of the documents are divided by.
    pub(crate) total: f64,
    pub(crate) loss: Loss,
}

impl Targets<'_> {
    /// The loss over `total`, and its gradient with respect to the logits, `[documents, labels]`.
    fn loss(&self, logits: &Matrix) -> (f64, Matrix) {
        let labels = logits.columns();
        let mut gradient = Matrix::default();
        gradient.reshape(Element::F32, logits.rows(), labels);
        let mut sum = 0.0;
        for (document, &class) in self.classes.iter().enumerate() {
            let row = logits.row(document);
            let spread = f64::from(self.smoothing) / labels as f64;
            let wanted = |label: usize| {
                let sure = if label == class { 1.0 - f64::from(self.smoothing) } else { 0.0 };
                (sure + spread)
                    * self.weights.map_or(1.0, |weights| f64::from(weights.get(label).copied().unwrap_or(1.0)))
            };
            let out = gradient.row_mut(document);
            match self.loss {
                Loss::CrossEntropy => {
                    let most = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
                    let log = row.iter().map(|&logit| (f64::from(logit) - most).exp()).sum::<f64>().ln() + most;
                    let all: f64 = (0..labels).map(wanted).sum();
                    for (label, gradient) in out.iter_mut().enumerate() {
                        let score = f64::from(row[label]) - log;
                        sum -= wanted(label) * score;
                        *gradient = ((all * score.exp() - wanted(label)) / self.total) as f32;
                    }
                }
                Loss::BinaryCrossEntropy => {
                    for (label, gradient) in out.iter_mut().enumerate() {
                        let (x, target) = (f64::from(row[label]), wanted(label));
                        let share = self.total * labels as f64;
                        sum += (x.max(0.0) - x * target + (-x.abs()).exp().ln_1p()) / labels as f64;
                        *gradient = ((1.0 / (1.0 + (-x).exp()) - target) / share) as f32;
                    }
                }
            }
        }
        (sum / self.total, gradient)
    }
}

#[cfg(test)]
mod tests;
