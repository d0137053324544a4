//! One layer: attention over the document, then the feed-forward part, each with a residual and a LayerNorm.

use albertine_kernels::{Kernels, Rows};

use super::linear::{Linear, Norm};
use super::{Scratch, Stage, StageTimes};
use crate::{Activation, AlbertConfig, ModelError, RaggedBatch, Weights};

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
    /// `[hidden, hidden]`, scaled by 1/√(head size)
    query: Linear,
    /// `[2 * hidden, hidden]`: apart from the query, because the last layer needs it for fewer rows
    key_value: Linear,
    dense: Linear,
    attention_norm: Norm,
    feed_forward: Linear,
    feed_forward_output: Linear,
    output_norm: Norm,
    activation: albertine_kernels::Activation,
    heads: usize,
    hidden: usize,
    intermediate: usize,
}

impl Layer {
    pub(super) fn load(
        config: &AlbertConfig,
        weights: &Weights<'_>,
        kernels: Kernels,
        group: usize,
        inner: usize,
    ) -> Result<Self, ModelError> {
        let AlbertConfig { hidden_size: hidden, intermediate_size: intermediate, layer_norm_eps: eps, .. } = *config;
        let heads = config.num_attention_heads;
        let name = |part: &str| format!("encoder.albert_layer_groups.{group}.albert_layers.{inner}.{part}");
        let linear = |part: &str, outputs, inputs| Linear::load(weights, &name(part), outputs, inputs, kernels);
        let scale = 1.0 / ((hidden / heads) as f32).sqrt();
        let pair = [&*name("attention.key"), &*name("attention.value")];
        Ok(Self {
            query: Linear::load_scaled(weights, &name("attention.query"), hidden, hidden, scale, kernels)?,
            key_value: Linear::load_pair(weights, pair, hidden, hidden, kernels)?,
            dense: linear("attention.dense", hidden, hidden)?,
            attention_norm: Norm::load(weights, &name("attention.LayerNorm"), hidden, eps)?,
            feed_forward: linear("ffn", intermediate, hidden)?,
            feed_forward_output: linear("ffn_output", hidden, intermediate)?,
            output_norm: Norm::load(weights, &name("full_layer_layer_norm"), hidden, eps)?,
            activation: kernel_activation(config.hidden_act),
            heads,
            hidden,
            intermediate,
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
        let mut stopwatch = times.stopwatch();
        let Scratch { hidden, query, key_value, context, attended, wide, attention, .. } = scratch;
        let width = self.hidden;
        let hidden = hidden.sized(batch.tokens() * width);

        let key_value = key_value.sized(batch.tokens() * 2 * width);
        self.key_value.forward(kernels, key_value, hidden);
        let hidden = match reach {
            Reach::AllTokens => hidden,
            Reach::FirstTokens => first_tokens(hidden, batch, width),
        };
        let query = query.sized(hidden.len());
        self.query.forward(kernels, query, hidden);
        stopwatch.lap(Stage::Qkv);

        let context = context.sized(hidden.len());
        let mut rest = &mut *context;
        let mut queries = &*query;
        for ends in batch.starts().windows(2) {
            let tokens = ends[1] - ends[0];
            let rows = if reach == Reach::AllTokens { tokens } else { 1 };
            let (out, after) = rest.split_at_mut(rows * width);
            let (query, queries_after) = queries.split_at(rows * width);
            let keys = &key_value[ends[0] * 2 * width..ends[1] * 2 * width];
            kernels.attention(
                out,
                Rows::new(query, rows, width, width),
                Rows::new(keys, tokens, width, 2 * width),
                Rows::new(&keys[width..], tokens, width, 2 * width),
                self.heads,
                attention,
            );
            (rest, queries) = (after, queries_after);
        }
        stopwatch.lap(Stage::Attention);

        let attended = attended.sized(hidden.len());
        self.dense.forward_added(kernels, attended, context, hidden);
        kernels.layer_norm(attended, &self.attention_norm.view());
        stopwatch.lap(Stage::Projection);

        let wide = wide.sized(hidden.len() / width * self.intermediate);
        self.feed_forward.forward_activated(kernels, wide, attended, self.activation);
        self.feed_forward_output.forward_added(kernels, hidden, wide, attended);
        kernels.layer_norm(hidden, &self.output_norm.view());
        stopwatch.lap(Stage::FeedForward);
    }
}

/// Moves the first row of each document to the front, in order: `[documents, width]`. A document has at least one row,
/// so that no row is overwritten before it has been moved.
fn first_tokens<'a>(hidden: &'a mut [f32], batch: &RaggedBatch, width: usize) -> &'a mut [f32] {
    let firsts = &batch.starts()[..batch.documents()];
    for (document, &first) in firsts.iter().enumerate() {
        hidden.copy_within(first * width..(first + 1) * width, document * width);
    }
    &mut hidden[..firsts.len() * width]
}

/// The kernel of an activation in `config.json`. Two of its names are one curve.
fn kernel_activation(activation: Activation) -> albertine_kernels::Activation {
    use albertine_kernels::Activation as Kernel;
    match activation {
        Activation::Gelu => Kernel::GeluErf,
        Activation::GeluNew | Activation::GeluPytorchTanh => Kernel::GeluTanh,
        Activation::Relu => Kernel::Relu,
        Activation::Silu => Kernel::Silu,
        Activation::Tanh => Kernel::Tanh,
    }
}
