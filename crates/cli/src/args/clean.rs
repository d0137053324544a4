//! `albertine clean`.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use albertine_train::clean::{FilterBy, RankBy, SIMILARITY};
use clap::{Args, ValueHint};

use super::choices::{filter_by, rank_by};
use super::train::rate;
use super::{InputArgs, MODEL, positive, threads};

pub(super) const EXAMPLES: &str = "\
Labels are judged by models that have not seen them: the table is divided into --folds parts, and each part is classified by a model \
that was fine-tuned on the others, with a new classification head. Choose a base model that was not trained on this table. From these \
probabilities, confident learning finds the labels that are probably wrong, as the `cleanlab` package does. Probabilities of another \
model can be given as columns with --probabilities; they must be out-of-fold too.

Texts are nearly the same if the sets of all five letters in a row of them have a Jaccard similarity of --similarity or more, in any \
case and punctuation. With --test, texts that are in the test set too are found in the same way.

The report is report.html. review.csv is the table to correct, with all rows, those with something wrong first: change `label`, delete \
rows, and train on it as it is. The numbers are printed to standard output as JSON.

Examples:
  albertine clean --input train.csv --model ./albert-base-v2 --output review
  albertine clean --input train.csv --freeze-encoder --learning-rate 0.005 --epochs 10 --test test.csv --output review
  albertine clean --input scored.parquet --probabilities scores --output review
  albertine clean --input train.csv --duplicates-only --output review";

/// `albertine clean`.
#[derive(Debug, Args)]
pub(crate) struct CleanArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// Column that contains the label
    #[arg(long, value_name = "NAME", default_value = "label", help_heading = "Input")]
    pub(crate) label_column: String,

    /// Test set, whose texts should not be in the table; may be repeated
    #[arg(long, value_name = "PATH|GLOB|URL", help_heading = "Input")]
    pub(crate) test: Vec<OsString>,

    /// Columns with the out-of-fold probability of each class, as a line of CSV: they have the names of the labels, or are
    /// one column of structs such as `scores` [default: from fine-tuning]
    #[arg(long, value_name = "NAME,..", help_heading = "Input")]
    pub(crate) probabilities: Option<String>,

    /// Folder for the report: report.html and review.csv
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, help_heading = "Output")]
    pub(crate) output: PathBuf,

    /// How labels that are probably wrong are chosen
    #[arg(long, value_name = "RULE", value_parser = filter_by(), default_value = FilterBy::PruneByNoiseRate.name(), help_heading = "Labels")]
    pub(crate) filter_by: FilterBy,

    /// Quality of a label by which these are ranked, the worst first
    #[arg(long, value_name = "QUALITY", value_parser = rank_by(), default_value = RankBy::SelfConfidence.name(), help_heading = "Labels")]
    pub(crate) rank_by: RankBy,

    /// Jaccard similarity from which two texts are nearly the same, above 0 and at most 1
    #[arg(long, value_name = "S", value_parser = similarity, default_value_t = SIMILARITY, help_heading = "Texts")]
    pub(crate) similarity: f64,

    /// Compare the texts and do not judge the labels
    #[arg(long, conflicts_with = "probabilities", help_heading = "Texts")]
    pub(crate) duplicates_only: bool,

    /// Base model: a name, model directory or archive, Hugging Face hub repository, or URL
    #[arg(long, value_name = MODEL, default_value = albertine::hub::DEFAULT, value_hint = ValueHint::DirPath, help_heading = "Model")]
    pub(crate) model: String,

    /// Maximum sequence length in subword pieces, `[CLS]` and `[SEP]` included; longer texts are truncated and counted
    /// [default: the model's limit]
    #[arg(long, value_name = "N", help_heading = "Model")]
    pub(crate) max_sentence_length: Option<usize>,

    /// Number of folds, and of models that are fine-tuned
    #[arg(long, value_name = "K", default_value = "5", value_parser = clap::value_parser!(u16).range(2..), help_heading = "Training")]
    pub(crate) folds: u16,

    /// Train only the classification head and leave the encoder as it is
    #[arg(long, help_heading = "Training")]
    pub(crate) freeze_encoder: bool,

    /// Number of epochs: passes over the training set
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..=100_000), help_heading = "Training")]
    pub(crate) epochs: u32,

    /// Batch size: texts per optimizer step
    #[arg(long, value_name = "N", default_value = "32", value_parser = positive, help_heading = "Training")]
    pub(crate) batch_size: NonZeroUsize,

    /// Peak learning rate
    #[arg(long, value_name = "RATE", default_value_t = 2e-5, value_parser = rate, help_heading = "Training")]
    pub(crate) learning_rate: f64,

    /// Random seed, of the folds too
    #[arg(long, value_name = "N", default_value_t = 42, help_heading = "Training")]
    pub(crate) seed: u64,

    /// Number of threads, at most 1024 [default: all cores]
    #[arg(long, value_name = "N", value_parser = threads, help_heading = "Training")]
    pub(crate) threads: Option<NonZeroUsize>,
}

/// A number above 0 and at most 1.
fn similarity(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|&number: &f64| number > 0.0 && number <= 1.0);
    number.ok_or_else(|| "not a number above 0 and at most 1".to_owned())
}
