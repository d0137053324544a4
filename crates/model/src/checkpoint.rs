//! A trained classifier of any kind: its configuration, its weights and the files of its vocabulary.

mod adapter;
mod graph;
mod save;
mod spark;
mod trace;
mod vocabulary;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use albertine_formats::{Contents, Folder, FormatError, SparkPipeline, has_weights, tensorflow};
use serde_json::{Map, Value};

use self::graph::GraphFile;
use self::spark::Annotator;
use self::vocabulary::{SPIECE, VOCAB};
use crate::config::{CONFIG, MAX_CONFIG, labels};
use crate::{HeldOutScores, ModelConfig, ModelError, Weights};

/// The file of an ONNX export.
const ONNX: &str = "model.onnx";

/// The largest model card that is read, in bytes.
const MAX_CARD: u64 = 4 << 20;

/// What computes a model in the program that it was saved by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Runtime {
    /// TensorFlow.
    TensorFlow,
    /// ONNX Runtime.
    Onnx,
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TensorFlow => "TensorFlow",
            Self::Onnx => "ONNX",
        })
    }
}

/// The kinds of model that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CheckpointKind {
    /// `config.json` beside `model.safetensors` or `pytorch_model.bin`, or their shards.
    HuggingFace,
    /// A TensorFlow SavedModel.
    TensorFlow,
    /// An ONNX export.
    Onnx,
    /// An annotator that Spark NLP saved, alone or in a pipeline.
    SparkNlp {
        /// What Spark NLP computes it with.
        runtime: Runtime,
    },
}

impl fmt::Display for CheckpointKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HuggingFace => f.write_str("Hugging Face model"),
            Self::TensorFlow => f.write_str("TensorFlow SavedModel"),
            Self::Onnx => f.write_str("ONNX model"),
            Self::SparkNlp { runtime } => write!(f, "Spark NLP annotator ({runtime})"),
        }
    }
}

/// A trained sequence classifier, wherever it came from.
///
/// ```no_run
/// use std::path::Path;
/// use albertine_model::{SequenceClassifier, Checkpoint, Kernels, Precision};
///
/// let checkpoint = Checkpoint::open(Path::new("saved_model/1"))?;
/// println!("{}: {}", checkpoint.kind(), checkpoint.config().labels().join(", "));
/// let spiece = checkpoint.file("spiece.model");
/// let classifier = SequenceClassifier::new(
///     checkpoint.config().clone(),
///     checkpoint.weights(),
///     Kernels::detect()?,
///     Precision::F32,
/// )?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Checkpoint {
    origin: PathBuf,
    kind: CheckpointKind,
    config: ModelConfig,
    weights: Weights<'static>,
    files: BTreeMap<&'static str, Vec<u8>>,
    params: Map<String, Value>,
    held_out: Option<HeldOutScores>,
    /// The model card that came with it.
    card: Option<Vec<u8>>,
    /// Its weights are no longer those that were read.
    trained: bool,
    head: SavedHead,
}

/// The head that a checkpoint is saved with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SavedHead {
    Classifier,
    MaskedLanguage,
}

impl Checkpoint {
    /// Reads a model from a directory, or from a zip or tar archive; what it holds decides the kind.
    ///
    /// # Errors
    /// [`ModelError::NoModel`] when it holds no model of any kind, [`ModelError::MissingConfig`] or
    /// [`FormatError::MissingWeights`] when it holds half of one, [`ModelError::Stages`] for a Spark NLP pipeline without exactly one classifier, and every way for a file
    /// to be unsound.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        Self::read(&Folder::open(path)?)
    }

    /// Reads a model from a folder; what it holds decides the kind.
    ///
    /// # Errors
    /// As [`Checkpoint::open`].
    pub fn read(folder: &Folder) -> Result<Self, ModelError> {
        if SparkPipeline::is_in(folder) {
            return Self::read_spark(folder);
        }
        if !has_weights(folder) {
            if folder.has(tensorflow::GRAPH) {
                return Self::read_graph(folder, CheckpointKind::TensorFlow);
            }
            if folder.has(ONNX) {
                return Self::read_graph(folder, CheckpointKind::Onnx);
            }
            if let Some(base) = adapter::base_model(folder)? {
                return Err(ModelError::AdapterAlone { directory: folder.path().to_owned(), base });
            }
            if let Some(checkpoint) =
                folder.names()?.into_iter().find(|name| name.contains(".ckpt") && !name.ends_with('/'))
            {
                return Err(ModelError::CheckpointAlone { path: folder.path_of(&checkpoint) });
            }
            if !folder.has(CONFIG) {
                return Err(ModelError::NoModel { directory: folder.path().to_owned(), found: folder.listing()? });
            }
        }
        Self::read_hugging_face(folder)
    }

    /// Reads an exported model, with its labels and its vocabulary in `assets`.
    fn read_graph(folder: &Folder, kind: CheckpointKind) -> Result<Self, ModelError> {
        let labels = labels::list(folder)?;
        let runtime = if kind == CheckpointKind::Onnx { Runtime::Onnx } else { Runtime::TensorFlow };
        let path = folder.path_of(if kind == CheckpointKind::Onnx { ONNX } else { tensorflow::GRAPH });
        let (config, weights) = GraphFile::read(runtime, folder, &path, ONNX)?.model(folder, labels)?;
        Self::assemble(folder, kind, config, weights, Map::new())
    }

    fn read_hugging_face(folder: &Folder) -> Result<Self, ModelError> {
        let config = ModelConfig::read(folder)?;
        let Some(config) = config else {
            let (directory, found) = (folder.path().to_owned(), folder.listing()?);
            return Err(ModelError::MissingConfig { directory, found });
        };
        let weights = Weights::read(folder)?;
        let params = save::params_in(folder)?;
        Self::assemble(folder, CheckpointKind::HuggingFace, config, weights, params)
    }

    fn read_spark(folder: &Folder) -> Result<Self, ModelError> {
        let Annotator { stage, kind, config, weights, spiece, vocabulary } = spark::read(folder)?;
        let mut checkpoint = Self::assemble(&stage.folder, kind, config, weights, stage.params)?;
        checkpoint.files.extend(spiece.map(|bytes| (SPIECE, bytes)));
        checkpoint.files.extend(vocabulary.map(|bytes| (VOCAB, bytes)));
        Ok(checkpoint)
    }

    /// Adds the files of the vocabulary, from the folder or from the `assets` in it.
    fn assemble(
        folder: &Folder,
        kind: CheckpointKind,
        config: ModelConfig,
        weights: Weights<'static>,
        params: Map<String, Value>,
    ) -> Result<Self, ModelError> {
        let files = vocabulary::read(folder)?;
        let card = folder.read("README.md", MAX_CARD)?;
        let held_out = HeldOutScores::read(folder, config.labels())?;
        Ok(Self {
            origin: folder.path().to_owned(),
            kind,
            config,
            weights,
            files,
            params,
            held_out,
            card,
            trained: false,
            head: SavedHead::Classifier,
        })
    }

    /// A Hugging Face model from the bytes of its files, for one inside a program; errors call it `origin`.
    ///
    /// # Errors
    /// [`ModelError::MissingConfig`] and [`FormatError::MissingWeights`], and every way for a file to be unsound.
    pub fn from_files(origin: &Path, files: &[(&'static str, &'static [u8])]) -> Result<Self, ModelError> {
        let found = || files.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let file = |wanted: &str| files.iter().find(|(name, _)| *name == wanted).map(|(_, bytes)| *bytes);
        let directory = || origin.to_owned();
        let config =
            file(CONFIG).ok_or_else(|| ModelError::MissingConfig { directory: directory(), found: found() })?;
        let weights = file("model.safetensors")
            .ok_or_else(|| FormatError::MissingWeights { directory: directory(), found: found() })?;
        Ok(Self {
            origin: origin.to_owned(),
            kind: CheckpointKind::HuggingFace,
            config: ModelConfig::from_slice(config, &origin.join(CONFIG))?,
            weights: Weights::from_safetensors(weights, &origin.join("model.safetensors"))?,
            files: vocabulary::FILES.into_iter().filter_map(|name| Some((name, file(name)?.to_vec()))).collect(),
            params: Map::new(),
            held_out: None,
            card: file("README.md").map(<[u8]>::to_vec),
            trained: false,
            head: SavedHead::Classifier,
        })
    }

    /// The model after training: other weights, the configuration with the labels in the order of their logits, and a
    /// model card of its own.
    #[must_use]
    pub fn retrained(self, config: ModelConfig, weights: Weights<'static>, card: String) -> Self {
        let kind = CheckpointKind::HuggingFace;
        let (params, held_out) = (Map::new(), None);
        Self { config, weights, kind, params, held_out, card: Some(card.into_bytes()), trained: true, ..self }
    }

    /// The model after calibration: the weights with those of the classifier divided by the temperature, and the scores
    /// that it then gave to texts that it was not trained on.
    #[must_use]
    pub fn calibrated(self, weights: Weights<'static>, held_out: HeldOutScores) -> Self {
        Self { weights, held_out: Some(held_out), ..self }
    }

    /// A masked language model after pre-training: its weights are those of [`ModelConfig::masked_language_tensors`].
    #[must_use]
    pub fn pretrained(self, config: ModelConfig, weights: Weights<'static>, card: String) -> Self {
        Self { head: SavedHead::MaskedLanguage, ..self.retrained(config, weights, card) }
    }

    /// A model without weights: a `config.json`, or a folder with one, and the files of a vocabulary beside it, if there
    /// are any.
    ///
    /// # Errors
    /// [`ModelError::MissingConfig`], and every way for the files to be unsound.
    pub fn from_config(path: &Path) -> Result<Self, ModelError> {
        let is_file = path.is_file();
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = Folder::open(if is_file { parent } else { path })?;
        let name = path.file_name().and_then(|name| name.to_str()).filter(|_| is_file).unwrap_or(CONFIG);
        let Some(bytes) = folder.read(name, MAX_CONFIG)? else {
            return Err(ModelError::MissingConfig { directory: path.to_owned(), found: folder.listing()? });
        };
        let config = ModelConfig::from_slice(&bytes, &folder.path_of(name))?;
        let weights = Weights::from_canonical(path, Contents::default());
        Self::assemble(&folder, CheckpointKind::HuggingFace, config, weights, Map::new())
    }

    /// The same with another configuration and these files of a vocabulary instead of its own.
    #[must_use]
    pub fn with_vocabulary(self, config: ModelConfig, files: BTreeMap<&'static str, Vec<u8>>) -> Self {
        Self { config, files, ..self }
    }

    /// Whether it has no weights: only a configuration.
    #[must_use]
    pub fn is_untrained(&self) -> bool {
        !self.weights.has(&self.config.tensors().word_embeddings.name)
    }

    /// Where the model was read from; for one in an archive `model.zip/folder`.
    #[must_use]
    pub fn origin(&self) -> &Path {
        &self.origin
    }

    /// What it was found to be.
    #[must_use]
    pub fn kind(&self) -> CheckpointKind {
        self.kind
    }

    /// The shape of the model and its labels, in the order of the logits.
    #[must_use]
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The weights by canonical name ([`TensorSpec::name`](crate::TensorSpec::name)).
    #[must_use]
    pub fn weights(&self) -> &Weights<'static> {
        &self.weights
    }

    /// A file of the vocabulary by its name in a Hugging Face directory: `tokenizer.json`, `spiece.model`, `vocab.txt`,
    /// `tokenizer_config.json`, `special_tokens_map.json` or `added_tokens.json`, if the model has it. The SentencePiece
    /// model of every kind of checkpoint is `spiece.model`, whatever its file is called.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// All of these files, and nothing else of the model.
    #[must_use]
    pub fn into_files(self) -> BTreeMap<&'static str, Vec<u8>> {
        self.files
    }

    /// The scores of texts that it was not trained on, if it is calibrated.
    #[must_use]
    pub fn held_out(&self) -> Option<&HeldOutScores> {
        self.held_out.as_ref()
    }

    /// The parameters of a Spark NLP annotator by their names there, such as `caseSensitive`, `maxSentenceLength` or
    /// `coalesceSentences`: its defaults, and over them what was set. Empty for other kinds of model.
    #[must_use]
    pub fn params(&self) -> &Map<String, Value> {
        &self.params
    }
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, kind, config, .. } = self;
        f.debug_struct("Checkpoint")
            .field("origin", origin)
            .field("kind", kind)
            .field("config", config)
            .finish_non_exhaustive()
    }
}
