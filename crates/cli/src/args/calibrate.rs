//! `albertine calibrate`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{LabeledArgs, ModelArgs};

pub(super) const EXAMPLES: &str = "\
One number, the temperature, is fitted on labeled texts that the model was not trained on, so that of the predictions with a score of \
0.9 nine in ten are correct. It changes no prediction. The result is a model directory with the temperature in the weights and biases of \
its classifier, so that every program that reads it gives calibrated scores, and with the scores of these texts in calibration.json, \
from which `classify --abstain` and `classify --coverage` take their thresholds. The calibration error before and after is printed to \
standard output as JSON.

Calibrate with the precision and the maximum sentence length that you classify with. The table should have a few hundred rows or more: \
`--abstain 0.98` needs 149 at the least, `--coverage 0.99` needs 99.

Examples:
  albertine calibrate --model ./my-model --input validation.csv --output calibrated
  albertine classify --model ./calibrated --input news.csv --abstain 0.98 --output labeled.csv
  albertine classify --model ./calibrated --input news.csv --coverage 0.95 --output sets.jsonl";

/// `albertine calibrate`.
#[derive(Debug, Args)]
pub(crate) struct CalibrateArgs {
    #[command(flatten)]
    pub(crate) labeled: LabeledArgs,

    /// Folder for the calibrated model; must be new or empty
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, help_heading = "Output")]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) model: ModelArgs,
}
