//! Words of two 16-bit numbers, for levels that multiply no bytes: products of 0 to 255 with -127 to 127 in 16 bits
//! could not overflow the sum of two in 32.

use super::lanes::Dot;
use crate::simd::{Portable, Simd};

/// Pairs of 16-bit numbers.
#[derive(Clone, Copy)]
pub(super) struct Shorts<S>(pub(super) S);

/// The two numbers of a word, in the order of memory.
#[inline(always)]
fn pair(word: u32) -> [i32; 2] {
    let [a, b, c, d] = word.to_ne_bytes();
    [i16::from_ne_bytes([a, b]), i16::from_ne_bytes([c, d])].map(i32::from)
}

const LANES: usize = Portable::LANES;

impl Dot for Shorts<Portable> {
    type Simd = Portable;
    type Words = [u32; LANES];
    type Sums = [i32; LANES];
    const INTEGER: bool = true;
    const FUSED: bool = false;

    #[inline(always)]
    fn simd(self) -> Portable {
        self.0
    }

    #[inline(always)]
    fn zero(self) -> [i32; LANES] {
        [0; LANES]
    }

    #[inline(always)]
    unsafe fn load(self, from: *const u32) -> [u32; LANES] {
        // SAFETY: the caller promises as many words.
        unsafe { from.cast::<[u32; LANES]>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn splat(self, from: *const u32) -> [u32; LANES] {
        // SAFETY: the caller promises a word.
        [unsafe { *from }; LANES]
    }

    #[inline(always)]
    fn multiply_add(self, a: [u32; LANES], b: [u32; LANES], mut sums: [i32; LANES]) -> [i32; LANES] {
        for lane in 0..LANES {
            let (a, b) = (pair(a[lane]), pair(b[lane]));
            // Exact: packed weights have no more inputs than fit.
            sums[lane] = sums[lane].wrapping_add(a[0] * b[0] + a[1] * b[1]);
        }
        sums
    }

    #[inline(always)]
    unsafe fn load_sums(self, from: *const u32) -> [i32; LANES] {
        // SAFETY: the caller promises as many sums.
        unsafe { from.cast::<[i32; LANES]>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store_sums(self, to: *mut u32, sums: [i32; LANES]) {
        // SAFETY: the caller promises room for as many sums.
        unsafe { to.cast::<[i32; LANES]>().write_unaligned(sums) }
    }
}
