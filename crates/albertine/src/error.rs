//! Everything that can go wrong in the library, as one closed enum.

use albertine_model::{Cancelled, CpuError, FormatError, ModelError};
use albertine_text::TextError;

/// An error of the library; each variant names the model, column or row that it is about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model directory, its configuration or its weights.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The vocabulary, or a text that could not be cut into pieces.
    #[error(transparent)]
    Text(#[from] TextError),
    /// `ALBERTINE_CPU` names a level that does not exist or that this CPU lacks.
    #[error(transparent)]
    Cpu(#[from] CpuError),
    /// Building or reading an Arrow array.
    #[error(transparent)]
    Arrow(#[from] arrow_schema::ArrowError),
    /// A model could not be found or fetched.
    #[error(transparent)]
    #[cfg(feature = "hub")]
    Hub(#[from] crate::hub::HubError),
    /// A model is neither built in nor a path, and this build has nothing else.
    #[cfg(not(feature = "hub"))]
    #[error(
        "`{name}` is neither the built-in model `{built_in}` nor a path, and this build has no hub to look further (feature `hub`)"
    )]
    NoHub {
        /// What was asked for.
        name: String,
        /// The built-in model.
        built_in: &'static str,
    },
    /// No model has this name and no directory is there.
    #[error("there is no model named `{name}`{}", did_you_mean(nearest))]
    UnknownModel {
        /// What was asked for.
        name: String,
        /// The nearest known names, best first.
        nearest: Vec<String>,
    },
    /// The operating system refused a file.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: std::path::PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Something is in the way of what is saved.
    #[error("{} already exists", path.display())]
    Exists {
        /// The path.
        path: std::path::PathBuf,
    },
    /// A path does not lead to a saved pipeline.
    #[error("{} is not a saved pipeline: {reason}", path.display())]
    NotAPipeline {
        /// What was asked for.
        path: std::path::PathBuf,
        /// What is there instead.
        reason: &'static str,
    },
    /// A saved pipeline is of a form that came later than this program.
    #[error("{} has version {found}, but the newest supported version is {known}", path.display())]
    PipelineVersion {
        /// The file.
        path: std::path::PathBuf,
        /// The version that it names, as JSON.
        found: String,
        /// The newest that is known.
        known: u64,
    },
    /// A saved pipeline has a stage that is none of those here.
    #[error("{} has the stage `{class}`, which is not supported", path.display())]
    UnknownStage {
        /// The file, or the folder of the stage.
        path: std::path::PathBuf,
        /// Its class.
        class: String,
    },
    /// A file is not the JSON it should be.
    #[error("cannot read {} as JSON: {source}", path.display())]
    Json {
        /// The file.
        path: std::path::PathBuf,
        /// Where and why parsing stopped.
        source: serde_json::Error,
    },
    /// The vocabulary gives ids that the embeddings lack.
    #[error("the vocabulary of {origin} has {pieces} pieces but its embeddings only {embeddings}")]
    VocabularyTooLarge {
        /// The model.
        origin: String,
        /// Pieces in the vocabulary.
        pieces: usize,
        /// Rows of the embedding table (`vocab_size`).
        embeddings: usize,
    },
    /// The longest sequence asked for is not one that the model can read.
    #[error(
        "the maximum sentence length must lie between {least} and {most} for this model, but {asked} was asked for"
    )]
    MaxSentenceLength {
        /// What was asked for, in pieces.
        asked: usize,
        /// The least: `[CLS]` and `[SEP]`.
        least: usize,
        /// The most: the model's positions.
        most: usize,
    },
    /// Windows over long texts that share too much.
    #[error(
        "windows over a text must overlap by fewer than half of the {room} pieces in a window, but {asked} were asked for"
    )]
    WindowOverlap {
        /// What was asked for, in pieces.
        asked: usize,
        /// Pieces of a text in a window.
        room: usize,
    },
    /// A parameter of a saved stage that has another type, or that no stage can have.
    #[error("{stage} has the parameter {name} set to {value}, expected {expected}")]
    Param {
        /// The stage.
        stage: &'static str,
        /// The parameter, as Spark NLP spells it.
        name: &'static str,
        /// Its value as JSON, shortened when it is long.
        value: String,
        /// What would have been accepted.
        expected: &'static str,
    },
    /// More threads than a classifier takes.
    #[error("{asked} threads were asked for, but at most {most} are allowed")]
    TooManyThreads {
        /// What was asked for.
        asked: usize,
        /// The most.
        most: usize,
    },
    /// Weights are packed for one precision when they are loaded.
    #[error("the model was loaded in {loaded} and cannot switch to {asked}: load it again")]
    PrecisionIsSettled {
        /// What was asked for.
        asked: albertine_model::Precision,
        /// What the model was loaded in.
        loaded: albertine_model::Precision,
    },
    /// A logit came out infinite or not a number: no label would mean anything.
    #[error("row {row} has no finite logit for label `{label}`: the weights of the model are damaged")]
    NotFinite {
        /// The row of the batch, from 0; of the table after [`Error::of_rows_from`].
        row: usize,
        /// The label.
        label: String,
    },
    /// The text of a row cannot be worked on: a pattern gave up on it.
    #[error("row {row}: {source}")]
    Row {
        /// The row of the batch, from 0; of the table after [`Error::of_rows_from`].
        row: usize,
        /// What is wrong with it.
        source: TextError,
    },
    /// The annotations of a batch do not fit into one Arrow column, which holds 2 GiB of text.
    #[error("the annotations of {rows} rows are more than one column can hold; use batches of fewer rows")]
    TooManyAnnotations {
        /// Rows of the batch that could be written before.
        rows: usize,
    },
    /// A threshold outside 0 to 1.
    #[error("the threshold must lie between 0 and 1, but {asked} was asked for")]
    Threshold {
        /// What was asked for.
        asked: f32,
    },
    /// A model that shall abstain or give prediction sets, but was never calibrated.
    #[error("{model} is not calibrated, so it is not known which scores are right how often")]
    NotCalibrated {
        /// The model.
        model: String,
    },
    /// Abstention and prediction sets need scores that add up to 1.
    #[error("abstention and prediction sets need the scores of softmax, not of {activation}")]
    NotSoftmax {
        /// What turns the logits into scores.
        activation: &'static str,
    },
    /// The table lacks a column.
    #[error("there is no column `{column}`{}; the columns are {}", suggestion(column, columns), quoted(columns))]
    MissingColumn {
        /// What was asked for.
        column: String,
        /// What there is.
        columns: Vec<String>,
    },
    /// The table has a column several times, so that it is not clear which is meant.
    #[error("there is more than one column `{column}`")]
    SeveralColumns {
        /// What was asked for.
        column: String,
    },
    /// A column that should hold text holds something else.
    #[error("column `{column}` holds {found}, not text")]
    NotText {
        /// The column.
        column: String,
        /// Its Arrow type.
        found: String,
    },
    /// A column that should hold labels holds something else.
    #[error("column `{column}` holds {found}, not labels")]
    NotLabels {
        /// The column.
        column: String,
        /// Its Arrow type.
        found: String,
    },
    /// A column that should hold probabilities holds something else.
    #[error("column `{column}` holds {found}, not probabilities")]
    NotProbabilities {
        /// The column.
        column: String,
        /// Its Arrow type.
        found: String,
    },
    /// A table that should have scores of labels has none.
    #[error(
        "no scores of labels: neither a column `scores` as `classify --all-scores` writes it nor columns of numbers; the columns are {}",
        quoted(columns)
    )]
    NoScores {
        /// The columns that the table has.
        columns: Vec<String>,
    },
    /// A column that should hold maps from text to text holds something else.
    #[error("column `{column}` holds {found}, not maps from text to text")]
    NotTextMap {
        /// The column.
        column: String,
        /// Its Arrow type.
        found: String,
    },
    /// A stage was not given its input columns.
    #[error("{stage} takes {expected} input column(s) ({kinds}), but was given {found}")]
    InputColumns {
        /// The stage.
        stage: &'static str,
        /// How many it takes.
        expected: usize,
        /// Their annotator types.
        kinds: &'static str,
        /// How many it was given.
        found: usize,
    },
    /// A stage's input column is not an annotation column of the right type.
    #[error("{stage} needs an annotation column of type `{expected}`, but column `{column}` {found}")]
    WrongAnnotation {
        /// The stage.
        stage: &'static str,
        /// The column.
        column: String,
        /// The annotator type that it needs.
        expected: &'static str,
        /// What the column is.
        found: String,
    },
    /// A stage would write over a column that is not an annotation column.
    #[error("{stage} would overwrite column `{column}`; choose another output column")]
    OutputColumnTaken {
        /// The stage.
        stage: &'static str,
        /// The column.
        column: String,
    },
    /// The finisher's lists of columns differ in length.
    #[error("the Finisher has {inputs} input columns but {outputs} output columns")]
    FinisherColumns {
        /// Input columns.
        inputs: usize,
        /// Output columns.
        outputs: usize,
    },
    /// A pipeline that labels are wanted of has no classifier, or several.
    #[error("the pipeline must have exactly one annotator that classifies, such as AlbertForSequenceClassification")]
    ClassifiersOfPipeline,
    /// An annotator was given a model of another family.
    #[error("{model} is a model for {annotator}, not for {asked}")]
    ModelFamily {
        /// The model.
        model: String,
        /// The annotator for its family.
        annotator: &'static str,
        /// The annotator that was asked for.
        asked: &'static str,
    },
    /// The files of a model are other ones than when it was loaded.
    #[error("the model in {} has changed since it was loaded", path.display())]
    ModelChanged {
        /// Where it was loaded from.
        path: std::path::PathBuf,
    },
    /// A light pipeline must begin with a `DocumentAssembler`, which names the text column.
    #[error("the pipeline must begin with a DocumentAssembler")]
    NoDocumentAssembler,
    /// A pair of texts for a model that reads texts token by token, as Spark NLP does.
    #[error("pairs of texts need the encoding `document`, but this model reads texts token by token")]
    PairOfTokens,
    /// The call was stopped by its [`CancellationToken`](crate::CancellationToken).
    #[error("cancelled")]
    Cancelled,
    /// A transform that lost or added rows, where it says it keeps them.
    #[error("a transform returned {found} rows for {expected}")]
    RowsChanged {
        /// The rows that went in.
        expected: usize,
        /// The rows that came out.
        found: usize,
    },
    /// A transform that gave other columns than it says.
    #[error("a transform gave as column {number}: {found}, where it said {expected}")]
    SchemaChanged {
        /// The column, counted from 1.
        number: usize,
        /// The column that it says.
        expected: String,
        /// The column that came out.
        found: String,
    },
    /// A transform that changed a column, or the order of its rows, which it says it keeps.
    #[error("a transform changed column `{column}`, which it was to keep")]
    ColumnChanged {
        /// The column.
        column: String,
    },
    /// The threads could not be started.
    #[error("cannot start {threads} threads: {reason}")]
    Threads {
        /// How many.
        threads: usize,
        /// What the system said.
        reason: String,
    },
}

impl From<Cancelled> for Error {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl From<FormatError> for Error {
    fn from(error: FormatError) -> Self {
        Self::Model(error.into())
    }
}

impl Error {
    /// The error as one of a table, where the batch that it is of begins with the row `first`.
    #[must_use]
    pub fn of_rows_from(self, first: usize) -> Self {
        match self {
            Self::NotFinite { row, label } => Self::NotFinite { row: first + row, label },
            Self::Row { row, source } => Self::Row { row: first + row, source },
            other => other,
        }
    }
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The column that may have been meant.
fn suggestion(asked: &str, columns: &[String]) -> String {
    let plain = |name: &str| name.trim().to_lowercase();
    let likeness = |name: &String| strsim::jaro_winkler(&plain(asked), &plain(name));
    let nearest = columns.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match nearest {
        Some(name) if likeness(name) >= LIKE => format!(" (did you mean `{name}`?)"),
        _ => String::new(),
    }
}

/// The likeness of names from which one may be a misspelling of the other.
const LIKE: f64 = 0.85;

fn did_you_mean(nearest: &[String]) -> String {
    if nearest.is_empty() { String::new() } else { format!("; the nearest are {}", quoted(nearest)) }
}
