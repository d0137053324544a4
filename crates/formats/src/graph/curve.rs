//! Which curve a part of a graph computes, found by computing it.
//!
//! Exporters write the same curve in many ways. A part between two products that is a function of one number, whatever
//! it is made of, is the curve whose values it has.

use std::collections::HashMap;

use super::{Op, Value, View};

/// Where curves are compared. GELU and its tanh approximation differ by some 4e-4 around 2; some curves end at 6 and 10.
const POINTS: [f64; 10] = [-3.0, -2.1, -1.0, -0.3, 0.4, 1.0, 2.2, 3.5, 6.5, 12.0];

/// Below this two values are the same: constants in f32 give some 1e-7, those in f16 some 3e-5.
const TOLERANCE: f64 = 1e-4;

/// A function of one number that networks have between their layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// `x · Φ(x)`, by the error function.
    Gelu,
    /// The tanh approximation of [`Curve::Gelu`].
    GeluTanh,
    /// [`Curve::Gelu`], but at most 10.
    GeluClipped,
    /// `x · σ(1.702 x)`
    QuickGelu,
    /// `max(x, 0)`
    Relu,
    /// `min(max(x, 0), 6)`
    Relu6,
    /// `max(x, 0)²`
    ReluSquared,
    /// `x` above 0, else `x / 100`
    LeakyRelu,
    /// `x · σ(x)`
    Silu,
    /// `x · tanh(ln(1 + eˣ))`
    Mish,
    /// `σ(x)`
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// `Φ((x - 0.707107) / 0.282095)`
    Laplace,
    /// `x`
    Linear,
}

impl Curve {
    const ALL: [Self; 14] = [
        Self::Gelu,
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

    fn at(self, x: f64) -> f64 {
        match self {
            Self::Gelu => 0.5 * x * (1.0 + erf(x / std::f64::consts::SQRT_2)),
            Self::GeluTanh => {
                let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
                0.5 * x * (1.0 + inner.tanh())
            }
            Self::GeluClipped => Self::Gelu.at(x).min(10.0),
            Self::QuickGelu => x * sigmoid(1.702 * x),
            Self::Relu => x.max(0.0),
            Self::Relu6 => x.clamp(0.0, 6.0),
            Self::ReluSquared => x.max(0.0) * x.max(0.0),
            Self::LeakyRelu => x.max(0.01 * x),
            Self::Silu => x * sigmoid(x),
            Self::Mish => x * softplus(x).tanh(),
            Self::Sigmoid => sigmoid(x),
            Self::Tanh => x.tanh(),
            Self::Laplace => 0.5 * (1.0 + erf((x - LAPLACE_MEAN) / (0.282_095 * std::f64::consts::SQRT_2))),
            Self::Linear => x,
        }
    }
}

/// Six digits of 1 / √2, as transformers has them.
#[allow(clippy::approx_constant)]
const LAPLACE_MEAN: f64 = 0.707_107;

/// The deepest expression that is computed.
const MAX_DEPTH: usize = 64;

impl View<'_> {
    /// The curve that makes `output` of `input`.
    ///
    /// # Errors
    /// The operation that keeps it from being told, in words.
    pub fn curve(&self, output: Value, input: Value) -> Result<Curve, String> {
        let mut values = [0.0; POINTS.len()];
        for (value, point) in values.iter_mut().zip(POINTS) {
            let mut known = HashMap::from([(input, point)]);
            *value = self.compute(output, &mut known, 0)?;
        }
        let same = |curve: &Curve| {
            values.iter().zip(POINTS).all(|(value, point)| (value - curve.at(point)).abs() <= TOLERANCE)
        };
        Curve::ALL.into_iter().find(same).ok_or_else(|| "it has a curve of its own".to_owned())
    }

    fn compute(&self, value: Value, known: &mut HashMap<Value, f64>, depth: usize) -> Result<f64, String> {
        let value = self.strip(value);
        if let Some(number) = known.get(&value) {
            return Ok(*number);
        }
        if depth == MAX_DEPTH {
            return Err("it is too deep".to_owned());
        }
        if let Some(number) = self.number(value) {
            return Ok(number);
        }
        let node = self.node(value).ok_or("it has no beginning")?;
        let mut numbers = [0.0; 3];
        if node.inputs.is_empty() || node.inputs.len() > 3 {
            return Err(format!("it depends on {:?}", node.op));
        }
        for (number, input) in numbers.iter_mut().zip(&node.inputs) {
            *number = self.compute(*input, known, depth + 1)?;
        }
        let [a, b, c] = numbers;
        let number = match (&node.op, node.inputs.len()) {
            (Op::Add, 2) => a + b,
            (Op::Sub, 2) => a - b,
            (Op::Mul, 2) => a * b,
            (Op::Div, 2) => a / b,
            (Op::Pow, 2) => a.powf(b),
            (Op::SquaredDifference, 2) => (a - b) * (a - b),
            (Op::Neg, 1) => -a,
            (Op::Sqrt, 1) => a.sqrt(),
            (Op::Rsqrt, 1) => a.sqrt().recip(),
            (Op::Reciprocal, 1) => a.recip(),
            (Op::Square, 1) => a * a,
            (Op::Exp, 1) => a.exp(),
            (Op::Tanh, 1) => a.tanh(),
            (Op::Erf, 1) => erf(a),
            (Op::Erfc, 1) => 1.0 - erf(a),
            (Op::Sigmoid, 1) => sigmoid(a),
            (Op::Relu, 1) => a.max(0.0),
            (Op::Relu6, 1) => a.clamp(0.0, 6.0),
            (Op::LeakyRelu { slope }, 1) => a.max(slope * a),
            (Op::Softplus, 1) => softplus(a),
            (Op::Max, 2) => a.max(b),
            (Op::Min, 2) => a.min(b),
            (Op::Clip, 3) => a.max(b).min(c),
            (Op::Gelu { tanh }, 1) => {
                if *tanh {
                    Curve::GeluTanh.at(a)
                } else {
                    Curve::Gelu.at(a)
                }
            }
            (op, _) => return Err(format!("it depends on {op:?}")),
        };
        known.insert(value, number);
        Ok(number)
    }

    /// The values that `output` is made of by arithmetic, as far back as `is_leaf` says.
    pub fn leaves(&self, output: Value, is_leaf: impl Fn(Value) -> bool) -> Vec<Value> {
        let mut seen = std::collections::HashSet::new();
        let mut leaves = Vec::new();
        let mut open = vec![output];
        while let Some(value) = open.pop() {
            let value = self.strip(value);
            if !seen.insert(value) {
                continue;
            }
            if is_leaf(value) {
                leaves.push(value);
            } else if let Some(node) = self.node(value)
                && node.op.is_arithmetic()
            {
                open.extend(&node.inputs);
            }
        }
        leaves
    }
}

impl Op {
    /// Whether an element of the result depends on the same element of each input alone.
    fn is_arithmetic(&self) -> bool {
        use Op::{
            Add, Clip, Div, Erf, Erfc, Exp, Gelu, LeakyRelu, Max, Min, Mul, Neg, Pow, Reciprocal, Relu, Relu6, Rsqrt,
            Sigmoid, Softplus, Sqrt, Square, SquaredDifference, Sub, Tanh,
        };
        matches!(self, Add | Sub | Mul | Div | Pow | SquaredDifference | Max | Min | Clip)
            || matches!(self, Neg | Sqrt | Rsqrt | Reciprocal | Square | Exp | Tanh | Erf | Erfc | Sigmoid | Softplus)
            || matches!(self, Relu | Relu6 | LeakyRelu { .. } | Gelu { .. })
    }
}

/// `ln(1 + eˣ)`
fn softplus(x: f64) -> f64 {
    x.exp().ln_1p()
}

fn sigmoid(x: f64) -> f64 {
    (1.0 + (-x).exp()).recip()
}

/// The error function by its power series, which for arguments as small as these is exact to some 1e-12.
fn erf(x: f64) -> f64 {
    if x.abs() > 5.0 {
        return x.signum();
    }
    let mut term = x;
    let mut sum = x;
    for n in 1..120 {
        let n = f64::from(n);
        term *= -x * x / n;
        sum += term / (2.0 * n + 1.0);
    }
    sum * std::f64::consts::FRAC_2_SQRT_PI
}
