//! `albertine evaluate`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{Errors, InputArgs, ModelArgs};

pub(super) const EXAMPLES: &str = "\
The numbers go to standard output as JSON: first those of a model card, in the order of Hugging Face's Trainer, then macro averages, \
the calibration error, the numbers of each class and the confusion matrix. A row without a text or without a label is left out and \
counted.

The label column holds the model's labels, or their numbers from 0. Where the table calls them otherwise, --labels gives its names in \
the model's order (`albertine inspect model` shows it).

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

    /// What the table calls the model's classes, in the model's order [default: the model's labels, or their numbers]
    #[arg(long, value_name = "NAME,..", value_delimiter = ',', help_heading = "Input")]
    pub(crate) labels: Vec<String>,

    /// What to do with a row that cannot be read: `fail` stops, `null` leaves it out and goes on
    #[arg(long, value_name = "POLICY", value_enum, default_value_t = Errors::Fail, help_heading = "Input")]
    pub(crate) errors: Errors,

    /// Folder for a report: report.html with the confusion matrix and the surest mistakes, and metrics.json
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, help_heading = "Output")]
    pub(crate) report: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) model: ModelArgs,
}
