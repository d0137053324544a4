//! LayerNorms, in one operation or written out.

use super::{Op, Value, View};

/// A LayerNorm in a graph.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Norm {
    /// What it normalises.
    pub input: Value,
    /// The constant that it multiplies by.
    pub weight: usize,
    /// The constant that it adds.
    pub bias: usize,
    /// What it adds to the variance.
    pub eps: f64,
}

impl View<'_> {
    /// The LayerNorm that a value is the result of.
    #[must_use]
    pub fn norm(&self, value: Value) -> Option<Norm> {
        let value = self.strip(value);
        self.whole_norm(value).or_else(|| self.divided_norm(value)).or_else(|| self.factored_norm(value))
    }

    /// One operation.
    fn whole_norm(&self, value: Value) -> Option<Norm> {
        let Op::LayerNorm { eps } = self.op(value)? else { return None };
        let [input, weight, bias] = [0, 1, 2].map(|place| self.input(value, place));
        Some(Norm { input: input?, weight: self.vector(weight?)?, bias: self.vector(bias?)?, eps: *eps })
    }

    /// `(x - mean) / sqrt(variance + eps) · weight + bias`, as PyTorch's exporters write it out.
    fn divided_norm(&self, value: Value) -> Option<Norm> {
        let (product, bias) = self.with_vector(value, &Op::Add)?;
        let (quotient, weight) = self.with_vector(self.strip(product), &Op::Mul)?;
        let quotient = self.strip(quotient);
        let (difference, deviation) = match self.op(quotient)? {
            Op::Div => (self.input(quotient, 0)?, self.input(quotient, 1)?),
            // The reciprocal of the deviation, or the root of the reciprocal, as a factor.
            Op::Mul => self.either(quotient, &Op::Mul, |a, b| {
                let b = self.strip(b);
                match self.op(b)? {
                    Op::Reciprocal => Some((a, self.input(b, 0)?)),
                    Op::Rsqrt => Some((a, b)),
                    _ => None,
                }
            })?,
            _ => return None,
        };
        let [input, mean] = self.pair(self.strip(difference), &Op::Sub)?;
        let input = self.strip(input);
        self.is_mean(mean, input)?;
        let eps = self.eps_of_root(deviation)?;
        Some(Norm { input, weight, bias, eps })
    }

    /// `x · factor + (bias - mean · factor)` with `factor = weight / sqrt(variance + eps)`, as TensorFlow writes it.
    fn factored_norm(&self, value: Value) -> Option<Norm> {
        self.either(value, &Op::Add, |product, rest| {
            let [bias, shift] = self.pair(self.strip(rest), &Op::Sub)?;
            let bias = self.vector(bias)?;
            self.either(self.strip(product), &Op::Mul, |input, factor| {
                let (input, factor) = (self.strip(input), self.strip(factor));
                let (root, weight) = self.with_vector(factor, &Op::Mul)?;
                self.either(self.strip(shift), &Op::Mul, |mean, again| {
                    (self.strip(again) == factor).then_some(())?;
                    self.is_mean(mean, input)
                })?;
                let eps = self.eps_of_root(root)?;
                Some(Norm { input, weight, bias, eps })
            })
        })
    }

    /// What is added to the variance under a square root, or under the reciprocal of one.
    fn eps_of_root(&self, value: Value) -> Option<f64> {
        let value = self.strip(value);
        matches!(self.op(value)?, Op::Sqrt | Op::Rsqrt).then_some(())?;
        self.either(self.strip(self.input(value, 0)?), &Op::Add, |variance, eps| {
            matches!(self.op(self.strip(variance))?, Op::Mean).then_some(())?;
            self.number(self.strip(eps))
        })
    }

    /// Whether a value is the mean of `input`.
    fn is_mean(&self, value: Value, input: Value) -> Option<()> {
        let value = self.strip(value);
        let mean = matches!(self.op(value)?, Op::Mean) && self.strip(self.input(value, 0)?) == input;
        mean.then_some(())
    }

    /// What `found` makes of the two inputs of an operation, in one order or in the other.
    pub fn either<T>(&self, value: Value, op: &Op, found: impl Fn(Value, Value) -> Option<T>) -> Option<T> {
        let [a, b] = self.pair(value, op)?;
        found(a, b).or_else(|| found(b, a))
    }

    /// The other input of an operation that has a constant vector as one, and that constant.
    #[must_use]
    pub fn with_vector(&self, value: Value, op: &Op) -> Option<(Value, usize)> {
        self.either(value, op, |rest, vector| Some((rest, self.vector(vector)?)))
    }

    /// A constant of one axis, or of one that has more than one element.
    #[must_use]
    pub fn vector(&self, value: Value) -> Option<usize> {
        self.constant_of_rank(self.source(value), 1)
    }
}
