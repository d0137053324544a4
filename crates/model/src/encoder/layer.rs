//! One layer: attention over the document, then the feed-forward part, each with a residual and a LayerNorm.

use albertine_kernels::{Attention, Element, Elements, Kernels};

use super::linear::{Linear, Norm, part_width};
use super::{Scratch, Stage, StageTimes};
use crate::{AlbertConfig, ModelError, RaggedBatch, Weights};

/// The rows that a layer computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Every token, for the layer after this one.
    AllTokens,
    /// The first token of each document, for the head.
    FirstTokens,
}

/// transformers' `AlbertLayer`.
#[derive(Debug)]
pub(super) struct Layer {
    /// Queries (scaled by 1/√(head size)), keys and values: three parts of [`part_width`] columns
    qkv: Linear,
    dense: Linear,
    attention_norm: Norm,
    feed_forward: Linear,
    feed_forward_output: Linear,
    output_norm: Norm,
    activation: albertine_kernels::Activation,
    heads: usize,
    hidden: usize,
    elements: Elements,
}

impl Layer {
    pub(super) fn load(
        config: &AlbertConfig,
        weights: &Weights<'_>,
        kernels: Kernels,
        elements: Elements,
        [group, inner]: [usize; 2],
    ) -> Result<Self, ModelError> {
        let AlbertConfig { hidden_size: hidden, intermediate_size: intermediate, layer_norm_eps: eps, .. } = *config;
        let heads = config.num_attention_heads;
        let name = |part: &str| format!("encoder.albert_layer_groups.{group}.albert_layers.{inner}.{part}");
        let linear = |part: &str, outputs, inputs| {
            Linear::load(weights, &name(part), [outputs, inputs], kernels, elements.operand)
        };
        let scale = 1.0 / ((hidden / heads) as f32).sqrt();
        let parts = [("query", scale), ("key", 1.0), ("value", 1.0)]
            .map(|(part, scale)| (name(&format!("attention.{part}")), scale));
        Ok(Self {
            qkv: Linear::load_parts(weights, &parts, [hidden, hidden], kernels, elements.operand)?,
            dense: linear("attention.dense", hidden, hidden)?,
            attention_norm: Norm::load(weights, &name("attention.LayerNorm"), hidden, eps)?,
            feed_forward: linear("ffn", intermediate, hidden)?,
            feed_forward_output: linear("ffn_output", hidden, intermediate)?,
            output_norm: Norm::load(weights, &name("full_layer_layer_norm"), hidden, eps)?,
            activation: config.hidden_act.kernel(),
            heads,
            hidden,
            elements,
        })
    }

    /// Replaces `scratch.hidden`, `[tokens, hidden]`, by the layer's output: `[tokens, hidden]`, or
    /// `[documents, hidden]` where only first tokens are wanted.
    pub(super) fn forward(
        &self,
        kernels: Kernels,
        batch: &RaggedBatch,
        reach: Reach,
        scratch: &mut Scratch,
        times: &StageTimes,
    ) {
        let mut stopwatch = times.stopwatch(kernels.threads());
        let Scratch { hidden, qkv, query, context, attended, wide, attention, .. } = scratch;
        let Elements { operand, between } = self.elements;
        let part = part_width(self.hidden, kernels);

        qkv.reshape(between, batch.tokens(), 3 * part);
        let query = match reach {
            Reach::AllTokens => {
                self.qkv.forward(kernels, qkv, hidden.operand());
                &*qkv
            }
            Reach::FirstTokens => {
                self.qkv.forward_columns(kernels, qkv, hidden.operand(), part..3 * part);
                hidden.keep_first(batch.starts());
                query.reshape(between, batch.documents(), 3 * part);
                self.qkv.forward_columns(kernels, query, hidden.operand(), 0..part);
                &*query
            }
        };
        stopwatch.lap(Stage::Qkv);

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
        stopwatch.lap(Stage::Attention);

        attended.reshape(Element::F32, operand, rows, self.hidden);
        self.dense.forward_added(kernels, &mut attended.value, context.operand(), &hidden.value);
        attended.normalise(kernels, &self.attention_norm);
        stopwatch.lap(Stage::Projection);

        wide.reshape(self.elements.unquantized(), operand, rows, self.feed_forward.outputs());
        self.feed_forward.forward_activated(kernels, &mut wide.value, attended.operand(), self.activation);
        wide.written(kernels);
        hidden.reshape(Element::F32, operand, rows, self.hidden);
        self.feed_forward_output.forward_added(kernels, &mut hidden.value, wide.operand(), &attended.value);
        hidden.normalise(kernels, &self.output_norm);
        stopwatch.lap(Stage::FeedForward);
    }
}
