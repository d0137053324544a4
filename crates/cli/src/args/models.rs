//! The arguments of `albertine models`.

use clap::{Subcommand, ValueHint};

use super::MODEL;

pub(super) const EXAMPLES: &str = "\
What is on this machine is used without a look at the network; what is not is fetched once, checked, and kept in one folder: \
ALBERTINE_CACHE, else the system's folder for caches. ALBERTINE_HUB names folders and URLs to take published models from, \
HF_ENDPOINT a mirror of huggingface.co, HF_TOKEN a token for it. --offline, or ALBERTINE_OFFLINE=1, keeps off the network.

Examples:
  albertine models list
  albertine models pull albert_base_sequence_classifier_ag_news
  albertine models pull org/repo@v1.0
  albertine models import ./exported_model.zip mine && albertine classify --model mine \"Oil prices rose\"
  albertine models list --refresh";

/// `albertine models`.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelsAction {
    /// List the models that are here and those that are known
    List {
        /// Read the index of published models anew first, in the form of Spark NLP's metadata.json [default: where they come from]
        #[arg(long, value_name = "URL|PATH", num_args = 0..=1, value_hint = ValueHint::FilePath)]
        refresh: Option<Option<String>>,
    },

    /// Show what a model is, where it is and where it came from
    Show {
        /// Model to show
        #[arg(value_name = MODEL)]
        name: String,
    },

    /// Fetch a model, unless it is here, and print where it is
    Pull {
        /// Model to fetch
        #[arg(value_name = MODEL)]
        name: String,
    },

    /// Make a model directory of a model of any kind, keep it under a name, and print where it is
    Import {
        /// Model to import: a directory, an archive, a repository or a URL
        #[arg(value_name = "PATH|ORG/REPO|URL", value_hint = ValueHint::AnyPath)]
        from: String,

        /// Name to give it
        name: String,
    },

    /// Remove a model from the cache
    Remove {
        /// Model to remove
        #[arg(value_name = MODEL)]
        name: String,
    },

    /// Print where a model is
    Path {
        /// Model to look for
        #[arg(value_name = MODEL)]
        name: String,
    },
}
