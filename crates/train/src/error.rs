//! Everything that can be wrong with what a classifier is measured on.

use std::path::PathBuf;

/// Why a classifier could not be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A model of one class, which is right about every text.
    #[error("the model has {count} class, and there is nothing to tell apart")]
    TooFewLabels {
        /// How many it has.
        count: usize,
    },
    /// A label of the table that is none of the model's.
    #[error("`{label}` is no class of the model; its classes are {}", quoted(labels))]
    UnknownLabel {
        /// The label as the table has it.
        label: String,
        /// The model's, in the order of its logits.
        labels: Vec<String>,
    },
    /// Another number of names than the model has classes.
    #[error("{given} names are given for the {} classes {}", labels.len(), quoted(labels))]
    LabelCount {
        /// How many are given.
        given: usize,
        /// The model's, in the order of its logits.
        labels: Vec<String>,
    },
    /// A name that stands for two classes.
    #[error("the name `{label}` is given for two classes")]
    SameName {
        /// The name.
        label: String,
    },
    /// A row whose logits are not those of the labels, or whose true class is none of theirs.
    #[error("a row of class {expected} with {logits} logits, where there are {labels} labels")]
    Shape {
        /// The true class.
        expected: usize,
        /// The number of its logits.
        logits: usize,
        /// The number of labels.
        labels: usize,
    },
    /// Logits that are no numbers.
    #[error("the model answers a text of class `{label}` with what is no number: its weights are damaged")]
    NotANumber {
        /// The true label of the text.
        label: String,
    },
    /// No row had both a text and a label.
    #[error("no row has both a text and a label")]
    NoRows,
    /// The operating system refused a file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was to be done: `read`, `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A `trainer_state.json` that is not one.
    #[error("{}: {reason}", path.display())]
    TrainerState {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// How many labels a message names.
const NAMED: usize = 12;

fn quoted(labels: &[String]) -> String {
    let mut names: Vec<String> = labels.iter().take(NAMED).map(|label| format!("`{label}`")).collect();
    if labels.len() > NAMED {
        names.push(format!("and {} more", labels.len() - NAMED));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_a_dozen_labels() {
        let labels = (0..100).map(|label| label.to_string()).collect();
        let said = TrainError::UnknownLabel { label: "x".to_owned(), labels }.to_string();
        assert!(said.ends_with("`10`, `11`, and 88 more"), "{said}");
    }
}
