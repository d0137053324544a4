//! A model in memory, and the files that it came from: the one place where models are read and saved.

mod tokenizer_files;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use albertine_model::{
    Checkpoint, CheckpointKind, Folder, HeldOutScores, Kernels, Precision, SequenceClassifier, WholeFolder,
};

use self::tokenizer_files::TokenizerFiles;
use crate::builtin::BuiltIn;
use crate::hub::ModelSource;
use crate::session::{ClassifierSettings, Encoding, Session};
use crate::spark_params::SparkParams;
use crate::{Error, files};

/// Weights in one precision with what their tokenizer is made of.
#[derive(Debug)]
pub(crate) struct LoadedModel {
    model: Arc<SequenceClassifier>,
    origin: Origin,
    tokenizer_files: TokenizerFiles,
    params: SparkParams,
    held_out: Option<HeldOutScores>,
    kind: CheckpointKind,
}

/// Where the files of a model are, to be read again when it is saved.
#[derive(Debug, Clone)]
enum Origin {
    BuiltIn(&'static BuiltIn),
    Folder(Folder),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BuiltIn(model) => write!(f, "{}", model.name),
            Self::Folder(folder) => write!(f, "{}", folder.path().display()),
        }
    }
}

impl LoadedModel {
    pub(crate) fn built_in(built_in: &'static BuiltIn, precision: Precision) -> Result<Self, Error> {
        let model = SequenceClassifier::from_bytes(built_in.config, built_in.weights, Kernels::detect()?, precision)?;
        let files = [("tokenizer.json", built_in.tokenizer), ("tokenizer_config.json", built_in.tokenizer_config)];
        let files = BTreeMap::from(files.map(|(name, bytes)| (name, Cow::Borrowed(bytes))));
        Ok(Self {
            model: Arc::new(model),
            origin: Origin::BuiltIn(built_in),
            tokenizer_files: TokenizerFiles::new(PathBuf::from("built-in"), files),
            params: SparkParams::default(),
            held_out: None,
            kind: CheckpointKind::HuggingFace,
        })
    }

    /// Reads the checkpoint in a folder.
    pub(crate) fn read(folder: Folder, precision: Precision) -> Result<Self, Error> {
        let checkpoint = Checkpoint::read(&folder)?;
        let config = checkpoint.config().clone();
        let params = SparkParams::read(config.architecture().class(), checkpoint.params())?;
        let model = SequenceClassifier::new(config, checkpoint.weights(), Kernels::detect()?, precision)?;
        let (origin, kind) = (checkpoint.origin().to_owned(), checkpoint.kind());
        let held_out = checkpoint.held_out().cloned();
        let files = checkpoint.into_files().into_iter().map(|(name, bytes)| (name, Cow::Owned(bytes))).collect();
        Ok(Self {
            model: Arc::new(model),
            origin: Origin::Folder(folder),
            tokenizer_files: TokenizerFiles::new(origin, files),
            params,
            held_out,
            kind,
        })
    }

    /// The same model in another precision, read again from its files.
    pub(crate) fn in_precision(&self, precision: Precision) -> Result<Self, Error> {
        match &self.origin {
            Origin::BuiltIn(built_in) => Self::built_in(built_in, precision),
            Origin::Folder(folder) => Self::read(folder.clone(), precision),
        }
    }

    /// Writes the model as a model directory in Hugging Face's layout, into an empty or new folder.
    pub(crate) fn save(&self, directory: &Path) -> Result<(), Error> {
        match &self.origin {
            Origin::Folder(folder) => {
                let checkpoint = Checkpoint::read(folder)?;
                if checkpoint.config() != self.model.config() {
                    return Err(Error::ModelChanged { path: folder.path().to_owned() });
                }
                Ok(checkpoint.save(directory)?)
            }
            Origin::BuiltIn(model) => {
                let folder = WholeFolder::create(directory).map_err(files::write_error)?;
                for (name, bytes) in model.files() {
                    let path = folder.path().join(name);
                    std::fs::write(&path, bytes).map_err(files::io(&path))?;
                }
                folder.finish().map_err(files::write_error)
            }
        }
    }

    /// A session of the model.
    pub(crate) fn session(&self, settings: &ClassifierSettings) -> Result<Session, Error> {
        let loaded = self.model.precision();
        if settings.precision != loaded {
            return Err(Error::PrecisionIsSettled { asked: settings.precision, loaded });
        }
        let encoding = settings.encoding.unwrap_or_else(|| self.encoding());
        let case_sensitive = settings.case_sensitive.or(self.params.case_sensitive);
        let tokenization = self.tokenizer_files.tokenization(encoding, case_sensitive, self.params.hides_unknown)?;
        let (pieces, embeddings) = (tokenization.vocabulary_size(), self.model.config().architecture().vocab_size());
        if pieces > embeddings {
            return Err(Error::VocabularyTooLarge { origin: self.origin.to_string(), pieces, embeddings });
        }
        let own_limit = self.params.max_sentence_length.or(tokenization.model_max_length());
        Session::new(Arc::clone(&self.model), tokenization, own_limit, settings)
    }

    /// How texts become tokens when nothing is said: token by token for a model that Spark NLP saved, whose answers its
    /// users know, else the whole text at once.
    fn encoding(&self) -> Encoding {
        let is_spark_nlp = matches!(self.kind, CheckpointKind::SparkNlp { .. }) || self.params.is_some();
        if is_spark_nlp { Encoding::Token } else { Encoding::Document }
    }

    /// Where the files of the model are.
    pub(crate) fn source(&self) -> ModelSource {
        match &self.origin {
            Origin::BuiltIn(model) => ModelSource::BuiltIn(model),
            Origin::Folder(folder) => ModelSource::Directory(folder.path().to_owned()),
        }
    }

    /// The encoder and head.
    pub(crate) fn model(&self) -> &SequenceClassifier {
        &self.model
    }

    /// What Spark NLP saved the model with.
    pub(crate) fn params(&self) -> &SparkParams {
        &self.params
    }

    /// The scores of texts that it was not trained on, if it is calibrated.
    pub(crate) fn held_out(&self) -> Option<&HeldOutScores> {
        self.held_out.as_ref()
    }

    /// The kind of files that the model was read from.
    pub(crate) fn kind(&self) -> CheckpointKind {
        self.kind
    }
}
