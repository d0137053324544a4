//! The most that one thread of this machine can do, measured.

use std::time::{Duration, Instant};

use crate::cpu::{CpuError, Kernels};
use crate::dot::{Multiplication, Multiplier};
use crate::matrix::Element;
use crate::precision::Precision;

/// Rounds of [`Multiplier::spin`] between two looks at the clock: a few hundred microseconds.
const ROUNDS: usize = 20_000;
/// How long to measure. The clock of a CPU settles within it.
const DURATION: Duration = Duration::from_millis(50);

/// What one thread multiplies and adds for products at that precision in a loop that only touches registers, in GFLOP/s
/// (a multiply-add counts as two). It takes about 50 ms; the best of its parts counts, so that an interruption does not.
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
