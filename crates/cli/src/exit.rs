//! How a command ends: its exit code, and the error message when it failed.

use std::fmt;
use std::io;
use std::process::ExitCode;

use albertine::Error as LibraryError;
use albertine::hub::HubError;
use albertine::model::{FormatError, ModelError};
use albertine::text::TextError;
use albertine_engine::EngineError;
use albertine_train::TrainError;

use crate::printer::Printer;

/// Exit code of an interrupted run: 128 and the number of the interrupt signal, as shells count.
pub(crate) const INTERRUPTED: i32 = 130;

/// How a command that did not fail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Success: exit code 0.
    Done,
    /// Some rows could not be read whole: exit code 1.
    FailedRows,
    /// Interrupted, with the output of the work so far in place: exit code 130.
    Interrupted,
}

/// A usage error, with a hint at what to do instead.
#[derive(Debug)]
pub(crate) struct Misuse {
    message: String,
    hint: String,
}

impl Misuse {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misuse {}

/// Where a command gets the names of its tables; hints about unreadable tables depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tables {
    /// From arguments, next to flags that say how to read them.
    Arguments,
    /// From a query, which has no such flags.
    Query,
}

/// Turns the result of a command into its exit code, and reports errors.
pub(crate) fn finish(result: anyhow::Result<Outcome>, tables: Tables, printer: &Printer) -> ExitCode {
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::FailedRows) => ExitCode::from(1),
        Ok(Outcome::Interrupted) => ExitCode::from(INTERRUPTED as u8),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            printer.error(sentence(&error));
            if let Some(hint) = hint(&error, tables) {
                printer.hint(hint);
            }
            ExitCode::from(2)
        }
    }
}

/// Whether the reader of standard output has closed it, as `head` does when it has seen enough: not an error.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        matches!(cause.downcast_ref::<EngineError>(), Some(EngineError::ClosedPipe))
            || cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// The error and its causes on one line, without those that an outer error already quotes.
fn sentence(error: &anyhow::Error) -> String {
    let mut sentence = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !sentence.contains(&cause) {
            sentence.push_str(": ");
            sentence.push_str(&cause);
        }
    }
    sentence
}

/// The hint for an error, if there is one.
fn hint(error: &anyhow::Error, tables: Tables) -> Option<String> {
    error.chain().find_map(|cause| {
        if let Some(misuse) = cause.downcast_ref::<Misuse>() {
            return Some(misuse.hint.clone());
        }
        if let Some(error) = cause.downcast_ref::<LibraryError>() {
            return library_hint(error);
        }
        if let Some(error) = cause.downcast_ref::<HubError>() {
            return hub_hint(error);
        }
        if let Some(error) = cause.downcast_ref::<TrainError>() {
            return train_hint(error);
        }
        match cause.downcast_ref::<EngineError>()? {
            EngineError::Transform(error) => library_hint(error),
            error => engine_hint(error, tables),
        }
    })
}

fn engine_hint(error: &EngineError, tables: Tables) -> Option<String> {
    let hint = match error {
        EngineError::UnknownFormat { .. } | EngineError::WrongFormat { .. } if tables == Tables::Query => {
            "name the file with the extension of its format, such as `.csv`"
        }
        EngineError::UnknownFormat { .. } => "give the format with `--input-format`",
        EngineError::WrongFormat { .. } => "give the right format with `--input-format`",
        EngineError::RaggedRow { .. } | EngineError::TextAfterQuote { .. } | EngineError::UnclosedQuote { .. }
            if tables == Tables::Arguments =>
        {
            "`--delimiter`, `--quote` and `--escape` say how the file is written; \
             `classify --errors null` keeps what can be read of such rows, `--rejects FILE` puts them aside"
        }
        EngineError::InvalidUtf8 { .. } if tables == Tables::Arguments => {
            "`--input-encoding` gives the encoding, such as windows-1252; \
             `classify --errors null` keeps what can be read of such rows, `--rejects FILE` puts them aside"
        }
        EngineError::Encoding { .. } => {
            "give the right encoding with `--input-encoding`, or convert the file with `iconv`"
        }
        EngineError::LateKey { .. } if tables == Tables::Arguments => {
            "write every key in the first object, or read a file instead of a pipe; \
             `classify --errors null` leaves such keys out and continues"
        }
        EngineError::Json { .. } if tables == Tables::Arguments => {
            "`classify --errors null` keeps what can be read of such rows, `--rejects FILE` puts them aside"
        }
        EngineError::OutputIsInput { .. } => "write to another file, then move it over the input",
        EngineError::NoOutputFolder { .. } => "create the folder first",
        EngineError::NotResumable { .. } => "copy it to a file first, or omit `--resume`",
        EngineError::NameNotUtf8 { .. } => "rename the file or its folder, or omit `--resume`",
        EngineError::LinkedParts { .. } => "remove the link, or name another output",
        EngineError::BegunDifferently { .. } => {
            "give the same inputs, model and options to go on, or start again with `--restart`, or name another output"
        }
        EngineError::InUse { .. } => "wait for that run to end, or name another output",
        EngineError::Damaged { path, .. } if path.ends_with("manifest.json") => {
            "start again with `--restart`; if the output is a folder, move its tables elsewhere first"
        }
        EngineError::Damaged { .. } => "remove the file: what it contained is then done again with `--resume`",
        EngineError::InputChanged { .. } => "start again with `--restart` when nothing writes to it",
        EngineError::InputInOutput { .. } => "write to a folder without inputs",
        EngineError::OutputExists { .. } => "move it elsewhere, or write to another folder",
        _ => return None,
    };
    Some(hint.to_owned())
}

fn library_hint(error: &LibraryError) -> Option<String> {
    let hint = match error {
        LibraryError::Hub(error) => return hub_hint(error),
        LibraryError::MissingColumn { .. } => "name the text column with `--text-column`",
        LibraryError::NotText { .. } => "choose a text column with `--text-column`",
        LibraryError::NotCalibrated { .. } => {
            "calibrate it on labeled texts that it was not trained on, as in `albertine calibrate --model MODEL --input validation.csv --output calibrated`"
        }
        LibraryError::NotSoftmax { .. } => "omit `--activation`, or choose a model that gives one class of several",
        LibraryError::Model(ModelError::AccuracyOutOfReach { .. } | ModelError::TooFewTexts { .. }) => {
            "ask for less, or calibrate on more texts"
        }
        LibraryError::Model(ModelError::Format(FormatError::Exists { .. })) => {
            "choose another folder, or remove this one"
        }
        LibraryError::MaxSentenceLength { .. } => "omit `--max-sentence-length` to use the model's limit",
        _ => return None,
    };
    Some(hint.to_owned())
}

fn hub_hint(error: &HubError) -> Option<String> {
    let hint = match error {
        HubError::UnknownModel { .. } => {
            "`albertine models list` shows the known names; a path starts with `./`, and `org/repo` is a repository on the Hugging Face hub"
                .to_owned()
        }
        HubError::NeitherPathNorRepository { name, refusal } => match **refusal {
            HubError::Offline { .. } => format!(
                "check the path, for example `./{name}`; or run `albertine models pull {name}` with network access"
            ),
            _ => format!(
                "check the path: `./{name}` is always one; with `--offline`, a repository is looked for in the cache alone"
            ),
        },
        HubError::NotAModelDirectory { .. } => {
            "a model directory contains config.json, model.safetensors, and tokenizer.json, spiece.model or vocab.txt"
                .to_owned()
        }
        HubError::Offline { name, archive } => format!(
            "run `albertine models pull {name}` with network access; or add a folder that contains {} to ALBERTINE_HUB, or give its path",
            archive.as_deref().unwrap_or("it")
        ),
        HubError::NotCached { name, .. } => format!("`albertine models pull {name}` downloads it"),
        HubError::Taken { name, .. } => {
            format!("choose another name, or remove that model with `albertine models remove {name}`")
        }
        HubError::NotAtAnyPlace { .. } => {
            "ALBERTINE_HUB lists the folders and URLs that are searched for published models".to_owned()
        }
        HubError::NoCacheFolder { .. } => "set ALBERTINE_CACHE to a folder".to_owned(),
        _ => return None,
    };
    Some(hint)
}

fn train_hint(error: &TrainError) -> Option<String> {
    let hint = match error {
        TrainError::UnknownLabel { .. } => {
            "give the table's names for the model's classes with `--labels`, in the model's order, or choose another column with \
             `--label-column`; class indices are counted from 0"
        }
        TrainError::OtherClasses { .. } => {
            "give the table's names for the model's classes with `--labels`, in the model's order, or choose another model"
        }
        TrainError::UnnamedClass { .. } => "correct the label, or the names in the table's metadata",
        TrainError::LabelCount { .. } | TrainError::SameName { .. } | TrainError::NoName => {
            "give one distinct name for each class, in the order of the model's labels, as in `--labels no,yes`"
        }
        TrainError::Row { source, .. } => return train_hint(source),
        TrainError::Exists { .. } | TrainError::NoFolderName { .. } => "name a new folder with `--output`",
        TrainError::OneLabel { .. } => "give a table with at least two classes, or choose another `--label-column`",
        TrainError::UnseenLabel { .. } => "validation and test rows need labels that occur in the training set",
        TrainError::Split { .. } => "choose another `--validation-split`, or give a validation set with `--validation`",
        TrainError::NoErrors { .. } => {
            "give texts that the model was not trained on, or more of them; a model that is right about all needs no calibration"
        }
        TrainError::Uninformative { .. } => "check `--label-column` and `--labels`, or choose another model",
        TrainError::NotSoftmax => "choose a model that gives one class of several with `--model`",
        TrainError::Pipeline { .. } => "give the model directory in it, `models/..`, with `--model`",
        TrainError::Regression => "choose a classifier with `--model`",
        TrainError::NoValidation => "give one with `--validation`, or hold out some rows with `--validation-split 0.1`",
        TrainError::TeacherLabels { .. } => "give a teacher with the same labels, in any order",
        TrainError::TeacherRows { .. } => {
            "the table of a teacher has a row for each row of the input, in the same order"
        }
        TrainError::SoftLabels { .. } => "scores are numbers from 0 to 1, one for each label",
        TrainError::NotAValue { .. } => "choose another `--label-column`, or another `--problem-type`",
        TrainError::NoOwnLabels => "omit `--add-labels`, or choose a classifier with `--model`",
        TrainError::NoTexts => "`--text-column` names the column to read",
        TrainError::Text(TextError::VocabularySize { most: Some(_), .. }) => {
            "choose a smaller `--vocabulary-size`, or give more texts"
        }
        TrainError::Text(TextError::VocabularySize { .. }) => "choose a larger `--vocabulary-size`",
        TrainError::Text(TextError::NoVocabulary { .. }) => {
            "train a vocabulary with `--vocabulary-size`, or put one beside the configuration"
        }
        TrainError::CheckpointExists { .. } => {
            "add `--resume` to go on from it, or name another folder with `--checkpoint`"
        }
        TrainError::OtherTraining { .. } => {
            "give the same settings, data and base model again, or name another folder with `--checkpoint`"
        }
        TrainError::DamagedCheckpoint { .. } => {
            "remove that checkpoint: `--resume` then goes on from the one before it"
        }
        TrainError::Diverged { .. } => "try a lower `--learning-rate`",
        TrainError::Limit { .. } => "omit `--max-sentence-length` to use the model's limit",
        TrainError::OtherOrder { .. } => "omit `--labels`",
        TrainError::TooFewLabels { .. } => "choose a model with at least two classes with `--model`",
        TrainError::NoRows => "`--text-column` and `--label-column` name the columns to read",
        _ => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn causes_are_reported_once() {
        let quoted = anyhow!("no such thing").context("cannot read a: no such thing");
        assert_eq!(sentence(&quoted), "cannot read a: no such thing");
        let unquoted = anyhow!("no such thing").context("cannot read a");
        assert_eq!(sentence(&unquoted), "cannot read a: no such thing");
    }

    #[test]
    fn a_closed_pipe_is_found_however_deep_it_lies() {
        let pipe = || io::Error::from(io::ErrorKind::BrokenPipe);
        let deep = Err::<(), _>(pipe()).context("while writing").context("in a table").expect_err("an error");
        assert!(is_closed_pipe(&deep));
        assert!(is_closed_pipe(&EngineError::ClosedPipe.into()));
        assert!(!is_closed_pipe(&io::Error::from(io::ErrorKind::NotFound).into()));
    }

    #[test]
    fn a_hint_is_found_behind_the_engine() {
        let missing = LibraryError::MissingColumn { column: "text".to_owned(), columns: Vec::new() };
        let error = anyhow::Error::from(EngineError::Transform(missing));
        assert_eq!(hint(&error, Tables::Arguments).as_deref(), Some("name the text column with `--text-column`"));
        assert_eq!(hint(&anyhow!("anything else"), Tables::Arguments), None);
    }

    #[test]
    fn a_hint_names_only_flags_that_the_command_has() {
        let error = anyhow::Error::from(EngineError::UnknownFormat { path: "a".to_owned() });
        let of = |tables| hint(&error, tables).expect("a hint");
        assert_eq!(of(Tables::Arguments), "give the format with `--input-format`");
        assert_eq!(of(Tables::Query), "name the file with the extension of its format, such as `.csv`");
    }
}
