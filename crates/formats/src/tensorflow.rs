//! TensorFlow models: a graph in `saved_model.pb`, its variables in a checkpoint beside it.
//!
//! A SavedModel keeps the checkpoint in `variables/`. What Spark NLP saves has it at the root, and `saved_model.pb` is the
//! graph alone, without the signatures that a SavedModel has around it.

mod attribute;
mod bundle;
mod graph_def;
mod instance;
mod object_graph;
mod op;
mod table;

use std::collections::HashMap;

use self::bundle::Bundle;
use self::graph_def::GraphDef;
use self::instance::Instance;
use super::contents::Contents;
use super::folder::Folder;
use super::graph::Graph;
use crate::FormatError;

/// The graph's file.
pub const GRAPH: &str = "saved_model.pb";

/// The largest graph that is read, in bytes; weights may be in it.
const MAX_GRAPH: u64 = 2 << 30;

/// The form that errors name.
const FORM: &str = "a valid TensorFlow graph";

/// A model that has been read.
#[derive(Debug)]
pub struct TensorFlowModel {
    /// The bytes of its constants.
    pub contents: Contents<'static>,
    /// What it computes.
    pub graph: Graph,
    /// The names of the variables, as the model's layers name them.
    pub names: HashMap<String, usize>,
}

/// Reads the model of a folder.
///
/// # Errors
/// [`FormatError::MissingFile`], and every way for the graph or its checkpoint to be unsound.
pub fn read(folder: &Folder) -> Result<TensorFlowModel, FormatError> {
    let path = folder.path_of(GRAPH);
    let bytes = folder.read(GRAPH, MAX_GRAPH)?.ok_or_else(|| FormatError::MissingFile { path: path.clone() })?;
    let malformed = |fault| FormatError::Malformed { path: path.clone(), form: FORM, fault };
    let mut contents = Contents::default();
    contents.add_buffer(&path, std::borrow::Cow::Borrowed(&[]));
    let definition = GraphDef::read(&bytes).map_err(malformed)?;

    let variables =
        ["variables/variables", "variables"].into_iter().find(|prefix| folder.has(&format!("{prefix}.index")));
    // A graph whose variables were made constants has no checkpoint.
    let bundle = match variables {
        Some(prefix) => Bundle::read(folder, prefix, &mut contents)?,
        None => Bundle::default(),
    };
    let mut instance = Instance::new(&bytes, &path, &definition, bundle, &mut contents);
    instance.fill().map_err(malformed)?;
    let (graph, names) = instance.finish();
    if let Some(buffer) = contents.buffers.first_mut() {
        buffer.bytes = std::borrow::Cow::Owned(bytes);
    }
    Ok(TensorFlowModel { contents, graph, names })
}
