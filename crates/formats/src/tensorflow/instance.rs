//! A graph with its functions written out where they are called, and the variables of a checkpoint as its constants.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use super::attribute::{Numbers, TensorProto};
use super::bundle::Bundle;
use super::graph_def::{FunctionDef, GraphDef, NodeDef};
use super::{object_graph, op};
use crate::contents::{Contents, StoredTensor};
use crate::graph::{Graph, MAX_NODES, Op, Value};
use crate::wire::{self, Fields, Reason};

/// The most bytes of constants that are written as one number for many elements, or as numbers one by one.
const MAX_MADE: usize = 64 << 20;

/// How deep functions may call functions.
const MAX_DEPTH: usize = 64;

pub(super) struct Instance<'i> {
    file: &'i [u8],
    path: &'i Path,
    definition: &'i GraphDef<'i>,
    bundle: Bundle,
    contents: &'i mut Contents<'static>,
    graph: Graph,
    /// The constants that variables are, by name.
    names: HashMap<String, usize>,
    /// The keys of the checkpoint by the full names of variables.
    keys: HashMap<String, String>,
    /// The constants that stand in the graph by where they do: functions are written out many times.
    known: HashMap<usize, Option<usize>>,
    /// Bytes of constants that were made from fewer.
    made: usize,
}

/// The nodes of one graph or one call of a function, by name.
struct Scope<'i> {
    values: HashMap<&'i str, Value>,
}

impl Scope<'_> {
    /// The value that an input names: `node`, `node:1` or, in a function, `node:output:1`.
    fn value(&self, input: &str) -> Option<Value> {
        let (name, output) = match input.split_once(':') {
            Some((name, rest)) => (name, rest.rsplit(':').next()?.parse().ok()?),
            None => (input, 0),
        };
        self.values.get(name).map(|value| Value { output: value.output + output, ..*value })
    }
}

impl<'i> Instance<'i> {
    pub(super) fn new(
        file: &'i [u8],
        path: &'i Path,
        definition: &'i GraphDef<'i>,
        bundle: Bundle,
        contents: &'i mut Contents<'static>,
    ) -> Self {
        let (graph, names, keys, known) = (Graph::default(), HashMap::new(), HashMap::new(), HashMap::new());
        Self { file, path, definition, bundle, contents, graph, names, keys, known, made: 0 }
    }

    /// Writes out the graph and finds what its outputs may be.
    pub(super) fn fill(&mut self) -> Result<(), Reason> {
        if let Some(objects) = self.bundle.objects.take() {
            self.keys = object_graph::keys_by_name(&objects).map_err(|fault| format!("in the object graph {fault}"))?;
        }
        let definition = self.definition;
        let scope = self.add_nodes(&definition.nodes, HashMap::new(), 0)?;
        for (name, input) in &definition.outputs {
            if let Some(value) = scope.value(input) {
                self.graph.outputs.push(((*name).to_owned(), value));
            }
        }
        if self.graph.outputs.is_empty() {
            self.find_outputs(&scope);
        }
        // Variables that no node stands for still have names.
        for name in self.keys.keys().cloned().collect::<Vec<_>>() {
            self.variable(&name);
        }
        for name in self.bundle.tensors.keys().cloned().collect::<Vec<_>>() {
            self.variable(&name);
        }
        Ok(())
    }

    pub(super) fn finish(self) -> (Graph, HashMap<String, usize>) {
        (self.graph, self.names)
    }

    /// Without signatures, whatever no other node reads may be the logits.
    fn find_outputs(&mut self, scope: &Scope<'_>) {
        let read: std::collections::HashSet<&str> = self
            .definition
            .nodes
            .iter()
            .flat_map(|node| &node.inputs)
            .map(|input| input.split_once(':').map_or(*input, |(name, _)| name))
            .collect();
        for node in self.definition.nodes.iter().filter(|node| !read.contains(node.name)) {
            let Some(value) = scope.value(node.name) else { continue };
            let count = match self.graph.nodes.get(value.node).map(|node| &node.op) {
                Some(Op::Call(returned)) => returned.len(),
                Some(Op::Constant(_) | Op::Input(_)) | None => 0,
                Some(_) => 1,
            };
            for output in 0..count {
                self.graph.outputs.push((format!("{}:{output}", node.name), Value { output, ..value }));
            }
        }
    }

    /// Adds nodes whose inputs may be any of them, in any order, and the arguments given.
    fn add_nodes(
        &mut self,
        nodes: &'i [NodeDef<'i>],
        arguments: HashMap<&'i str, Value>,
        depth: usize,
    ) -> Result<Scope<'i>, Reason> {
        let mut scope = Scope { values: arguments };
        let mut added = Vec::new();
        for node in nodes {
            if self.graph.nodes.len() >= MAX_NODES {
                return Err(format!("it has more than {MAX_NODES} nodes, functions written out"));
            }
            let value = match self.constant(node)? {
                Some(value) => value,
                None => {
                    let value = self.graph.add(op::op(self.file, node)?, Vec::new());
                    added.push((value, node));
                    value
                }
            };
            if scope.values.insert(node.name, value).is_some() {
                return Err(format!("it has two nodes {:?}", node.name));
            }
        }
        for (value, node) in added {
            let mut inputs = Vec::with_capacity(node.inputs.len());
            for input in &node.inputs {
                let found = scope.value(input);
                inputs.push(found.ok_or_else(|| format!("{:?} reads {input:?}, which is nowhere", node.name))?);
            }
            // The axis along which parts are put together is no part.
            if node.op == "ConcatV2" {
                inputs.pop();
            }
            let call = match op::called(self.file, node)? {
                Some(name) => self.definition.functions.get(name),
                None => self.definition.functions.get(node.op),
            };
            if let Some(function) = call {
                let returned = self.call(function, &inputs, depth + 1)?;
                if let Some(node) = self.graph.nodes.get_mut(value.node) {
                    node.op = Op::Call(returned);
                }
            } else if let Some(node) = self.graph.nodes.get_mut(value.node) {
                node.inputs = inputs;
            }
        }
        Ok(scope)
    }

    /// Writes out a function for the arguments of a call, and gives what it returns.
    fn call(&mut self, function: &'i FunctionDef<'i>, inputs: &[Value], depth: usize) -> Result<Vec<Value>, Reason> {
        if depth > MAX_DEPTH {
            return Err(format!("functions call functions more than {MAX_DEPTH} deep"));
        }
        let arguments = function.inputs.iter().copied().zip(inputs.iter().copied()).collect();
        let scope = self.add_nodes(&function.nodes, arguments, depth)?;
        let returned = function.outputs.iter().map(|output| {
            let value = function.returned.get(output).and_then(|input| scope.value(input));
            value.ok_or_else(|| format!("a function returns {output:?}, which is nowhere"))
        });
        returned.collect()
    }

    /// The constant that a node is, if it is one: a variable of the checkpoint, or numbers in the graph.
    fn constant(&mut self, node: &NodeDef<'i>) -> Result<Option<Value>, Reason> {
        if let Some(name) = op::variable(self.file, node)? {
            return Ok(self.variable(name).map(|constant| self.graph.add(Op::Constant(constant), Vec::new())));
        }
        if node.op != "Const" {
            return Ok(None);
        }
        let Some(range) = node.attributes.get("value") else { return Ok(None) };
        let Some(range) = self.tensor(range)? else { return Ok(None) };
        let constant = match self.known.get(&range.start) {
            Some(known) => *known,
            None => {
                let constant = self.numbers(&range)?;
                self.known.insert(range.start, constant);
                constant
            }
        };
        Ok(constant.map(|constant| self.graph.add(Op::Constant(constant), Vec::new())))
    }

    /// Adds the constant that a tensor in the graph is, if it is one of numbers.
    fn numbers(&mut self, range: &Range<usize>) -> Result<Option<usize>, Reason> {
        let TensorProto { element, shape, numbers } = TensorProto::read(self.file, range)?;
        let (buffer, bytes) = match numbers {
            Numbers::Stored(range) => (0, range),
            Numbers::Made(made) => {
                self.made += made.len();
                if self.made > MAX_MADE {
                    return Err(format!("its constants take more than {MAX_MADE} bytes that do not stand in it"));
                }
                let bytes = 0..made.len();
                (self.contents.add_buffer(self.path, Cow::Owned(made)), bytes)
            }
            Numbers::Unused => return Ok(None),
        };
        self.graph.constants.push(StoredTensor { buffer, element, shape, bytes, strides: None });
        Ok(Some(self.graph.constants.len() - 1))
    }

    /// The tensor that the value of an attribute is.
    fn tensor(&self, attribute: &Range<usize>) -> Result<Option<Range<usize>>, Reason> {
        let mut fields = Fields::within(self.file, attribute);
        while let Some((number, value)) = fields.next()? {
            if let (8, wire::Value::Bytes(range)) = (number, value) {
                return Ok(Some(range));
            }
        }
        Ok(None)
    }

    /// The constant that the variable of a name is, by the key that the checkpoint has it under.
    fn variable(&mut self, name: &str) -> Option<usize> {
        if let Some(constant) = self.names.get(name) {
            return Some(*constant);
        }
        let key = self.keys.get(name).map_or(name, String::as_str);
        let tensor = self.bundle.tensors.remove(key)?;
        self.graph.constants.push(tensor);
        let constant = self.graph.constants.len() - 1;
        self.names.insert(name.to_owned(), constant);
        Some(constant)
    }
}
