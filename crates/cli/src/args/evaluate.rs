//! `albertine evaluate`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{InputArgs, ModelArgs};

pub(super) const EXAMPLES: &str = "\
The numbers go to standard output as JSON: first those of a model card, in the order of Hugging Face's Trainer, then macro averages, \
the calibration error, the numbers of each class, the confusion matrix and what the run was. `epoch` is null: a table does not tell how \
long a model was trained. A row without a text or without a label is left out and counted. Where each class is scored by itself \
(sigmoid), the best one counts, whatever its score.

The label column holds the model's labels, or their numbers from 0. Where the table calls them otherwise, --labels gives its names in \
the model's order (`albertine inspect model` shows it). Rows are counted from 1, without a header.

Examples:
  albertine evaluate --input test.csv
  albertine evaluate --input 'test/*.parquet' --text-column title --text-column body --label-column topic --report report
  albertine evaluate --model ./my-model --input test.jsonl --labels negative,positive --precision int8 > metrics.json";

/// `albertine evaluate`.
#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// Column that holds the true label
    #[arg(long, value_name = "NAME", default_value = "label", help_heading = "Input")]
    pub(crate) label_column: String,

    /// What the table calls the model's classes, in the model's order, as a line of CSV [default: the model's labels, or their numbers
    /// from 0]
    #[arg(long, value_name = "NAME,..", help_heading = "Input")]
    pub(crate) labels: Option<String>,

    /// Folder for a report: report.html with the confusion matrix and the surest mistakes, and metrics.json
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, help_heading = "Output")]
    pub(crate) report: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) model: ModelArgs,
}
