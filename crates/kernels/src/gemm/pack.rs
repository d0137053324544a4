//! Weights laid out in the order in which a tile reads them.
//!
//! A panel holds as many outputs (columns of the result) as a tile is wide, input by input: `[inputs, panel width]`.
//! Panels follow one another, and the last one is filled up with zeros: `[panels, inputs, panel width]`.

use crate::aligned::Aligned;
use crate::cpu::{CpuLevel, Kernels};
use crate::view::Rows;

/// The weights of a linear layer, packed for one CPU level.
///
/// Packing costs about one pass over the weights. Each precision will have its own layout behind this type.
#[derive(Clone)]
pub struct PackedWeights {
    panels: Aligned,
    outputs: usize,
    inputs: usize,
    level: CpuLevel,
}

impl PackedWeights {
    /// Packs `weight`, `[outputs, inputs]` row by row as PyTorch's `Linear` keeps it.
    ///
    /// # Panics
    ///
    /// When `weight` is not `outputs * inputs` long or a dimension is 0.
    #[must_use]
    pub fn pack(kernels: Kernels, weight: &[f32], outputs: usize, inputs: usize) -> Self {
        assert!(outputs > 0 && inputs > 0, "weights of [{outputs}, {inputs}]");
        assert!(weight.len() == outputs * inputs, "{} weights for [{outputs}, {inputs}]", weight.len());
        let width = kernels.panel_width();
        let mut panels = Aligned::zeros(packed_len(outputs, inputs, width));
        pack_rows(panels.as_mut_slice(), Rows::new(weight, outputs, inputs, inputs), width);
        Self { panels, outputs, inputs, level: kernels.level() }
    }

    /// The columns of the result.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The columns of the rows that are multiplied.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The CPU level that the weights were packed for.
    #[must_use]
    pub fn level(&self) -> CpuLevel {
        self.level
    }

    /// The memory that the packed weights take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(self.panels.as_slice())
    }

    /// `[panels, inputs, panel width]`
    pub(crate) fn panels(&self) -> &[f32] {
        self.panels.as_slice()
    }
}

impl std::fmt::Debug for PackedWeights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PackedWeights([{}, {}] for {})", self.outputs, self.inputs, self.level)
    }
}

/// The values in panels of `width` for `outputs` outputs of `inputs` inputs.
pub(crate) fn packed_len(outputs: usize, inputs: usize, width: usize) -> usize {
    outputs.div_ceil(width) * inputs * width
}

/// Packs a matrix whose rows are the outputs, as [`PackedWeights::pack`] takes it.
pub(crate) fn pack_rows(panels: &mut [f32], weight: Rows<'_>, width: usize) {
    let (outputs, inputs) = (weight.count(), weight.width());
    for (index, panel) in panels.chunks_exact_mut(inputs * width).take(outputs.div_ceil(width)).enumerate() {
        let first = index * width;
        for column in 0..width {
            let target = panel[column..].iter_mut().step_by(width);
            if first + column < outputs {
                for (packed, &value) in target.zip(weight.row(first + column)) {
                    *packed = value;
                }
            } else {
                target.for_each(|packed| *packed = 0.0);
            }
        }
    }
}

/// Packs a matrix whose rows are the inputs: the transpose of what [`pack_rows`] takes.
pub(crate) fn pack_columns(panels: &mut [f32], weight: Rows<'_>, width: usize) {
    let (inputs, outputs) = (weight.count(), weight.width());
    for (index, panel) in panels.chunks_exact_mut(inputs * width).take(outputs.div_ceil(width)).enumerate() {
        let first = index * width;
        let columns = width.min(outputs - first);
        for (input, packed) in panel.chunks_exact_mut(width).enumerate() {
            packed[..columns].copy_from_slice(&weight.row(input)[first..][..columns]);
            packed[columns..].fill(0.0);
        }
    }
}
