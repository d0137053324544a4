//! Everything that can go wrong while a classifier is trained or measured.

use std::io;
use std::path::{Path, PathBuf};

use albertine_model::FormatError;

/// Why a classifier could not be trained or measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// Fewer than two classes.
    #[error("there {}, but a classifier needs at least 2", if *count == 1 { "is 1 class" } else { "are no classes" })]
    TooFewLabels {
        /// How many there are.
        count: usize,
    },
    /// A label of the table that is none of the model's.
    #[error("{} is not a class of the model; its classes are {}", beginning(label), quoted(labels))]
    UnknownLabel {
        /// The label as the table has it.
        label: String,
        /// The names of the classes, in the order of the logits.
        labels: Vec<String>,
    },
    /// A table that names other classes than the model, and another number of them.
    #[error("the table names its classes {}, and the model's are {}: none is the same", quoted(names), quoted(labels))]
    OtherClasses {
        /// The table's names for its numbers from 0.
        names: Vec<String>,
        /// The names of the classes, in the order of the logits.
        labels: Vec<String>,
    },
    /// A number of a table that names its numbers, but not this one.
    #[error("{dataset} has the label {} and names only {}: {}", plain(label), count(names.len()), quoted(names))]
    UnnamedClass {
        /// What the table is called.
        dataset: String,
        /// The number.
        label: String,
        /// The table's names for its numbers from 0.
        names: Vec<String>,
    },
    /// Another number of names than the model has classes.
    #[error(
        "{given} {} given for the {} classes {}", if *given == 1 { "name was" } else { "names were" }, labels.len(), quoted(labels)
    )]
    LabelCount {
        /// How many are given.
        given: usize,
        /// The model's, in the order of its logits.
        labels: Vec<String>,
    },
    /// The model's own labels, given in another order than that of its logits.
    #[error("the names given are the model's own labels in a different order; its order is {}", quoted(labels))]
    OtherOrder {
        /// The model's, in the order of its logits.
        labels: Vec<String>,
    },
    /// A name that is blank.
    #[error("the name of a class is blank")]
    NoName,
    /// A name that stands for two classes.
    #[error("the name `{label}` was given for two classes")]
    SameName {
        /// The name.
        label: String,
    },
    /// A row whose logits are not those of the labels, or whose true class is none of theirs.
    #[error("a row of class {expected} with {logits} logits, but there are {labels} labels")]
    Shape {
        /// The true class.
        expected: usize,
        /// The number of its logits.
        logits: usize,
        /// The number of labels.
        labels: usize,
    },
    /// Logits that are no numbers.
    #[error("the logits of a text of class `{label}` are not a number: the model's weights are damaged")]
    NotANumber {
        /// The true label of the text.
        label: String,
    },
    /// A training set with one label.
    #[error("all rows have the label `{}`", plain(label))]
    OneLabel {
        /// The label.
        label: String,
    },
    /// A label of a validation or test set that the training set lacks.
    #[error("{dataset} has the label `{}`, which does not occur in the training set", plain(label))]
    UnseenLabel {
        /// What the set is called.
        dataset: String,
        /// The label.
        label: String,
    },
    /// A validation set of no rows or of all.
    #[error(
        "a fraction of {fraction} of {rows} row{} is {} of them",
        if *rows == 1 { "" } else { "s" }, if *held_out == 0 { "none" } else { "all" }
    )]
    Split {
        /// The fraction.
        fraction: f64,
        /// The rows of the training set.
        rows: usize,
        /// How many of them the fraction is.
        held_out: usize,
    },
    /// A model that predicts a number, of which there are no classes to count.
    #[error("the model is a regression: it predicts a number, not a class")]
    Regression,
    /// A model that scores each label independently, where one that gives one class of several is needed.
    #[error(
        "the model scores each label independently (sigmoid): only one that gives one class of several (softmax) can be calibrated"
    )]
    NotSoftmax,
    /// A saved pipeline, where a model is needed.
    #[error("{} is a saved pipeline: only the model in it can be calibrated", path.display())]
    Pipeline {
        /// The pipeline.
        path: PathBuf,
    },
    /// Texts of which the model is wrong about none: the lower the temperature, the better it fits.
    #[error("the model is right about all of {}, which no temperature fits best", texts_of(*texts))]
    NoErrors {
        /// How many texts there are.
        texts: usize,
    },
    /// Texts whose true classes have no higher scores than others: the higher the temperature, the better it fits.
    #[error("the scores of the model say nothing of the labels of {}, which no temperature fits best", texts_of(*texts))]
    Uninformative {
        /// How many texts there are.
        texts: usize,
    },
    /// A number that is no probability.
    #[error("row {row} has {value} where a probability should be")]
    Probability {
        /// The row, from 1.
        row: u64,
        /// The number.
        value: f64,
    },
    /// A setting that cannot be trained with.
    #[error("{name} must be {expected}, not {value}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What would have been accepted.
        expected: &'static str,
    },
    /// A teacher of other labels than those that are trained.
    #[error("the teacher {teacher} has the labels {}, but {} are trained", quoted(labels), quoted(expected))]
    TeacherLabels {
        /// What the teacher is called.
        teacher: String,
        /// Its labels.
        labels: Vec<String>,
        /// Those that are trained.
        expected: Vec<String>,
    },
    /// Soft labels of another table than the training set.
    #[error("the teacher {teacher} has {rows} row{}, but the training set has {expected}", if *rows == 1 { "" } else { "s" })]
    TeacherRows {
        /// What the teacher is called.
        teacher: String,
        /// Its rows.
        rows: u64,
        /// Those of the training set.
        expected: u64,
    },
    /// A row of soft labels that is none.
    #[error("row {row} of {teacher} {reason}")]
    SoftLabels {
        /// What the teacher is called.
        teacher: String,
        /// The row, from 1.
        row: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A label that is no number, where a number is to be predicted.
    #[error("{dataset} has the label {}, which is not a number", beginning(label))]
    NotAValue {
        /// What the table is called.
        dataset: String,
        /// The label.
        label: String,
    },
    /// Labels to add to a model that has none of its own.
    #[error("the base model has no labels of its own to add others to")]
    NoOwnLabels,
    /// Nothing to pre-train on.
    #[error("no row has a text")]
    NoTexts,
    /// A vocabulary that cannot hide pieces.
    #[error("the vocabulary has no piece for hidden text, such as [MASK], which pre-training needs")]
    NoMask,
    /// Early stopping without anything to see when.
    #[error("early stopping (patience) needs a validation set")]
    NoValidation,
    /// A row that cannot be evaluated.
    #[error("row {row}: {source}")]
    Row {
        /// The row of the table, from 1.
        row: u64,
        /// What is wrong with it.
        source: Box<TrainError>,
    },
    /// No row had both a text and a label.
    #[error("no row has both a text and a label")]
    NoRows,
    /// The call was stopped by its [`CancellationToken`](albertine_model::CancellationToken).
    #[error("cancelled")]
    Cancelled,
    /// The same, of a training whose checkpoint holds all that was learned until then.
    #[error("stopped after step {step}, which the checkpoint in {} goes on from", folder.display())]
    Interrupted {
        /// The step of the checkpoint, from 1.
        step: u64,
        /// The folder of the checkpoints.
        folder: PathBuf,
    },
    /// A step whose loss is no number.
    #[error("the loss of step {step} (in epoch {epoch}) is not a number: training has diverged")]
    Diverged {
        /// The step, from 1.
        step: u64,
        /// Its epoch, from 1.
        epoch: u32,
    },
    /// A folder with the checkpoints of a training that is not to go on.
    #[error("there is already the checkpoint {}", path.display())]
    CheckpointExists {
        /// The newest checkpoint.
        path: PathBuf,
    },
    /// A checkpoint of other settings, data or another model.
    #[error("the checkpoint {} is of another training: {differences}", path.display())]
    OtherTraining {
        /// The checkpoint.
        path: PathBuf,
        /// What differs.
        differences: String,
    },
    /// A file of a checkpoint that cannot be read as one.
    #[error("the checkpoint cannot be read: {}: {reason}", path.display())]
    DamagedCheckpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A text that cannot be cut into pieces, or a vocabulary that cannot be read.
    #[error(transparent)]
    Text(#[from] albertine_text::TextError),
    /// A vocabulary with more pieces than the model has embeddings.
    #[error("the vocabulary has {pieces} pieces, but the model has embeddings for {embeddings}")]
    VocabularyTooLarge {
        /// Pieces of the vocabulary.
        pieces: usize,
        /// Pieces that the model knows.
        embeddings: usize,
    },
    /// A limit that the model cannot read.
    #[error("the maximum sequence length must be from {least} to {most} pieces for this model, not {asked}")]
    Limit {
        /// What was asked for.
        asked: usize,
        /// The special pieces and one more.
        least: usize,
        /// The places that the model has.
        most: usize,
    },
    /// Threads that cannot be started.
    #[error("cannot start the threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The operating system refused a file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Something is in the place of the model.
    #[error("{} already exists", path.display())]
    Exists {
        /// The place.
        path: PathBuf,
    },
    /// A path that ends in no name.
    #[error("{} cannot be the name of a new folder", path.display())]
    NoFolderName {
        /// The path.
        path: PathBuf,
    },
    /// The folder of the model cannot be created or moved to its place.
    #[error(transparent)]
    Output(FormatError),
    /// What the model says of its weights or of pieces.
    #[error(transparent)]
    Model(#[from] albertine_model::ModelError),
    /// The CPU level lacks something.
    #[error(transparent)]
    Cpu(#[from] albertine_model::CpuError),
    /// Weights that could not be written.
    #[error("cannot write the weights: {0}")]
    Safetensors(#[from] safetensors::SafeTensorError),
    /// Numbers that could not be written as JSON.
    #[error("cannot write the metrics: {0}")]
    Json(#[from] serde_json::Error),
}

impl TrainError {
    /// What is wrong with the folder of the model.
    pub(crate) fn output(error: FormatError) -> Self {
        match error {
            FormatError::Exists { path } => Self::Exists { path },
            error => Self::Output(error),
        }
    }

    /// Makes an error of the operating system one of this library.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// How many labels a message names.
const NAMED: usize = 12;

/// The letters of a label that a message shows.
const LETTERS: usize = 60;

/// A label from a table on one line, not too long.
pub(crate) fn plain(label: &str) -> String {
    label.escape_debug().take(LETTERS).collect()
}

/// A label from a table, which may be anything: on one line and not too long.
fn beginning(label: &str) -> String {
    let label: String = label.escape_debug().take(LETTERS + 1).collect();
    match label.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("`{}...`", &label[..end]),
        None => format!("`{label}`"),
    }
}

fn texts_of(count: usize) -> String {
    format!("{count} text{}", if count == 1 { "" } else { "s" })
}

fn count(classes: usize) -> String {
    format!("{classes} class{}", if classes == 1 { "" } else { "es" })
}

/// Names in a message, not all of many.
pub(crate) fn quoted(labels: &[String]) -> String {
    let mut names: Vec<String> = labels.iter().take(NAMED).map(|label| beginning(label)).collect();
    if labels.len() > NAMED {
        names.push(format!("and {} more", labels.len() - NAMED));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_shown_on_one_line_and_not_whole() {
        let said = |label: &str| TrainError::UnknownLabel { label: label.to_owned(), labels: Vec::new() }.to_string();
        assert!(said("a\u{1b}[31m\nb").starts_with("`a\\u{1b}[31m\\nb` is not"), "{}", said("a\u{1b}[31m\nb"));
        assert!(said(&"x".repeat(1 << 20)).len() < 200);
    }

    #[test]
    fn a_message_names_a_dozen_labels() {
        let labels = (0..100).map(|label| label.to_string()).collect();
        let said = TrainError::UnknownLabel { label: "x".to_owned(), labels }.to_string();
        assert!(said.ends_with("`10`, `11`, and 88 more"), "{said}");
    }
}
