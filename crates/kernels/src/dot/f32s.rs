//! Words of one f32.

use super::lanes::Dot;
use crate::simd::Simd;

/// f32 at any level.
#[derive(Clone, Copy)]
pub(super) struct F32s<S>(pub(super) S);

impl<S: Simd> Dot for F32s<S> {
    type Simd = S;
    type Words = S::V;
    type Sums = S::V;
    const INTEGER: bool = false;
    const FUSED: bool = S::FUSED;

    #[inline(always)]
    fn simd(self) -> S {
        self.0
    }

    #[inline(always)]
    fn zero(self) -> S::V {
        self.0.splat(0.0)
    }

    #[inline(always)]
    unsafe fn load(self, from: *const u32) -> S::V {
        // SAFETY: the caller promises as many values.
        unsafe { self.0.load_from(from.cast()) }
    }

    #[inline(always)]
    unsafe fn splat(self, from: *const u32) -> S::V {
        // SAFETY: the caller promises a value.
        self.0.splat(unsafe { *from.cast::<f32>() })
    }

    #[inline(always)]
    fn multiply_add(self, a: S::V, b: S::V, sums: S::V) -> S::V {
        self.0.mul_add(a, b, sums)
    }

    #[inline(always)]
    unsafe fn load_sums(self, from: *const u32) -> S::V {
        // SAFETY: the caller promises as many values.
        unsafe { self.0.load_from(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store_sums(self, to: *mut u32, sums: S::V) {
        // SAFETY: the caller promises room for as many values.
        unsafe { self.0.store_to(to.cast(), sums) }
    }
}
