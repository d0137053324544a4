//! Errors of the library as exceptions of `albertine.errors`.

use albertine::text::TextError;
use albertine::{Error, ErrorKind};
use albertine_train::TrainError;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// What can go wrong between Python and the library.
#[derive(Debug)]
pub(crate) enum Failure {
    /// In the library.
    Library(Error),
    /// In training or evaluation.
    Train(TrainError),
    /// A text that is none.
    NotUtf8 {
        /// Its column.
        column: String,
        /// Its row, from 0.
        row: usize,
    },
    /// In Python.
    Python(PyErr),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        Self::Train(error)
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

/// An exception of `albertine.errors`. Python defines them, so that each can be a built-in kind of error as well.
#[derive(Clone, Copy)]
enum Kind {
    Albertine,
    ModelNotFound,
    Model,
    Hub,
    Pipeline,
    Column,
    Param,
    Row,
    Label,
    Training,
}

impl Kind {
    fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::ModelNotFound => Self::ModelNotFound,
            ErrorKind::Model => Self::Model,
            ErrorKind::Hub => Self::Hub,
            ErrorKind::Pipeline => Self::Pipeline,
            ErrorKind::Column => Self::Column,
            ErrorKind::Param => Self::Param,
            ErrorKind::Row => Self::Row,
            _ => Self::Albertine,
        }
    }

    fn of_training(error: &TrainError) -> Self {
        match error {
            TrainError::Row { source, .. } => Self::of_training(source),
            TrainError::UnknownLabel { .. }
            | TrainError::OtherClasses { .. }
            | TrainError::UnnamedClass { .. }
            | TrainError::UnseenLabel { .. }
            | TrainError::OneLabel { .. }
            | TrainError::TooFewLabels { .. }
            | TrainError::NotAValue { .. }
            | TrainError::NoOwnLabels
            | TrainError::TeacherLabels { .. }
            | TrainError::TeacherRows { .. }
            | TrainError::SoftLabels { .. }
            | TrainError::NoTexts
            | TrainError::NoRows => Self::Label,
            TrainError::LabelCount { .. }
            | TrainError::OtherOrder { .. }
            | TrainError::NoName
            | TrainError::SameName { .. }
            | TrainError::Limit { .. }
            | TrainError::Split { .. }
            | TrainError::Setting { .. }
            | TrainError::NoValidation => Self::Param,
            TrainError::Text(TextError::VocabularySize { .. }) => Self::Param,
            TrainError::Text(_)
            | TrainError::NoMask
            | TrainError::Model(_)
            | TrainError::VocabularyTooLarge { .. }
            | TrainError::NotANumber { .. }
            | TrainError::Regression => Self::Model,
            TrainError::Diverged { .. }
            | TrainError::NotSoftmax
            | TrainError::NoErrors { .. }
            | TrainError::Uninformative { .. }
            | TrainError::Pipeline { .. }
            | TrainError::Io { .. }
            | TrainError::Exists { .. }
            | TrainError::CheckpointExists { .. }
            | TrainError::OtherTraining { .. }
            | TrainError::DamagedCheckpoint { .. }
            | TrainError::NoFolderName { .. }
            | TrainError::Output(_) => Self::Training,
            _ => Self::Albertine,
        }
    }

    fn class(self, py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
        /// A class, once it was looked up.
        type Class = PyOnceLock<Py<PyType>>;
        macro_rules! class {
            ($name:literal) => {{
                static CLASS: Class = PyOnceLock::new();
                CLASS.import(py, "albertine.errors", $name)
            }};
        }
        match self {
            Self::Albertine => class!("AlbertineError"),
            Self::ModelNotFound => class!("ModelNotFound"),
            Self::Model => class!("ModelError"),
            Self::Hub => class!("HubError"),
            Self::Pipeline => class!("PipelineError"),
            Self::Column => class!("ColumnError"),
            Self::Param => class!("ParamError"),
            Self::Row => class!("RowError"),
            Self::Label => class!("LabelError"),
            Self::Training => class!("TrainingError"),
        }
    }

    fn raise(self, message: String) -> PyErr {
        Python::attach(|py| match self.class(py) {
            Ok(class) => PyErr::from_type(class.clone(), message),
            Err(error) => error,
        })
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Python(error) => error,
            Failure::Library(Error::Cancelled) | Failure::Train(TrainError::Cancelled) => {
                PyKeyboardInterrupt::new_err(())
            }
            Failure::Train(error @ TrainError::Interrupted { .. }) => {
                PyKeyboardInterrupt::new_err(format!("{error}: call it again with `resume=True`"))
            }
            Failure::Library(error) => {
                let raised = Kind::of(&error).raise(format!("{error}{}", error.remedy()));
                if let Error::NotText { column, .. } | Error::NotTextMap { column, .. } = &error {
                    // an attribute that cannot be set is missing, and the error is what matters
                    let _ = Python::attach(|py| raised.value(py).setattr("column_without_text", column));
                }
                raised
            }
            // rows are counted from 0 in Python
            Failure::Train(TrainError::Row { row, source }) => {
                Kind::of_training(&source).raise(format!("row {}: {source}", row - 1))
            }
            Failure::Train(error) => Kind::of_training(&error).raise(error.to_string()),
            Failure::NotUtf8 { column, row } => {
                Kind::Row.raise(format!("row {row}: column `{column}` holds bytes that are not UTF-8"))
            }
        }
    }
}
