//! Sixteen lanes: AVX-512 F, BW, DQ and VL. The levels above it use this code for f32.

use std::arch::x86_64::*;

use super::{Operation, Simd};

/// The proof that the running CPU has AVX-512 F, BW, DQ and VL.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// # Safety
    ///
    /// The running CPU has AVX-512 F, BW, DQ and VL.
    pub(crate) unsafe fn assume() -> Self {
        Self(())
    }
}

#[inline(never)]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn enter<O: Operation>(simd: Avx512, operation: O) -> O::Output {
    operation.run(simd)
}

/// The intrinsic with these arguments.
macro_rules! op {
    ($intrinsic:ident($($argument:expr),*)) => {
        // SAFETY: the intrinsic asks only for AVX-512 F or DQ, and an `Avx512` exists only where the CPU has them.
        unsafe { $intrinsic($($argument),*) }
    };
}

/// A mask whose first `count` lanes are set, `count` being at most 16.
#[inline(always)]
fn first(count: usize) -> __mmask16 {
    ((1_u32 << count) - 1) as __mmask16
}

impl Simd for Avx512 {
    type V = __m512;

    const LANES: usize = 16;
    const TILE_ROWS: usize = 12;

    #[inline]
    fn call<O: Operation>(self, operation: O) -> O::Output {
        // SAFETY: an `Avx512` exists only where the CPU has AVX-512 F, BW, DQ and VL.
        unsafe { enter(self, operation) }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        op!(_mm512_set1_ps(x))
    }

    #[inline(always)]
    unsafe fn load_from(self, from: *const f32) -> __m512 {
        op!(_mm512_loadu_ps(from))
    }

    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, count: usize) -> __m512 {
        op!(_mm512_maskz_loadu_ps(first(count), from))
    }

    #[inline(always)]
    unsafe fn store_to(self, to: *mut f32, v: __m512) {
        op!(_mm512_storeu_ps(to, v));
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize, v: __m512) {
        op!(_mm512_mask_storeu_ps(to, first(count), v));
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        op!(_mm512_add_ps(a, b))
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        op!(_mm512_sub_ps(a, b))
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        op!(_mm512_mul_ps(a, b))
    }

    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        op!(_mm512_div_ps(a, b))
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        op!(_mm512_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        op!(_mm512_min_ps(a, b))
    }

    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        op!(_mm512_max_ps(a, b))
    }

    #[inline(always)]
    fn abs(self, a: __m512) -> __m512 {
        op!(_mm512_andnot_ps(self.splat(-0.0), a))
    }

    #[inline(always)]
    fn copysign(self, a: __m512, sign: __m512) -> __m512 {
        let sign = op!(_mm512_and_ps(self.splat(-0.0), sign));
        op!(_mm512_or_ps(self.abs(a), sign))
    }

    #[inline(always)]
    fn round(self, a: __m512) -> __m512 {
        // SAFETY: as in `op!`, which cannot carry a const argument.
        unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT }>(a) }
    }

    #[inline(always)]
    fn scale(self, a: __m512, n: __m512) -> __m512 {
        op!(_mm512_scalef_ps(a, n))
    }

    #[inline(always)]
    fn if_less(self, a: __m512, b: __m512, yes: __m512, no: __m512) -> __m512 {
        // SAFETY: as in `op!`, which cannot carry a const argument.
        let less = unsafe { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b) };
        op!(_mm512_mask_blend_ps(less, no, yes))
    }

    #[inline(always)]
    fn first(self, a: __m512) -> f32 {
        op!(_mm512_cvtss_f32(a))
    }

    #[inline(always)]
    fn sum(self, a: __m512) -> f32 {
        op!(_mm512_reduce_add_ps(a))
    }

    #[inline(always)]
    fn largest(self, a: __m512) -> f32 {
        op!(_mm512_reduce_max_ps(a))
    }
}
