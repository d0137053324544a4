//! `albertine evaluate`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{LabeledArgs, ModelArgs};

pub(super) const EXAMPLES: &str = "\
The metrics are printed to standard output as JSON: first the nine of Hugging Face's Trainer, in its order, then macro averages, the \
calibration error, the metrics of each class, the confusion matrix and the settings of the run. `epoch` is null, because a table does \
not say how long a model was trained. Rows without a text or without a label are skipped and counted. For a model that scores each \
class independently (sigmoid), the class with the highest score is the prediction, whatever its score.

The label column contains the model's labels, or class indices counted from 0. Where a Parquet file names the classes of its numbers, \
as Hugging Face's datasets do (ClassLabel), a number is the class of its name, whatever the order, and -1 is a row without a label. If \
the table uses other names than the model, --labels gives them in the model's order (`albertine inspect model` shows it). Rows are \
counted from 1, not counting a header.

Examples:
  albertine evaluate --input test.csv
  albertine evaluate --input 'test/*.parquet' --text-column title --text-column body --label-column topic --report report
  albertine evaluate --model ./my-model --input test.jsonl --labels negative,positive --precision int8 > metrics.json";

/// `albertine evaluate`.
#[derive(Debug, Clone, Args)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    pub(crate) labeled: LabeledArgs,

    /// Folder for a report: report.html with the confusion matrix and the most confident errors, and metrics.json
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, help_heading = "Output")]
    pub(crate) report: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) model: ModelArgs,
}
