//! ONNX models: a graph and its weights, inside the file or in files beside it.
//!
//! Format: <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>.

mod node;
mod tensor;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use self::tensor::TensorReader;
use super::contents::Contents;
use super::folder::Folder;
use super::graph::{Graph, MAX_NODES, Op, Value};
use super::wire::{self, Fields, Reason};
use crate::FormatError;

/// The largest file that is read, in bytes: what protocol buffers can hold.
const MAX_MODEL: u64 = 2 << 30;

/// The form that errors name.
const FORM: &str = "a valid ONNX model";

/// A model that has been read.
#[derive(Debug)]
pub struct OnnxModel {
    /// The bytes of its constants.
    pub contents: Contents<'static>,
    /// What it computes.
    pub graph: Graph,
    /// The names of the constants.
    pub names: HashMap<String, usize>,
}

/// Reads the model that a file of a folder is.
///
/// # Errors
/// [`FormatError::MissingFile`], and every way for the file or one beside it to be unsound.
pub fn read(folder: &Folder, name: &str) -> Result<OnnxModel, FormatError> {
    let path = folder.path_of(name);
    let bytes = folder.read(name, MAX_MODEL)?.ok_or_else(|| FormatError::MissingFile { path: path.clone() })?;
    let malformed = |fault| FormatError::Malformed { path: path.clone(), form: FORM, fault };
    let mut contents = Contents::default();
    contents.add_buffer(&path, Cow::Borrowed(&[]));
    let mut reader = Reader {
        file: &bytes,
        tensors: TensorReader { folder, path: &path, file: &bytes, contents: &mut contents, external: HashMap::new() },
        graph: Graph::default(),
        values: HashMap::new(),
        names: HashMap::new(),
        outputs: Vec::new(),
        inputs: 0,
    };
    let graph = reader.find_graph().map_err(malformed)?;
    reader.read_graph(&graph)?;
    let Reader { graph, names, .. } = reader;
    if let Some(buffer) = contents.buffers.first_mut() {
        buffer.bytes = Cow::Owned(bytes);
    }
    Ok(OnnxModel { contents, graph, names })
}

struct Reader<'r> {
    file: &'r [u8],
    tensors: TensorReader<'r>,
    graph: Graph,
    /// Values by the names that inputs refer to them by.
    values: HashMap<&'r str, Value>,
    names: HashMap<String, usize>,
    outputs: Vec<&'r str>,
    /// Inputs of all nodes so far.
    inputs: usize,
}

impl<'r> Reader<'r> {
    /// The bytes of the model's graph.
    fn find_graph(&self) -> Result<Range<usize>, Reason> {
        let mut fields = Fields::new(self.file);
        let mut graph = None;
        while let Some((number, value)) = fields.next()? {
            if let (7, wire::Value::Bytes(range)) = (number, value) {
                graph = Some(range);
            }
        }
        graph.ok_or_else(|| "it has no graph".to_owned())
    }

    fn read_graph(&mut self, range: &Range<usize>) -> Result<(), FormatError> {
        let path = self.tensors.path;
        let malformed = |fault| FormatError::Malformed { path: path.to_owned(), form: FORM, fault };
        let (mut nodes, mut initializers, mut inputs) = (Vec::new(), Vec::new(), Vec::new());
        let mut fields = Fields::within(self.file, range);
        while let Some((number, value)) = fields.next().map_err(|error| malformed(error.into()))? {
            let wire::Value::Bytes(range) = value else { continue };
            match number {
                1 => nodes.push(range),
                5 => initializers.push(range),
                11 => inputs.push(range),
                12 => {
                    let name = self.first_text(&range).map_err(malformed)?;
                    self.outputs.push(name);
                }
                _ => {}
            }
            if nodes.len() + initializers.len() > MAX_NODES {
                return Err(malformed(format!("it has more than {MAX_NODES} nodes")));
            }
        }
        for range in initializers {
            let tensor = self.tensors.read(&range)?;
            let constant = self.graph.constants.len();
            let value = self.graph.add_constant(tensor.stored);
            if self.values.insert(tensor.name, value).is_some() {
                return Err(malformed(format!("it has two initializers {:?}", tensor.name)));
            }
            self.names.insert(tensor.name.to_owned(), constant);
        }
        for range in inputs {
            let name = self.first_text(&range).map_err(malformed)?;
            // Old exporters list initializers among the inputs.
            if !self.values.contains_key(name) {
                let value = self.graph.add(Op::Input(name.to_owned()), Vec::new());
                self.values.insert(name, value);
            }
        }
        for range in nodes {
            self.read_node(&range)?;
        }
        for name in &self.outputs {
            let value = self.values.get(name).copied();
            let value = value.ok_or_else(|| malformed(format!("its output {name:?} is computed nowhere")))?;
            self.graph.outputs.push(((*name).to_owned(), value));
        }
        // The logits, if an output is called so.
        self.graph.outputs.sort_by_key(|(name, _)| name != "logits");
        Ok(())
    }

    /// The text of a message's first field, which is its name in inputs and outputs.
    fn first_text(&self, range: &Range<usize>) -> Result<&'r str, Reason> {
        let mut fields = Fields::within(self.file, range);
        while let Some((number, value)) = fields.next()? {
            if let (1, wire::Value::Bytes(range)) = (number, value) {
                return Ok(wire::text(self.file, &range)?);
            }
        }
        Ok("")
    }
}
