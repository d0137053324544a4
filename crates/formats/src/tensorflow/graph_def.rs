//! The messages that a graph is kept in: nodes, and functions of nodes.

use std::collections::HashMap;
use std::ops::Range;

use crate::graph::MAX_NODES;
use crate::wire::{self, Fields, Reason, text};

/// The most nodes, inputs and arguments of a graph and its functions together.
const MAX_PARTS: usize = 4 * MAX_NODES;

/// A node as it stands in the file.
#[derive(Debug, Default)]
pub(super) struct NodeDef<'f> {
    pub(super) name: &'f str,
    pub(super) op: &'f str,
    pub(super) inputs: Vec<&'f str>,
    pub(super) attributes: HashMap<&'f str, Range<usize>>,
}

/// A function as it stands in the file.
#[derive(Debug, Default)]
pub(super) struct FunctionDef<'f> {
    pub(super) inputs: Vec<&'f str>,
    pub(super) outputs: Vec<&'f str>,
    /// What each output is.
    pub(super) returned: HashMap<&'f str, &'f str>,
    pub(super) nodes: Vec<NodeDef<'f>>,
}

/// A graph and its functions.
#[derive(Debug, Default)]
pub(super) struct GraphDef<'f> {
    pub(super) nodes: Vec<NodeDef<'f>>,
    pub(super) functions: HashMap<&'f str, FunctionDef<'f>>,
    /// The graph's values that signatures name as outputs, those called logits first.
    pub(super) outputs: Vec<(&'f str, &'f str)>,
}

impl<'f> GraphDef<'f> {
    /// Reads a SavedModel, or a graph alone; a SavedModel begins with its version, a graph with a node.
    pub(super) fn read(file: &'f [u8]) -> Result<Self, Reason> {
        let mut definition = Self::default();
        let mut fields = Fields::new(file);
        let whole = 0..file.len();
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, wire::Value::Bytes(_)) => {
                    definition.read_graph(file, &whole)?;
                    return Ok(definition);
                }
                (2, wire::Value::Bytes(range)) => {
                    let Some(meta) = Meta::read(file, &range)? else { continue };
                    definition.read_graph(file, &meta.graph)?;
                    definition.outputs = meta.outputs;
                    return Ok(definition);
                }
                _ => {}
            }
        }
        Err("it has no graph to serve".to_owned())
    }

    fn read_graph(&mut self, file: &'f [u8], range: &Range<usize>) -> Result<(), Reason> {
        let parts = &mut 0;
        let mut fields = Fields::within(file, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, wire::Value::Bytes(range)) => push(&mut self.nodes, NodeDef::read(file, &range, parts)?, parts)?,
                (2, wire::Value::Bytes(library)) => {
                    let mut fields = Fields::within(file, &library);
                    while let Some((number, value)) = fields.next()? {
                        if let (1, wire::Value::Bytes(range)) = (number, value) {
                            let (name, function) = FunctionDef::read(file, &range, parts)?;
                            self.functions.insert(name, function);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Adds to a list, as long as there are not too many things in all lists.
fn push<T>(list: &mut Vec<T>, item: T, parts: &mut usize) -> Result<(), Reason> {
    *parts += 1;
    if *parts > MAX_PARTS {
        return Err(format!("it has more than {MAX_PARTS} nodes, inputs and arguments"));
    }
    list.push(item);
    Ok(())
}

/// A graph with its signatures, of which a SavedModel may have several for several uses.
struct Meta<'f> {
    graph: Range<usize>,
    outputs: Vec<(&'f str, &'f str)>,
}

impl<'f> Meta<'f> {
    /// Reads one that is there to be served; one for training gives `None`.
    fn read(file: &'f [u8], range: &Range<usize>) -> Result<Option<Self>, Reason> {
        let (mut serve, mut graph, mut signatures) = (true, None, Vec::new());
        let mut fields = Fields::within(file, range);
        while let Some((number, value)) = fields.next()? {
            let wire::Value::Bytes(range) = value else { continue };
            match number {
                1 => serve = is_served(file, &range)?,
                2 => graph = Some(range),
                5 => signatures.push(range),
                _ => {}
            }
        }
        let Some(graph) = graph.filter(|_| serve) else { return Ok(None) };
        let mut outputs = Vec::new();
        let parts = &mut 0;
        for signature in signatures {
            let (name, Some(signature)) = entry(file, &signature)? else { continue };
            if name.starts_with("__saved_model") {
                continue;
            }
            let mut fields = Fields::within(file, &signature);
            while let Some((number, value)) = fields.next()? {
                let (2, wire::Value::Bytes(output)) = (number, value) else { continue };
                let (key, Some(info)) = entry(file, &output)? else { continue };
                let mut info = Fields::within(file, &info);
                while let Some((number, value)) = info.next()? {
                    if let (1, wire::Value::Bytes(range)) = (number, value) {
                        push(&mut outputs, (key, text(file, &range)?), parts)?;
                    }
                }
            }
        }
        outputs.sort_by_key(|(key, _)| *key != "logits");
        Ok(Some(Self { graph, outputs }))
    }
}

/// Whether the tags of a graph have `serve` among them, or are none.
fn is_served(file: &[u8], range: &Range<usize>) -> Result<bool, Reason> {
    let (mut any, mut serve) = (false, false);
    let mut fields = Fields::within(file, range);
    while let Some((number, value)) = fields.next()? {
        if let (4, wire::Value::Bytes(range)) = (number, value) {
            any = true;
            serve |= text(file, &range)? == "serve";
        }
    }
    Ok(serve || !any)
}

/// The key and the value of an entry of a map.
fn entry<'f>(file: &'f [u8], range: &Range<usize>) -> Result<(&'f str, Option<Range<usize>>), Reason> {
    let (mut key, mut found) = ("", None);
    let mut fields = Fields::within(file, range);
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, wire::Value::Bytes(range)) => key = text(file, &range)?,
            (2, wire::Value::Bytes(range)) => found = Some(range),
            _ => {}
        }
    }
    Ok((key, found))
}

impl<'f> NodeDef<'f> {
    fn read(file: &'f [u8], range: &Range<usize>, parts: &mut usize) -> Result<Self, Reason> {
        let mut node = Self::default();
        let mut fields = Fields::within(file, range);
        while let Some((number, value)) = fields.next()? {
            let wire::Value::Bytes(range) = value else { continue };
            match number {
                1 => node.name = text(file, &range)?,
                2 => node.op = text(file, &range)?,
                3 => push(&mut node.inputs, text(file, &range)?, parts)?,
                5 => {
                    if let (key, Some(value)) = entry(file, &range)? {
                        node.attributes.insert(key, value);
                    }
                }
                _ => {}
            }
        }
        // What must merely be computed before is no input.
        node.inputs.retain(|input| !input.starts_with('^'));
        Ok(node)
    }
}

impl<'f> FunctionDef<'f> {
    fn read(file: &'f [u8], range: &Range<usize>, parts: &mut usize) -> Result<(&'f str, Self), Reason> {
        let mut function = Self::default();
        let mut name = "";
        let mut fields = Fields::within(file, range);
        while let Some((number, value)) = fields.next()? {
            let wire::Value::Bytes(range) = value else { continue };
            match number {
                1 => {
                    let mut signature = Fields::within(file, &range);
                    while let Some((number, value)) = signature.next()? {
                        let wire::Value::Bytes(range) = value else { continue };
                        match number {
                            1 => name = text(file, &range)?,
                            2 => push(&mut function.inputs, first_text(file, &range)?, parts)?,
                            3 => push(&mut function.outputs, first_text(file, &range)?, parts)?,
                            _ => {}
                        }
                    }
                }
                3 => push(&mut function.nodes, NodeDef::read(file, &range, parts)?, parts)?,
                4 => {
                    if let (output, Some(value)) = entry(file, &range)? {
                        function.returned.insert(output, text(file, &value)?);
                    }
                }
                _ => {}
            }
        }
        Ok((name, function))
    }
}

/// The text of a message's first field, which is the name of an argument.
fn first_text<'f>(file: &'f [u8], range: &Range<usize>) -> Result<&'f str, Reason> {
    Ok(entry(file, range)?.0)
}
