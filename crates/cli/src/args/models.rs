//! The arguments of `albertine models`.

use std::path::PathBuf;

use albertine::Precision;
use clap::{Subcommand, ValueHint};

use super::MODEL;
use super::choices::stored_precision;

pub(super) const EXAMPLES: &str = "\
Models that are on this machine are used without network access. Others are downloaded once, verified, and kept in the cache: \
ALBERTINE_CACHE, or else the platform's cache folder. ALBERTINE_HUB lists folders and URLs to get published models from, \
HF_ENDPOINT names a mirror of huggingface.co and HF_TOKEN a token for it. --offline or ALBERTINE_OFFLINE=1 disables network access.

Examples:
  albertine models list
  albertine models pull albert_base_sequence_classifier_ag_news
  albertine models pull org/repo@v1.0
  albertine models import ./exported_model.zip mine && albertine classify --model mine \"Oil prices rose\"
  albertine models list --refresh";

/// `albertine models`.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelsAction {
    /// List the models on this machine and the published models
    #[command(after_help = "Examples:\n  albertine models list\n  albertine models list --refresh")]
    List {
        /// First update the index of published models, from a file in the format of Spark NLP's metadata.json [default:
        /// from the first place in ALBERTINE_HUB, or else from Spark NLP]
        #[arg(long, value_name = "URL|PATH", num_args = 0..=1, value_hint = ValueHint::FilePath)]
        refresh: Option<Option<String>>,
    },

    /// Show a model's labels, location and origin
    #[command(after_help = "Examples:\n  albertine models show ag_news")]
    Show {
        /// Model to show
        #[arg(value_name = MODEL)]
        name: String,
    },

    /// Download a model if it is not on this machine, and print its path
    #[command(
        after_help = "Examples:\n  albertine models pull albert_base_sequence_classifier_ag_news\n  albertine models pull org/repo@v1.0"
    )]
    Pull {
        /// Model to download
        #[arg(value_name = MODEL)]
        name: String,
    },

    /// Convert a model of any kind to a model directory, keep it under a name, and print its path
    #[command(
        after_help = "Examples:\n  albertine models import ./exported_model.zip mine\n  albertine models import org/repo mine && albertine classify --model mine \"Oil prices rose\""
    )]
    Import {
        /// Model to import: a directory, an archive, a repository or a URL
        #[arg(value_name = "PATH|ORG/REPO|URL", value_hint = ValueHint::AnyPath)]
        from: String,

        /// Name for the model
        name: String,
    },

    /// Convert a model of any kind to a model directory
    #[command(
        after_help = "Of a saved pipeline, the classifier alone is converted; `albertine models import` keeps all of its stages.\n\n\
                      With `--weights int8`, matrices are 8-bit integers (I8) and each has a scale for each of its rows in the tensor \
                      NAME_scale; Albertine reads that, and `--weights f32` makes files of it that transformers loads.\n\n\
                      Examples:\n  albertine models convert ./my-model ./my-small-model --weights int8\n  albertine models convert ag_news ./ag_news"
    )]
    Convert {
        /// Model to convert
        #[arg(value_name = MODEL)]
        from: String,

        /// Folder for the model; must be new or empty
        #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath)]
        to: PathBuf,

        /// What the matrices are stored as
        #[arg(long, value_name = "PRECISION", value_parser = stored_precision(), default_value_t = Precision::F32)]
        weights: Precision,
    },

    /// Remove a model from the cache
    #[command(after_help = "Examples:\n  albertine models remove mine")]
    Remove {
        /// Model to remove
        #[arg(value_name = MODEL)]
        name: String,
    },

    /// Print the path of a model
    #[command(after_help = "Examples:\n  albertine models path ag_news")]
    Path {
        /// Model to locate
        #[arg(value_name = MODEL)]
        name: String,
    },
}
