//! Work on disjoint ranges, by the calling thread alone or by some of its pool.

use std::ops::Range;

use rayon::prelude::*;

use crate::cpu::Kernels;

impl Kernels {
    /// Runs `work` on ranges that together are `0..items`, all multiples of `step` long but the last: one range for
    /// each thread that these kernels may use, or fewer.
    pub(crate) fn split(self, items: usize, step: usize, work: impl Fn(Range<usize>) + Sync) {
        let steps = items.div_ceil(step);
        let parts = self.threads().min(steps);
        if parts <= 1 {
            return work(0..items);
        }
        let start = |part: usize| (part * steps / parts * step).min(items);
        (0..parts).into_par_iter().with_max_len(1).for_each(|part| work(start(part)..start(part + 1)));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Mutex;

    use super::*;

    #[test]
    fn ranges_cover_the_items_once() {
        for threads in 1..5 {
            for items in 0..40 {
                for step in [1, 4, 32] {
                    let seen = Mutex::new(vec![0; items]);
                    Kernels::detect().unwrap().with_threads(threads).split(items, step, |range| {
                        assert!(range.start % step == 0);
                        range.for_each(|item| seen.lock().unwrap()[item] += 1);
                    });
                    assert!(seen.into_inner().unwrap().iter().all(|&times| times == 1));
                }
            }
        }
    }
}
