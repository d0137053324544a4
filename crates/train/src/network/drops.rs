//! What dropout leaves out, place by place of the network.

use albertine_kernels::{Dropout, Matrix};
use albertine_model::DropoutRates;
use rayon::prelude::*;

use super::{Arithmetic, Operand};

/// The dropout of a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drops {
    pub(crate) rates: DropoutRates,
    pub(crate) seed: u64,
}

/// The dropout of a layer, where it has one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LayerDrops {
    /// Of the probabilities of attention.
    pub(super) attention: Option<Dropout>,
    /// Of what attention adds.
    pub(super) attention_output: Option<Dropout>,
    /// Of what the feed-forward part adds.
    pub(super) output: Option<Dropout>,
}

impl Drops {
    fn dropout(self, rate: f32, place: u64) -> Option<Dropout> {
        (rate > 0.0).then(|| Dropout { rate, seed: self.seed }.at(place))
    }

    /// Of what goes into the classifier.
    pub(super) fn classifier(self) -> Option<Dropout> {
        self.dropout(self.rates.classifier, 0)
    }

    pub(super) fn embeddings(self) -> Option<Dropout> {
        self.dropout(self.rates.hidden, 1)
    }

    /// Of the layer that is applied after so many others.
    pub(super) fn layer(self, before: usize, has_output_dropout: bool) -> LayerDrops {
        let place = 2 + 3 * before as u64;
        LayerDrops {
            attention: self.dropout(self.rates.attention, place),
            attention_output: self.dropout(self.rates.hidden, place + 1),
            output: self.dropout(self.rates.hidden, place + 2).filter(|_| has_output_dropout),
        }
    }
}

/// Leaves out of all rows what dropout leaves out.
pub(super) fn apply(dropout: Option<Dropout>, rows: &mut Matrix) {
    let Some(dropout) = dropout else { return };
    rows.par_rows_mut().enumerate().for_each(|(row, values)| dropout.apply(row as u64, values));
}

/// The same of a copy, where something is left out.
pub(super) fn applied<'r, 'm>(
    arithmetic: Arithmetic<'m>,
    dropout: Option<Dropout>,
    rows: &'r Matrix,
) -> Operand<'r, 'm> {
    if dropout.is_none() {
        return Operand::AsGiven(rows);
    }
    let mut copy = arithmetic.copied(rows);
    apply(dropout, &mut copy);
    Operand::Converted(copy)
}
