//! `albertine explain`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use albertine::Activation;
use albertine::explain::Method;
use clap::{Args, ValueHint};

use super::{ModelArgs, choices, positive};

pub(super) const EXAMPLES: &str = "\
On a terminal the words are colored by how much they speak for the class (blue) or against it (orange), and the strongest are listed. \
In a pipe there is a JSON object for each text, with the weight of every word for every class. The weights of Partition SHAP add up to \
the difference between the text's score and its score with every word hidden (`base`).

Examples:
  albertine explain \"Oil prices rose on Monday\"
  albertine explain \"Oil prices rose on Monday\" --class World --html oil.html
  albertine explain --method leave-one-out \"The final was decided on penalties\" > words.json";

/// `albertine explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Texts to explain
    #[arg(value_name = "TEXT", required = true)]
    pub(crate) texts: Vec<String>,

    /// Class to explain [default: the class with the highest score]
    #[arg(long = "class", value_name = "LABEL")]
    pub(crate) label: Option<String>,

    /// How words are credited
    #[arg(long, value_name = "METHOD", value_parser = choices::method(), default_value_t = Method::Shap)]
    pub(crate) method: Method,

    /// About how many evaluations of the model a text gets, with the method `shap`; at least two
    #[arg(long, value_name = "N", value_parser = positive, default_value = "500")]
    pub(crate) evaluations: NonZeroUsize,

    /// Function that turns logits into the scores that are explained [default: as the model was trained]
    #[arg(long, value_name = "FUNCTION", value_parser = choices::activation())]
    pub(crate) activation: Option<Activation>,

    /// Explain logits instead of scores
    #[arg(long, conflicts_with = "activation")]
    pub(crate) logits: bool,

    /// Add `pieces` to the JSON: the weights of the parts that the method `shap` works on
    #[arg(long, help_heading = "Output")]
    pub(crate) pieces: bool,

    /// Write a page for a browser, with the words colored for each class
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub(crate) html: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) model: ModelArgs,
}
