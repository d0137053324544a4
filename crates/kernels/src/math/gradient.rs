//! The derivatives of the activations, for training.

use super::{Activation, LAPLACE_MEAN, LAPLACE_SLOPE, LEAK, QUICK, erf, exp, tanh};
use crate::cpu::Kernels;
use crate::simd::{Operation, Simd};

impl Kernels {
    /// Multiplies each value of `gradient`, that of what an activation gave, by the activation's derivative at
    /// `inputs`: it becomes the gradient of what the activation was given.
    ///
    /// ```
    /// use albertine_kernels::{Activation, Kernels};
    ///
    /// let mut gradient = [2.0, 2.0];
    /// Kernels::detect()?.activation_gradient(&mut gradient, &[-1.0, 1.0], Activation::Relu);
    /// assert_eq!(gradient, [0.0, 2.0]);
    /// # Ok::<(), albertine_kernels::CpuError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// When the slices are not equally long.
    pub fn activation_gradient(self, gradient: &mut [f32], inputs: &[f32], activation: Activation) {
        assert!(gradient.len() == inputs.len(), "{} gradients for {} inputs", gradient.len(), inputs.len());
        self.run(Gradient { gradient, inputs, activation });
    }
}

struct Gradient<'a> {
    gradient: &'a mut [f32],
    inputs: &'a [f32],
    activation: Activation,
}

impl Operation for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        /// One loop for one usual activation, so that the choice is made once.
        macro_rules! each {
            ($function:expr) => {
                for (chunk, x) in self.gradient.chunks_mut(S::LANES).zip(self.inputs.chunks(S::LANES)) {
                    let derivative = $function(simd, simd.load(x));
                    simd.store(chunk, simd.mul(simd.load(chunk), derivative));
                }
            };
        }
        match self.activation {
            Activation::GeluErf => each!(gelu_erf),
            Activation::GeluTanh => each!(gelu_tanh),
            Activation::Relu => each!(relu),
            Activation::Silu => each!(silu),
            Activation::Tanh => each!(tanh_slope),
            rare => each!(|s, x| slope(s, x, rare)),
        }
    }
}

/// The derivative at each lane, whichever activation it is of. Where there is none, it is PyTorch's choice.
#[inline(always)]
fn slope<S: Simd>(s: S, x: S::V, activation: Activation) -> S::V {
    let (zero, one) = (s.splat(0.0), s.splat(1.0));
    match activation {
        Activation::GeluErf => gelu_erf(s, x),
        Activation::GeluTanh => gelu_tanh(s, x),
        Activation::GeluClipped => s.if_less(s.splat(10.0), x, zero, gelu_erf(s, x)),
        Activation::QuickGelu => silu(s, s.mul(x, s.splat(QUICK))),
        Activation::Relu => relu(s, x),
        Activation::Relu6 => s.if_less(x, s.splat(6.0), relu(s, x), zero),
        Activation::ReluSquared => s.mul(s.splat(2.0), s.max(zero, x)),
        Activation::LeakyRelu => s.if_less(zero, x, one, s.splat(LEAK)),
        Activation::Silu => silu(s, x),
        Activation::Mish => mish(s, x),
        Activation::Sigmoid => {
            // eᵗ / (1 + eᵗ)² is the same for t and -t.
            let power = exp(s, s.max(s.splat(-80.0), s.sub(zero, s.abs(x))));
            let sum = s.add(one, power);
            s.div(power, s.mul(sum, sum))
        }
        Activation::Tanh => tanh_slope(s, x),
        Activation::Laplace => {
            // 1 / (σ √(2π)) e^(-z²)
            let z = s.mul(s.sub(x, s.splat(LAPLACE_MEAN)), s.splat(LAPLACE_SLOPE));
            let square = s.min(s.splat(80.0), s.mul(z, z));
            s.mul(s.splat(LAPLACE_SLOPE * std::f32::consts::FRAC_2_SQRT_PI * 0.5), exp(s, s.sub(zero, square)))
        }
        Activation::Linear => one,
    }
}

/// n / (n + 2) + x 4 eˣ (eˣ + 1) / (n + 2)² with n = eˣ (eˣ + 2).
#[inline(always)]
fn mish<S: Simd>(s: S, x: S::V) -> S::V {
    let x = s.max(s.splat(-80.0), s.min(s.splat(20.0), x));
    let (two, e) = (s.splat(2.0), exp(s, x));
    let n = s.mul(e, s.add(e, two));
    let sum = s.add(n, two);
    let change = s.div(s.mul(s.mul(s.splat(4.0), e), s.add(e, s.splat(1.0))), s.mul(sum, sum));
    s.mul_add(x, change, s.div(n, sum))
}

/// Φ(x) + x φ(x), with the distribution and the density of the normal distribution.
#[inline(always)]
fn gelu_erf<S: Simd>(s: S, x: S::V) -> S::V {
    // 1 / √(2π)
    const DENSITY: f32 = 0.398_942_3;
    let one = s.splat(1.0);
    let half = s.mul(s.splat(0.5), s.add(one, erf(s, s.mul(x, s.splat(std::f32::consts::FRAC_1_SQRT_2)))));
    // Where x² overflows the density is 0, and so is its product.
    let square = s.min(s.splat(300.0), s.mul(x, x));
    let bound = s.max(s.splat(-30.0), s.min(s.splat(30.0), x));
    s.mul_add(s.mul(bound, s.splat(DENSITY)), exp(s, s.mul(square, s.splat(-0.5))), half)
}

/// σ(2u) + x σ(2u) (1 - σ(2u)) 2u' with u = √(2/π) (x + 0.044715 x³).
#[inline(always)]
fn gelu_tanh<S: Simd>(s: S, x: S::V) -> S::V {
    // 2 √(2/π), and the same with 0.044715 and three times that
    const SLOPE: f32 = 1.595_769_2;
    const CUBIC: f32 = 0.071_354_82;
    // Beyond 30 the derivative is 0 or 1 to the last bit.
    let x = s.max(s.splat(-30.0), s.min(s.splat(30.0), x));
    let square = s.mul(x, x);
    let t = s.mul(x, s.polynomial(square, [SLOPE, CUBIC]));
    let derivative = s.polynomial(square, [SLOPE, 3.0 * CUBIC]);
    sigmoid_times(s, s.mul(x, derivative), t)
}

#[inline(always)]
fn silu<S: Simd>(s: S, x: S::V) -> S::V {
    let x = s.max(s.splat(-100.0), s.min(s.splat(100.0), x));
    sigmoid_times(s, x, x)
}

/// σ(t) (1 + a (1 - σ(t)))
#[inline(always)]
fn sigmoid_times<S: Simd>(s: S, a: S::V, t: S::V) -> S::V {
    let one = s.splat(1.0);
    let power = exp(s, s.sub(s.splat(0.0), s.max(s.splat(-80.0), t)));
    let sigmoid = s.div(one, s.add(one, power));
    // 1 - σ without a difference of almost equals
    let rest = s.mul(power, sigmoid);
    s.mul(sigmoid, s.mul_add(a, rest, one))
}

#[inline(always)]
fn relu<S: Simd>(s: S, x: S::V) -> S::V {
    s.if_less(s.splat(0.0), x, s.splat(1.0), s.splat(0.0))
}

#[inline(always)]
fn tanh_slope<S: Simd>(s: S, x: S::V) -> S::V {
    let y = tanh(s, x);
    // (1 - y) (1 + y) keeps more digits than 1 - y²
    s.mul(s.sub(s.splat(1.0), y), s.add(s.splat(1.0), y))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::reference::{activation, all_kernels};

    /// The derivative of the reference, from differences in f64.
    fn derivative(x: f64, function: Activation) -> f64 {
        const STEP: f64 = 1e-5;
        // Where a curve has a corner, differences say nothing.
        match function {
            Activation::Relu => return if x > 0.0 { 1.0 } else { 0.0 },
            Activation::Relu6 => return if x > 0.0 && x < 6.0 { 1.0 } else { 0.0 },
            Activation::ReluSquared => return 2.0 * x.max(0.0),
            Activation::LeakyRelu => return if x > 0.0 { 1.0 } else { 0.01 },
            Activation::GeluClipped if x > 10.0 => return 0.0,
            Activation::GeluClipped => return derivative(x, Activation::GeluErf),
            _ => {}
        }
        let at = |x: f64| activation(x, function);
        (8.0 * (at(x + STEP) - at(x - STEP)) - (at(x + 2.0 * STEP) - at(x - 2.0 * STEP))) / (12.0 * STEP)
    }

    #[test]
    fn derivatives_are_those_of_the_reference_at_every_level() {
        let inputs: Vec<f32> =
            (0..=4000).map(|i| (f64::from(i) * 0.005 - 10.0) as f32).chain([-3e38, -200.0, 200.0, 3e38]).collect();
        for kernels in all_kernels() {
            for function in Activation::ALL {
                let mut gradient = vec![2.0; inputs.len()];
                kernels.activation_gradient(&mut gradient, &inputs, function);
                for (&found, &x) in gradient.iter().zip(&inputs) {
                    let expected = match function {
                        _ if x.abs() < 100.0 => 2.0 * derivative(f64::from(x), function),
                        Activation::Tanh | Activation::Sigmoid | Activation::Laplace => 0.0,
                        Activation::GeluClipped | Activation::Relu6 => 0.0,
                        Activation::Linear => 2.0,
                        Activation::LeakyRelu if x < 0.0 => f64::from(2.0 * LEAK),
                        // Beyond the largest number of 32 bits.
                        Activation::ReluSquared if x > 1e38 => {
                            assert!(found.is_infinite());
                            continue;
                        }
                        Activation::ReluSquared if x > 0.0 => 4.0 * f64::from(x),
                        _ if x > 0.0 => 2.0,
                        _ => 0.0,
                    };
                    let difference = (f64::from(found) - expected).abs();
                    assert!(difference < 2e-6, "{function:?} at {x}: {found} for {expected} at {}", kernels.level());
                }
            }
        }
    }
}
