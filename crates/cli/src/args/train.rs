//! `albertine train`.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use albertine::Precision;
use albertine::model::ProblemType;
use albertine_train::{BestMetric, ClassWeights, LrScheduler};
use clap::{Args, ValueHint};

use super::choices::{best_metric, lr_scheduler, problem_type, training_precision};
use super::{InputArgs, MODEL, positive, probability, threads};

pub(super) const EXAMPLES: &str = "\
The whole network is trained with AdamW; the learning rate warms up linearly over --warmup and then decays to 0. If every \
label in the table is one of the model's (or a class index from 0), its classification head is trained further; otherwise it gets a new \
one. The result is a model directory that `--model` accepts and that Hugging Face transformers loads. It also contains metrics.jsonl (a \
line for each step and each epoch) and, if there is a validation or test set, metrics.json and report.html. Where a Parquet file names \
the classes of its numbers, as Hugging Face's datasets do (ClassLabel), these names are the labels, and -1 is a row without one.

With a validation set, the best epoch by --metric-for-best-model is kept. The same seed gives the same model, bit for bit, at any \
number of threads on one kind of CPU. Ctrl-C stops after the current step and keeps the model as trained so far (with a validation set, \
the best epoch so far); a second Ctrl-C stops at once. With --checkpoint, Ctrl-C writes a checkpoint instead of a model, and a run that \
was stopped or killed goes on where its newest checkpoint was written: run the same command again with --resume.

Examples:
  albertine train --input train.csv --model ./albert-base-v2 --output my-model --validation-split 0.1
  albertine train --input 'train/*.parquet' --text-column title --text-column body --test test.parquet --output my-model
  albertine train --input train.csv --model ./albert-base-v2 --output my-model --checkpoint run --save-steps 500 --resume
  albertine train --pretrain --config config.json --vocabulary-size 16000 --input corpus.txt --output pretrained
  albertine train --model ./pretrained --input train.csv --teacher ./albert-base --output small
  albertine train --input few.csv --freeze-encoder --learning-rate 0.005 --epochs 30 --output my-model";

/// `albertine train`.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// Column that contains the true label
    #[arg(long, value_name = "NAME", default_value = "label", help_heading = "Input")]
    pub(crate) label_column: String,

    /// Column that contains the second text of a pair
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub(crate) text_pair_column: Option<String>,

    /// What the labels are for
    #[arg(
        long,
        value_name = "TYPE",
        value_parser = problem_type(),
        default_value = ProblemType::SingleLabel.name(),
        help_heading = "Input"
    )]
    pub(crate) problem_type: ProblemType,

    /// What stands between the labels of a text, where it may have several; lists of labels need none
    #[arg(long, value_name = "TEXT", default_value = ",", help_heading = "Input")]
    pub(crate) label_separator: String,

    /// Validation set, evaluated after every epoch; may be repeated
    #[arg(long, value_name = "PATH|GLOB|URL", conflicts_with = "validation_split", help_heading = "Input")]
    pub(crate) validation: Vec<OsString>,

    /// Fraction of the rows to hold out at random as the validation set
    #[arg(long, value_name = "FRACTION", default_value_t = 0.0, value_parser = fraction, help_heading = "Input")]
    pub(crate) validation_split: f64,

    /// Test set, evaluated once after training; may be repeated
    #[arg(long, value_name = "PATH|GLOB|URL", help_heading = "Input")]
    pub(crate) test: Vec<OsString>,

    /// Folder for the model; must be new or empty
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, help_heading = "Output")]
    pub(crate) output: PathBuf,

    /// Base model: a name, model directory or archive, Hugging Face hub repository, or URL
    #[arg(long, value_name = MODEL, default_value = albertine::hub::DEFAULT, value_hint = ValueHint::DirPath, help_heading = "Model")]
    pub(crate) model: String,

    /// Train a new model of this shape instead: a config.json, or a folder with one and maybe a vocabulary
    #[arg(long, value_name = "PATH", conflicts_with = "model", value_hint = ValueHint::AnyPath, help_heading = "Model")]
    pub(crate) config: Option<PathBuf>,

    /// Train a vocabulary of N unigram pieces on the input, the five special ones included
    #[arg(long, value_name = "N", requires = "config", value_parser = positive, help_heading = "Model")]
    pub(crate) vocabulary_size: Option<NonZeroUsize>,

    /// Keep the labels of the base model, and add those that it lacks
    #[arg(long, conflicts_with = "config", help_heading = "Model")]
    pub(crate) add_labels: bool,

    /// Maximum sequence length in subword pieces, `[CLS]` and `[SEP]` included; longer texts are truncated and counted
    /// [default: the model's limit]
    #[arg(long, value_name = "N", help_heading = "Model")]
    pub(crate) max_sentence_length: Option<usize>,

    /// Train only the classification head and leave the encoder as it is
    #[arg(long, help_heading = "Training")]
    pub(crate) freeze_encoder: bool,

    /// Number of epochs: passes over the training set
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..=100_000), help_heading = "Training")]
    pub(crate) epochs: u32,

    /// Batch size: texts whose gradients are computed together
    #[arg(long, value_name = "N", default_value = "32", value_parser = positive, help_heading = "Training")]
    pub(crate) batch_size: NonZeroUsize,

    /// Batches whose gradients are added up for one optimizer step
    #[arg(long, value_name = "N", default_value = "1", value_parser = positive, help_heading = "Training")]
    pub(crate) gradient_accumulation_steps: NonZeroUsize,

    /// Peak learning rate
    #[arg(long, value_name = "RATE", default_value_t = 2e-5, value_parser = rate, help_heading = "Training")]
    pub(crate) learning_rate: f64,

    /// How the learning rate decays after the warm-up
    #[arg(
        long,
        visible_alias = "lr-scheduler-type",
        value_name = "SCHEDULE",
        value_parser = lr_scheduler(),
        default_value = LrScheduler::Linear.name(),
        help_heading = "Training"
    )]
    pub(crate) lr_scheduler: LrScheduler,

    /// Fraction of the steps over which the learning rate warms up
    #[arg(long, visible_alias = "warmup-ratio", value_name = "FRACTION", default_value_t = 0.1, value_parser = fraction, help_heading = "Training")]
    pub(crate) warmup: f64,

    /// Weight decay, not applied to biases and LayerNorm weights
    #[arg(long, value_name = "RATE", default_value_t = 0.01, value_parser = fraction, help_heading = "Training")]
    pub(crate) weight_decay: f64,

    /// Maximum gradient norm; larger gradients are clipped to it
    #[arg(
        long,
        visible_alias = "max-grad-norm",
        value_name = "NORM",
        default_value_t = 1.0,
        value_parser = rate,
        help_heading = "Training"
    )]
    pub(crate) clip: f64,

    /// Label smoothing: the part of each target that is spread evenly over all classes
    #[arg(long, value_name = "FRACTION", default_value_t = 0.0, value_parser = probability, help_heading = "Training")]
    pub(crate) label_smoothing: f32,

    /// Class weights in the loss: `equal`, `balanced` (compensates for rare classes), or LABEL=WEIGHT,... (others are 1)
    #[arg(long, value_name = "WEIGHTS", default_value_t = ClassWeights::Equal, help_heading = "Training")]
    pub(crate) class_weights: ClassWeights,

    /// Dropout probability of hidden states, of attention and before the classification head [default: as the model's
    /// config.json says]
    #[arg(long, value_name = "P", value_parser = dropout, help_heading = "Training")]
    pub(crate) dropout: Option<f32>,

    /// Validation metric that chooses the epoch to keep: the lowest loss, or the highest of the others
    #[arg(
        long,
        value_name = "METRIC",
        value_parser = best_metric(),
        default_value = BestMetric::Loss.name(),
        help_heading = "Training"
    )]
    pub(crate) metric_for_best_model: BestMetric,

    /// Early-stopping patience: epochs without a better validation metric before training stops
    #[arg(long, value_name = "EPOCHS", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Training")]
    pub(crate) patience: Option<u32>,

    /// Keep a moving average of the weights with this decay instead of the last ones [for example: 0.999]
    #[arg(long, value_name = "DECAY", value_parser = fraction, help_heading = "Training")]
    pub(crate) ema_decay: Option<f64>,

    /// What matrix products multiply; weights and sums are 32-bit floating point in both
    #[arg(long, value_parser = training_precision(), default_value_t = Precision::F32, help_heading = "Training")]
    pub(crate) precision: Precision,

    /// Random seed
    #[arg(long, value_name = "N", default_value_t = 42, help_heading = "Training")]
    pub(crate) seed: u64,

    /// Number of threads, at most 1024 [default: all cores]
    #[arg(long, value_name = "N", value_parser = threads, help_heading = "Training")]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Learn also from what a teacher says: a model with the labels that are trained, or a table with their scores for each
    /// row of the input, as `classify --all-scores` writes it; may be repeated, and is then averaged
    #[arg(long, value_name = "NAME|PATH|ORG/REPO|URL|TABLE", value_hint = ValueHint::AnyPath, help_heading = "Distillation")]
    pub(crate) teacher: Vec<String>,

    /// Temperature at which the scores of teacher and model are compared
    #[arg(long, value_name = "T", requires = "teacher", default_value_t = 2.0, value_parser = rate, help_heading = "Distillation")]
    pub(crate) teacher_temperature: f64,

    /// Part of the loss that the teacher decides; rows without a label learn from the teacher alone
    #[arg(long, value_name = "FRACTION", requires = "teacher", default_value_t = 0.5, value_parser = part, help_heading = "Distillation")]
    pub(crate) teacher_weight: f64,

    /// Pre-train a masked language model on plain text instead; no labels are read
    #[arg(
        long,
        conflicts_with_all = ["test", "teacher", "freeze_encoder", "add_labels", "text_pair_column"],
        help_heading = "Pre-training"
    )]
    pub(crate) pretrain: bool,

    /// Probability that a piece is hidden
    #[arg(long, value_name = "P", requires = "pretrain", default_value_t = 0.15, value_parser = dropout, help_heading = "Pre-training")]
    pub(crate) mlm_probability: f32,

    /// Folder for checkpoints, from which a run that was killed can go on
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, help_heading = "Checkpoints")]
    pub(crate) checkpoint: Option<PathBuf>,

    /// Steps from one checkpoint to the next [default: one after each epoch]
    #[arg(long, value_name = "N", requires = "checkpoint", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Checkpoints")]
    pub(crate) save_steps: Option<u64>,

    /// Number of checkpoints to keep: the newest
    #[arg(long, value_name = "N", requires = "checkpoint", default_value = "1", value_parser = positive, help_heading = "Checkpoints")]
    pub(crate) save_total_limit: NonZeroUsize,

    /// Go on from the newest checkpoint, if there is one: the same settings, data and base model give the model of an
    /// unbroken run, bit for bit
    #[arg(long, requires = "checkpoint", help_heading = "Checkpoints")]
    pub(crate) resume: bool,

    /// File for metrics.jsonl while training runs [default: in the folder of --checkpoint]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Checkpoints")]
    pub(crate) metrics: Option<PathBuf>,
}

/// A number of at least 0 and below 1.
fn fraction(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..1.0).contains(number));
    number.ok_or_else(|| "not a number of at least 0 and below 1".to_owned())
}

/// A number from 0 to 1.
fn part(text: &str) -> Result<f64, String> {
    probability(text).map(f64::from)
}

fn dropout(text: &str) -> Result<f32, String> {
    fraction(text).map(|fraction| fraction as f32)
}

/// A number greater than 0.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|&number: &f64| number > 0.0 && number.is_finite());
    number.ok_or_else(|| "not a number greater than 0".to_owned())
}
