//! Files of trained models, whichever program wrote them, as named tensors, raw configurations and graphs.
//!
//! A [`Folder`] is a directory or an archive. [`read_weights`] finds the tensors of a Hugging Face directory in it
//! (safetensors or pickle, in one file or in shards); [`tensorflow`] and [`onnx`] read a computation graph with its
//! constants into one form ([`graph`]); [`SparkPipeline`] reads what Spark NLP saved. Nothing here knows a model family:
//! names are those of the files, and what they stand for is for the reader to say.
//!
//! Every byte read here is foreign: sizes are capped before anything is allocated, arithmetic is checked, nothing in a
//! file is executed, and [`FormatError`] names the file and the tensor or entry that was wrong.

mod archive;
mod contents;
mod element;
mod error;
mod files;
mod folder;
pub mod graph;
mod lfs;
pub mod onnx;
mod pickle;
mod place;
pub mod safetensors;
mod shards;
mod spark;
pub mod tensorflow;
pub mod torch;
mod whole_folder;
mod wire;

use std::borrow::Cow;

pub use self::contents::{Buffer, Contents, MAX_SHARING, StoredTensor};
pub use self::element::Element;
pub use self::error::FormatError;
pub use self::folder::{Folder, OpenFile};
pub use self::pickle::PickleError;
pub use self::place::ReadSeek;
pub use self::spark::{SparkPipeline, SparkStage};
pub use self::whole_folder::{WholeFolder, replace_folder};

/// The largest weights file that is read, in bytes. The largest published ALBERT takes 0.9 GB in f32.
pub const MAX_WEIGHTS: u64 = 8 << 30;

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
#[must_use]
pub fn has_weights(folder: &Folder) -> bool {
    PLACES.iter().any(|(file, index, _)| folder.has(file) || folder.has(index))
}

/// Reads the weights of a Hugging Face model: `model.safetensors`, or its shards, or `pytorch_model.bin`, or its shards;
/// the first of these that is there.
///
/// # Errors
/// [`FormatError::MissingWeights`] with what the folder holds instead, and every way for a file to be unsound.
pub fn read_weights(folder: &Folder) -> Result<Contents<'static>, FormatError> {
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
    Err(FormatError::MissingWeights { directory: folder.path().to_owned(), found: folder.listing()? })
}

/// Reads one weights file and adds its tensors.
fn read_into(contents: &mut Contents<'static>, folder: &Folder, name: &str, format: Format) -> Result<(), FormatError> {
    let path = folder.path_of(name);
    let missing = || FormatError::MissingFile { path: path.clone() };
    match format {
        // Read whole, not mapped: a file that is cut short or rewritten while it is mapped ends the process, and
        // ALBERT-base is read in a few hundredths of a second.
        Format::Safetensors => {
            let bytes = folder.read(name, MAX_WEIGHTS)?.ok_or_else(missing)?;
            safetensors::read(contents, Cow::Owned(bytes), &path)
        }
        Format::Torch => {
            let (reader, size) = folder.reader(name, MAX_WEIGHTS)?.ok_or_else(missing)?;
            torch::read(contents, reader, size, &path)
        }
    }
}
