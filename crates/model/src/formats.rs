//! Checkpoints of every kind, found by what a directory holds and read into one form.

pub(crate) mod contents;
pub(crate) mod element;
pub(crate) mod files;
mod pickle;
pub(crate) mod safetensors;
mod shards;
pub(crate) mod torch_zip;

use std::borrow::Cow;
use std::path::Path;

use self::contents::Contents;
pub use self::pickle::PickleError;
use crate::ModelError;

/// The largest weights file that is read, in bytes. The largest published ALBERT takes 0.9 GB in f32.
const MAX_WEIGHTS: u64 = 8 << 30;

/// A format of one weights file.
#[derive(Clone, Copy)]
enum Format {
    Safetensors,
    Torch,
}

/// Where weights may stand in a directory, the preferred place first: transformers' names and order.
const PLACES: [(&str, &str, Format); 2] = [
    ("model.safetensors", "model.safetensors.index.json", Format::Safetensors),
    ("pytorch_model.bin", "pytorch_model.bin.index.json", Format::Torch),
];

/// Reads the weights of a model directory.
pub(crate) fn open(directory: &Path) -> Result<Contents<'static>, ModelError> {
    files::must_be_directory(directory)?;
    for (file, index, format) in PLACES {
        let (file, index) = (directory.join(file), directory.join(index));
        if file.is_file() {
            let mut contents = Contents::default();
            read_into(&mut contents, &file, format)?;
            return Ok(contents);
        }
        if index.is_file() {
            return shards::read(&index, |contents, shard| read_into(contents, shard, format));
        }
    }
    let found = files::listing(directory)?;
    Err(ModelError::MissingWeights { directory: directory.to_owned(), found })
}

/// Reads one weights file and adds its tensors.
fn read_into(contents: &mut Contents<'static>, path: &Path, format: Format) -> Result<(), ModelError> {
    match format {
        // Read whole, not mapped: a file that is cut short or rewritten while it is mapped ends the process, and
        // ALBERT-base is read in a few hundredths of a second.
        Format::Safetensors => safetensors::read(contents, Cow::Owned(files::read(path, MAX_WEIGHTS)?), path),
        Format::Torch => {
            let (file, size) = files::open(path, MAX_WEIGHTS)?;
            torch_zip::read(contents, std::io::BufReader::new(file), size, path)
        }
    }
}
