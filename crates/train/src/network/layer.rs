//! One layer, forward and back: attention, then the feed-forward part, each with a residual and a LayerNorm.

use albertine_kernels::{Activation, Attention, AttentionScratch, Element, Matrix};
use albertine_model::{AlbertConfig, RaggedBatch};
use rayon::prelude::*;

use super::Arithmetic;
use super::linear::Linear;
use super::norm::{Norm, Normed};
use crate::Tensors;
use crate::parameters::LayerPlaces;

/// transformers' `AlbertLayer`.
#[derive(Debug)]
pub(super) struct Layer {
    qkv: Linear,
    dense: Linear,
    attention_norm: Norm,
    feed_forward: Linear,
    feed_forward_output: Linear,
    output_norm: Norm,
    activation: Activation,
    heads: usize,
    hidden: usize,
    /// The columns of queries, keys or values.
    part: usize,
}

/// What the gradient needs of a forward pass.
#[derive(Debug)]
pub(super) struct Saved {
    /// What went in, `[tokens, hidden]`.
    input: Matrix,
    /// `[tokens, 3 * part]`
    qkv: Matrix,
    /// `[tokens, hidden]`
    context: Matrix,
    attention_normed: Normed,
    /// What went into the feed-forward part, `[tokens, hidden]`.
    attended: Matrix,
    /// What went into the activation, `[tokens, intermediate]`.
    wide: Matrix,
    output_normed: Normed,
}

impl Layer {
    pub(super) fn new(config: &AlbertConfig, weights: &Tensors, places: &LayerPlaces, arithmetic: Arithmetic) -> Self {
        let AlbertConfig { hidden_size: hidden, intermediate_size: wide, layer_norm_eps: eps, .. } = *config;
        let heads = config.num_attention_heads;
        // The scale of the scores is in the queries, as in the model's own encoder.
        let scale = 1.0 / ((hidden / heads) as f32).sqrt();
        let [query, key, value] = places.qkv;
        let part = hidden.next_multiple_of(arithmetic.kernels.panel_width());
        let parts = [(query, scale), (key, 1.0), (value, 1.0)];
        Self {
            qkv: Linear::of_parts(weights, &parts, [hidden, hidden], part, arithmetic),
            dense: Linear::new(weights, places.dense, [hidden, hidden], arithmetic),
            attention_norm: Norm::new(weights, places.attention_norm, eps),
            feed_forward: Linear::new(weights, places.feed_forward, [wide, hidden], arithmetic),
            feed_forward_output: Linear::new(weights, places.feed_forward_output, [hidden, wide], arithmetic),
            output_norm: Norm::new(weights, places.output_norm, eps),
            activation: config.hidden_act.kernel(),
            heads,
            hidden,
            part,
        }
    }

    /// What comes out, `[tokens, hidden]`.
    pub(super) fn forward(&self, arithmetic: Arithmetic, batch: &RaggedBatch, input: Matrix) -> (Matrix, Saved) {
        let qkv = self.qkv.forward(arithmetic, &input, None);
        let mut context = Matrix::default();
        context.reshape(Element::F32, batch.tokens(), self.hidden);
        arithmetic.kernels.attention(&mut context, self.attention(&qkv, batch), &AttentionScratch::default());
        let (attended, attention_normed) =
            self.attention_norm.forward(self.dense.forward(arithmetic, &context, Some(&input)));
        let wide = self.feed_forward.forward(arithmetic, &attended, None);
        let active = self.activated(arithmetic, &wide);
        let (out, output_normed) =
            self.output_norm.forward(self.feed_forward_output.forward(arithmetic, &active, Some(&attended)));
        (out, Saved { input, qkv, context, attention_normed, attended, wide, output_normed })
    }

    /// The gradient of what went in, from that of what came out.
    pub(super) fn backward(
        &self,
        arithmetic: Arithmetic,
        batch: &RaggedBatch,
        saved: Saved,
        mut slope: Matrix,
        gradient: &mut Tensors,
    ) -> Matrix {
        let kernels = arithmetic.kernels;
        self.output_norm.backward(&saved.output_normed, &mut slope, gradient);
        let active = self.activated(arithmetic, &saved.wide);
        let mut wide = self.feed_forward_output.backward(arithmetic, &active, &slope, None, gradient);
        wide.par_rows_mut().enumerate().for_each(|(row, slope)| {
            kernels.activation_gradient(slope, saved.wide.row(row), self.activation);
        });
        let mut slope = self.feed_forward.backward(arithmetic, &saved.attended, &wide, Some(&slope), gradient);

        self.attention_norm.backward(&saved.attention_normed, &mut slope, gradient);
        let context = self.dense.backward(arithmetic, &saved.context, &slope, None, gradient);
        let mut qkv = Matrix::default();
        qkv.reshape(Element::F32, batch.tokens(), 3 * self.part);
        if self.part != self.hidden {
            // What lies between the parts counts for nothing.
            qkv.par_rows_mut().for_each(|row| row.fill(0.0));
        }
        let attention = self.attention(&saved.qkv, batch);
        kernels.attention_gradient(&mut qkv, attention, &context, &AttentionScratch::default());
        self.qkv.backward(arithmetic, &saved.input, &qkv, Some(&slope), gradient)
    }

    fn attention<'a>(&self, qkv: &'a Matrix, batch: &'a RaggedBatch) -> Attention<'a> {
        Attention {
            query: qkv,
            key_value: qkv,
            key: self.part,
            value: 2 * self.part,
            starts: batch.starts(),
            heads: self.heads,
            size: self.hidden / self.heads,
        }
    }

    fn activated(&self, arithmetic: Arithmetic, wide: &Matrix) -> Matrix {
        let mut active = Matrix::default();
        active.reshape(Element::F32, wide.rows(), wide.columns());
        active.par_rows_mut().enumerate().for_each(|(row, out)| {
            out.copy_from_slice(wide.row(row));
            arithmetic.kernels.activate(out, self.activation);
        });
        active
    }
}
