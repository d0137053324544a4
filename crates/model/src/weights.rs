//! Named tensors of a checkpoint, handed out as f32.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use albertine_formats::{Contents, Element, Folder, StoredTensor, read_weights, safetensors, torch};

use crate::families::{self, Naming, NamingFault};
use crate::{ModelError, TensorSpec};

/// The weights of a model, by canonical name ([`TensorSpec::name`]), whatever file they came from.
///
/// Files are read and their structure is checked when the value is made; a tensor's numbers are converted when it is
/// asked for. The value may be dropped once a model has been built from it.
///
/// ```
/// # use std::collections::HashMap;
/// # use std::path::Path;
/// # use safetensors::{Dtype, serialize, tensor::TensorView};
/// use albertine_model::Weights;
///
/// # let data: Vec<u8> = [1.0_f32, 2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
/// # let tensor = TensorView::new(Dtype::F32, vec![2], &data)?;
/// # let bytes = serialize([("albert.pooler.bias", tensor)], None)?;
/// let weights = Weights::from_safetensors(&bytes, Path::new("built-in"))?;
/// assert_eq!(weights.get("pooler.bias", &[2])?, [1.0, 2.0]);
/// assert_eq!(
///     weights.get("pooler.bias", &[3]).unwrap_err().to_string(),
///     "the tensor `pooler.bias` in built-in has the shape [2], but the configuration requires [3]",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Weights<'a> {
    /// The directory or the name of the bytes, for what no file of it has.
    origin: PathBuf,
    contents: Contents<'a>,
}

impl Weights<'static> {
    /// Reads the weights of a model directory, or of an archive of one: `model.safetensors`, or its shards, or
    /// `pytorch_model.bin`, or its shards; the first of these that is there. [`crate::Checkpoint`] reads more kinds.
    ///
    /// # Errors
    /// [`FormatError::MissingWeights`](albertine_formats::FormatError::MissingWeights) with what the directory holds instead, and every way for a file to be unsound.
    pub fn open(directory: &Path) -> Result<Self, ModelError> {
        Self::read(&Folder::open(directory)?)
    }

    /// Reads the weights of a Hugging Face model in a folder.
    pub(crate) fn read(folder: &Folder) -> Result<Self, ModelError> {
        Self::from_contents(folder.path(), read_weights(folder)?)
    }

    /// The weights whose canonical names were found already.
    pub(crate) fn from_canonical(origin: &Path, contents: Contents<'static>) -> Self {
        Self { origin: origin.to_owned(), contents }
    }

    /// The same as [`Weights::from_safetensors`] with bytes that it keeps.
    ///
    /// # Errors
    /// Every way for the file to be unsound.
    pub fn from_safetensors_vec(bytes: Vec<u8>, origin: &Path) -> Result<Self, ModelError> {
        let mut contents = Contents::default();
        safetensors::read(&mut contents, Cow::Owned(bytes), origin)?;
        Self::from_contents(origin, contents)
    }

    /// Reads the bytes of a `pytorch_model.bin`, as `torch.save` writes it now or wrote it before PyTorch 1.6; `origin` is
    /// the name that errors give it. Its pickles are interpreted by an allow-list, never executed.
    ///
    /// # Errors
    /// Every way for the file, its pickles and its tensors to be unsound;
    /// [`FormatError::Pickle`](albertine_formats::FormatError::Pickle) names a global that a checkpoint has no business with.
    pub fn from_torch(bytes: &[u8], origin: &Path) -> Result<Self, ModelError> {
        let mut contents = Contents::default();
        torch::read(&mut contents, Cursor::new(bytes), bytes.len() as u64, origin)?;
        Self::from_contents(origin, contents)
    }
}

impl<'a> Weights<'a> {
    /// The tensors that a file calls by names of its own, under their canonical ones; what wraps a model is left out.
    fn from_contents(origin: &Path, mut contents: Contents<'a>) -> Result<Self, ModelError> {
        let mut stored: Vec<_> = std::mem::take(&mut contents.tensors).into_iter().collect();
        // In the order of the files, so that errors do not depend on the run.
        stored.sort_unstable_by(|(a, one), (b, other)| (one.buffer, a).cmp(&(other.buffer, b)));
        let naming = Naming::of(stored.iter().map(|(name, _)| name.as_str())).map_err(|fault| match fault {
            NamingFault::Adapter(tensor) => ModelError::UnmergedAdapter { path: origin.to_owned(), tensor },
            NamingFault::Encoders(prefixes) => ModelError::SeveralEncoders { path: origin.to_owned(), prefixes },
        })?;
        let mut tensors = HashMap::with_capacity(stored.len());
        for (name, tensor) in stored {
            let Some(name) = naming.canonical(&name) else { continue };
            match tensors.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(tensor);
                }
                Entry::Occupied(entry) => {
                    let path = contents.path_of(&tensor).unwrap_or(origin).to_owned();
                    return Err(ModelError::DuplicateTensor { path, tensor: entry.key().clone() });
                }
            }
        }
        contents.tensors = tensors;
        Ok(Self { origin: origin.to_owned(), contents })
    }

    /// Reads a safetensors file that is in memory, without copying it; `origin` is the name that errors give it.
    ///
    /// # Errors
    /// Every way for the file to be unsound.
    pub fn from_safetensors(bytes: &'a [u8], origin: &Path) -> Result<Self, ModelError> {
        let mut contents = Contents::default();
        safetensors::read(&mut contents, Cow::Borrowed(bytes), origin)?;
        Self::from_contents(origin, contents)
    }

    /// The elements of a tensor in row-major order, converted to f32 from F64, F32, F16 or BF16, or from 8-bit integers
    /// (I8) that are multiplied by the scale of their row in the tensor `NAME_scale`, `[rows, 1]`, as the
    /// [compressed-tensors](https://github.com/vllm-project/compressed-tensors) format stores weights with a scale for each
    /// channel.
    ///
    /// `name` is canonical ([`TensorSpec::name`]) and `shape` is the shape that the tensor must have.
    ///
    /// # Errors
    /// [`ModelError::MissingTensor`] (for a tensor of the head, [`ModelError::NotAClassifier`]),
    /// [`ModelError::TensorShape`], [`ModelError::TensorType`] and [`ModelError::NotFinite`].
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let Some(stored) = self.contents.tensors.get(name) else {
            let (path, tensor) = (self.origin.clone(), name.to_owned());
            return Err(if families::is_head(name) {
                ModelError::NotAClassifier { path, tensor }
            } else {
                ModelError::MissingTensor { path, tensor }
            });
        };
        if stored.shape != shape {
            return Err(ModelError::TensorShape {
                path: self.path_of(stored),
                tensor: name.to_owned(),
                found: stored.shape.clone(),
                expected: shape.to_owned(),
            });
        }
        let mut values = self.contents.values(stored).ok_or_else(|| ModelError::TensorType {
            path: self.path_of(stored),
            tensor: name.to_owned(),
            found: stored.element.name().to_owned(),
        })?;
        if stored.element == Element::I8 {
            self.scale(name, stored, &mut values)?;
        }
        match first_not_finite(&values) {
            None => Ok(values),
            Some((element, value)) => {
                Err(ModelError::NotFinite { path: self.path_of(stored), tensor: name.to_owned(), element, value })
            }
        }
    }

    /// Multiplies whole numbers by the scales of their rows.
    fn scale(&self, name: &str, stored: &StoredTensor, values: &mut [f32]) -> Result<(), ModelError> {
        let tensor = format!("{name}{SCALE}");
        let path = || self.path_of(stored);
        match self.contents.tensors.get(&tensor) {
            None => return Err(ModelError::MissingTensor { path: path(), tensor }),
            // Scales have none of their own.
            Some(scales) if scales.element == Element::I8 => {
                return Err(ModelError::TensorType { path: path(), tensor, found: scales.element.name().to_owned() });
            }
            Some(_) => {}
        }
        let rows = stored.shape.first().copied().unwrap_or(1);
        let width = stored.shape.iter().skip(1).product::<usize>().max(1);
        for (row, scale) in values.chunks_exact_mut(width).zip(self.get(&tensor, &[rows, 1])?) {
            row.iter_mut().for_each(|value| *value *= scale);
        }
        Ok(())
    }

    /// The elements of a tensor that a configuration calls for, as [`Weights::get`].
    ///
    /// # Errors
    /// As [`Weights::get`].
    pub fn tensor(&self, spec: &TensorSpec) -> Result<Vec<f32>, ModelError> {
        self.get(&spec.name, &spec.shape)
    }

    /// Whether there is a tensor of that canonical name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.contents.tensors.contains_key(name)
    }

    /// Every tensor there is: canonical name, shape and element type in safetensors' spelling, sorted by name.
    pub fn tensors(&self) -> Vec<(&str, &[usize], &'static str)> {
        let stored = self.contents.tensors.iter();
        let mut tensors: Vec<_> =
            stored.map(|(name, tensor)| (name.as_str(), tensor.shape.as_slice(), tensor.element.name())).collect();
        tensors.sort_unstable();
        tensors
    }

    fn path_of(&self, tensor: &StoredTensor) -> PathBuf {
        self.contents.path_of(tensor).unwrap_or(&self.origin).to_owned()
    }
}

/// How the name of a tensor ends that has the scales of another's rows.
pub(crate) const SCALE: &str = "_scale";

/// The first number that is NaN or infinite, and its place.
fn first_not_finite(values: &[f32]) -> Option<(usize, f32)> {
    // A block is looked at whole, without a branch for each number: that runs as fast as memory is read.
    const BLOCK: usize = 1024;
    let finite = |block: &[f32]| block.iter().fold(true, |finite, value| finite & value.is_finite());
    let block = values.chunks(BLOCK).position(|block| !finite(block))?;
    values.iter().copied().enumerate().skip(block * BLOCK).find(|(_, value)| !value.is_finite())
}
