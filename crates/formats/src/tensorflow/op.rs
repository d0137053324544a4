//! TensorFlow's operations in the words of [`Op`].

use super::graph_def::NodeDef;
use crate::graph::Op;
use crate::wire::{self, Fields, Reason, text};

/// What a node that is no constant, no variable and no call computes.
pub(super) fn op(file: &[u8], node: &NodeDef<'_>) -> Result<Op, Reason> {
    Ok(match node.op {
        "Placeholder" | "PlaceholderWithDefault" => Op::Input(short(node.name)),
        "Identity" | "IdentityN" | "ReadVariableOp" | "StopGradient" | "PreventGradient" | "Cast" | "ExpandDims"
        | "Squeeze" | "Snapshot" | "EnsureShape" | "CheckNumerics" => Op::Pass,
        "Reshape" => Op::Reshape,
        "Transpose" => Op::Transpose(None),
        "Gather" | "GatherV2" | "ResourceGather" => Op::Gather,
        "StridedSlice" | "Slice" => Op::Slice,
        "MatMul" => Op::MatMul { transposed: [flag(file, node, "transpose_a")?, flag(file, node, "transpose_b")?] },
        "BatchMatMul" | "BatchMatMulV2" | "BatchMatMulV3" => {
            Op::MatMul { transposed: [flag(file, node, "adj_x")?, flag(file, node, "adj_y")?] }
        }
        "Add" | "AddV2" | "BiasAdd" => Op::Add,
        "AddN" if node.inputs.len() == 2 => Op::Add,
        "Sub" => Op::Sub,
        "Mul" => Op::Mul,
        "RealDiv" | "Div" => Op::Div,
        "Pow" => Op::Pow,
        "Neg" => Op::Neg,
        "Sqrt" => Op::Sqrt,
        "Rsqrt" => Op::Rsqrt,
        "Reciprocal" | "Inv" => Op::Reciprocal,
        "Square" => Op::Square,
        "SquaredDifference" => Op::SquaredDifference,
        "Exp" => Op::Exp,
        "Tanh" => Op::Tanh,
        "Erf" => Op::Erf,
        "Erfc" => Op::Erfc,
        "Sigmoid" => Op::Sigmoid,
        "Relu" => Op::Relu,
        "Relu6" => Op::Relu6,
        "LeakyRelu" => Op::LeakyRelu { slope: number(file, node, "alpha")?.map_or(0.2, f64::from) },
        "Softplus" => Op::Softplus,
        "Maximum" => Op::Max,
        "Minimum" => Op::Min,
        "ClipByValue" => Op::Clip,
        "Mean" => Op::Mean,
        "Softmax" => Op::Softmax,
        "Select" | "SelectV2" => Op::Where,
        "Pack" | "ConcatV2" => Op::Concat,
        op => Op::Other(short(op)),
    })
}

/// The function that a node calls, if it is a call.
pub(super) fn called<'f>(file: &'f [u8], node: &NodeDef<'f>) -> Result<Option<&'f str>, Reason> {
    if !matches!(node.op, "PartitionedCall" | "StatefulPartitionedCall") {
        return Ok(None);
    }
    let Some(range) = node.attributes.get("f") else { return Ok(None) };
    let mut fields = Fields::within(file, range);
    while let Some((number, value)) = fields.next()? {
        let (10, wire::Value::Bytes(function)) = (number, value) else { continue };
        let mut fields = Fields::within(file, &function);
        while let Some((number, value)) = fields.next()? {
            if let (1, wire::Value::Bytes(range)) = (number, value) {
                return Ok(Some(text(file, &range)?));
            }
        }
    }
    Ok(None)
}

/// The name of the variable that a node stands for, if it is one.
pub(super) fn variable<'f>(file: &'f [u8], node: &NodeDef<'f>) -> Result<Option<&'f str>, Reason> {
    if !matches!(node.op, "VarHandleOp" | "VariableV2" | "Variable") {
        return Ok(None);
    }
    let shared = match node.attributes.get("shared_name") {
        Some(range) => {
            let mut name = "";
            let mut fields = Fields::within(file, range);
            while let Some((number, value)) = fields.next()? {
                if let (2, wire::Value::Bytes(range)) = (number, value) {
                    name = text(file, &range)?;
                }
            }
            name
        }
        None => "",
    };
    Ok(Some(if shared.is_empty() { node.name } else { shared }))
}

fn flag(file: &[u8], node: &NodeDef<'_>, name: &str) -> Result<bool, Reason> {
    let Some(range) = node.attributes.get(name) else { return Ok(false) };
    let mut fields = Fields::within(file, range);
    while let Some((number, value)) = fields.next()? {
        if let (5, wire::Value::Varint(flag)) = (number, value) {
            return Ok(flag != 0);
        }
    }
    Ok(false)
}

fn number(file: &[u8], node: &NodeDef<'_>, name: &str) -> Result<Option<f32>, Reason> {
    let Some(range) = node.attributes.get(name) else { return Ok(None) };
    let mut fields = Fields::within(file, range);
    while let Some((number, value)) = fields.next()? {
        if let (4, wire::Value::Fixed32(bits)) = (number, value) {
            return Ok(Some(f32::from_bits(bits)));
        }
    }
    Ok(None)
}

/// The longest name of an operation or an input that is kept, in characters: functions are written out many times.
const MAX_NAME: usize = 200;

fn short(name: &str) -> String {
    name.chars().take(MAX_NAME).collect()
}
