//! The closed list of what may follow a sum before it is stored.

use crate::math::Activation;

/// What happens to a product of rows and weights, element by element, before it leaves the tile.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Epilogue<'a> {
    /// `x + bias`, bias `[outputs]`.
    Bias(&'a [f32]),
    /// `activation(x + bias)`, bias `[outputs]`. The activation runs over the tile while it is in the nearest cache.
    BiasActivation(&'a [f32], Activation),
    /// `x + bias + residual`.
    BiasResidual {
        /// `[outputs]`
        bias: &'a [f32],
        /// `[rows, outputs]`
        residual: &'a [f32],
    },
}

impl<'a> Epilogue<'a> {
    /// The bias, which every epilogue has.
    #[inline(always)]
    pub(crate) fn bias(self) -> &'a [f32] {
        match self {
            Self::Bias(bias) | Self::BiasActivation(bias, _) | Self::BiasResidual { bias, .. } => bias,
        }
    }

    /// Panics when a length does not fit a result of `[rows, outputs]`.
    pub(crate) fn check(self, rows: usize, outputs: usize) {
        let bias = self.bias().len();
        assert!(bias == outputs, "a bias of {bias} for {outputs} outputs");
        if let Self::BiasResidual { residual, .. } = self {
            assert!(residual.len() == rows * outputs, "a residual of {} for [{rows}, {outputs}]", residual.len());
        }
    }
}
