//! Plain Rust vectors for every CPU: four lanes, which compilers map to the baseline registers of x86-64 and AArch64.

use super::{Operation, Simd};

const LANES: usize = 4;

/// The level that needs nothing.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

/// Four lanes.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub(crate) struct V([f32; LANES]);

/// `[f(0), f(1), f(2), f(3)]`, written out: a closure would hide the operation from the vectoriser.
macro_rules! lanes {
    ($i:ident => $value:expr) => {{
        let mut v = [0.0_f32; LANES];
        let mut $i = 0;
        while $i < LANES {
            v[$i] = $value;
            $i += 1;
        }
        V(v)
    }};
}

impl Simd for Portable {
    type V = V;

    const LANES: usize = LANES;
    const FUSED: bool = false;
    const TILE_ROWS: usize = 4;

    #[inline]
    fn call<O: Operation>(self, operation: O) -> O::Output {
        #[inline(never)]
        fn enter<O: Operation>(simd: Portable, operation: O) -> O::Output {
            operation.run(simd)
        }
        enter(self, operation)
    }

    #[inline(always)]
    fn splat(self, x: f32) -> V {
        V([x; LANES])
    }

    #[inline(always)]
    unsafe fn load_from(self, from: *const f32) -> V {
        // SAFETY: the caller promises four readable values; `read_unaligned` asks for nothing else.
        unsafe { V(from.cast::<[f32; LANES]>().read_unaligned()) }
    }

    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, count: usize) -> V {
        let mut v = [0.0; LANES];
        for (i, lane) in v.iter_mut().enumerate().take(count) {
            // SAFETY: `i` is below `count`, and the caller promises `count` readable values.
            *lane = unsafe { *from.add(i) };
        }
        V(v)
    }

    #[inline(always)]
    unsafe fn store_to(self, to: *mut f32, v: V) {
        // SAFETY: the caller promises four writable values; `write_unaligned` asks for nothing else.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(v.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize, v: V) {
        for (i, lane) in v.0.into_iter().enumerate().take(count) {
            // SAFETY: `i` is below `count`, and the caller promises `count` writable values.
            unsafe { *to.add(i) = lane };
        }
    }

    #[inline(always)]
    fn add(self, a: V, b: V) -> V {
        lanes!(i => a.0[i] + b.0[i])
    }

    #[inline(always)]
    fn sub(self, a: V, b: V) -> V {
        lanes!(i => a.0[i] - b.0[i])
    }

    #[inline(always)]
    fn mul(self, a: V, b: V) -> V {
        lanes!(i => a.0[i] * b.0[i])
    }

    #[inline(always)]
    fn div(self, a: V, b: V) -> V {
        lanes!(i => a.0[i] / b.0[i])
    }

    #[inline(always)]
    fn mul_add(self, a: V, b: V, c: V) -> V {
        // Where the target has no fused multiply-add, `f32::mul_add` is a library call that is a hundred times slower.
        if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
            lanes!(i => a.0[i].mul_add(b.0[i], c.0[i]))
        } else {
            lanes!(i => a.0[i] * b.0[i] + c.0[i])
        }
    }

    #[inline(always)]
    fn min(self, a: V, b: V) -> V {
        lanes!(i => if a.0[i] < b.0[i] { a.0[i] } else { b.0[i] })
    }

    #[inline(always)]
    fn max(self, a: V, b: V) -> V {
        lanes!(i => if a.0[i] > b.0[i] { a.0[i] } else { b.0[i] })
    }

    #[inline(always)]
    fn abs(self, a: V) -> V {
        lanes!(i => a.0[i].abs())
    }

    #[inline(always)]
    fn copysign(self, a: V, sign: V) -> V {
        lanes!(i => a.0[i].copysign(sign.0[i]))
    }

    #[inline(always)]
    fn round(self, a: V) -> V {
        // Adding 1.5 * 2^23 leaves no bits for a fraction, and the sum is rounded to even. Only for |a| below 2^22,
        // which is all that the functions here ask for, and NaN.
        const SHIFT: f32 = 12_582_912.0;
        lanes!(i => (a.0[i] + SHIFT) - SHIFT)
    }

    #[inline(always)]
    fn scale(self, a: V, n: V) -> V {
        #[inline(always)]
        fn power(n: i32) -> f32 {
            f32::from_bits(((n + 127) << 23).cast_unsigned())
        }
        // In two steps, since 2^n itself may be out of range. The first is exact, so the result is rounded once.
        lanes!(i => {
            let n = (n.0[i] as i32).clamp(-252, 254);
            let half = n >> 1;
            a.0[i] * power(half) * power(n - half)
        })
    }

    #[inline(always)]
    fn if_less(self, a: V, b: V, yes: V, no: V) -> V {
        lanes!(i => if a.0[i] < b.0[i] { yes.0[i] } else { no.0[i] })
    }

    #[inline(always)]
    fn first_of(self, count: usize, a: Self::V, b: Self::V) -> Self::V {
        lanes!(i => if i < count { a.0[i] } else { b.0[i] })
    }

    #[inline(always)]
    fn first(self, a: V) -> f32 {
        a.0[0]
    }

    #[inline(always)]
    fn sum(self, a: V) -> f32 {
        (a.0[0] + a.0[2]) + (a.0[1] + a.0[3])
    }

    #[inline(always)]
    fn largest(self, a: V) -> f32 {
        a.0[0].max(a.0[2]).max(a.0[1].max(a.0[3]))
    }
}
