//! Words of one f32, two 16-bit numbers or four bytes, lane by lane.

use std::arch::aarch64::*;

use super::by_lane::LaneDot;
use super::instructions::dot_lane;
use crate::simd::Neon;

/// f32.
#[derive(Clone, Copy)]
pub(in crate::dot) struct F32s(pub(in crate::dot) Neon);

/// Two 16-bit numbers, for CPUs that multiply no bytes.
#[derive(Clone, Copy)]
pub(in crate::dot) struct Shorts(pub(in crate::dot) Neon);

/// Four bytes: unsigned ones of the rows, signed ones of the weights. The instruction has two signed ones, so that 128
/// is subtracted from those of the rows on the way.
#[derive(Clone, Copy)]
pub(in crate::dot) struct SignedBytes(Neon);

impl SignedBytes {
    /// # Safety
    ///
    /// The running CPU has the dot product instructions.
    pub(in crate::dot) unsafe fn assume(simd: Neon) -> Self {
        Self(simd)
    }
}

/// The parts of [`LaneDot`] that are the same for all words, with the vector of sums and what sets, loads and stores it.
macro_rules! common {
    ($sums:ty, $integer:literal, $zero:expr, $load:ident, $store:ident) => {
        type Sums = [$sums; 2];
        const INTEGER: bool = $integer;

        #[inline(always)]
        fn simd(self) -> Neon {
            self.0
        }

        #[inline(always)]
        fn zero(self) -> [$sums; 2] {
            // SAFETY: the vectors of `self.0` are a proof that the CPU has NEON.
            [unsafe { $zero }; 2]
        }

        #[inline(always)]
        unsafe fn load_sums(self, from: *const u32) -> [$sums; 2] {
            // SAFETY: as in `zero`; the caller promises eight sums.
            unsafe { [$load(from.cast()), $load(from.add(4).cast())] }
        }

        #[inline(always)]
        unsafe fn store_sums(self, to: *mut u32, sums: [$sums; 2]) {
            // SAFETY: as in `zero`; the caller promises room for eight sums.
            unsafe {
                $store(to.cast(), sums[0]);
                $store(to.add(4).cast(), sums[1]);
            }
        }
    };
}

impl LaneDot for F32s {
    type Row = float32x4_t;
    type Weights = [float32x4_t; 2];
    common!(float32x4_t, false, vdupq_n_f32(0.0), vld1q_f32, vst1q_f32);

    #[inline(always)]
    unsafe fn load_row(self, from: *const u32) -> float32x4_t {
        // SAFETY: as in `zero`; the caller promises four words.
        unsafe { vld1q_f32(from.cast()) }
    }

    #[inline(always)]
    unsafe fn load_word(self, from: *const u32) -> float32x4_t {
        // SAFETY: as in `zero`; the caller promises a word.
        unsafe { vld1q_dup_f32(from.cast()) }
    }

    #[inline(always)]
    unsafe fn load_weights(self, from: *const u32) -> [float32x4_t; 2] {
        // SAFETY: as in `zero`; the caller promises eight words.
        unsafe { [vld1q_f32(from.cast()), vld1q_f32(from.add(4).cast())] }
    }

    #[inline(always)]
    fn multiply_add<const LANE: i32>(
        self,
        row: float32x4_t,
        weights: [float32x4_t; 2],
        sums: [float32x4_t; 2],
    ) -> [float32x4_t; 2] {
        // SAFETY: as in `zero`.
        unsafe {
            [vfmaq_laneq_f32::<LANE>(sums[0], weights[0], row), vfmaq_laneq_f32::<LANE>(sums[1], weights[1], row)]
        }
    }
}

impl LaneDot for Shorts {
    type Row = int16x8_t;
    /// The first numbers of the words, and the second ones.
    type Weights = int16x8x2_t;
    common!(int32x4_t, true, vdupq_n_s32(0), vld1q_s32, vst1q_s32);

    #[inline(always)]
    unsafe fn load_row(self, from: *const u32) -> int16x8_t {
        // SAFETY: as in `zero`; the caller promises four words.
        unsafe { vld1q_s16(from.cast()) }
    }

    #[inline(always)]
    unsafe fn load_word(self, from: *const u32) -> int16x8_t {
        // SAFETY: as in `zero`; the caller promises a word.
        unsafe { vreinterpretq_s16_u32(vld1q_dup_u32(from)) }
    }

    #[inline(always)]
    unsafe fn load_weights(self, from: *const u32) -> int16x8x2_t {
        // SAFETY: as in `zero`; the caller promises eight words.
        unsafe { vld2q_s16(from.cast()) }
    }

    #[inline(always)]
    fn multiply_add<const LANE: i32>(
        self,
        row: int16x8_t,
        weights: int16x8x2_t,
        sums: [int32x4_t; 2],
    ) -> [int32x4_t; 2] {
        /// The word in that lane is the numbers in these two.
        macro_rules! add {
            ($first:literal, $second:literal) => {{
                let int16x8x2_t(first, second) = weights;
                let left = vmlal_laneq_s16::<$first>(sums[0], vget_low_s16(first), row);
                let right = vmlal_high_laneq_s16::<$first>(sums[1], first, row);
                [
                    vmlal_laneq_s16::<$second>(left, vget_low_s16(second), row),
                    vmlal_high_laneq_s16::<$second>(right, second, row),
                ]
            }};
        }
        const { assert!(0 <= LANE && LANE < 4) };
        // SAFETY: as in `zero`.
        unsafe {
            match LANE {
                0 => add!(0, 1),
                1 => add!(2, 3),
                2 => add!(4, 5),
                _ => add!(6, 7),
            }
        }
    }
}

impl LaneDot for SignedBytes {
    type Row = int8x16_t;
    type Weights = [int8x16_t; 2];
    common!(int32x4_t, true, vdupq_n_s32(0), vld1q_s32, vst1q_s32);
    const ROW_OFFSET: i32 = 128;

    #[inline(always)]
    unsafe fn load_row(self, from: *const u32) -> int8x16_t {
        // SAFETY: as in `zero`; the caller promises four words.
        unsafe { vreinterpretq_s8_u8(veorq_u8(vld1q_u8(from.cast()), vdupq_n_u8(0x80))) }
    }

    #[inline(always)]
    unsafe fn load_word(self, from: *const u32) -> int8x16_t {
        // SAFETY: as in `zero`; the caller promises a word.
        unsafe { vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_u32(vld1q_dup_u32(from)), vdupq_n_u8(0x80))) }
    }

    #[inline(always)]
    unsafe fn load_weights(self, from: *const u32) -> [int8x16_t; 2] {
        // SAFETY: as in `zero`; the caller promises eight words.
        unsafe { [vld1q_s8(from.cast()), vld1q_s8(from.add(4).cast())] }
    }

    #[inline(always)]
    fn multiply_add<const LANE: i32>(
        self,
        row: int8x16_t,
        weights: [int8x16_t; 2],
        sums: [int32x4_t; 2],
    ) -> [int32x4_t; 2] {
        // SAFETY: a `SignedBytes` exists only where the CPU has the instruction.
        unsafe { [dot_lane::<LANE>(sums[0], weights[0], row), dot_lane::<LANE>(sums[1], weights[1], row)] }
    }
}
