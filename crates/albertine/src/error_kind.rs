//! Errors by what a host makes of them: the classes of exceptions of other languages.

use std::borrow::Cow;

use albertine_model::ModelError;
use albertine_text::TextError;

use crate::Error;
#[cfg(feature = "hub")]
use crate::hub::HubError;

/// What an error is about. Hosts with exceptions have a class for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No model has this name, or it is not on this machine and the network is not to be used.
    ModelNotFound,
    /// The files of a model are damaged or of a kind that is not supported.
    Model,
    /// A model could not be fetched or kept.
    Hub,
    /// A path that is no saved pipeline, or stages that form none.
    Pipeline,
    /// A column that is missing or of the wrong type, or a name that is taken.
    Column,
    /// A parameter of a type or value that it cannot have.
    Param,
    /// A row that cannot be worked on.
    Row,
    /// The process has no memory for a model or a batch.
    Memory,
    /// The call was stopped by its [`CancellationToken`](crate::CancellationToken).
    Cancelled,
    /// Anything else.
    Other,
}

impl Error {
    /// What the error is about.
    ///
    /// ```
    /// use albertine::{ErrorKind, hub};
    /// assert_eq!(hub::resolve("ag_mews").unwrap_err().kind(), ErrorKind::ModelNotFound);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownModel { .. } => ErrorKind::ModelNotFound,
            #[cfg(feature = "hub")]
            Self::Hub(error) => of_hub(error),
            #[cfg(not(feature = "hub"))]
            Self::NoHub { .. } => ErrorKind::ModelNotFound,
            Self::Model(ModelError::OutOfMemory { .. }) => ErrorKind::Memory,
            Self::Model(
                ModelError::Share { .. } | ModelError::AccuracyOutOfReach { .. } | ModelError::TooFewTexts { .. },
            )
            | Self::NotCalibrated { .. }
            | Self::NotSoftmax { .. } => ErrorKind::Param,
            Self::Model(_) | Self::VocabularyTooLarge { .. } | Self::ModelChanged { .. } | Self::ModelFamily { .. } => {
                ErrorKind::Model
            }
            Self::Text(
                TextError::LimitTooSmall { .. }
                | TextError::Lengths { .. }
                | TextError::UnknownName { .. }
                | TextError::Parameter { .. }
                | TextError::Pattern { .. },
            ) => ErrorKind::Param,
            Self::Row { .. } | Self::NotFinite { .. } => ErrorKind::Row,
            Self::Text(_) => ErrorKind::Model,
            Self::NotAPipeline { .. }
            | Self::PipelineVersion { .. }
            | Self::UnknownStage { .. }
            | Self::ClassifiersOfPipeline
            | Self::NoDocumentAssembler
            | Self::PairOfTokens => ErrorKind::Pipeline,
            Self::Param { .. }
            | Self::MaxSentenceLength { .. }
            | Self::WindowOverlap { .. }
            | Self::TooManyThreads { .. }
            | Self::PrecisionIsSettled { .. }
            | Self::Threshold { .. } => ErrorKind::Param,
            Self::MissingColumn { .. }
            | Self::SeveralColumns { .. }
            | Self::NotText { .. }
            | Self::NotTextMap { .. }
            | Self::NotLabels { .. }
            | Self::NotProbabilities { .. }
            | Self::NoScores { .. }
            | Self::InputColumns { .. }
            | Self::WrongAnnotation { .. }
            | Self::OutputColumnTaken { .. }
            | Self::FinisherColumns { .. } => ErrorKind::Column,
            Self::Cancelled => ErrorKind::Cancelled,
            _ => ErrorKind::Other,
        }
    }

    /// What can be done about a model that is not here, in words that go behind the error's own; for programs that are
    /// told of models by the environment, as the command is. Empty for other errors.
    #[must_use]
    pub fn remedy(&self) -> Cow<'static, str> {
        match self {
            #[cfg(feature = "hub")]
            Self::Hub(error) => remedy_of_hub(error),
            Self::UnknownModel { .. } => UNKNOWN.into(),
            _ => "".into(),
        }
    }
}

const UNKNOWN: &str = "; a path begins with ./, and owner/name is a repository of the Hugging Face hub";

#[cfg(feature = "hub")]
fn of_hub(error: &HubError) -> ErrorKind {
    match error {
        HubError::UnknownModel { .. }
        | HubError::NotAModelDirectory { .. }
        | HubError::Offline { .. }
        | HubError::NotAtAnyPlace { .. }
        | HubError::NoModel { .. }
        | HubError::Status { status: 404, .. } => ErrorKind::ModelNotFound,
        HubError::NeitherPathNorRepository { refusal, .. } => match **refusal {
            HubError::Offline { .. } | HubError::Status { status: 404, .. } => ErrorKind::ModelNotFound,
            _ => ErrorKind::Hub,
        },
        _ => ErrorKind::Hub,
    }
}

#[cfg(feature = "hub")]
fn remedy_of_hub(error: &HubError) -> Cow<'static, str> {
    let remedy = match error {
        HubError::Offline { archive, .. } => {
            return format!(
                "; download it once without ALBERTINE_OFFLINE and HF_HUB_OFFLINE, or add a folder that contains {} to ALBERTINE_HUB, or give its path; the model `ag_news` is built in",
                archive.as_deref().unwrap_or("it")
            )
            .into();
        }
        HubError::NeitherPathNorRepository { refusal, .. } => match **refusal {
            HubError::Offline { .. } => {
                "; check the path, or download the repository once without ALBERTINE_OFFLINE and HF_HUB_OFFLINE"
            }
            _ => "; check the path: one that begins with ./ is never taken for a repository",
        },
        HubError::NotAtAnyPlace { .. } => {
            "; ALBERTINE_HUB lists the folders and URLs that are searched for published models, and a downloaded archive can be given by its path; the model `ag_news` is built in"
        }
        HubError::Unreachable { .. } => {
            "; without network access, add a folder that contains the model to ALBERTINE_HUB, or give its path"
        }
        HubError::UnknownModel { .. } => UNKNOWN,
        _ => "",
    };
    remedy.into()
}
