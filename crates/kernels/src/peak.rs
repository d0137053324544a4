//! The most that one thread of this machine can do, measured.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::cpu::Kernels;
use crate::simd::{Operation, Simd};

/// Accumulators that do not wait for each other: two multiply-adds a cycle with a latency of four need eight, and more
/// than ten would not fit the sixteen registers of the lower levels with room to move.
const CHAINS: usize = 10;
/// Multiply-adds of each chain between two looks at the clock.
const STEPS: usize = 10_000;
/// How long to measure. The clock of a CPU settles within it.
const DURATION: Duration = Duration::from_millis(50);

/// The f32 multiply-adds that one thread does in a loop that only touches registers, in GFLOP/s (a multiply-add counts
/// as two). It takes about 50 ms; the best of its parts counts, so that an interruption does not.
///
/// ```
/// use albertine_kernels::{Kernels, peak_gflops};
///
/// assert!(peak_gflops(Kernels::detect()?) > 0.0);
/// # Ok::<(), albertine_kernels::CpuError>(())
/// ```
#[must_use]
pub fn peak_gflops(kernels: Kernels) -> f64 {
    let start = Instant::now();
    let mut best = f64::MAX;
    let mut operations = 0;
    while start.elapsed() < DURATION {
        let part = Instant::now();
        operations = kernels.run(Chains { halves: black_box([[0.5; 16]; CHAINS + 2]) });
        best = best.min(part.elapsed().as_secs_f64());
    }
    operations as f64 / best / 1e9
}

/// `x / 2 + 1 / 2` again and again, which stays where it is. Returns the floating-point operations that it did.
struct Chains {
    /// Halves that the compiler does not know to be equal: it would see that one chain is enough.
    halves: [[f32; 16]; CHAINS + 2],
}

impl Operation for Chains {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> usize {
        const { assert!(S::LANES <= 16) };
        let (a, b) = (s.load(&self.halves[CHAINS]), s.load(&self.halves[CHAINS + 1]));
        let mut chains = [a; CHAINS];
        for (chain, halves) in chains.iter_mut().zip(&self.halves) {
            *chain = s.load(halves);
        }
        for _ in 0..STEPS {
            for chain in &mut chains {
                *chain = s.mul_add(*chain, a, b);
            }
        }
        let mut result = self.halves;
        for (result, chain) in result.iter_mut().zip(chains) {
            s.store(result, chain);
        }
        black_box(&result);
        CHAINS * STEPS * S::LANES * 2
    }
}
