//! The vector functions in units in the last place, over all f32.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{erf, exp, exp2_rough, gelu_erf_rough, gelu_tanh_rough, tanh};
use crate::reference::{activation, all_kernels, erf as true_erf};
use crate::simd::{Operation, Simd};
use crate::{Activation, Kernels};

#[derive(Clone, Copy, Debug)]
enum Function {
    Exp,
    Tanh,
    Erf,
    Exp2Rough,
    GeluErfRough,
    GeluTanhRough,
}

struct Apply<'a>(&'a mut [f32], Function);

impl Operation for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for chunk in self.0.chunks_mut(S::LANES) {
            let x = s.load(chunk);
            let y = match self.1 {
                Function::Exp => exp(s, x),
                Function::Tanh => tanh(s, x),
                Function::Erf => erf(s, x),
                Function::Exp2Rough => exp2_rough(s, x),
                Function::GeluErfRough => gelu_erf_rough(s, x),
                Function::GeluTanhRough => gelu_tanh_rough(s, x),
            };
            s.store(chunk, y);
        }
    }
}

impl Function {
    fn truth(self, x: f64) -> f64 {
        match self {
            Self::Exp => x.exp(),
            Self::Tanh => x.tanh(),
            Self::Erf => true_erf(x),
            Self::Exp2Rough => x.exp2(),
            Self::GeluErfRough => activation(x, Activation::GeluErf),
            Self::GeluTanhRough => activation(x, Activation::GeluTanh),
        }
    }
}

/// The distance in representable numbers.
fn ulps(found: f32, truth: f64) -> u32 {
    let truth = truth as f32;
    if found.is_nan() || truth.is_nan() {
        return if found.is_nan() && truth.is_nan() { 0 } else { u32::MAX };
    }
    let place = |x: f32| {
        let bits = x.to_bits().cast_signed();
        if bits < 0 { i64::from(i32::MIN) - i64::from(bits) } else { i64::from(bits) }
    };
    u32::try_from((place(found) - place(truth)).unsigned_abs()).unwrap()
}

/// Every 1009th f32 of all bit patterns (NaN and infinities among them), and all within 3000 of the places where the
/// functions change their formula or run out of range.
fn arguments() -> Vec<f32> {
    let spread = (0..=u32::MAX).step_by(1009).map(f32::from_bits);
    let places = [0.0_f32, 0.625, 0.92, 1.0, 4.0, 9.01, 87.336, 88.722, 89.0, 103.97, 104.0, f32::MAX, f32::INFINITY];
    let near = places.into_iter().flat_map(|place| {
        let bits = place.to_bits();
        (bits.saturating_sub(3000)..bits + 3000).flat_map(|bits| [f32::from_bits(bits), -f32::from_bits(bits)])
    });
    // Dense where the functions are neither flat nor straight.
    let dense = (0..2_000_000_u32).map(|i| (f64::from(i) * 1e-4 - 100.0) as f32);
    spread.chain(near).chain(dense).collect()
}

#[test]
fn rough_functions_are_as_exact_as_bfloat16_needs() {
    let spread: Vec<f32> = (0..400_000_u32).map(|i| (f64::from(i) * 6e-4 - 120.0) as f32).collect();
    let cases = [
        // relative, absolute
        (Function::Exp2Rough, 1e-4, 0.0),
        (Function::GeluErfRough, 3e-4, 4e-5),
        (Function::GeluTanhRough, 3e-4, 1e-6),
    ];
    for kernels in all_kernels() {
        for (function, relative, absolute) in cases {
            let mut values = spread.clone();
            kernels.run(Apply(&mut values, function));
            for (&x, &found) in spread.iter().zip(&values) {
                let truth = function.truth(f64::from(x));
                let error = (f64::from(found) - truth).abs();
                assert!(error <= relative * truth.abs() + absolute, "{} {function:?}({x}): {found}", kernels.level());
            }
        }
    }
}

#[test]
fn functions_are_within_their_ulps_for_all_arguments() {
    let arguments = arguments();
    for kernels in all_kernels() {
        for (function, allowed) in [(Function::Exp, 2), (Function::Tanh, 4), (Function::Erf, 4)] {
            let mut values = arguments.clone();
            kernels.run(Apply(&mut values, function));
            let (mut worst, mut at) = (0, 0.0);
            for (&x, &y) in arguments.iter().zip(&values) {
                let distance = ulps(y, function.truth(f64::from(x)));
                if distance > worst {
                    (worst, at) = (distance, x);
                }
            }
            assert!(worst <= allowed, "{} {function:?}: {worst} ulp at {at:e}", kernels.level());
        }
    }
}

#[test]
fn limits_are_exact() {
    for kernels in all_kernels() {
        let of = |function, x: f32| {
            let mut values = [x; 19];
            kernels.run(Apply(&mut values, function));
            assert!(values.iter().all(|y| y.to_bits() == values[0].to_bits()), "every lane agrees");
            values[0]
        };
        assert_eq!(of(Function::Exp, f32::INFINITY), f32::INFINITY);
        assert_eq!(of(Function::Exp, f32::NEG_INFINITY), 0.0);
        assert_eq!(of(Function::Exp, 0.0), 1.0);
        for function in [Function::Tanh, Function::Erf] {
            assert_eq!(of(function, f32::INFINITY), 1.0);
            assert_eq!(of(function, f32::NEG_INFINITY), -1.0);
            assert_eq!(of(function, -0.0).to_bits(), (-0.0_f32).to_bits());
        }
        for function in [Function::Exp, Function::Tanh, Function::Erf] {
            assert!(of(function, f32::NAN).is_nan());
        }
    }
}

fn activate(kernels: Kernels, x: &[f32], activation: Activation) -> Vec<f32> {
    let mut values = x.to_vec();
    kernels.activate(&mut values, activation);
    values
}

#[test]
fn activations_agree_with_the_reference() {
    let arguments: Vec<f32> = (-60_000..60_001).map(|i| i as f32 / 2000.0).chain([-1e30, 1e30]).collect();
    for kernels in all_kernels() {
        for function in Activation::ALL {
            for (&x, y) in arguments.iter().zip(activate(kernels, &arguments, function)) {
                let expected = activation(f64::from(x), function);
                if expected > f64::from(f32::MAX) {
                    assert_eq!(y, f32::INFINITY);
                    continue;
                }
                let error = (f64::from(y) - expected).abs();
                let size = match function {
                    Activation::Sigmoid | Activation::Laplace => 1.0,
                    Activation::ReluSquared => expected,
                    _ => f64::from(x.abs()),
                };
                let allowed = 4.0 * f64::from(f32::EPSILON) * size.max(1e-30);
                assert!(error <= allowed, "{} {function:?}({x}): {y} for {expected}", kernels.level());
            }
            assert!(activate(kernels, &[f32::NAN], function)[0].is_nan());
            assert!(!activate(kernels, &[f32::INFINITY], function)[0].is_nan());
        }
    }
}
