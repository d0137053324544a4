//! `albertine train`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::{InputArgs, MODEL, positive, probability, threads};

pub(super) const EXAMPLES: &str = "\
The whole network is trained, with AdamW, a step size that grows over --warmup and then falls to 0, and gradients of at most --clip. Where \
all labels of the table are the model's own (or their numbers from 0) its classifier goes on; else it gets a new one for them. The result \
is a model directory that `--model` takes and that Hugging Face transformers loads; beside the model lie metrics.jsonl (a line for each \
step and each epoch) and, where something was measured, metrics.json and report.html.

With validation rows the epoch with the least loss on them is kept. The same seed gives the same model, bit for bit, at any number of \
threads of one kind of CPU. Ctrl-C stops after the step at work and keeps what is learned (with validation rows, the best epoch so far); a \
second one stops at once.

Examples:
  albertine train --input train.csv --model ./albert-base-v2 --output my-model --validation-split 0.1
  albertine train --input 'train/*.parquet' --text-column title --text-column body --test test.parquet --output my-model
  albertine train --input few.csv --freeze-encoder --learning-rate 0.005 --epochs 30 --output my-model";

/// `albertine train`.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// Column that holds the true label
    #[arg(long, value_name = "NAME", default_value = "label", help_heading = "Input")]
    pub(crate) label_column: String,

    /// Table to measure every epoch on; may be repeated
    #[arg(long, value_name = "PATH|GLOB|URL", conflicts_with = "validation_split", help_heading = "Input")]
    pub(crate) validation: Vec<String>,

    /// Share of the rows, drawn by chance, that is measured on and not learned
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share, help_heading = "Input")]
    pub(crate) validation_split: f64,

    /// Table to measure the trained model on; may be repeated
    #[arg(long, value_name = "PATH|GLOB|URL", help_heading = "Input")]
    pub(crate) test: Vec<String>,

    /// Folder for the model, new or empty
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, help_heading = "Output")]
    pub(crate) output: PathBuf,

    /// Model to begin with: a name, a model directory or archive, a repository on the Hugging Face hub, or a URL
    #[arg(long, value_name = MODEL, default_value = albertine::hub::DEFAULT, value_hint = ValueHint::DirPath, help_heading = "Model")]
    pub(crate) model: String,

    /// Pieces of a text that are read, `[CLS]` and `[SEP]` included; the rest is cut and counted [default: the model's limit]
    #[arg(long, value_name = "N", help_heading = "Model")]
    pub(crate) max_sentence_length: Option<usize>,

    /// Train the classifier alone, on what the encoder says as it is
    #[arg(long, help_heading = "Training")]
    pub(crate) freeze_encoder: bool,

    /// Times that every row is seen
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..=100_000), help_heading = "Training")]
    pub(crate) epochs: u32,

    /// Rows of a step
    #[arg(long, value_name = "N", default_value = "32", value_parser = positive, help_heading = "Training")]
    pub(crate) batch_size: NonZeroUsize,

    /// Greatest step size
    #[arg(long, value_name = "RATE", default_value_t = 2e-5, value_parser = rate, help_heading = "Training")]
    pub(crate) learning_rate: f64,

    /// Share of the steps over which the step size grows
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, value_parser = share, help_heading = "Training")]
    pub(crate) warmup: f64,

    /// Share of each weight that is taken away in a step, in parts of the step size; not of biases and LayerNorms
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share, help_heading = "Training")]
    pub(crate) weight_decay: f64,

    /// Greatest length of a gradient; a longer one is shortened
    #[arg(long, value_name = "LENGTH", default_value_t = 1.0, value_parser = rate, help_heading = "Training")]
    pub(crate) clip: f64,

    /// Share of the target that goes to all classes alike
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = probability, help_heading = "Training")]
    pub(crate) label_smoothing: f32,

    /// How much each class counts: `balanced` makes up for classes of few rows
    #[arg(long, value_name = "RULE", value_enum, default_value_t = ClassWeights::Equal, help_heading = "Training")]
    pub(crate) class_weights: ClassWeights,

    /// Share of the values before the classifier that are left out in a step
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, value_parser = dropout, help_heading = "Training")]
    pub(crate) dropout: f32,

    /// Stop when the validation loss has not fallen for so many epochs
    #[arg(long, value_name = "EPOCHS", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Training")]
    pub(crate) patience: Option<u32>,

    /// What chance depends on
    #[arg(long, value_name = "N", default_value_t = 42, help_heading = "Training")]
    pub(crate) seed: u64,

    /// Threads to work with, at most 1024 [default: all cores]
    #[arg(long, value_name = "N", value_parser = threads, help_heading = "Training")]
    pub(crate) threads: Option<NonZeroUsize>,
}

/// How much each class counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClassWeights {
    /// Each row as much as any other
    Equal,
    /// Each class as much as any other
    Balanced,
}

/// A number from 0 up to, and not, 1.
fn share(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..1.0).contains(number));
    number.ok_or_else(|| "not a number from 0 to below 1".to_owned())
}

fn dropout(text: &str) -> Result<f32, String> {
    share(text).map(|share| share as f32)
}

/// A number above 0.
fn rate(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|&number: &f64| number > 0.0 && number.is_finite());
    number.ok_or_else(|| "not a number above 0".to_owned())
}
