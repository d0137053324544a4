//! One layer: attention over the document, then the feed-forward part, each with a residual and a LayerNorm.

use albertine_kernels::{Attention, Element, Elements, Kernels};

use super::linear::{Linear, Norm, part_width};
use super::{Phase, Profile, Reads, Scratch};
use crate::{Affine, Architecture, LayerParts, ModelError, RaggedBatch, TensorSpec, Weights};

/// transformers' `AlbertLayer` and `BertLayer`.
#[derive(Debug)]
pub(super) struct Layer {
    /// Queries (scaled by 1/√(head size)), keys and values: three parts of [`part_width`] columns
    qkv: Linear,
    attention_output: Linear,
    attention_norm: Norm,
    intermediate: Linear,
    output: Linear,
    output_norm: Norm,
    activation: albertine_kernels::Activation,
    heads: usize,
    hidden: usize,
    elements: Elements,
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

    /// Makes the queries, keys and values of `scratch.hidden`, `[tokens, hidden]`. Where only first tokens are read,
    /// queries are theirs, and `scratch.hidden` keeps only their rows, `[documents, hidden]`.
    pub(super) fn project(
        &self,
        kernels: Kernels,
        batch: &RaggedBatch,
        reads: Reads,
        scratch: &mut Scratch,
        profile: &Profile,
    ) {
        let mut stopwatch = profile.stopwatch(kernels.threads());
        let Scratch { hidden, qkv, query, .. } = scratch;
        let between = self.elements.between;
        let part = part_width(self.hidden, kernels);

        qkv.reshape(between, batch.tokens(), 3 * part);
        match reads {
            Reads::AllTokens => self.qkv.forward(kernels, qkv, hidden.operand()),
            Reads::FirstToken => {
                self.qkv.forward_columns(kernels, qkv, hidden.operand(), part..3 * part);
                hidden.keep_first(batch.starts());
                query.reshape(between, batch.documents(), 3 * part);
                self.qkv.forward_columns(kernels, query, hidden.operand(), 0..part);
            }
        }
        stopwatch.lap(Phase::Qkv);
    }

    /// Replaces `scratch.hidden` by the layer's output, `[tokens, hidden]`, or `[documents, hidden]` where only first
    /// tokens are read, once [`Layer::project`] has made queries, keys and values.
    pub(super) fn attend(
        &self,
        kernels: Kernels,
        batch: &RaggedBatch,
        reads: Reads,
        scratch: &mut Scratch,
        profile: &Profile,
    ) {
        let mut stopwatch = profile.stopwatch(kernels.threads());
        let Scratch { hidden, qkv, query, context, attended, wide, attention, .. } = scratch;
        let Elements { operand, between } = self.elements;
        let part = part_width(self.hidden, kernels);

        let query = match reads {
            Reads::AllTokens => &*qkv,
            Reads::FirstToken => &*query,
        };
        let rows = query.rows();
        context.reshape(between, operand, rows, self.hidden);
        let parts = Attention {
            query,
            key_value: qkv,
            key: part,
            value: 2 * part,
            starts: batch.starts(),
            heads: self.heads,
            size: self.hidden / self.heads,
        };
        kernels.attention(&mut context.value, parts, attention);
        context.written(kernels);
        stopwatch.lap(Phase::Attention);

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
