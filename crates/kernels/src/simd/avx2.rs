//! Eight lanes: AVX2 with FMA.

use std::arch::x86_64::*;

use super::{Operation, Simd};

/// The proof that the running CPU has AVX2 and FMA, and AVX-VNNI where `VNNI` says so.
#[derive(Clone, Copy)]
pub(crate) struct Avx2<const VNNI: bool>(());

impl<const VNNI: bool> Avx2<VNNI> {
    /// # Safety
    ///
    /// The running CPU has AVX2 and FMA, and AVX-VNNI where `VNNI` says so.
    pub(crate) unsafe fn assume() -> Self {
        Self(())
    }
}

#[inline(never)]
#[target_feature(enable = "avx2,fma")]
fn enter<S: Simd, O: Operation>(simd: S, operation: O) -> O::Output {
    operation.run(simd)
}

#[inline(never)]
#[target_feature(enable = "avx2,fma,avxvnni")]
fn enter_vnni<S: Simd, O: Operation>(simd: S, operation: O) -> O::Output {
    operation.run(simd)
}

/// The intrinsic with these arguments.
macro_rules! op {
    ($intrinsic:ident($($argument:expr),*)) => {
        // SAFETY: the intrinsic asks only for AVX2 or FMA, and an `Avx2` exists only where the CPU has them.
        unsafe { $intrinsic($($argument),*) }
    };
}

/// A mask whose first `count` lanes are set.
#[inline(always)]
fn first(count: usize) -> __m256i {
    static ONES_THEN_ZEROS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    let start = 8 - count.min(8);
    // SAFETY: `start` is at most 8, so that eight values lie within the table. The callers hold an `Avx2`.
    unsafe { _mm256_loadu_si256(ONES_THEN_ZEROS.as_ptr().add(start).cast()) }
}

/// The upper half. The callers hold an `Avx2`.
#[inline(always)]
unsafe fn upper(v: __m256i) -> __m128i {
    // SAFETY: the caller promises AVX2.
    unsafe { _mm256_extracti128_si256::<1>(v) }
}

impl<const VNNI: bool> Simd for Avx2<VNNI> {
    type V = __m256;

    const LANES: usize = 8;
    const TILE_ROWS: usize = 6;

    #[inline]
    fn call<O: Operation>(self, operation: O) -> O::Output {
        // SAFETY: an `Avx2` exists only where the CPU has AVX2 and FMA, and AVX-VNNI where its type says so.
        unsafe { if VNNI { enter_vnni(self, operation) } else { enter(self, operation) } }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> __m256 {
        op!(_mm256_set1_ps(x))
    }

    #[inline(always)]
    unsafe fn load_from(self, from: *const f32) -> __m256 {
        op!(_mm256_loadu_ps(from))
    }

    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, count: usize) -> __m256 {
        op!(_mm256_maskload_ps(from, first(count)))
    }

    #[inline(always)]
    unsafe fn store_to(self, to: *mut f32, v: __m256) {
        op!(_mm256_storeu_ps(to, v));
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize, v: __m256) {
        // A masked store is forty operations on AMD's CPUs.
        if count == Self::LANES {
            op!(_mm256_storeu_ps(to, v));
        } else {
            op!(_mm256_maskstore_ps(to, first(count), v));
        }
    }

    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        op!(_mm256_add_ps(a, b))
    }

    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        op!(_mm256_sub_ps(a, b))
    }

    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        op!(_mm256_mul_ps(a, b))
    }

    #[inline(always)]
    fn div(self, a: __m256, b: __m256) -> __m256 {
        op!(_mm256_div_ps(a, b))
    }

    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        op!(_mm256_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn min(self, a: __m256, b: __m256) -> __m256 {
        op!(_mm256_min_ps(a, b))
    }

    #[inline(always)]
    fn max(self, a: __m256, b: __m256) -> __m256 {
        op!(_mm256_max_ps(a, b))
    }

    #[inline(always)]
    fn abs(self, a: __m256) -> __m256 {
        op!(_mm256_andnot_ps(self.splat(-0.0), a))
    }

    #[inline(always)]
    fn copysign(self, a: __m256, sign: __m256) -> __m256 {
        let sign = op!(_mm256_and_ps(self.splat(-0.0), sign));
        op!(_mm256_or_ps(self.abs(a), sign))
    }

    #[inline(always)]
    fn round(self, a: __m256) -> __m256 {
        // SAFETY: as in `op!`, which cannot carry a const argument.
        unsafe { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
    }

    #[inline(always)]
    fn scale(self, a: __m256, n: __m256) -> __m256 {
        // SAFETY: as in `op!`, for the whole block: it touches registers alone.
        unsafe {
            // In two steps, since 2^n itself may be out of range. The first is exact, so the result is rounded once.
            let n = _mm256_cvtps_epi32(n);
            let half = _mm256_srai_epi32::<1>(n);
            let rest = _mm256_sub_epi32(n, half);
            let bias = _mm256_set1_epi32(127);
            let first = _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_add_epi32(half, bias)));
            let second = _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_add_epi32(rest, bias)));
            _mm256_mul_ps(_mm256_mul_ps(a, first), second)
        }
    }

    #[inline(always)]
    fn if_less(self, a: __m256, b: __m256, yes: __m256, no: __m256) -> __m256 {
        // SAFETY: as in `op!`, which cannot carry a const argument.
        let less = unsafe { _mm256_cmp_ps::<_CMP_LT_OQ>(a, b) };
        op!(_mm256_blendv_ps(no, yes, less))
    }

    #[inline(always)]
    fn prefetch(self, address: *const u32) {
        // SAFETY: as in `op!`, which cannot carry a const argument; a prefetch of a wrong address does nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) }
    }

    #[inline(always)]
    fn first_of(self, count: usize, a: __m256, b: __m256) -> __m256 {
        op!(_mm256_blendv_ps(b, a, _mm256_castsi256_ps(first(count))))
    }

    #[inline(always)]
    unsafe fn transpose(self, from: *const u32, from_stride: usize, to: *mut u32, to_stride: usize) {
        // SAFETY: the caller promises squares of 8; the intrinsics as in `op!`, which cannot carry a const argument.
        unsafe {
            // As with 512 bits, where there are twice as many fours.
            let rows: [__m256; 8] = std::array::from_fn(|row| _mm256_loadu_ps(from.add(row * from_stride).cast()));
            let pairs: [__m256; 8] = std::array::from_fn(|i| {
                let (a, b) = (rows[i / 2 * 2], rows[i / 2 * 2 + 1]);
                if i % 2 == 0 { _mm256_unpacklo_ps(a, b) } else { _mm256_unpackhi_ps(a, b) }
            });
            let fours: [__m256; 8] = std::array::from_fn(|i| {
                let (first, k) = (i / 4 * 4, i % 4);
                let [a, b] = [pairs[first + k / 2], pairs[first + 2 + k / 2]].map(|pair| _mm256_castps_pd(pair));
                _mm256_castpd_ps(if k % 2 == 0 { _mm256_unpacklo_pd(a, b) } else { _mm256_unpackhi_pd(a, b) })
            });
            for k in 0..4 {
                let (a, b) = (fours[k], fours[4 + k]);
                _mm256_storeu_ps(to.add(k * to_stride).cast(), _mm256_permute2f128_ps::<0x20>(a, b));
                _mm256_storeu_ps(to.add((4 + k) * to_stride).cast(), _mm256_permute2f128_ps::<0x31>(a, b));
            }
        }
    }

    #[inline(always)]
    fn first(self, a: __m256) -> f32 {
        op!(_mm256_cvtss_f32(a))
    }

    #[inline(always)]
    fn sum(self, a: __m256) -> f32 {
        // SAFETY: as in `op!`, for the whole block: it touches registers alone.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    fn largest(self, a: __m256) -> f32 {
        // SAFETY: as in `op!`, for the whole block: it touches registers alone.
        unsafe {
            let four = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    unsafe fn load_i32(self, from: *const u32) -> __m256 {
        op!(_mm256_cvtepi32_ps(_mm256_loadu_si256(from.cast())))
    }

    #[inline(always)]
    unsafe fn store_u8(self, to: *mut u8, count: usize, v: __m256) {
        let whole = op!(_mm256_cvtps_epi32(v));
        let halves = op!(_mm_packus_epi32(_mm256_castsi256_si128(whole), upper(whole)));
        let bytes = op!(_mm_cvtsi128_si64(_mm_packus_epi16(halves, halves)));
        // SAFETY: the caller promises `count` writable bytes, at most eight.
        unsafe {
            if count == Self::LANES {
                to.cast::<i64>().write_unaligned(bytes);
            } else {
                std::ptr::copy_nonoverlapping(bytes.to_le_bytes().as_ptr(), to, count);
            }
        }
    }
}
