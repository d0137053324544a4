//! One layer: attention over the document, then the feed-forward part, each with a residual and a LayerNorm.

use albertine_kernels::{Attention, Element, Elements, Kernels, Queries};

use super::linear::{Linear, Norm, part_width};
use super::{Phase, Profile, Scratch};
use crate::{Affine, Architecture, LayerParts, ModelError, RaggedBatch, TensorSpec, Weights};

/// transformers' `AlbertLayer` and `BertLayer`.
#[derive(Debug)]
pub(super) struct Layer {
    /// Queries (scaled by 1/√(head size)), keys and values: three parts of [`part_width`] columns
    pub(super) qkv: Linear,
    attention_output: Linear,
    attention_norm: Norm,
    intermediate: Linear,
    output: Linear,
    output_norm: Norm,
    activation: albertine_kernels::Activation,
    heads: usize,
    hidden: usize,
    pub(super) elements: Elements,
}

impl Layer {
    pub(super) fn load(
        architecture: &Architecture,
        parts: &LayerParts<Affine<TensorSpec>>,
        weights: &Weights<'_>,
        kernels: Kernels,
        elements: Elements,
    ) -> Result<Self, ModelError> {
        let (hidden, heads) = (architecture.hidden_size(), architecture.attention_heads());
        let eps = architecture.layer_norm_eps();
        let linear = |spec| Linear::load(weights, spec, kernels, elements.operand);
        let scale = 1.0 / ((hidden / heads) as f32).sqrt();
        let qkv = [(&parts.query, scale), (&parts.key, 1.0), (&parts.value, 1.0)];
        Ok(Self {
            qkv: Linear::load_parts(weights, qkv, kernels, elements.operand)?,
            attention_output: linear(&parts.attention_output)?,
            attention_norm: Norm::load(weights, &parts.attention_norm, eps)?,
            intermediate: linear(&parts.intermediate)?,
            output: linear(&parts.output)?,
            output_norm: Norm::load(weights, &parts.output_norm, eps)?,
            activation: architecture.activation().kernel(),
            heads,
            hidden,
            elements,
        })
    }

    /// Makes the queries, keys and values of `scratch.hidden`, `[tokens, hidden]`.
    pub(super) fn project(&self, kernels: Kernels, scratch: &mut Scratch, profile: &Profile) {
        let mut stopwatch = profile.stopwatch(kernels.threads());
        let Scratch { hidden, qkv, .. } = scratch;
        qkv.reshape(self.elements.between, hidden.value.rows(), 3 * part_width(self.hidden, kernels));
        self.qkv.forward(kernels, qkv, hidden.operand());
        stopwatch.lap(Phase::Qkv);
    }

    /// Attention of every token, from what [`Layer::project`] has made to `scratch.context`, `[tokens, hidden]`.
    pub(super) fn attend(&self, kernels: Kernels, batch: &RaggedBatch, scratch: &mut Scratch, profile: &Profile) {
        let mut stopwatch = profile.stopwatch(kernels.threads());
        let Scratch { qkv, context, attention, .. } = scratch;
        let Elements { operand, between } = self.elements;
        let part = part_width(self.hidden, kernels);
        context.reshape(between, operand, qkv.rows(), self.hidden);
        let parts = Attention {
            query: qkv,
            queries: Queries::OfTokens,
            key_value: qkv,
            key: part,
            value: 2 * part,
            starts: batch.starts(),
            heads: self.heads,
            size: self.hidden / self.heads,
            dropout: None,
        };
        kernels.attention(&mut context.value, parts, attention);
        context.written(kernels);
        stopwatch.lap(Phase::Attention);
    }

    /// Replaces the rows of `scratch.hidden` by the layer's output, once attention has filled `scratch.context`, which
    /// has as many.
    pub(super) fn finish(&self, kernels: Kernels, scratch: &mut Scratch, profile: &Profile) {
        let mut stopwatch = profile.stopwatch(kernels.threads());
        let Scratch { hidden, context, attended, wide, .. } = scratch;
        let (operand, rows) = (self.elements.operand, context.value.rows());
        attended.reshape(Element::F32, operand, rows, self.hidden);
        self.attention_output.forward_added(kernels, &mut attended.value, context.operand(), &hidden.value);
        attended.normalise(kernels, &self.attention_norm);
        stopwatch.lap(Phase::Projection);

        wide.reshape(self.elements.unquantized(), operand, rows, self.intermediate.outputs());
        self.intermediate.forward_activated(kernels, &mut wide.value, attended.operand(), self.activation);
        wide.written(kernels);
        hidden.reshape(Element::F32, operand, rows, self.hidden);
        self.output.forward_added(kernels, &mut hidden.value, wide.operand(), &attended.value);
        hidden.normalise(kernels, &self.output_norm);
        stopwatch.lap(Phase::FeedForward);
    }
}
