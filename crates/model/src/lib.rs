//! Sequence classifiers of several families, and their encoder on ragged batches.
//!
//! A [`Checkpoint`] is a trained classifier wherever it comes from: a Hugging Face directory, a TensorFlow SavedModel, an
//! ONNX export, a saved Spark NLP annotator or a pipeline with one, each as a directory or in a zip or tar archive. It holds a
//! [`ModelConfig`], whose [`Architecture`] says which tensors of which shapes the model is made of, and [`Weights`] by
//! canonical names; a [`SequenceClassifier`] computes with them.
//!
//! Every byte read here is foreign: sizes are capped before anything is allocated, arithmetic is checked, nothing in a
//! checkpoint is executed, and [`ModelError`] names the file and the tensor or field that was wrong.
//!
//! ```no_run
//! use std::path::Path;
//! use albertine_model::Checkpoint;
//!
//! # fn main() -> Result<(), albertine_model::ModelError> {
//! let checkpoint = Checkpoint::open(Path::new("albert_base_sequence_classifier_ag_news.zip"))?;
//! let config = checkpoint.config();
//! let classifier = checkpoint.weights().tensor(&config.tensors().classifier.weight)?;
//! checkpoint.save(Path::new("models/news"))?;
//! # Ok(())
//! # }
//! ```

mod architecture;
mod batch;
mod cancellation;
mod checkpoint;
mod classifier;
mod config;
mod encoder;
mod error;
mod families;
mod head;
mod held_out;
mod memory;
mod scores;
mod source;
mod weights;

pub use albertine_formats::{Folder, FormatError, SparkPipeline, SparkStage, WholeFolder, replace_folder};
pub use albertine_kernels::{CpuError, CpuLevel, Kernels, Precision, UnknownPrecision, peak_gflops, product_gflops};
pub use architecture::{Affine, Architecture, LayerParts, MaskedLanguageParts, Parts, TensorSpec};
pub use batch::RaggedBatch;
pub use cancellation::{CancellationToken, Cancelled};
pub use checkpoint::{Checkpoint, CheckpointKind, Runtime};
pub use classifier::SequenceClassifier;
pub use config::{DropoutRates, HiddenActivation, ModelConfig, ProblemType};
pub use encoder::{Encoder, Phase, Profile, Reads, Scratch, SharedTokens};
pub use error::ModelError;
pub use held_out::HeldOutScores;
pub use scores::{argmax, softmax};
pub use source::{BuiltIn, ModelSource};
pub use weights::Weights;
