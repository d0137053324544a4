//! One layer, forward and back: attention, then the feed-forward part, each with a residual and a LayerNorm.

use albertine_kernels::{Activation, Attention, AttentionScratch, Matrix, Queries};
use albertine_model::{Affine, Architecture, LayerParts, RaggedBatch};
use rayon::prelude::*;

use super::drops::{self, LayerDrops};
use super::linear::Linear;
use super::norm::{Norm, Normed};
use super::rows::{gathered, scattered};
use super::{Arithmetic, Lent};
use crate::Tensors;

/// transformers' `AlbertLayer` and `BertLayer`.
#[derive(Debug)]
pub(super) struct Layer {
    qkv: Linear,
    attention_output: Linear,
    attention_norm: Norm,
    intermediate: Linear,
    output: Linear,
    output_norm: Norm,
    activation: Activation,
    heads: usize,
    hidden: usize,
    /// The columns of queries, keys or values.
    part: usize,
}

/// What the gradient needs of a forward pass.
#[derive(Debug)]
pub(super) struct Saved<'m> {
    /// What went in, `[tokens, hidden]`.
    input: Lent<'m>,
    /// The tokens that are read of what came out, if not all.
    places: Option<Vec<usize>>,
    /// `[tokens, 3 * part]`
    qkv: Lent<'m>,
    /// `[read tokens, hidden]`
    context: Lent<'m>,
    attention_normed: Normed<'m>,
    /// What went into the feed-forward part, `[read tokens, hidden]`.
    attended: Lent<'m>,
    /// What went into the activation, `[read tokens, intermediate]`.
    wide: Lent<'m>,
    output_normed: Normed<'m>,
}

impl Layer {
    pub(super) fn new(
        architecture: &Architecture,
        weights: &Tensors,
        indices: &LayerParts<Affine<usize>>,
        arithmetic: Arithmetic<'_>,
    ) -> Self {
        let (hidden, heads) = (architecture.hidden_size(), architecture.attention_heads());
        let eps = architecture.layer_norm_eps();
        // The scale of the scores is in the queries, as in the model's own encoder.
        let scale = 1.0 / ((hidden / heads) as f32).sqrt();
        let part = hidden.next_multiple_of(arithmetic.kernels.panel_width());
        let parts = [(indices.query, scale), (indices.key, 1.0), (indices.value, 1.0)];
        let linear = |indices| Linear::new(weights, indices, arithmetic);
        Self {
            qkv: Linear::of_parts(weights, &parts, part, arithmetic),
            attention_output: linear(indices.attention_output),
            attention_norm: Norm::new(weights, indices.attention_norm, eps),
            intermediate: linear(indices.intermediate),
            output: linear(indices.output),
            output_norm: Norm::new(weights, indices.output_norm, eps),
            activation: architecture.activation().kernel(),
            heads,
            hidden,
            part,
        }
    }

    /// What comes out, `[tokens, hidden]`; where only the tokens at `places` are read, `[places, hidden]`.
    pub(super) fn forward<'m>(
        &self,
        arithmetic: Arithmetic<'m>,
        batch: &RaggedBatch,
        places: Option<&[usize]>,
        input: Lent<'m>,
        drops: LayerDrops,
    ) -> (Lent<'m>, Saved<'m>) {
        let qkv = self.qkv.forward(arithmetic, &input, None);
        let mut context = arithmetic.matrix(batch.tokens(), self.hidden);
        let attention = self.attention(&qkv, batch, drops);
        arithmetic.kernels.attention(&mut context, attention, &AttentionScratch::default());
        let read = places.map(|places| gathered(arithmetic, &input, places));
        if let Some(places) = places {
            context = gathered(arithmetic, &context, places);
        }
        let residual = read.as_ref().unwrap_or(&input);
        let added = self.attention_output.forward_dropped(arithmetic, &context, residual, drops.attention_output);
        let (attended, attention_normed) = self.attention_norm.forward(arithmetic, added);
        let wide = self.intermediate.forward(arithmetic, &attended, None);
        let active = self.activated(arithmetic, &wide);
        let added = self.output.forward_dropped(arithmetic, &active, &attended, drops.output);
        let (out, output_normed) = self.output_norm.forward(arithmetic, added);
        (
            out,
            Saved {
                input,
                places: places.map(<[usize]>::to_vec),
                qkv,
                context,
                attention_normed,
                attended,
                wide,
                output_normed,
            },
        )
    }

    /// The gradient of what went in, `[tokens, hidden]`, from that of what came out.
    pub(super) fn backward<'m>(
        &self,
        arithmetic: Arithmetic<'m>,
        batch: &RaggedBatch,
        saved: Saved<'m>,
        mut gradient: Lent<'m>,
        drops: LayerDrops,
        gradients: &mut Tensors,
    ) -> Lent<'m> {
        let kernels = arithmetic.kernels;
        self.output_norm.backward(kernels, &saved.output_normed, &mut gradient, gradients);
        let active = self.activated(arithmetic, &saved.wide);
        let dropped = drops::applied(arithmetic, drops.output, &gradient);
        let mut wide = self.output.backward(arithmetic, &active, &dropped, None, gradients);
        drop((active, dropped));
        wide.par_rows_mut().enumerate().for_each(|(row, gradient)| {
            kernels.activation_gradient(gradient, saved.wide.row(row), self.activation);
        });
        let mut gradient = self.intermediate.backward(arithmetic, &saved.attended, &wide, Some(&gradient), gradients);

        self.attention_norm.backward(kernels, &saved.attention_normed, &mut gradient, gradients);
        let dropped = drops::applied(arithmetic, drops.attention_output, &gradient);
        let mut context = self.attention_output.backward(arithmetic, &saved.context, &dropped, None, gradients);
        drop(dropped);
        if let Some(places) = &saved.places {
            context = scattered(arithmetic, &context, places, batch.tokens());
            gradient = scattered(arithmetic, &gradient, places, batch.tokens());
        }
        let mut qkv = arithmetic.matrix(batch.tokens(), 3 * self.part);
        if self.part != self.hidden {
            // What lies between the parts counts for nothing.
            qkv.par_rows_mut().for_each(|row| row.fill(0.0));
        }
        let attention = self.attention(&saved.qkv, batch, drops);
        kernels.attention_gradient(&mut qkv, attention, &context, &AttentionScratch::default());
        self.qkv.backward(arithmetic, &saved.input, &qkv, Some(&gradient), gradients)
    }

    fn attention<'a>(&self, qkv: &'a Matrix, batch: &'a RaggedBatch, drops: LayerDrops) -> Attention<'a> {
        Attention {
            query: qkv,
            queries: Queries::OfTokens,
            key_value: qkv,
            key: self.part,
            value: 2 * self.part,
            starts: batch.starts(),
            heads: self.heads,
            size: self.hidden / self.heads,
            dropout: drops.attention,
        }
    }

    fn activated<'m>(&self, arithmetic: Arithmetic<'m>, wide: &Matrix) -> Lent<'m> {
        let mut active = arithmetic.matrix(wide.rows(), wide.columns());
        active.par_rows_mut().enumerate().for_each(|(row, out)| {
            out.copy_from_slice(wide.row(row));
            arithmetic.kernels.activate(out, self.activation);
        });
        active
    }
}
