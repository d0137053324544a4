//! Fine-tuning a classifier on labeled texts, and evaluating it: from logits and true classes to the metrics of a model
//! card and a report.
//!
//! [`fine_tune`] takes a [`BaseModel`] and [`LabeledTexts`] to a model directory: the whole network is trained, by the
//! gradient of the encoder itself, over the kernels that classify too. What a training minimizes is an objective; the
//! trainer takes weights through its steps, keeps checkpoints, and tells a listener of [`Event`]s.
//!
//! An evaluation gets rows one at a time ([`LabeledEvaluation::add`], [`Evaluation::add`]); nothing is kept of them but
//! counts, so that memory depends on the labels and the pairs of them that are confused, not on the table.
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
mod base_model;
mod calibration;
mod classification;
pub mod clean;
mod confident_errors;
mod confusion;
mod error;
mod evaluation;
mod event;
mod examples;
mod fine_tune;
mod fingerprint;
mod json;
mod labeled;
mod labeled_evaluation;
mod labels;
mod loss;
mod masked_language;
mod metrics;
mod metrics_log;
mod network;
mod objective;
mod parameters;
mod pretrain;
mod random;
mod report;
mod settings;
mod task_metrics;
mod teacher;
mod temperature;
mod trainer;

pub use base_model::{BaseModel, Head};
pub use calibration::{Bin, Calibration};
pub use confident_errors::{ConfidentError, ConfidentErrors};
pub use confusion::Confusion;
pub use error::TrainError;
pub use evaluation::{Evaluation, Loss, Verdict};
pub use event::Event;
pub use examples::Examples;
pub use fine_tune::{Datasets, FineTuned, Provenance, Validation, check_output, create_output, fine_tune};
pub use labeled::LabeledTexts;
pub use labeled_evaluation::LabeledEvaluation;
pub use labels::LabelNames;
pub use metrics::{ClassMetrics, Metrics, Run, STEP_ROWS};
pub use metrics_log::Curves;
pub use parameters::Tensors;
pub use pretrain::{Corpus, PlainTexts, Pretrained, pretrain};
pub use report::{Report, ReportFolder};
pub use settings::{BestMetric, ClassWeights, LrScheduler, TrainSettings};
pub use task_metrics::{LabelMetrics, PieceMetrics, TaskMetrics, ValueMetrics};
pub use teacher::{SoftLabels, Teacher};
pub use temperature::{Fit, HeldOutLogits, TemperatureScaling};
#[doc(hidden)]
pub use trainer::train_weights;
pub use trainer::{Checkpoints, Execution};
