//! How a command ends: its exit code, and what is said when it could not do its work.

use std::fmt;
use std::io;
use std::process::ExitCode;

use albertine::Error as LibraryError;
use albertine::hub::HubError;
use albertine_engine::EngineError;
use albertine_train::TrainError;

use crate::printer::Printer;

/// Exit code of an interrupted run: 128 and the number of the interrupt signal, as shells count.
pub(crate) const INTERRUPTED: i32 = 130;

/// What a command that came to its end has to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All of it was done: exit code 0.
    Done,
    /// Some rows could not be read and were kept with null values: exit code 1.
    FailedRows,
    /// Interrupted, with what there was by then in its place: exit code 130.
    Interrupted,
}

/// A mistake in how the command was called, with what to do instead.
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

/// Where a command finds its tables, on which depends what a person can do about one that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tables {
    /// Named by arguments, beside flags that say how to read them.
    Arguments,
    /// Named within a query, where there is nothing but their names.
    Query,
}

/// Turns the result of a command into its exit code, and says what went wrong.
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

/// Whether the reader of standard output has gone, as `head` does when it has seen enough: no error of ours.
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

/// What a person can do about an error, where there is something to do.
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
        EngineError::RaggedRow { .. } | EngineError::InvalidUtf8 { .. } | EngineError::Json { .. } => {
            "`classify --errors null` keeps such rows with null values and goes on"
        }
        EngineError::OutputIsInput { .. } => "write to another file, and move it over the input when it is complete",
        EngineError::NoOutputFolder { .. } => "make the folder first",
        _ => return None,
    };
    Some(hint.to_owned())
}

fn library_hint(error: &LibraryError) -> Option<String> {
    let hint = match error {
        LibraryError::Hub(error) => return hub_hint(error),
        LibraryError::MissingColumn { .. } => "name the column of the text with `--text-column`",
        LibraryError::NotText { .. } => "choose a column of text with `--text-column`",
        LibraryError::MaxSentenceLength { .. } => "leave `--max-sentence-length` out to use the model's limit",
        _ => return None,
    };
    Some(hint.to_owned())
}

fn hub_hint(error: &HubError) -> Option<String> {
    let hint = match error {
        HubError::UnknownModel { .. } => {
            "`albertine models list` has the names; a path begins with `./`, and `org/repo` is on the Hugging Face hub"
                .to_owned()
        }
        HubError::NotAModelDirectory { .. } => {
            "a model directory holds config.json, model.safetensors and tokenizer.json or spiece.model".to_owned()
        }
        HubError::Offline { name, archive } => format!(
            "`albertine models pull {name}` fetches it where there is a network; a folder that holds {} can be named in ALBERTINE_HUB, or its path given",
            archive.as_deref().unwrap_or("it")
        ),
        HubError::NotCached { name, .. } => format!("`albertine models pull {name}` fetches it"),
        HubError::Taken { name, .. } => {
            format!("choose another name, or make room with `albertine models remove {name}`")
        }
        HubError::NotAtAnyPlace { .. } => {
            "ALBERTINE_HUB names the folders and addresses where published models are looked for".to_owned()
        }
        HubError::NoCacheFolder { .. } => "name a folder in ALBERTINE_CACHE".to_owned(),
        _ => return None,
    };
    Some(hint)
}

fn train_hint(error: &TrainError) -> Option<String> {
    let hint = match error {
        TrainError::UnknownLabel { .. } => {
            "`--labels` gives what the table calls the model's classes, in the model's order, and `--label-column` names another \
             column; numbers of classes are counted from 0"
        }
        TrainError::LabelCount { .. } | TrainError::SameName { .. } | TrainError::NoName => {
            "give each class a name of its own, in the order of the model's labels, as in `--labels no,yes`"
        }
        TrainError::Diverged { .. } => "choose a smaller `--learning-rate`",
        TrainError::Limit { .. } => "leave `--max-sentence-length` out to use the model's limit",
        TrainError::OtherOrder { .. } => "leave `--labels` out",
        TrainError::TooFewLabels { .. } => "name a classifier of two classes or more with `--model`",
        TrainError::NoRows => "`--text-column` and `--label-column` name the columns that are read",
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
    fn causes_are_told_once() {
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
        assert_eq!(
            hint(&error, Tables::Arguments).as_deref(),
            Some("name the column of the text with `--text-column`")
        );
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
