//! Sixteen lanes: AVX-512 F, BW, DQ and VL, and what later CPUs added to them.

use std::arch::x86_64::*;

use super::{Operation, Simd};

/// AVX-512 F, BW, DQ and VL.
pub(crate) const BASE: u8 = 0;
/// The same with VNNI.
pub(crate) const VNNI: u8 = 1;
/// The same with VNNI and BF16.
pub(crate) const BF16: u8 = 2;

/// The proof that the running CPU has AVX-512 F, BW, DQ and VL, and what `TIER` adds.
#[derive(Clone, Copy)]
pub(crate) struct Avx512<const TIER: u8>(());

impl<const TIER: u8> Avx512<TIER> {
    /// # Safety
    ///
    /// The running CPU has AVX-512 F, BW, DQ and VL, and what `TIER` adds.
    pub(crate) unsafe fn assume() -> Self {
        const { assert!(TIER <= BF16) };
        Self(())
    }
}

#[inline(never)]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
fn enter_base<S: Simd, O: Operation>(simd: S, operation: O) -> O::Output {
    operation.run(simd)
}

#[inline(never)]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
fn enter_vnni<S: Simd, O: Operation>(simd: S, operation: O) -> O::Output {
    operation.run(simd)
}

#[inline(never)]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16")]
fn enter_bf16<S: Simd, O: Operation>(simd: S, operation: O) -> O::Output {
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

/// The same bits under another type.
#[inline(always)]
unsafe fn to_whole(v: __m256bh) -> __m256i {
    // SAFETY: both are 256 bits without a meaning of their own.
    unsafe { std::mem::transmute(v) }
}

impl<const TIER: u8> Avx512<TIER> {
    /// The nearest bfloat16, ties to even.
    #[inline(always)]
    fn to_bf16(self, v: __m512) -> __m256i {
        if TIER == BF16 {
            op!(to_whole(_mm512_cvtneps_pbh(v)))
        } else {
            // To the nearest, ties to even: what the one instruction above does, but for subnormals and NaN.
            let bits = op!(_mm512_castps_si512(v));
            // SAFETY: as in `op!`, which cannot carry a const argument.
            let upper = unsafe { _mm512_srli_epi32::<16>(bits) };
            let odd = op!(_mm512_and_si512(upper, _mm512_set1_epi32(1)));
            let rounded = op!(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))));
            // SAFETY: as in `op!`, which cannot carry a const argument.
            let nan = unsafe { _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(v, v) };
            let rounded = op!(_mm512_mask_blend_epi32(nan, rounded, _mm512_set1_epi32(0x7fc0_0000)));
            // SAFETY: as above.
            unsafe { _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(rounded)) }
        }
    }
}

impl<const TIER: u8> Simd for Avx512<TIER> {
    type V = __m512;

    const LANES: usize = 16;
    const TILE_ROWS: usize = 12;

    #[inline]
    fn call<O: Operation>(self, operation: O) -> O::Output {
        // SAFETY: an `Avx512` exists only where the CPU has AVX-512 F, BW, DQ and VL, and what its tier adds.
        unsafe {
            match TIER {
                BF16 => enter_bf16(self, operation),
                VNNI => enter_vnni(self, operation),
                _ => enter_base(self, operation),
            }
        }
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
    fn prefetch(self, address: *const u32) {
        // SAFETY: as in `op!`, which cannot carry a const argument; a prefetch of a wrong address does nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) }
    }

    #[inline(always)]
    fn first_of(self, count: usize, a: __m512, b: __m512) -> __m512 {
        op!(_mm512_mask_blend_ps(first(count), b, a))
    }

    #[inline(always)]
    unsafe fn transpose(self, from: *const u32, from_stride: usize, to: *mut u32, to_stride: usize) {
        // SAFETY: the caller promises squares of 16; the intrinsics as in `op!`, which cannot carry a const argument.
        unsafe {
            // Within each 128 bits: pairs of rows, then fours, so that `fours[4 * g + k]` has the columns k, 4 + k, 8 +
            // k and 12 + k of the rows 4 g to 4 g + 3.
            let rows: [__m512; 16] = std::array::from_fn(|row| _mm512_loadu_ps(from.add(row * from_stride).cast()));
            let pairs: [__m512; 16] = std::array::from_fn(|i| {
                let (a, b) = (rows[i / 2 * 2], rows[i / 2 * 2 + 1]);
                if i % 2 == 0 { _mm512_unpacklo_ps(a, b) } else { _mm512_unpackhi_ps(a, b) }
            });
            let fours: [__m512; 16] = std::array::from_fn(|i| {
                let (first, k) = (i / 4 * 4, i % 4);
                let [a, b] = [pairs[first + k / 2], pairs[first + 2 + k / 2]].map(|pair| _mm512_castps_pd(pair));
                _mm512_castpd_ps(if k % 2 == 0 { _mm512_unpacklo_pd(a, b) } else { _mm512_unpackhi_pd(a, b) })
            });
            for k in 0..4 {
                let [a, b, c, d] = [fours[k], fours[4 + k], fours[8 + k], fours[12 + k]];
                let even = [_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0x88>(c, d)];
                let odd = [_mm512_shuffle_f32x4::<0xdd>(a, b), _mm512_shuffle_f32x4::<0xdd>(c, d)];
                let store = |column: usize, v| _mm512_storeu_ps(to.add(column * to_stride).cast(), v);
                store(k, _mm512_shuffle_f32x4::<0x88>(even[0], even[1]));
                store(4 + k, _mm512_shuffle_f32x4::<0x88>(odd[0], odd[1]));
                store(8 + k, _mm512_shuffle_f32x4::<0xdd>(even[0], even[1]));
                store(12 + k, _mm512_shuffle_f32x4::<0xdd>(odd[0], odd[1]));
            }
        }
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

    #[inline(always)]
    unsafe fn load_i32(self, from: *const u32) -> __m512 {
        op!(_mm512_cvtepi32_ps(_mm512_loadu_si512(from.cast())))
    }

    #[inline(always)]
    unsafe fn load_bf16(self, from: *const u16, count: usize) -> __m512 {
        let halves = op!(_mm256_maskz_loadu_epi16(first(count), from.cast()));
        // SAFETY: as in `op!`, which cannot carry a const argument.
        unsafe { _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(halves))) }
    }

    #[inline(always)]
    unsafe fn store_bf16(self, to: *mut u16, count: usize, v: __m512) {
        let halves = self.to_bf16(v);
        op!(_mm256_mask_storeu_epi16(to.cast(), first(count), halves));
    }

    #[inline(always)]
    unsafe fn store_bf16x3(self, to: [*mut u16; 3], count: usize, v: __m512) {
        let mut rest = self.without_the_tiny(v);
        for to in to {
            // SAFETY: as in `op!`, which cannot carry a const argument; the caller promises room for as many values.
            // Nothing is read back: a load waits long for a masked store.
            unsafe {
                let halves = self.to_bf16(rest);
                _mm256_mask_storeu_epi16(to.cast(), first(count), halves);
                let rounded = _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(halves)));
                rest = self.sub(rest, rounded);
            }
        }
    }

    #[inline(always)]
    unsafe fn store_u8(self, to: *mut u8, count: usize, v: __m512) {
        let whole = op!(_mm512_cvtps_epi32(v));
        op!(_mm512_mask_cvtusepi32_storeu_epi8(to.cast(), first(count), whole));
    }

    #[inline(always)]
    unsafe fn store_i16(self, to: *mut u16, count: usize, v: __m512) {
        let whole = op!(_mm512_cvtps_epi32(v));
        op!(_mm512_mask_cvtepi32_storeu_epi16(to.cast(), first(count), whole));
    }

    #[inline(always)]
    fn reciprocal(self, a: __m512) -> __m512 {
        op!(_mm512_rcp14_ps(a))
    }
}
