//! What one thread of this machine can do, measured: at the most, and in a product.

use std::time::{Duration, Instant};

use crate::cpu::{CpuError, Kernels};
use crate::dot::{Multiplication, Multiplier};
use crate::matrix::Element;
use crate::precision::Precision;
use crate::{Epilogue, Matrix, PackedWeights};

/// Rounds of [`Multiplier::spin`] between two looks at the clock: a few hundred microseconds.
const ROUNDS: usize = 20_000;
/// How long to measure. The clock of a CPU settles within it.
const DURATION: Duration = Duration::from_millis(50);

/// What one thread multiplies and adds for products at that precision in a loop that only touches registers, in GFLOP/s
/// (a multiply-add counts as two). It takes about 50 ms; the best of its parts counts, so that an interruption does
/// not.
///
/// ```
/// use albertine_kernels::{Kernels, Precision, peak_gflops};
///
/// assert!(peak_gflops(Kernels::detect()?, Precision::F32)? > 0.0);
/// # Ok::<(), albertine_kernels::CpuError>(())
/// ```
///
/// # Errors
///
/// As [`Kernels::elements`].
pub fn peak_gflops(kernels: Kernels, precision: Precision) -> Result<f64, CpuError> {
    let element = kernels.elements(precision)?.operand;
    let start = Instant::now();
    let mut best: f64 = 0.0;
    while start.elapsed() < DURATION {
        let mut words = 0;
        let part = Instant::now();
        kernels.multiply(element, Spin(&mut words));
        // Six products of parts make one of f32.
        let useful = if element == Element::Bf16x3 { 1.0 / 6.0 } else { 1.0 };
        let operations = useful * (2 * words * element.per_word()) as f64;
        best = best.max(operations / part.elapsed().as_secs_f64() / 1e9);
    }
    Ok(best)
}

/// Multiplies registers, and says how many words were multiplied.
struct Spin<'a>(&'a mut usize);

impl Multiplication for Spin<'_> {
    fn run<M: Multiplier>(self, multiplier: M) {
        *self.0 = multiplier.prepared(|| multiplier.spin(ROUNDS));
    }
}

/// Rows of the product that [`product_gflops`] measures: a chunk of a long run.
const ROWS: usize = 256;

/// What one thread does in a linear layer of that shape at that precision, in GFLOP/s: what the precisions are worth
/// beside each other on this CPU. It takes some ten milliseconds for a
/// layer of 768 by 3072.
///
/// # Errors
///
/// As [`Kernels::elements`].
pub fn product_gflops(kernels: Kernels, precision: Precision, inputs: usize, outputs: usize) -> Result<f64, CpuError> {
    let element = kernels.elements(precision)?.operand;
    let weights = PackedWeights::pack(kernels, element, &vec![0.5; outputs * inputs], outputs, inputs);
    let (mut values, mut rows, mut out) = (Matrix::default(), Matrix::default(), Matrix::default());
    values.reshape(Element::F32, ROWS, inputs);
    (0..ROWS).for_each(|row| values.row_mut(row).fill(0.5));
    rows.reshape(element, ROWS, inputs);
    kernels.convert(&values, &mut rows);
    out.reshape(Element::F32, ROWS, outputs);
    let bias = vec![0.0; outputs];
    let mut best = f64::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        kernels.matmul(&mut out, &rows, &weights, Epilogue::Bias(&bias));
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok((2 * ROWS * inputs * outputs) as f64 / best / 1e9)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::reference::all_kernels;

    #[test]
    fn no_product_is_faster_than_the_peak() {
        for kernels in all_kernels() {
            for precision in Precision::ALL.into_iter().filter(|&precision| kernels.elements(precision).is_ok()) {
                let (peak, product) = (peak_gflops(kernels, precision), product_gflops(kernels, precision, 256, 256));
                // Clocks of shared machines wander.
                assert!(product.unwrap() < 1.5 * peak.unwrap(), "{} {precision}", kernels.level());
            }
        }
    }
}
