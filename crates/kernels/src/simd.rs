//! The f32 vectors of one CPU level behind a small trait, so that each vectorized function is written once.
//!
//! A value of a type that implements [`Simd`] is a proof that the running CPU has its instructions, which makes the
//! arithmetic on it safe; only raw loads and stores are `unsafe`. All methods and all code over the trait are
//! `#[inline(always)]` up to [`Simd::call`], which is compiled with the target features of the level: intrinsics become
//! single instructions there and vectors stay in registers.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::{Avx512, BASE, BF16, VNNI};
#[cfg(target_arch = "aarch64")]
pub(crate) use neon::Neon;
pub(crate) use portable::Portable;

/// The lanes of the widest vectors.
const MOST_LANES: usize = 16;

/// The nearest bfloat16, ties to even.
pub(crate) fn to_bf16(x: f32) -> u16 {
    let bits = x.to_bits();
    if x.is_nan() {
        return 0x7fc0;
    }
    ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16) as u16
}

pub(crate) fn from_bf16(x: u16) -> f32 {
    f32::from_bits(u32::from(x) << 16)
}

/// A computation written over any vectors. Implementations of `run` are `#[inline(always)]`.
pub(crate) trait Operation {
    /// What the computation returns.
    type Output;

    /// Computes with the vectors of `simd`.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// The f32 vectors of a CPU level.
///
/// Every operation works lane by lane, so a value's result does not depend on its lane, except [`Simd::sum`] and
/// [`Simd::largest`], which reduce in a fixed order.
pub(crate) trait Simd: Copy {
    /// A vector.
    type V: Copy;

    /// The f32 in a vector.
    const LANES: usize;
    /// The columns of a panel of packed weights: two vectors.
    const PANEL: usize = 2 * Self::LANES;
    /// The rows of the largest tile of a matrix product: its accumulators, two vectors of weights and a broadcast fill
    /// the registers.
    const TILE_ROWS: usize;

    /// [`Simd::mul_add`] is one instruction.
    const FUSED: bool = true;

    /// Runs `operation` in a function that is compiled with the instructions of this level.
    fn call<O: Operation>(self, operation: O) -> O::Output;

    /// `x` in every lane.
    fn splat(self, x: f32) -> Self::V;

    /// Loads a whole vector.
    ///
    /// # Safety
    ///
    /// `from` is valid for reads of [`Self::LANES`] values.
    unsafe fn load_from(self, from: *const f32) -> Self::V;

    /// Loads the first `count` lanes; the others are 0.
    ///
    /// # Safety
    ///
    /// `from` is valid for reads of `count` values, and `count` is at most [`Self::LANES`].
    unsafe fn load_first(self, from: *const f32, count: usize) -> Self::V;

    /// Stores a whole vector.
    ///
    /// # Safety
    ///
    /// `to` is valid for writes of [`Self::LANES`] values.
    unsafe fn store_to(self, to: *mut f32, v: Self::V);

    /// Stores the first `count` lanes.
    ///
    /// # Safety
    ///
    /// `to` is valid for writes of `count` values, and `count` is at most [`Self::LANES`].
    unsafe fn store_first(self, to: *mut f32, count: usize, v: Self::V);

    /// `a + b`
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a - b`
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b`
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a / b`
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`, rounded once where the level has fused multiply-add.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The smaller; `b` when either is NaN.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// The larger; `b` when either is NaN.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a` without its sign.
    fn abs(self, a: Self::V) -> Self::V;
    /// The magnitude of `a` with the sign of `sign`.
    fn copysign(self, a: Self::V, sign: Self::V) -> Self::V;
    /// The nearest whole number, ties to even.
    fn round(self, a: Self::V) -> Self::V;
    /// `a * 2^n` for whole `n` in -252 to 254 and `a` near 1, rounded once. Any `n` when `a` is NaN.
    fn scale(self, a: Self::V, n: Self::V) -> Self::V;
    /// `yes` where `a < b`, `no` elsewhere and where either is NaN.
    fn if_less(self, a: Self::V, b: Self::V, yes: Self::V, no: Self::V) -> Self::V;
    /// The first `count` lanes of `a`, the others of `b`. `count` is at most [`Self::LANES`].
    fn first_of(self, count: usize, a: Self::V, b: Self::V) -> Self::V;
    /// The first lane.
    fn first(self, a: Self::V) -> f32;
    /// The sum of the lanes.
    fn sum(self, a: Self::V) -> f32;
    /// The largest of the lanes. Lanes that hold NaN may be passed over.
    fn largest(self, a: Self::V) -> f32;

    /// Stores the first `count` lanes as sums of three bfloat16: the nearest one, the nearest one to what is left of
    /// it, and what is left then, which is exact. Values below 1e-30 count as 0: what is left of them might be
    /// subnormal, which costs a hundred cycles.
    ///
    /// # Safety
    ///
    /// All of `to` are valid for reads and writes of `count` values, and `count` is at most [`Self::LANES`].
    #[inline(always)]
    unsafe fn store_bf16x3(self, to: [*mut u16; 3], count: usize, v: Self::V) {
        let mut rest = self.without_the_tiny(v);
        for to in to {
            // SAFETY: the caller promises room for as many values.
            unsafe {
                self.store_bf16(to, count, rest);
                rest = self.sub(rest, self.load_bf16(to, count));
            }
        }
    }

    /// 0 in the place of values below 1e-30.
    #[inline(always)]
    fn without_the_tiny(self, v: Self::V) -> Self::V {
        self.if_less(self.abs(v), self.splat(1e-30), self.splat(0.0), v)
    }

    /// Writes a square of [`Self::LANES`] rows and columns of words with rows as columns; rows lie `from_stride` words
    /// apart, and `to_stride`.
    ///
    /// # Safety
    ///
    /// `from` is valid for reads of such a square, `to` for writes of one, and they do not overlap.
    #[inline(always)]
    unsafe fn transpose(self, from: *const u32, from_stride: usize, to: *mut u32, to_stride: usize) {
        for row in 0..Self::LANES {
            for column in 0..Self::LANES {
                // SAFETY: both are within the squares.
                unsafe { *to.add(column * to_stride + row) = *from.add(row * from_stride + column) };
            }
        }
    }

    /// Asks for the cache line of an address, which need not be valid, to come into the second cache.
    #[inline(always)]
    fn prefetch(self, _address: *const u32) {}

    /// Loads a whole vector of i32 and converts it to the nearest f32.
    ///
    /// # Safety
    ///
    /// `from` is valid for reads of [`Self::LANES`] values.
    #[inline(always)]
    unsafe fn load_i32(self, from: *const u32) -> Self::V {
        let mut values = [0.0; MOST_LANES];
        for (lane, value) in values.iter_mut().enumerate().take(Self::LANES) {
            // SAFETY: `lane` is below `LANES`.
            *value = unsafe { *from.add(lane) }.cast_signed() as f32;
        }
        self.load(&values)
    }

    /// Loads the first `count` lanes from bfloat16; the others are 0.
    ///
    /// # Safety
    ///
    /// `from` is valid for reads of `count` values, and `count` is at most [`Self::LANES`].
    #[inline(always)]
    unsafe fn load_bf16(self, from: *const u16, count: usize) -> Self::V {
        let mut values = [0.0; MOST_LANES];
        for (lane, value) in values.iter_mut().enumerate().take(count) {
            // SAFETY: `lane` is below `count`.
            *value = f32::from_bits(u32::from(unsafe { *from.add(lane) }) << 16);
        }
        self.load(&values)
    }

    /// Rounds the first `count` lanes to bfloat16, to the nearest and ties to even, and stores them.
    ///
    /// # Safety
    ///
    /// `to` is valid for writes of `count` values, and `count` is at most [`Self::LANES`].
    #[inline(always)]
    unsafe fn store_bf16(self, to: *mut u16, count: usize, v: Self::V) {
        let mut values = [0.0; MOST_LANES];
        self.store(&mut values[..Self::LANES], v);
        for (lane, value) in values.iter().enumerate().take(count) {
            // SAFETY: `lane` is below `count`.
            unsafe { *to.add(lane) = to_bf16(*value) };
        }
    }

    /// Rounds the first `count` lanes, which lie between 0 and 255, to whole numbers and stores them as bytes.
    ///
    /// # Safety
    ///
    /// `to` is valid for writes of `count` values, and `count` is at most [`Self::LANES`].
    #[inline(always)]
    unsafe fn store_u8(self, to: *mut u8, count: usize, v: Self::V) {
        let mut values = [0.0; MOST_LANES];
        self.store(&mut values[..Self::LANES], self.round(v));
        for (lane, value) in values.iter().enumerate().take(count) {
            // SAFETY: `lane` is below `count`.
            unsafe { *to.add(lane) = *value as u8 };
        }
    }

    /// The same as 16-bit numbers.
    ///
    /// # Safety
    ///
    /// As for [`Simd::store_u8`].
    #[inline(always)]
    unsafe fn store_i16(self, to: *mut u16, count: usize, v: Self::V) {
        let mut values = [0.0; MOST_LANES];
        self.store(&mut values[..Self::LANES], self.round(v));
        for (lane, value) in values.iter().enumerate().take(count) {
            // SAFETY: `lane` is below `count`.
            unsafe { *to.add(lane) = *value as u16 };
        }
    }

    /// 1 / a to 14 bits or better.
    #[inline(always)]
    fn reciprocal(self, a: Self::V) -> Self::V {
        self.div(self.splat(1.0), a)
    }

    /// The values of a slice of at most [`Self::LANES`]; missing lanes are 0.
    #[inline(always)]
    fn load(self, from: &[f32]) -> Self::V {
        if from.len() >= Self::LANES {
            // SAFETY: the slice has at least `LANES` values.
            unsafe { self.load_from(from.as_ptr()) }
        } else {
            // SAFETY: the slice has exactly that many values, fewer than `LANES`.
            unsafe { self.load_first(from.as_ptr(), from.len()) }
        }
    }

    /// Fills a slice of at most [`Self::LANES`] from the first lanes.
    #[inline(always)]
    fn store(self, to: &mut [f32], v: Self::V) {
        if to.len() >= Self::LANES {
            // SAFETY: the slice has at least `LANES` values.
            unsafe { self.store_to(to.as_mut_ptr(), v) }
        } else {
            // SAFETY: the slice has exactly that many values, fewer than `LANES`.
            unsafe { self.store_first(to.as_mut_ptr(), to.len(), v) }
        }
    }

    /// The polynomial with these coefficients, lowest first, by Horner's rule.
    #[inline(always)]
    fn polynomial<const N: usize>(self, x: Self::V, coefficients: [f32; N]) -> Self::V {
        let mut y = self.splat(coefficients[N - 1]);
        for &coefficient in coefficients[..N - 1].iter().rev() {
            y = self.mul_add(y, x, self.splat(coefficient));
        }
        y
    }
}
