//! Checkpoints of every kind, found by what a folder holds and read into one form.

mod archive;
pub(crate) mod contents;
pub(crate) mod element;
mod files;
pub(crate) mod folder;
pub(crate) mod graph;
pub(crate) mod onnx;
mod pickle;
pub(crate) mod safetensors;
mod shards;
pub(crate) mod spark;
pub(crate) mod tensorflow;
pub(crate) mod torch_zip;
pub(crate) mod wire;

use std::borrow::Cow;

use self::contents::Contents;
pub use self::folder::Folder;
pub use self::pickle::PickleError;
use crate::ModelError;

/// The largest weights file that is read, in bytes. The largest published ALBERT takes 0.9 GB in f32.
pub(crate) const MAX_WEIGHTS: u64 = 8 << 30;

/// A format of one weights file.
#[derive(Clone, Copy)]
enum Format {
    Safetensors,
    Torch,
}

/// Where weights may stand in a folder, the preferred place first: transformers' names and order.
const PLACES: [(&str, &str, Format); 2] = [
    ("model.safetensors", "model.safetensors.index.json", Format::Safetensors),
    ("pytorch_model.bin", "pytorch_model.bin.index.json", Format::Torch),
];

/// Whether a folder has weights of a Hugging Face model.
pub(crate) fn has_weights(folder: &Folder) -> bool {
    PLACES.iter().any(|(file, index, _)| folder.has(file) || folder.has(index))
}

/// Reads the weights of a Hugging Face model.
pub(crate) fn open(folder: &Folder) -> Result<Contents<'static>, ModelError> {
    for (file, index, format) in PLACES {
        if folder.has(file) {
            let mut contents = Contents::default();
            read_into(&mut contents, folder, file, format)?;
            return Ok(contents);
        }
        if folder.has(index) {
            return shards::read(folder, index, |contents, shard| read_into(contents, folder, shard, format));
        }
    }
    Err(ModelError::MissingWeights { directory: folder.path().to_owned(), found: folder.listing()? })
}

/// Reads one weights file and adds its tensors.
fn read_into(contents: &mut Contents<'static>, folder: &Folder, name: &str, format: Format) -> Result<(), ModelError> {
    let path = folder.path_of(name);
    let missing = || ModelError::MissingFile { path: path.clone() };
    match format {
        // Read whole, not mapped: a file that is cut short or rewritten while it is mapped ends the process, and
        // ALBERT-base is read in a few hundredths of a second.
        Format::Safetensors => {
            let bytes = folder.read(name, MAX_WEIGHTS)?.ok_or_else(missing)?;
            safetensors::read(contents, Cow::Owned(bytes), &path)
        }
        Format::Torch => {
            let (reader, size) = folder.reader(name, MAX_WEIGHTS)?.ok_or_else(missing)?;
            torch_zip::read(contents, reader, size, &path)
        }
    }
}
