//! Model directories and the ALBERT encoder on ragged batches.
//!
//! A model directory is a Hugging Face layout: `config.json` beside `model.safetensors` (one file, or shards named by
//! an index) or `pytorch_model.bin`. [`AlbertConfig`] reads the first, [`Weights`] the rest, and [`layout`] says which
//! tensors of which shapes an ALBERT sequence classifier is made of.
//!
//! Every byte read here is foreign: sizes are capped before anything is allocated, arithmetic is checked, nothing in a
//! checkpoint is executed, and [`ModelError`] names the file and the tensor or field that was wrong.
//!
//! ```no_run
//! use std::path::Path;
//! use albertine_model::{AlbertConfig, Weights};
//!
//! # fn main() -> Result<(), albertine_model::ModelError> {
//! let directory = Path::new("models/news");
//! let config = AlbertConfig::open(directory)?;
//! let weights = Weights::open(directory)?;
//! let classifier = weights.get("classifier.weight", &[config.labels.len(), config.hidden_size])?;
//! # Ok(())
//! # }
//! ```

pub mod layout;

mod batch;
mod classifier;
mod config;
mod encoder;
mod error;
mod formats;
mod head;
mod weights;

pub use albertine_kernels::{CpuError, CpuLevel, Kernels, Precision, UnknownPrecision, peak_gflops, product_gflops};
pub use batch::RaggedBatch;
pub use classifier::AlbertClassifier;
pub use config::{Activation, AlbertConfig, ProblemType};
pub use encoder::{Encoder, Scratch, Stage, StageTimes};
pub use error::ModelError;
pub use formats::PickleError;
pub use weights::Weights;
