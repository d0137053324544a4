//! Four lanes: NEON, which every AArch64 CPU has.

use std::arch::aarch64::*;
use std::arch::asm;

use super::{Operation, Simd};

/// The proof that the running CPU has NEON and is little-endian.
#[derive(Clone, Copy)]
pub(crate) struct Neon(());

impl Neon {
    /// # Safety
    ///
    /// The running CPU has NEON and is little-endian.
    pub(crate) unsafe fn assume() -> Self {
        Self(())
    }
}

#[inline(never)]
#[target_feature(enable = "neon")]
fn enter<O: Operation>(simd: Neon, operation: O) -> O::Output {
    operation.run(simd)
}

/// The intrinsic with these arguments.
macro_rules! op {
    ($intrinsic:ident$(::<$constant:literal>)?($($argument:expr),*)) => {
        // SAFETY: the intrinsic asks only for NEON, and a `Neon` exists only where the CPU has it.
        unsafe { $intrinsic$(::<$constant>)?($($argument),*) }
    };
}

const LANES: usize = 4;

/// A mask whose first `count` lanes are set.
#[inline(always)]
fn first(count: usize) -> uint32x4_t {
    static ONES_THEN_ZEROS: [u32; 2 * LANES] = [u32::MAX, u32::MAX, u32::MAX, u32::MAX, 0, 0, 0, 0];
    let start = LANES - count.min(LANES);
    // SAFETY: `start` is at most 4, so that four values lie within the table. The callers hold a `Neon`.
    unsafe { vld1q_u32(ONES_THEN_ZEROS.as_ptr().add(start)) }
}

/// Writes the first `count` of some values.
///
/// # Safety
///
/// `to` is valid for writes of `count` values.
#[inline(always)]
unsafe fn store_some<T: Copy, const N: usize>(to: *mut T, count: usize, values: [T; N]) {
    for (lane, value) in values.into_iter().enumerate().take(count) {
        // SAFETY: `lane` is below `count`, and the caller promises as many writable values.
        unsafe { *to.add(lane) = value };
    }
}

impl Neon {
    /// The nearest bfloat16, ties to even.
    #[inline(always)]
    fn to_bf16(self, v: float32x4_t) -> uint16x4_t {
        let bits = op!(vreinterpretq_u32_f32(v));
        let odd = op!(vandq_u32(vshrq_n_u32::<16>(bits), vdupq_n_u32(1)));
        let rounded = op!(vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff))));
        let rounded = op!(vbslq_u32(vceqq_f32(v, v), rounded, vdupq_n_u32(0x7fc0_0000)));
        op!(vshrn_n_u32::<16>(rounded))
    }

    /// f32 from bfloat16.
    #[inline(always)]
    fn widened(self, v: uint16x4_t) -> float32x4_t {
        op!(vreinterpretq_f32_u32(vshll_n_u16::<16>(v)))
    }

    /// The nearest whole numbers, for lanes between 0 and 65535.
    #[inline(always)]
    fn to_u16(self, v: float32x4_t) -> uint16x4_t {
        op!(vmovn_u32(vcvtnq_u32_f32(v)))
    }

    /// # Safety
    ///
    /// `to` is valid for writes of `count` values, at most four.
    #[inline(always)]
    unsafe fn store_halves(self, to: *mut u16, count: usize, halves: uint16x4_t) {
        if count >= LANES {
            op!(vst1_u16(to, halves));
        } else {
            let mut values = [0; LANES];
            op!(vst1_u16(values.as_mut_ptr(), halves));
            // SAFETY: the caller promises room for as many values.
            unsafe { store_some(to, count, values) };
        }
    }
}

impl Simd for Neon {
    type V = float32x4_t;

    const LANES: usize = LANES;
    /// Sixteen sums, four words of each of eight rows, and the weights fill the 32 registers.
    const TILE_ROWS: usize = 8;

    #[inline]
    fn call<O: Operation>(self, operation: O) -> O::Output {
        // SAFETY: a `Neon` exists only where the CPU has NEON.
        unsafe { enter(self, operation) }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> float32x4_t {
        op!(vdupq_n_f32(x))
    }

    #[inline(always)]
    unsafe fn load_from(self, from: *const f32) -> float32x4_t {
        op!(vld1q_f32(from))
    }

    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, count: usize) -> float32x4_t {
        if count >= LANES {
            return op!(vld1q_f32(from));
        }
        let mut values = [0.0; LANES];
        for (lane, value) in values.iter_mut().enumerate().take(count) {
            // SAFETY: `lane` is below `count`, and the caller promises as many readable values.
            *value = unsafe { *from.add(lane) };
        }
        op!(vld1q_f32(values.as_ptr()))
    }

    #[inline(always)]
    unsafe fn store_to(self, to: *mut f32, v: float32x4_t) {
        op!(vst1q_f32(to, v));
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize, v: float32x4_t) {
        if count >= LANES {
            op!(vst1q_f32(to, v));
        } else {
            let mut values = [0.0; LANES];
            op!(vst1q_f32(values.as_mut_ptr(), v));
            // SAFETY: the caller promises room for as many values.
            unsafe { store_some(to, count, values) };
        }
    }

    #[inline(always)]
    fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        op!(vaddq_f32(a, b))
    }

    #[inline(always)]
    fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        op!(vsubq_f32(a, b))
    }

    #[inline(always)]
    fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        op!(vmulq_f32(a, b))
    }

    #[inline(always)]
    fn div(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        op!(vdivq_f32(a, b))
    }

    #[inline(always)]
    fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        op!(vfmaq_f32(c, a, b))
    }

    // The minimum and maximum of NEON would return NaN, or the other value, whichever of the two is NaN.
    #[inline(always)]
    fn min(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        op!(vbslq_f32(vcltq_f32(a, b), a, b))
    }

    #[inline(always)]
    fn max(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        op!(vbslq_f32(vcgtq_f32(a, b), a, b))
    }

    #[inline(always)]
    fn abs(self, a: float32x4_t) -> float32x4_t {
        op!(vabsq_f32(a))
    }

    #[inline(always)]
    fn copysign(self, a: float32x4_t, sign: float32x4_t) -> float32x4_t {
        op!(vbslq_f32(vdupq_n_u32(1 << 31), sign, a))
    }

    #[inline(always)]
    fn round(self, a: float32x4_t) -> float32x4_t {
        op!(vrndnq_f32(a))
    }

    #[inline(always)]
    fn scale(self, a: float32x4_t, n: float32x4_t) -> float32x4_t {
        // In two steps, since 2^n itself may be out of range. The first is exact, so the result is rounded once.
        let n = op!(vcvtq_s32_f32(n));
        let half = op!(vshrq_n_s32::<1>(n));
        let rest = op!(vsubq_s32(n, half));
        let bias = op!(vdupq_n_s32(127));
        let first = op!(vreinterpretq_f32_s32(vshlq_n_s32::<23>(vaddq_s32(half, bias))));
        let second = op!(vreinterpretq_f32_s32(vshlq_n_s32::<23>(vaddq_s32(rest, bias))));
        self.mul(self.mul(a, first), second)
    }

    #[inline(always)]
    fn if_less(self, a: float32x4_t, b: float32x4_t, yes: float32x4_t, no: float32x4_t) -> float32x4_t {
        op!(vbslq_f32(vcltq_f32(a, b), yes, no))
    }

    #[inline(always)]
    fn prefetch(self, address: *const u32) {
        // SAFETY: it changes no memory and no register, and a prefetch of a wrong address does nothing.
        unsafe { asm!("prfm pldl2keep, [{}]", in(reg) address, options(nostack, readonly, preserves_flags)) };
    }

    #[inline(always)]
    fn first_of(self, count: usize, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        op!(vbslq_f32(first(count), a, b))
    }

    #[inline(always)]
    unsafe fn transpose(self, from: *const u32, from_stride: usize, to: *mut u32, to_stride: usize) {
        // SAFETY: the caller promises squares of 4; the intrinsics as in `op!`.
        unsafe {
            let [a, b, c, d] = [0, 1, 2, 3].map(|row| vld1q_u32(from.add(row * from_stride)));
            // Rows 0 and 2, and 1 and 3, word by word, and then both.
            let (left, right) = ([vzip1q_u32(a, c), vzip2q_u32(a, c)], [vzip1q_u32(b, d), vzip2q_u32(b, d)]);
            for half in 0..2 {
                let to = to.add(2 * half * to_stride);
                vst1q_u32(to, vzip1q_u32(left[half], right[half]));
                vst1q_u32(to.add(to_stride), vzip2q_u32(left[half], right[half]));
            }
        }
    }

    #[inline(always)]
    fn first(self, a: float32x4_t) -> f32 {
        op!(vgetq_lane_f32::<0>(a))
    }

    #[inline(always)]
    fn sum(self, a: float32x4_t) -> f32 {
        op!(vaddvq_f32(a))
    }

    #[inline(always)]
    fn largest(self, a: float32x4_t) -> f32 {
        op!(vmaxnmvq_f32(a))
    }

    #[inline(always)]
    unsafe fn load_i32(self, from: *const u32) -> float32x4_t {
        op!(vcvtq_f32_s32(vld1q_s32(from.cast())))
    }

    #[inline(always)]
    unsafe fn load_bf16(self, from: *const u16, count: usize) -> float32x4_t {
        if count >= LANES {
            return self.widened(op!(vld1_u16(from)));
        }
        let mut values = [0; LANES];
        for (lane, value) in values.iter_mut().enumerate().take(count) {
            // SAFETY: `lane` is below `count`, and the caller promises as many readable values.
            *value = unsafe { *from.add(lane) };
        }
        self.widened(op!(vld1_u16(values.as_ptr())))
    }

    #[inline(always)]
    unsafe fn store_bf16(self, to: *mut u16, count: usize, v: float32x4_t) {
        // SAFETY: the caller promises room for as many values.
        unsafe { self.store_halves(to, count, self.to_bf16(v)) };
    }

    #[inline(always)]
    unsafe fn store_bf16x3(self, to: [*mut u16; 3], count: usize, v: float32x4_t) {
        let mut rest = self.without_the_tiny(v);
        for to in to {
            let halves = self.to_bf16(rest);
            // SAFETY: the caller promises room for as many values.
            unsafe { self.store_halves(to, count, halves) };
            rest = self.sub(rest, self.widened(halves));
        }
    }

    #[inline(always)]
    unsafe fn store_u8(self, to: *mut u8, count: usize, v: float32x4_t) {
        let halves = self.to_u16(v);
        let bytes = op!(vmovn_u16(vcombine_u16(halves, halves)));
        let four = op!(vget_lane_u32::<0>(vreinterpret_u32_u8(bytes))).to_ne_bytes();
        if count >= LANES {
            // SAFETY: the caller promises room for four bytes.
            unsafe { to.cast::<[u8; LANES]>().write_unaligned(four) };
        } else {
            // SAFETY: the caller promises room for as many bytes.
            unsafe { store_some(to, count, four) };
        }
    }

    #[inline(always)]
    unsafe fn store_i16(self, to: *mut u16, count: usize, v: float32x4_t) {
        // SAFETY: the caller promises room for as many values.
        unsafe { self.store_halves(to, count, self.to_u16(v)) };
    }

    #[inline(always)]
    fn reciprocal(self, a: float32x4_t) -> float32x4_t {
        // Eight bits, and twice as many after a step of Newton's method.
        let estimate = op!(vrecpeq_f32(a));
        self.mul(estimate, op!(vrecpsq_f32(a, estimate)))
    }
}
