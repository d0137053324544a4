//! Fine-tuning a classifier on labeled texts, and evaluating it: from logits and true classes to the metrics of a model
//! card and a report.
//!
//! [`Base`] is the base model, [`Examples`] are texts as it reads them, and a [`Trainer`] takes it through them:
//! the whole network, by the gradient of the encoder itself, over the kernels that classify too.
//!
//! Rows come one at a time, as [`Evaluation::add`]; nothing is kept of them but counts, so that memory depends on the
//! labels and the pairs of them that are mistaken, not on the table.
//!
//! ```
//! use albertine_train::{Evaluation, Loss, Run};
//!
//! let labels = ["World", "Sports"].map(str::to_owned).to_vec();
//! let mut evaluation = Evaluation::new(labels, Loss::CrossEntropy)?;
//! evaluation.add(0, &[2.0, -1.0])?;
//! evaluation.add(1, &[0.5, 0.0])?;
//! let metrics = evaluation.metrics(Run::default())?;
//! assert_eq!(metrics.accuracy, 0.5);
//! assert_eq!((metrics.confusion.rows(0, 0), metrics.confusion.rows(1, 0)), (1, 1));
//! # Ok::<(), albertine_train::TrainError>(())
//! ```

mod adamw;
mod base;
mod calibration;
mod confusion;
mod error;
mod evaluation;
mod examples;
mod json;
mod labels;
mod metrics;
mod mistakes;
mod network;
mod parameters;
mod report;
mod trainer;

pub use base::{Base, Head};
pub use calibration::{Bin, Calibration};
pub use confusion::Confusion;
pub use error::TrainError;
pub use evaluation::{Evaluation, Loss, Verdict};
pub use examples::Examples;
pub use labels::LabelNames;
pub use metrics::{ClassMetrics, Metrics, Run, STEP_ROWS};
pub use mistakes::{Mistake, Mistakes};
pub use parameters::Tensors;
pub use report::Report;
pub use trainer::{Event, TrainSettings, Trained, Trainer, measure};
