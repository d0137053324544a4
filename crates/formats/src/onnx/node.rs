//! Nodes of an ONNX graph.

use std::collections::HashMap;
use std::ops::Range;

use super::{FORM, Reader};
use crate::FormatError;
use crate::graph::{MAX_NODES, Op, Value};
use crate::wire::{self, Fields, Reason, signed};

/// The most inputs, outputs or attributes of a node together.
const MAX_PARTS: usize = 1 << 16;

/// A node as it stands in the file.
#[derive(Default)]
struct Raw<'r> {
    inputs: Vec<&'r str>,
    outputs: Vec<&'r str>,
    op: &'r str,
    domain: &'r str,
    attributes: HashMap<&'r str, Attribute>,
}

/// The value of an attribute, as far as any is looked at.
#[derive(Default)]
struct Attribute {
    float: Option<f32>,
    int: Option<i64>,
    text: Option<Range<usize>>,
    tensor: Option<Range<usize>>,
    ints: Vec<i64>,
    floats: Vec<f32>,
}

impl<'r> Reader<'r> {
    /// Adds a node; its inputs have been read, because a graph lists nodes in the order of the computation.
    pub(super) fn read_node(&mut self, range: &Range<usize>) -> Result<(), FormatError> {
        let path = self.tensors.path;
        let malformed = |fault| FormatError::Malformed { path: path.to_owned(), form: FORM, fault };
        let raw = self.raw_node(range).map_err(malformed)?;
        self.inputs += raw.inputs.len();
        if self.inputs > 4 * MAX_NODES {
            return Err(malformed(format!("its nodes have more than {} inputs", 4 * MAX_NODES)));
        }
        let value = match self.constant(&raw)? {
            Some(value) => value,
            None => {
                // An optional input that is left out has no name; what is computed nowhere is an error only where
                // it is needed, since other operations are of no interest here.
                let mut inputs = Vec::with_capacity(raw.inputs.len());
                for name in &raw.inputs {
                    let value = match self.values.get(name) {
                        Some(value) => *value,
                        None => self.graph.add(Op::Other(format!("input {name:?}")), Vec::new()),
                    };
                    inputs.push(value);
                }
                let op = self.op(&raw).map_err(malformed)?;
                self.graph.add(op, inputs)
            }
        };
        for (output, name) in raw.outputs.iter().enumerate() {
            if !name.is_empty() && self.values.insert(name, Value { output, ..value }).is_some() {
                return Err(malformed(format!("{name:?} is computed twice")));
            }
        }
        Ok(())
    }

    fn raw_node(&self, range: &Range<usize>) -> Result<Raw<'r>, Reason> {
        let mut raw = Raw::default();
        let mut fields = Fields::within(self.file, range);
        let mut parts = 0;
        while let Some((number, value)) = fields.next()? {
            let wire::Value::Bytes(range) = value else { continue };
            parts += 1;
            if parts > MAX_PARTS {
                return Err(format!("a node has more than {MAX_PARTS} parts"));
            }
            match number {
                1 => raw.inputs.push(wire::text(self.file, &range)?),
                2 => raw.outputs.push(wire::text(self.file, &range)?),
                4 => raw.op = wire::text(self.file, &range)?,
                5 => {
                    let (name, attribute) = self.attribute(&range)?;
                    raw.attributes.insert(name, attribute);
                }
                7 => raw.domain = wire::text(self.file, &range)?,
                _ => {}
            }
        }
        Ok(raw)
    }

    fn attribute(&self, range: &Range<usize>) -> Result<(&'r str, Attribute), Reason> {
        let mut name = "";
        let mut attribute = Attribute::default();
        let mut fields = Fields::within(self.file, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, wire::Value::Bytes(range)) => name = wire::text(self.file, &range)?,
                (2, wire::Value::Fixed32(bits)) => attribute.float = Some(f32::from_bits(bits)),
                (3, wire::Value::Varint(number)) => attribute.int = Some(signed(number)),
                (4, wire::Value::Bytes(range)) => attribute.text = Some(range),
                (5, wire::Value::Bytes(range)) => attribute.tensor = Some(range),
                (7, wire::Value::Fixed32(bits)) => attribute.floats.push(f32::from_bits(bits)),
                (8, wire::Value::Varint(number)) => attribute.ints.push(signed(number)),
                (8, wire::Value::Bytes(range)) => {
                    let mut packed = Fields::within(self.file, &range);
                    while let Some(number) = packed.next_packed()? {
                        attribute.ints.push(signed(number));
                    }
                }
                _ => {}
            }
        }
        Ok((name, attribute))
    }

    /// The constant that a node is, if it is one.
    fn constant(&mut self, raw: &Raw<'r>) -> Result<Option<Value>, FormatError> {
        if !raw.domain.is_empty() || raw.op != "Constant" {
            return Ok(None);
        }
        let get = |name: &str| raw.attributes.get(name);
        let stored = if let Some(range) = get("value").and_then(|value| value.tensor.clone()) {
            Some(self.tensors.read(&range)?.stored)
        } else if let Some(number) = get("value_float").and_then(|value| value.float) {
            Some(self.tensors.floats(&[number], Vec::new()))
        } else if let Some(number) = get("value_int").and_then(|value| value.int) {
            Some(self.tensors.whole(&[number], Vec::new()))
        } else if let Some(value) = get("value_ints") {
            Some(self.tensors.whole(&value.ints, vec![value.ints.len()]))
        } else {
            get("value_floats").map(|value| self.tensors.floats(&value.floats, vec![value.floats.len()]))
        };
        Ok(stored.map(|stored| self.graph.add_constant(stored)))
    }

    /// What a node computes, of the operations that a transformer is made of.
    fn op(&self, raw: &Raw<'r>) -> Result<Op, Reason> {
        let int = |name: &str| raw.attributes.get(name).and_then(|value| value.int);
        let float = |name: &str| raw.attributes.get(name).and_then(|value| value.float);
        let text = |name: &str| -> Result<&str, Reason> {
            match raw.attributes.get(name).and_then(|value| value.text.as_ref()) {
                Some(range) => Ok(wire::text(self.file, range)?),
                None => Ok(""),
            }
        };
        if !matches!(raw.domain, "" | "ai.onnx" | "com.microsoft") {
            return Ok(Op::Other(format!("{}.{}", raw.domain, raw.op)));
        }
        Ok(match raw.op {
            "Identity" | "Cast" | "Dropout" | "Squeeze" | "Unsqueeze" | "CastLike" => Op::Pass,
            "Reshape" | "Flatten" => Op::Reshape,
            "Transpose" => {
                Op::Transpose(Some(raw.attributes.get("perm").map(|perm| perm.ints.clone()).unwrap_or_default()))
            }
            "Gather" => Op::Gather,
            "Slice" => Op::Slice,
            "MatMul" => Op::MatMul { transposed: [false; 2] },
            "Gemm" if [float("alpha"), float("beta")].iter().all(|factor| factor.unwrap_or(1.0) == 1.0) => {
                match int("transA").unwrap_or(0) {
                    0 => Op::Gemm { transposed: int("transB").unwrap_or(0) != 0 },
                    _ => Op::Other("Gemm of a transposed input".to_owned()),
                }
            }
            "Add" => Op::Add,
            "Sub" => Op::Sub,
            "Mul" => Op::Mul,
            "Div" => Op::Div,
            "Pow" => Op::Pow,
            "Neg" => Op::Neg,
            "Sqrt" => Op::Sqrt,
            "Reciprocal" => Op::Reciprocal,
            "Exp" => Op::Exp,
            "Tanh" => Op::Tanh,
            "Erf" => Op::Erf,
            "Sigmoid" => Op::Sigmoid,
            "Relu" => Op::Relu,
            "LeakyRelu" => Op::LeakyRelu { slope: float("alpha").map_or(0.01, f64::from) },
            "Softplus" => Op::Softplus,
            "Max" => Op::Max,
            "Min" => Op::Min,
            "Clip" => Op::Clip,
            "Gelu" => Op::Gelu { tanh: text("approximate")? == "tanh" },
            "FastGelu" if raw.inputs.len() == 1 => Op::Gelu { tanh: true },
            "ReduceMean" => Op::Mean,
            "LayerNormalization" => Op::LayerNorm { eps: float("epsilon").map_or(1e-5, f64::from) },
            "Softmax" => Op::Softmax,
            "Where" => Op::Where,
            "Concat" => Op::Concat,
            op => Op::Other(op.to_owned()),
        })
    }
}
