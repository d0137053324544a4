//! Linear layers, and what stands between them in an attention.

use super::{Op, Value, View};

/// A constant that a graph multiplies by or adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight {
    /// Its index in [`super::Graph::constants`].
    pub constant: usize,
    /// Whether it is kept as `[inputs, outputs]`, the other way round than PyTorch keeps it.
    pub transposed: bool,
}

/// `input · weight + bias`
#[derive(Debug, Clone, Copy)]
pub struct Linear {
    /// What it multiplies, `[rows, inputs]`.
    pub input: Value,
    /// `[outputs, inputs]`
    pub weight: Weight,
    /// `[outputs]`
    pub bias: Weight,
}

impl View<'_> {
    /// The linear layer that a value is the result of.
    #[must_use]
    pub fn linear(&self, value: Value) -> Option<Linear> {
        let value = self.strip(value);
        match self.node(value) {
            Some(node) if matches!(node.op, Op::Gemm { .. }) => {
                let Op::Gemm { transposed } = node.op else { return None };
                let [input, weight, bias] = node.inputs[..] else { return None };
                let bias = Weight { constant: self.vector(bias)?, transposed: false };
                Some(Linear { input, weight: self.matrix(weight, !transposed)?, bias })
            }
            _ => {
                let (product, bias) = self.with_vector(value, &Op::Add)?;
                let product = self.strip(product);
                let Op::MatMul { transposed: [false, transposed] } = *self.op(product)? else { return None };
                let weight = self.matrix(self.input(product, 1)?, !transposed)?;
                let bias = Weight { constant: bias, transposed: false };
                Some(Linear { input: self.input(product, 0)?, weight, bias })
            }
        }
    }

    /// A constant matrix, kept as `[inputs, outputs]` if `transposed`.
    fn matrix(&self, value: Value, mut transposed: bool) -> Option<Weight> {
        let mut value = self.source(value);
        // Exporters that fold no constants leave the transpositions of PyTorch's weights in the graph, and TensorFlow's
        // tensor products may give a matrix the shape that it has.
        let mut shape = None;
        for _ in 0..4 {
            let perm = match self.op(value)? {
                Op::Transpose(Some(perm)) => perm.clone(),
                Op::Transpose(None) => {
                    self.numbers(self.input(value, 1)?)?.into_iter().map(|axis| axis as i64).collect()
                }
                Op::Reshape if shape.is_none() => {
                    shape = Some((self.numbers(self.input(value, 1)?)?, transposed));
                    vec![0, 1]
                }
                _ => break,
            };
            match perm.as_slice() {
                [] | [1, 0] => transposed = !transposed,
                [0, 1] => {}
                _ => return None,
            }
            value = self.source(self.input(value, 0)?);
        }
        let constant = self.constant_of_rank(value, 2)?;
        if let Some((shape, before)) = shape {
            let mut kept: Vec<f64> = self.tensor(constant)?.shape.iter().map(|size| *size as f64).collect();
            if before != transposed {
                kept.reverse();
            }
            let same = shape.len() == 2 && shape.iter().zip(&kept).all(|(asked, kept)| asked == kept || *asked == -1.0);
            same.then_some(())?;
        }
        Some(Weight { constant, transposed })
    }

    /// The factors of a product of two values that are computed.
    #[must_use]
    pub fn product(&self, value: Value) -> Option<[Value; 2]> {
        let value = self.strip(value);
        let Op::MatMul { .. } = self.op(value)? else { return None };
        let factors = [self.input(value, 0)?, self.input(value, 1)?];
        factors.iter().all(|factor| self.matrix(*factor, false).is_none()).then_some(factors)
    }

    /// The softmax that a value is the result of, whatever is done about rows without any key.
    #[must_use]
    pub fn softmax(&self, value: Value) -> Option<Value> {
        let found =
            self.search(value, |op| matches!(op, Op::Where), |value| matches!(self.op(value), Some(Op::Softmax)));
        self.input(found?.0, 0)
    }

    /// The queries and keys whose product the input of a softmax is, scaled and masked.
    #[must_use]
    pub fn scores(&self, value: Value) -> Option<[Value; 2]> {
        let through = |op: &Op| matches!(op, Op::Where | Op::Add | Op::Mul | Op::Div);
        self.product(self.search(value, through, |value| self.product(value).is_some())?.0)
    }

    /// The linear layer whose result a value is, scaled and cut into heads, and the shapes it is given on the way, the
    /// first one last.
    #[must_use]
    pub fn projection(&self, value: Value) -> Option<(Linear, Vec<Value>)> {
        let (found, shapes) =
            self.search(value, |op| matches!(op, Op::Mul | Op::Div), |value| self.linear(value).is_some())?;
        Some((self.linear(found)?, shapes))
    }

    /// The one value that `is_it`, looking back through shapes and what `through` lets pass; also the shapes on the way.
    fn search(
        &self,
        value: Value,
        through: impl Fn(&Op) -> bool,
        is_it: impl Fn(Value) -> bool,
    ) -> Option<(Value, Vec<Value>)> {
        let mut seen = std::collections::HashSet::new();
        let mut found: Option<(Value, Vec<Value>)> = None;
        let mut open = vec![(value, Vec::new())];
        while let Some((value, mut shapes)) = open.pop() {
            let value = self.source(value);
            if !seen.insert(value) {
                continue;
            }
            let Some(node) = self.node(value) else { continue };
            let reshapes = matches!(node.op, Op::Reshape | Op::Transpose(_));
            if !reshapes && is_it(value) {
                if found.is_some() {
                    return None;
                }
                found = Some((value, shapes));
                continue;
            }
            if reshapes {
                if node.op == Op::Reshape {
                    shapes.extend(node.inputs.get(1));
                }
                open.extend(node.inputs.first().map(|input| (*input, shapes)));
            } else if through(&node.op) {
                open.extend(node.inputs.iter().map(|input| (*input, shapes.clone())));
            }
        }
        found
    }

    /// The heads that a value of so many columns is cut into by the first of these shapes that cuts it.
    #[must_use]
    pub fn heads(&self, shapes: &[Value], width: usize) -> Option<usize> {
        shapes.iter().rev().find_map(|shape| {
            let [heads, size] = self.shape_end(*shape, 2)[..] else { return None };
            let whole = |number: Option<f64>| number.filter(|number| *number >= 1.0).map(|number| number as usize);
            let heads = match (whole(heads), whole(size)) {
                (Some(heads), Some(size)) if heads.checked_mul(size) == Some(width) => heads,
                (Some(heads), None) if width.is_multiple_of(heads) => heads,
                (None, Some(size)) if width.is_multiple_of(size) => width / size,
                _ => return None,
            };
            Some(heads)
        })
    }

    /// The columns that a linear layer gives.
    #[must_use]
    pub fn outputs(&self, linear: &Linear) -> Option<usize> {
        let tensor = self.tensor(linear.weight.constant)?;
        tensor.shape.get(usize::from(linear.weight.transposed)).copied()
    }
}
