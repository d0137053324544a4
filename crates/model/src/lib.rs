//! Models of every kind, and the ALBERT encoder on ragged batches.
//!
//! A [`Checkpoint`] is a trained classifier wherever it comes from: a Hugging Face directory, a TensorFlow SavedModel, an
//! ONNX export, a saved Spark NLP annotator or a pipeline with one, each as a directory or in a zip archive. It holds an
//! [`AlbertConfig`] and [`Weights`] by canonical names; [`layout`] says which tensors of which shapes an ALBERT sequence
//! classifier is made of, and [`AlbertClassifier`] computes with them.
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
//! let classifier = checkpoint.weights().get("classifier.weight", &[config.labels.len(), config.hidden_size])?;
//! checkpoint.save(Path::new("models/news"))?;
//! # Ok(())
//! # }
//! ```

pub mod layout;

mod batch;
mod checkpoint;
mod classifier;
mod config;
mod encoder;
mod error;
mod head;
mod scores;
mod source;
mod weights;

pub use albertine_formats::{Folder, FormatError, SparkPipeline, SparkStage, WholeFolder};
pub use albertine_kernels::{CpuError, CpuLevel, Kernels, Precision, UnknownPrecision, peak_gflops, product_gflops};
pub use batch::RaggedBatch;
pub use checkpoint::{Checkpoint, CheckpointKind, Engine};
pub use classifier::AlbertClassifier;
pub use config::{Activation, AlbertConfig, ProblemType};
pub use encoder::{Encoder, Scratch, Stage, StageTimes};
pub use error::ModelError;
pub use scores::{argmax, softmax};
pub use source::{BuiltIn, ModelSource};
pub use weights::Weights;
