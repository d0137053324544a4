//! Words of two or four whole numbers, or two bfloat16, in the vectors of x86-64.

use std::arch::asm;
use std::arch::x86_64::*;

use super::lanes::Dot;
use super::shorts::Shorts;
use crate::simd::{Avx2, Avx512, BASE, BF16};

/// Four bytes: unsigned ones of the rows, signed ones of the weights.
#[derive(Clone, Copy)]
pub(super) struct Bytes<S>(pub(super) S);

/// Two bfloat16.
#[derive(Clone, Copy)]
pub(super) struct Bf16s<S>(pub(super) S);

/// The parts of [`Dot`] that are the same for all words in vectors of 512 or 256 bits of whole numbers.
macro_rules! whole {
    ($simd:ty, $v:ty, $fused:literal, $zero:ident, $load:ident, $splat:ident, $store:ident, $sums:ident) => {
        type Simd = $simd;
        type Words = $v;
        type Sums = $v;
        const INTEGER: bool = true;
        const FUSED: bool = $fused;

        #[inline(always)]
        fn simd(self) -> $simd {
            self.0
        }

        #[inline(always)]
        fn zero(self) -> $v {
            // SAFETY: the vectors of `self.0` are a proof that the CPU has the instruction.
            unsafe { $zero() }
        }

        #[inline(always)]
        unsafe fn load(self, from: *const u32) -> $v {
            // SAFETY: as in `zero`; the caller promises as many words.
            unsafe { $load(from.cast()) }
        }

        #[inline(always)]
        unsafe fn splat(self, from: *const u32) -> $v {
            // SAFETY: as in `zero`; the caller promises a word.
            unsafe { $splat(from.cast::<i32>().read()) }
        }

        #[inline(always)]
        fn multiply_add(self, a: $v, b: $v, sums: $v) -> $v {
            $sums(a, b, sums)
        }

        #[inline(always)]
        unsafe fn load_sums(self, from: *const u32) -> $v {
            // SAFETY: as in `zero`; the caller promises as many sums.
            unsafe { $load(from.cast()) }
        }

        #[inline(always)]
        unsafe fn store_sums(self, to: *mut u32, sums: $v) {
            // SAFETY: as in `zero`; the caller promises room for as many sums.
            unsafe { $store(to.cast(), sums) }
        }
    };
}

/// The same sums, of which the compiler does not know how they came about. It may add whole numbers in another order,
/// and would: the products of several words first, for which there are not registers enough.
#[inline]
#[target_feature(enable = "avx2")]
fn opaque_256(mut sums: __m256i) -> __m256i {
    // SAFETY: no instruction at all.
    unsafe { asm!("/* {} */", inout(ymm_reg) sums, options(pure, nomem, nostack, preserves_flags)) };
    sums
}

/// As [`opaque_256`].
#[inline]
#[target_feature(enable = "avx512f")]
fn opaque_512(mut sums: __m512i) -> __m512i {
    // SAFETY: no instruction at all.
    unsafe { asm!("/* {} */", inout(zmm_reg) sums, options(pure, nomem, nostack, preserves_flags)) };
    sums
}

/// Two instructions where AVX-VNNI has one. The first adds two products in 16 bits, which hold them because of what
/// weights beside each other add up to ([`super::MOST_OF_TWO`]).
#[inline(always)]
fn byte_pairs_256(a: __m256i, b: __m256i, sums: __m256i) -> __m256i {
    // SAFETY: called with the vectors of an `Avx2` alone.
    unsafe {
        let pairs = _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), _mm256_set1_epi16(1));
        opaque_256(_mm256_add_epi32(sums, pairs))
    }
}

#[inline(always)]
fn shorts_512(a: __m512i, b: __m512i, sums: __m512i) -> __m512i {
    // SAFETY: called with the vectors of an `Avx512` alone.
    unsafe { opaque_512(_mm512_add_epi32(sums, _mm512_madd_epi16(a, b))) }
}

#[inline(always)]
fn bytes_256(a: __m256i, b: __m256i, sums: __m256i) -> __m256i {
    // SAFETY: called with the vectors of an `Avx2<true>` alone, which has AVX-VNNI.
    unsafe { _mm256_dpbusd_avx_epi32(sums, a, b) }
}

#[inline(always)]
fn bytes_512(a: __m512i, b: __m512i, sums: __m512i) -> __m512i {
    // SAFETY: called with the vectors of an `Avx512` that has VNNI alone.
    unsafe { _mm512_dpbusd_epi32(sums, a, b) }
}

impl Dot for Bytes<Avx2<false>> {
    whole!(
        Avx2<false>,
        __m256i,
        false,
        _mm256_setzero_si256,
        _mm256_loadu_si256,
        _mm256_set1_epi32,
        _mm256_storeu_si256,
        byte_pairs_256
    );
}

impl Dot for Shorts<Avx512<BASE>> {
    whole!(
        Avx512<BASE>,
        __m512i,
        false,
        _mm512_setzero_si512,
        _mm512_loadu_si512,
        _mm512_set1_epi32,
        _mm512_storeu_si512,
        shorts_512
    );
}

impl Dot for Bytes<Avx2<true>> {
    whole!(
        Avx2<true>,
        __m256i,
        true,
        _mm256_setzero_si256,
        _mm256_loadu_si256,
        _mm256_set1_epi32,
        _mm256_storeu_si256,
        bytes_256
    );
}

impl<const TIER: u8> Dot for Bytes<Avx512<TIER>> {
    whole!(
        Avx512<TIER>,
        __m512i,
        true,
        _mm512_setzero_si512,
        _mm512_loadu_si512,
        _mm512_set1_epi32,
        _mm512_storeu_si512,
        bytes_512
    );
}

impl Dot for Bf16s<Avx512<BF16>> {
    type Simd = Avx512<BF16>;
    type Words = __m512i;
    type Sums = __m512;
    const INTEGER: bool = false;
    const FUSED: bool = true;

    #[inline(always)]
    fn simd(self) -> Avx512<BF16> {
        self.0
    }

    #[inline(always)]
    fn zero(self) -> __m512 {
        // SAFETY: the vectors of `self.0` are a proof that the CPU has the instruction.
        unsafe { _mm512_setzero_ps() }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const u32) -> __m512i {
        // SAFETY: as in `zero`; the caller promises as many words.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    unsafe fn splat(self, from: *const u32) -> __m512i {
        // SAFETY: as in `zero`; the caller promises a word.
        unsafe { _mm512_set1_epi32(from.cast::<i32>().read()) }
    }

    #[inline(always)]
    fn multiply_add(self, a: __m512i, b: __m512i, sums: __m512) -> __m512 {
        // SAFETY: as in `zero`; both kinds of vector are 512 bits without a meaning of their own.
        unsafe {
            let [a, b] = [a, b].map(|words| std::mem::transmute::<__m512i, __m512bh>(words));
            _mm512_dpbf16_ps(sums, a, b)
        }
    }

    #[inline(always)]
    unsafe fn load_sums(self, from: *const u32) -> __m512 {
        // SAFETY: as in `zero`; the caller promises as many sums.
        unsafe { _mm512_loadu_ps(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store_sums(self, to: *mut u32, sums: __m512) {
        // SAFETY: as in `zero`; the caller promises room for as many sums.
        unsafe { _mm512_storeu_ps(to.cast(), sums) }
    }
}
