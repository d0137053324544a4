//! Which curve a part of a graph computes, found by computing it.
//!
//! Exporters write the same curve in many ways. A part between two products that is a function of one number, whatever
//! it is made of, is the curve whose values it has.

use std::collections::HashMap;

use super::{Op, Value, View};

/// Where curves are compared. GELU and its tanh approximation differ by some 4e-4 around 2.
const POINTS: [f64; 8] = [-3.0, -2.1, -1.0, -0.3, 0.4, 1.0, 2.2, 3.5];

/// Below this two values are the same: constants in f32 give some 1e-7, those in f16 some 3e-5.
const TOLERANCE: f64 = 1e-4;

/// A function of one number that networks have between their layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// `x · Φ(x)`, by the error function.
    Gelu,
    /// The tanh approximation of [`Curve::Gelu`].
    GeluTanh,
    /// `max(x, 0)`
    Relu,
    /// `x · σ(x)`
    Silu,
    /// Hyperbolic tangent.
    Tanh,
}

impl Curve {
    const ALL: [Self; 5] = [Self::Gelu, Self::GeluTanh, Self::Relu, Self::Silu, Self::Tanh];

    fn at(self, x: f64) -> f64 {
        match self {
            Self::Gelu => 0.5 * x * (1.0 + erf(x / std::f64::consts::SQRT_2)),
            Self::GeluTanh => {
                let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
                0.5 * x * (1.0 + inner.tanh())
            }
            Self::Relu => x.max(0.0),
            Self::Silu => x * sigmoid(x),
            Self::Tanh => x.tanh(),
        }
    }
}

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
        let mut numbers = [0.0; 2];
        if node.inputs.is_empty() || node.inputs.len() > 2 {
            return Err(format!("it depends on {:?}", node.op));
        }
        for (number, input) in numbers.iter_mut().zip(&node.inputs) {
            *number = self.compute(*input, known, depth + 1)?;
        }
        let [a, b] = numbers;
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
            (Op::Sigmoid, 1) => sigmoid(a),
            (Op::Relu, 1) => a.max(0.0),
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
            Add, Div, Erf, Exp, Gelu, Mul, Neg, Pow, Reciprocal, Relu, Rsqrt, Sigmoid, Sqrt, Square, SquaredDifference,
            Sub, Tanh,
        };
        matches!(
            self,
            Add | Sub
                | Mul
                | Div
                | Pow
                | Neg
                | Sqrt
                | Rsqrt
                | Reciprocal
                | Square
                | SquaredDifference
                | Exp
                | Tanh
                | Erf
        ) || matches!(self, Sigmoid | Relu | Gelu { .. })
    }
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
