//! Vector functions: exp, tanh, erf and the activations made of them.
//!
//! The polynomials are our own near-minimax fits (Lawson's reweighted least squares on Chebyshev nodes); the error
//! beside each is that of the fit in exact arithmetic. Against the correctly rounded result exp is within 2 units in
//! the last place, tanh and erf within 4, over every f32; infinities go to the limits and NaN stays NaN.

mod gradient;
#[cfg(test)]
mod tests;

use crate::cpu::Kernels;
use crate::simd::{Operation, Simd};

/// What a feed-forward layer applies to each of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Activation {
    /// x (1 + erf(x / √2)) / 2, the definition of the Gaussian error linear unit
    /// ([Hendrycks and Gimpel 2016](https://arxiv.org/abs/1606.08415)).
    GeluErf,
    /// x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, the approximation given there, which the original ALBERT uses.
    GeluTanh,
    /// [`Activation::GeluErf`], but at most 10.
    GeluClipped,
    /// x / (1 + e^(-1.702 x)), a rougher approximation of GELU.
    QuickGelu,
    /// max(x, 0)
    Relu,
    /// min(max(x, 0), 6)
    Relu6,
    /// max(x, 0)² ([So et al. 2021](https://arxiv.org/abs/2109.08668)).
    ReluSquared,
    /// x where it is above 0, else x / 100.
    LeakyRelu,
    /// x / (1 + e⁻ˣ)
    Silu,
    /// x tanh(ln(1 + eˣ)) ([Misra 2019](https://arxiv.org/abs/1908.08681)).
    Mish,
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
    /// tanh(x)
    Tanh,
    /// (1 + erf((x - μ) / (σ √2))) / 2 with μ = 0.707107 and σ = 0.282095
    /// ([Ma et al. 2022](https://arxiv.org/abs/2209.10655)).
    Laplace,
    /// x
    Linear,
}

impl Activation {
    /// All activations.
    pub const ALL: [Self; 14] = [
        Self::GeluErf,
        Self::GeluTanh,
        Self::GeluClipped,
        Self::QuickGelu,
        Self::Relu,
        Self::Relu6,
        Self::ReluSquared,
        Self::LeakyRelu,
        Self::Silu,
        Self::Mish,
        Self::Sigmoid,
        Self::Tanh,
        Self::Laplace,
        Self::Linear,
    ];
}

impl Kernels {
    /// Replaces each value by its activation.
    ///
    /// ```
    /// use albertine_kernels::{Activation, Kernels};
    ///
    /// let mut values = [-1.0, 0.0, 2.0];
    /// Kernels::detect()?.activate(&mut values, Activation::Relu);
    /// assert_eq!(values, [0.0, 0.0, 2.0]);
    /// # Ok::<(), albertine_kernels::CpuError>(())
    /// ```
    pub fn activate(self, values: &mut [f32], activation: Activation) {
        self.run(Activate { values, activation });
    }
}

struct Activate<'a> {
    values: &'a mut [f32],
    activation: Activation,
}

impl Operation for Activate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        /// One loop for one usual activation, so that the choice is made once.
        macro_rules! each {
            ($function:expr) => {
                for chunk in self.values.chunks_mut(S::LANES) {
                    let x = simd.load(chunk);
                    simd.store(chunk, $function(simd, x));
                }
            };
        }
        match self.activation {
            Activation::GeluErf => each!(gelu_erf),
            Activation::GeluTanh => each!(gelu_tanh),
            Activation::Relu => each!(relu),
            Activation::Silu => each!(silu),
            Activation::Tanh => each!(tanh),
            rare => each!(|s, x| activate(s, x, rare)),
        }
    }
}

/// The activation of each lane, whichever it is.
#[inline(always)]
pub(crate) fn activate<S: Simd>(s: S, x: S::V, activation: Activation) -> S::V {
    match activation {
        Activation::GeluErf => gelu_erf(s, x),
        Activation::GeluTanh => gelu_tanh(s, x),
        Activation::GeluClipped => s.min(s.splat(10.0), gelu_erf(s, x)),
        Activation::QuickGelu => x_over_one_plus_exp(s, x, s.mul(x, s.splat(-QUICK))),
        Activation::Relu => relu(s, x),
        Activation::Relu6 => s.min(s.splat(6.0), relu(s, x)),
        Activation::ReluSquared => {
            let relu = relu(s, x);
            s.mul(relu, relu)
        }
        Activation::LeakyRelu => s.max(s.mul(x, s.splat(LEAK)), x),
        Activation::Silu => silu(s, x),
        Activation::Mish => mish(s, x),
        Activation::Sigmoid => sigmoid(s, x),
        Activation::Tanh => tanh(s, x),
        Activation::Laplace => {
            let z = s.mul(s.sub(x, s.splat(LAPLACE_MEAN)), s.splat(LAPLACE_SLOPE));
            s.mul(s.splat(0.5), s.add(s.splat(1.0), erf(s, z)))
        }
        Activation::Linear => x,
    }
}

/// The factor of x in [`Activation::QuickGelu`].
const QUICK: f32 = 1.702;

/// The slope of [`Activation::LeakyRelu`] below 0.
const LEAK: f32 = 0.01;

/// μ of [`Activation::Laplace`]: transformers' six digits of 1 / √2.
#[allow(clippy::approx_constant)]
pub(crate) const LAPLACE_MEAN: f32 = 0.707_107;

/// 1 / (σ √2) of [`Activation::Laplace`].
const LAPLACE_SLOPE: f32 = 2.506_626_4;

/// eˣ = 2ⁿ eʳ with whole n and |r| ≤ ln 2 / 2; eʳ = 1 + r + r² P(r), relative error 3.1e-9.
#[inline(always)]
pub(crate) fn exp<S: Simd>(s: S, x: S::V) -> S::V {
    // Beyond these the result is infinite, or zero.
    const LARGEST: f32 = 89.0;
    const SMALLEST: f32 = -104.0;
    // ln 2 in two parts; the first has 15 bits, so that its product with n (at most 8 bits) is exact.
    const LN2_HIGH: f32 = 0.693_145_75;
    const LN2_LOW: f32 = 1.428_606_8e-6;

    // In this order of arguments NaN passes through.
    let x = s.max(s.splat(SMALLEST), s.min(s.splat(LARGEST), x));
    let n = s.round(s.mul(x, s.splat(std::f32::consts::LOG2_E)));
    let r = s.mul_add(n, s.splat(-LN2_HIGH), x);
    let r = s.mul_add(n, s.splat(-LN2_LOW), r);
    let p = s.polynomial(r, [0.499_999_94, 0.166_665_21, 0.041_668_39, 0.008_368_717, 0.001_381_459_9]);
    let y = s.add(s.splat(1.0), s.mul_add(s.mul(r, r), p, r));
    s.scale(y, n)
}

/// Below 5/8: x + x³ P(x²), relative error 5.7e-9. Above: 1 - 2 / (e²ˣ + 1).
#[inline(always)]
pub(crate) fn tanh<S: Simd>(s: S, x: S::V) -> S::V {
    let one = s.splat(1.0);
    let a = s.abs(x);
    let square = s.mul(a, a);
    let p = s.polynomial(square, [-0.333_332_7, 0.133_310_93, -0.053_709_656, 0.020_538_82, -0.005_591_016]);
    let small = s.mul_add(s.mul(a, square), p, a);
    let large = s.sub(one, s.div(s.splat(2.0), s.add(exp(s, s.add(a, a)), one)));
    s.copysign(s.if_less(a, s.splat(0.625), small, large), x)
}

/// Below 0.92: x + x P(x²), relative error 1.6e-8. Above: 1 - e^Q(x), where Q is the logarithm of 1 - erf, relative
/// error 1.6e-9. At 4 the result is 1.
#[inline(always)]
pub(crate) fn erf<S: Simd>(s: S, x: S::V) -> S::V {
    let a = s.abs(x);
    let square = s.mul(a, a);
    let p = s.polynomial(
        square,
        [0.128_379_15, -0.376_124_9, 0.112_817_66, -0.026_764_754, 0.004_990_412_4, -0.000_597_658_86],
    );
    let small = s.mul_add(a, p, a);
    let q = s.polynomial(
        s.min(s.splat(4.0), a),
        [-0.000_195_674_92, -1.127_675_7, -0.637_182_24, -0.103_931_6, 0.022_226_922, -0.003_043_218, 0.000_195_937_32],
    );
    let large = s.sub(s.splat(1.0), exp(s, q));
    s.copysign(s.if_less(a, s.splat(0.92), small, large), x)
}

#[inline(always)]
pub(crate) fn gelu_erf<S: Simd>(s: S, x: S::V) -> S::V {
    let erf = erf(s, s.mul(x, s.splat(std::f32::consts::FRAC_1_SQRT_2)));
    s.mul(s.mul(x, s.splat(0.5)), s.add(s.splat(1.0), erf))
}

/// (1 + tanh(u)) / 2 is 1 / (1 + e⁻²ᵘ): one exp and one division, and nothing cancels where x is far below 0.
#[inline(always)]
pub(crate) fn gelu_tanh<S: Simd>(s: S, x: S::V) -> S::V {
    // -2 √(2/π)
    const SLOPE: f32 = -1.595_769_2;
    let cubic = s.mul_add(s.mul(x, s.splat(0.044_715)), s.mul(x, x), x);
    x_over_one_plus_exp(s, x, s.mul(cubic, s.splat(SLOPE)))
}

#[inline(always)]
pub(crate) fn relu<S: Simd>(s: S, x: S::V) -> S::V {
    s.max(s.splat(0.0), x)
}

#[inline(always)]
pub(crate) fn silu<S: Simd>(s: S, x: S::V) -> S::V {
    x_over_one_plus_exp(s, x, s.sub(s.splat(0.0), x))
}

/// tanh(ln(1 + eˣ)) is n / (n + 2) with n = eˣ (eˣ + 2).
#[inline(always)]
fn mish<S: Simd>(s: S, x: S::V) -> S::V {
    // Above 20 the quotient is 1. In this order of arguments NaN passes through.
    let e = exp(s, s.min(s.splat(20.0), x));
    let n = s.mul(e, s.add(e, s.splat(2.0)));
    s.mul(x, s.div(n, s.add(n, s.splat(2.0))))
}

#[inline(always)]
fn sigmoid<S: Simd>(s: S, x: S::V) -> S::V {
    let one = s.splat(1.0);
    // Within these bounds nothing is subnormal.
    let t = s.max(s.splat(-30.0), s.min(s.splat(80.0), s.sub(s.splat(0.0), x)));
    s.div(one, s.add(one, exp(s, t)))
}

/// x / (1 + eᵗ)
#[inline(always)]
fn x_over_one_plus_exp<S: Simd>(s: S, x: S::V, t: S::V) -> S::V {
    // Below -30 the sum is 1 in any case. Without the bound eᵗ would often be subnormal, which costs a hundred cycles.
    let t = s.max(s.splat(-30.0), t);
    s.div(x, s.add(s.splat(1.0), exp(s, t)))
}

/// gelu(x) = x / (1 + 2^(x P(x²))) with an error below 3e-5: enough where the result is rounded to bfloat16.
#[inline(always)]
pub(crate) fn gelu_erf_rough<S: Simd>(s: S, x: S::V) -> S::V {
    // Beyond 6 the polynomial would turn around; there the exponent is -29 and falls on with x.
    let square = s.min(s.splat(36.0), s.mul(x, x));
    let p = s.polynomial(square, [-2.301_120_5, -0.106_776_73, 0.001_014_481_6]);
    x_over_one_plus_exp2_rough(s, x, s.mul(x, p))
}

/// The same for the approximation by tanh.
#[inline(always)]
pub(crate) fn gelu_tanh_rough<S: Simd>(s: S, x: S::V) -> S::V {
    // -2 √(2/π) log2 e, and that by 0.044715
    let p = s.polynomial(s.mul(x, x), [-2.302_208_2, -0.102_943_24]);
    x_over_one_plus_exp2_rough(s, x, s.mul(x, p))
}

/// x / (1 + 2ᵗ), relative error 2e-4.
#[inline(always)]
fn x_over_one_plus_exp2_rough<S: Simd>(s: S, x: S::V, t: S::V) -> S::V {
    // Within these bounds nothing is subnormal or infinite. In this order of arguments NaN passes through.
    let t = s.max(s.splat(-30.0), s.min(s.splat(126.0), t));
    s.mul(x, s.reciprocal(s.add(s.splat(1.0), exp2_rough(s, t))))
}

/// 2ᵗ, relative error 8e-5.
#[inline(always)]
pub(crate) fn exp2_rough<S: Simd>(s: S, t: S::V) -> S::V {
    let n = s.round(t);
    let p = s.polynomial(s.sub(t, n), [0.999_928_06, 0.693_260_97, 0.242_611_13, 0.055_171_67]);
    s.scale(p, n)
}
