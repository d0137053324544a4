//! What may be typed: every subcommand, flag and default, and nothing else. Parsing only records and validates single
//! values; [`settings`](crate::settings) turns the record into decisions.

mod calibrate;
mod choices;
mod clean;
mod evaluate;
mod explain;
mod models;
mod resume;
mod serve;
mod train;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use albertine::explain::Method;
use albertine::{Activation, Encoding, Precision};
use albertine_engine::{CharacterEncoding, Format, Quote};
use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

pub(crate) use self::calibrate::CalibrateArgs;
pub(crate) use self::clean::CleanArgs;
pub(crate) use self::evaluate::EvaluateArgs;
pub(crate) use self::explain::ExplainArgs;
pub(crate) use self::models::ModelsAction;
pub(crate) use self::resume::{Errors, FailedRowArgs, ResumeArgs};
pub(crate) use self::serve::ServeArgs;
pub(crate) use self::train::TrainArgs;

const MAIN_EXAMPLES: &str = "\
Examples:
  albertine classify \"Oil prices rose on Monday\"
  albertine classify --input news.csv --text-column title --output labeled.parquet
  albertine evaluate --input test.csv --label-column label --report report
  albertine sql \"SELECT classify(text) AS label, count(*) FROM 'news.parquet' GROUP BY 1\"

Exit codes: 0 success, 1 finished with failed rows, 2 error, 130 interrupted.";

const CLASSIFY_EXAMPLES: &str = "\
Results for texts given as arguments are printed as a table on a terminal and as JSON Lines in a pipe. A table read with \
--input or from standard input keeps all its rows and columns and gains the columns `label` and `score`; it is written to \
--output in the format of its extension, or to standard output as JSON Lines.

Examples:
  albertine classify \"Oil prices rose on Monday\" \"The final was decided on penalties\"
  albertine classify --input news.parquet --output labeled.parquet
  albertine classify --input news.parquet --output labeled.parquet --resume
  albertine classify --input news/ --output labeled/ --resume
  albertine classify --input 'news/*.csv.gz' --text-column title --text-column body > news.jsonl
  head -100 headlines.txt | albertine classify
  zcat news.jsonl.gz | albertine classify --input-format jsonl --output labeled.csv";

const SQL_EXAMPLES: &str = "\
This needs a build with the cargo feature `sql`: cargo install --path crates/cli --features sql

Files are tables: 'news.parquet', 'news/*.csv', 'news.jsonl.gz'. Two functions are added to SQL: classify(text) returns \
the label and classify_score(text) its score; both return NULL for a NULL or blank text.

Examples:
  albertine sql \"SELECT classify(text) AS label, count(*) FROM 'news.parquet' GROUP BY 1\"
  albertine sql \"SELECT *, classify(title) AS label FROM 'news/*.csv'\" --output labeled.parquet";

const INSPECT_EXAMPLES: &str = "\
Examples:
  albertine inspect pieces \"Oil prices rose on Monday\"
  albertine inspect model ag_news
  albertine inspect cpu";

const BENCH_EXAMPLES: &str = "\
Examples:
  albertine bench
  albertine bench --model ./albert-base --threads 1 --rounds 5
  albertine bench --input news.parquet --text-column title > bench.json";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  albertine completions bash > ~/.local/share/bash-completion/completions/albertine
  albertine completions zsh  > \"${fpath[1]}/_albertine\"
  albertine completions fish > ~/.config/fish/completions/albertine.fish";

/// The ways to name a model.
const MODEL: &str = "NAME|PATH|ORG/REPO|URL";

/// Text classification with ALBERT and BERT, from a single headline to tables of millions of rows
#[derive(Debug, Parser)]
#[command(name = "albertine", version, after_help = MAIN_EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Print nothing but errors to standard error
    #[arg(long, global = true)]
    pub(crate) quiet: bool,

    /// Disable network access: use only models that are on this machine
    #[arg(long, global = true)]
    pub(crate) offline: bool,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Classify texts
    #[command(after_help = CLASSIFY_EXAMPLES)]
    Classify(Box<ClassifyArgs>),

    /// Show which words of a text speak for a class
    #[command(after_help = explain::EXAMPLES)]
    Explain(Box<ExplainArgs>),

    /// Evaluate a model on a labeled table
    #[command(after_help = evaluate::EXAMPLES)]
    Evaluate(Box<EvaluateArgs>),

    /// Calibrate the scores of a model on a labeled table
    #[command(after_help = calibrate::EXAMPLES)]
    Calibrate(Box<CalibrateArgs>),

    /// Find wrong labels and near-duplicate texts in a labeled table
    #[command(after_help = clean::EXAMPLES)]
    Clean(Box<CleanArgs>),

    /// Fine-tune a model on a labeled table
    #[command(after_help = train::EXAMPLES)]
    Train(Box<TrainArgs>),

    /// Serve models over HTTP, with a page to try them
    #[command(after_help = serve::EXAMPLES)]
    Serve(Box<ServeArgs>),

    /// Query files with SQL, with the model as the function classify(text) (cargo feature `sql`)
    #[command(after_help = SQL_EXAMPLES)]
    Sql(SqlArgs),

    /// Show how a text is tokenized, what a model contains, what this CPU supports
    #[command(after_help = INSPECT_EXAMPLES)]
    Inspect {
        /// What to inspect.
        #[command(subcommand)]
        subject: Subject,
    },

    /// List, download, import and remove models
    #[command(after_help = models::EXAMPLES)]
    Models {
        /// What to do.
        #[command(subcommand)]
        action: ModelsAction,
    },

    /// Benchmark a model on this machine
    #[command(after_help = BENCH_EXAMPLES)]
    Bench(BenchArgs),

    /// Print shell completions
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// Shell to print completions for
        shell: Shell,
    },
}

/// `albertine classify`.
#[derive(Debug, Args)]
pub(crate) struct ClassifyArgs {
    /// Texts to classify; if none are given, --input or standard input is read
    #[arg(value_name = "TEXT", conflicts_with_all = ["inputs", "input_format", "text_columns", "resume", "restart", "rejects"])]
    pub(crate) texts: Vec<String>,

    #[command(flatten)]
    pub(crate) input: InputArgs,

    #[command(flatten)]
    pub(crate) output: OutputArgs,

    #[command(flatten)]
    pub(crate) columns: ColumnArgs,

    #[command(flatten)]
    pub(crate) model: ModelArgs,

    #[command(flatten)]
    pub(crate) resume: ResumeArgs,

    #[command(flatten)]
    pub(crate) failed_rows: FailedRowArgs,
}

/// Where tables come from.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct InputArgs {
    /// File, folder, glob pattern, URL (https://, s3://), or - for standard input; may be repeated
    #[arg(long = "input", value_name = "PATH|GLOB|URL|-", value_hint = ValueHint::AnyPath)]
    pub(crate) inputs: Vec<OsString>,

    /// Format of the input [default: from the extension, including .gz and .zst; txt for standard input]
    #[arg(long, value_name = "FORMAT", value_parser = choices::input_format())]
    pub(crate) input_format: Option<Format>,

    #[command(flatten)]
    pub(crate) text: TextArgs,

    /// Column that contains the text, by name or by number from 1; if repeated, the columns are joined with a space
    #[arg(long = "text-column", value_name = "NAME", default_value = "text")]
    pub(crate) text_columns: Vec<String>,
}

/// A labeled table for a model that there is.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct LabeledArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// Column that contains the true label
    #[arg(long, value_name = "NAME", default_value = "label")]
    pub(crate) label_column: String,

    /// The table's names for the model's classes, in the model's order, as a line of CSV [default: the model's labels,
    /// the table's names for its numbers, or class indices from 0]
    #[arg(long, value_name = "NAME,..")]
    pub(crate) labels: Option<String>,
}

/// How text files are written.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct TextArgs {
    /// Character between fields, such as ';' or '\t' [default: found from the file]
    #[arg(long, value_name = "CHAR", value_parser = choices::character)]
    pub(crate) delimiter: Option<u8>,

    /// Character around fields, or `none` [default: found from the file, usually '"']
    #[arg(long, value_name = "CHAR|none", value_parser = choices::quote)]
    pub(crate) quote: Option<Quote>,

    /// Character before a quote within quotes, such as '\' [default: found from the file, usually a doubled quote]
    #[arg(long, value_name = "CHAR", value_parser = choices::character)]
    pub(crate) escape: Option<u8>,

    /// Take the first row for data and name the columns column1, column2, ... [default: found from the file]
    #[arg(long)]
    pub(crate) no_header: bool,

    /// Take the first row for the header [default: found from the file]
    #[arg(long, conflicts_with = "no_header")]
    pub(crate) header: bool,

    /// Character at the start of lines to skip, such as '#' [default: none]
    #[arg(long, value_name = "CHAR", value_parser = choices::character)]
    pub(crate) comment: Option<u8>,

    /// Word that stands for a missing value where it is a whole field without quotes; may be repeated
    #[arg(long = "null", value_name = "WORD")]
    pub(crate) nulls: Vec<String>,

    /// Character encoding, such as windows-1252 or utf-16le [default: found from the file, usually UTF-8]
    #[arg(long, value_name = "NAME")]
    pub(crate) input_encoding: Option<CharacterEncoding>,
}

/// Where results go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// File to write (moved into place once it is complete), or - for standard output
    #[arg(long, value_name = "PATH|-", default_value = "-", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,

    /// Format of the output [default: from the extension; on standard output, a table or jsonl]
    #[arg(long, value_name = "FORMAT", value_parser = choices::output_format())]
    pub(crate) output_format: Option<Format>,
}

/// Which columns are added to a classified table.
#[derive(Debug, Args)]
#[command(next_help_heading = "Columns")]
pub(crate) struct ColumnArgs {
    /// Function that turns logits into scores [default: as the model was trained]
    #[arg(long, value_name = "FUNCTION", value_parser = choices::activation())]
    pub(crate) activation: Option<Activation>,

    /// Score that a class must exceed to be predicted under sigmoid, from 0 to 1 [default: 0.5, or the value that Spark
    /// NLP saved]
    #[arg(long, value_name = "P", value_parser = probability)]
    pub(crate) threshold: Option<f32>,

    /// Give no label where the model is not sure enough: of the labels that are given, at least the fraction P is right
    /// (for a model that `albertine calibrate` has calibrated)
    #[arg(long, value_name = "P", value_parser = share)]
    pub(crate) abstain: Option<f64>,

    /// Add a column `prediction_set`: the likeliest labels, so that the fraction P of the sets contains the true one
    /// (for a model that `albertine calibrate` has calibrated)
    #[arg(long, value_name = "P", value_parser = share)]
    pub(crate) coverage: Option<f64>,

    /// Add a column `scores`: the score of every label
    #[arg(long)]
    pub(crate) all_scores: bool,

    /// Add a column `logits`: the model's outputs before the activation
    #[arg(long)]
    pub(crate) logits: bool,

    /// Add a column `class`: annotations in Spark NLP's schema
    #[arg(long)]
    pub(crate) annotations: bool,

    /// Add a column `words`: the N words that speak most for the label, with their positions and weights
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) explain: Option<NonZeroUsize>,

    /// How the words of --explain are credited: leave-one-out evaluates the model once for each word of a text, shap
    /// about 500 times
    #[arg(long, value_name = "METHOD", value_parser = choices::method(), default_value_t = Method::LeaveOneOut)]
    pub(crate) explain_method: Method,
}

/// Which model, and how it runs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct ModelArgs {
    /// Model name, model directory or archive, Hugging Face hub repository, or URL
    #[arg(long, value_name = MODEL, default_value = albertine::hub::DEFAULT, value_hint = ValueHint::DirPath)]
    pub(crate) model: String,

    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// How a model runs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct RunArgs {
    /// Numeric precision of the encoder
    #[arg(long, value_parser = choices::precision(), default_value_t = Precision::F32)]
    pub(crate) precision: Precision,

    /// Maximum sequence length in subword pieces, `[CLS]` and `[SEP]` included; longer texts are truncated and counted
    /// [default: the model's limit]
    #[arg(long, value_name = "N")]
    pub(crate) max_sentence_length: Option<usize>,

    /// How texts are split into pieces [default: token for a model saved by Spark NLP, otherwise document]
    #[arg(long, value_parser = choices::encoding())]
    pub(crate) encoding: Option<Encoding>,

    /// Instead of truncating long texts, read them in windows that overlap by N pieces, and average the windows [N: 32
    /// if omitted]
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "32")]
    pub(crate) windows: Option<usize>,

    /// Distinguish upper and lower case [default: as the model was trained]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) case_sensitive: Option<bool>,

    /// Number of threads, at most 1024 [default: all cores]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Batch size of a thread, in pieces [default: chosen for the CPU's caches]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) batch_tokens: Option<NonZeroUsize>,
}

/// `albertine sql`.
#[derive(Debug, Args)]
pub(crate) struct SqlArgs {
    /// Query to run
    pub(crate) query: String,

    #[command(flatten)]
    pub(crate) output: OutputArgs,

    #[command(flatten)]
    pub(crate) model: ModelArgs,
}

/// `albertine inspect`.
#[derive(Debug, Subcommand)]
pub(crate) enum Subject {
    /// Show the pieces that a model reads from a text
    Pieces {
        /// Text to tokenize
        text: String,

        /// Model name, model directory or archive, Hugging Face hub repository, or URL
        #[arg(long, value_name = MODEL, default_value = albertine::hub::DEFAULT, value_hint = ValueHint::DirPath)]
        model: String,
    },

    /// Show the architecture, labels and limits of a model
    Model {
        /// Model name, model directory or archive, Hugging Face hub repository, or URL
        #[arg(value_name = MODEL, default_value = albertine::hub::DEFAULT, value_hint = ValueHint::DirPath)]
        model: String,
    },

    /// Show the CPU levels that this machine supports and the one in use
    Cpu,
}

/// `albertine bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// Number of timed passes over the texts; the median is reported
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = RangedU64ValueParser::<usize>::new().range(1..=1000))]
    pub(crate) rounds: usize,
}

/// A number from 0 to 1.
pub(super) fn probability(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("not a number from 0 to 1".to_owned()),
    }
}

/// A number between 0 and 1.
pub(super) fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value < 1.0 => Ok(value),
        _ => Err("not a number between 0 and 1".to_owned()),
    }
}

/// A whole number of at least 1.
pub(super) fn positive(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "not a whole number of at least 1".to_owned())
}

/// A number of threads that a classifier takes.
pub(super) fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let most = albertine::MAX_THREADS;
    let count = positive(text).ok().filter(|count| count.get() <= most);
    count.ok_or_else(|| format!("not a whole number from 1 to {most}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_threshold_is_a_probability() {
        assert_eq!(probability("0.25"), Ok(0.25));
        for wrong in ["-0.1", "1.01", "NaN", "half", ""] {
            assert!(probability(wrong).is_err(), "{wrong} was accepted");
        }
    }

    #[test]
    fn a_share_is_neither_nothing_nor_everything() {
        assert_eq!(share("0.98"), Ok(0.98));
        for wrong in ["0", "1", "98", "-0.1", "NaN", ""] {
            assert!(share(wrong).is_err(), "{wrong} was accepted");
        }
    }

    #[test]
    fn threads_are_counted_by_hand() {
        assert_eq!(threads("1024").map(NonZeroUsize::get), Ok(1024));
        for wrong in ["0", "1025", "18446744073709551615", "-1", "two"] {
            assert_eq!(threads(wrong), Err("not a whole number from 1 to 1024".to_owned()), "{wrong}");
        }
    }

    #[test]
    fn case_sensitivity_is_the_models_unless_it_is_given() {
        let parse = |flags: &[&str]| {
            let words = ["albertine", "classify", "x"].iter().chain(flags);
            match Cli::try_parse_from(words).expect("valid flags").command {
                Command::Classify(args) => args.model.run.case_sensitive,
                other => panic!("parsed as {other:?}"),
            }
        };
        assert_eq!(parse(&[]), None);
        assert_eq!(parse(&["--case-sensitive"]), Some(true));
        assert_eq!(parse(&["--case-sensitive=false"]), Some(false));
    }
}
