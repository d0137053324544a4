//! The closed list of what may follow a sum before it is stored.

use crate::math::Activation;
use crate::matrix::{Element, Matrix};

/// What happens to a product of rows and weights, element by element, before it leaves the tile.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Epilogue<'a> {
    /// `x + bias`, bias `[outputs]`.
    Bias(&'a [f32]),
    /// `activation(x + bias)`, bias `[outputs]`. Where the result is bfloat16, the activation is only as exact as that.
    BiasActivation(&'a [f32], Activation),
    /// `x + bias + residual`.
    BiasResidual {
        /// `[outputs]`
        bias: &'a [f32],
        /// `[rows, outputs]` of f32
        residual: &'a Matrix,
    },
}

impl<'a> Epilogue<'a> {
    /// The bias, which every epilogue has.
    pub(super) fn bias(self) -> &'a [f32] {
        match self {
            Self::Bias(bias) | Self::BiasActivation(bias, _) | Self::BiasResidual { bias, .. } => bias,
        }
    }

    /// Panics when a length does not fit a result of `[rows, outputs]`.
    pub(super) fn check(self, rows: usize, outputs: usize) {
        let bias = self.bias().len();
        assert!(bias == outputs, "a bias of {bias} for {outputs} outputs");
        if let Self::BiasResidual { residual, .. } = self {
            assert!(
                residual.element() == Element::F32 && residual.rows() == rows && residual.columns() == outputs,
                "a residual {residual:?} for [{rows}, {outputs}]"
            );
        }
    }
}
