//! Everything that can be wrong with a model directory or with what is asked of a model.

use std::path::PathBuf;

use albertine_formats::FormatError;

/// Why a model could not be read or used.
///
/// Variants that concern a file hold its path (for bytes in memory, the origin that the caller gave), and those that
/// concern a tensor, a field or a document hold its name or its number.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file could not be read or written, or is not sound in its format.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A layer has more inputs than int8 can add up.
    #[error("a layer has {inputs} inputs, but int8 can add up at most {most}: use f32 or bf16")]
    TooWideForInt8 {
        /// The larger of the hidden and the intermediate size.
        inputs: usize,
        /// The most there may be.
        most: usize,
    },
    /// The process has no memory for a model or a batch.
    #[error("this process cannot have {} MiB more memory, which the model needs", bytes.div_ceil(1 << 20))]
    OutOfMemory {
        /// What was asked for.
        bytes: usize,
    },
    /// The CPU level lacks the precision.
    #[error(transparent)]
    Precision(#[from] albertine_kernels::CpuError),
    /// A directory or an archive holds no model of any kind.
    #[error(
        "{} holds no model: neither config.json with model.safetensors or pytorch_model.bin, nor saved_model.pb, \
         model.onnx or the metadata of a Spark NLP model; it holds {found}", directory.display()
    )]
    NoModel {
        /// The directory or the archive.
        directory: PathBuf,
        /// What is in it, in words.
        found: String,
    },
    /// A directory has no `config.json`.
    #[error(
        "no config.json in {}: a model directory holds config.json, model.safetensors or pytorch_model.bin, and \
         tokenizer.json, spiece.model or vocab.txt, and this one holds {found}", directory.display()
    )]
    MissingConfig {
        /// The directory.
        directory: PathBuf,
        /// What is in it, in words.
        found: String,
    },
    /// A directory has several files that may be its vocabulary, and none under the name that would tell.
    #[error("{} has several vocabularies, {found}: rename the one that belongs to the model to {known}", directory.display())]
    Vocabularies {
        /// The directory.
        directory: PathBuf,
        /// The names of the files.
        found: String,
        /// The name that one of them should have.
        known: &'static str,
    },
    /// A saved Spark NLP annotator or pipeline holds no text classifier, or several.
    #[error("{} has {found}, expected one {expected}", path.display())]
    Stages {
        /// The annotator or the pipeline.
        path: PathBuf,
        /// Its stages, in words.
        found: String,
        /// The classes that are read, in words.
        expected: String,
    },
    /// A graph does not tell the configuration of the model it computes.
    #[error("cannot tell the configuration of the model in {}: {fault}; put its config.json beside it", path.display())]
    Undetermined {
        /// The graph's file.
        path: PathBuf,
        /// Where it departs from the encoders that are read.
        fault: String,
    },
    /// A graph does not tell which of its tensors is one that the configuration calls for.
    #[error("cannot tell which tensor in {} is `{tensor}`: {fault}, and none has a known name", path.display())]
    Untraceable {
        /// The graph's file.
        path: PathBuf,
        /// The canonical name ([`crate::TensorSpec::name`]).
        tensor: String,
        /// Where the graph departs from the encoders that are read.
        fault: String,
    },
    /// The labels that come with a model are not those of its `config.json`, or too many or too few.
    #[error("the labels in {} do not fit the model: {fault}", path.display())]
    Labels {
        /// The file of the labels.
        path: PathBuf,
        /// How they differ.
        fault: String,
    },
    /// A field of `config.json` has a value that no model can have or that this program does not know.
    #[error("`{field}` in {} is {value}, expected {expected}", path.display())]
    Field {
        /// The configuration file.
        path: PathBuf,
        /// The field, as it is spelled in the file.
        field: &'static str,
        /// The value found, as JSON, shortened when it is long.
        value: String,
        /// What would have been accepted.
        expected: String,
    },
    /// Two tensors of a checkpoint stand for the same weight.
    #[error("{} holds the tensor `{tensor}` twice, with and without a prefix or in an old spelling", path.display())]
    DuplicateTensor {
        /// The file that holds the second one.
        path: PathBuf,
        /// The canonical name ([`crate::TensorSpec::name`]).
        tensor: String,
    },
    /// An adapter of PEFT is beside the weights it belongs to, or inside them.
    #[error(
        "{} has the adapter tensor `{tensor}`, and adapters are not applied: merge it with PEFT's `merge_and_unload()` and \
         save the model again", path.display()
    )]
    UnmergedAdapter {
        /// The file, or the directory of a sharded checkpoint.
        path: PathBuf,
        /// A tensor of the adapter, as the file names it.
        tensor: String,
    },
    /// A directory holds an adapter of PEFT instead of a model.
    #[error(
        "{} holds a PEFT adapter of {base}, not a model: merge it into that model with PEFT's `merge_and_unload()` and save \
         the result", directory.display()
    )]
    AdapterAlone {
        /// The directory.
        directory: PathBuf,
        /// The model that it belongs to, as the adapter names it.
        base: String,
    },
    /// A directory holds a checkpoint of a training loop, as Google's releases do, and no model that it belongs to.
    #[error(
        "{} is a training checkpoint, which does not say what it computes: convert it with transformers, for example with its \
         `convert_albert_original_tf_checkpoint_to_pytorch.py`, and save the model", path.display()
    )]
    CheckpointAlone {
        /// A file of the checkpoint.
        path: PathBuf,
    },
    /// A checkpoint holds several models.
    #[error("{} holds several models, called {}: save one of them by itself", path.display(), prefixes.join(" and "))]
    SeveralEncoders {
        /// The file, or the directory of a sharded checkpoint.
        path: PathBuf,
        /// What stands before the names of the tensors of each.
        prefixes: Vec<String>,
    },
    /// A weight that the configuration calls for is not there.
    #[error("the tensor `{tensor}` is missing from {}", path.display())]
    MissingTensor {
        /// The file, or the directory of a sharded checkpoint.
        path: PathBuf,
        /// The canonical name ([`crate::TensorSpec::name`]).
        tensor: String,
    },
    /// A checkpoint has no classification head: it was trained for something else, or only pretrained.
    #[error("{} is not a sequence classifier: the tensor `{tensor}` of its head is missing", path.display())]
    NotAClassifier {
        /// The file, or the directory of a sharded checkpoint.
        path: PathBuf,
        /// The canonical name ([`crate::TensorSpec::name`]).
        tensor: String,
    },
    /// A weight has another shape than the configuration calls for.
    #[error("the tensor `{tensor}` in {} has the shape {found:?}, but the configuration requires {expected:?}", path.display())]
    TensorShape {
        /// The file.
        path: PathBuf,
        /// The canonical name ([`crate::TensorSpec::name`]).
        tensor: String,
        /// The shape in the file.
        found: Vec<usize>,
        /// The shape that was asked for.
        expected: Vec<usize>,
    },
    /// A weight is stored in a type that is not a floating-point number of 16, 32 or 64 bits.
    #[error("the tensor `{tensor}` in {} is stored as {found}, but only F64, F32, F16 and BF16 are supported", path.display())]
    TensorType {
        /// The file.
        path: PathBuf,
        /// The canonical name ([`crate::TensorSpec::name`]).
        tensor: String,
        /// The type's name, in safetensors' spelling.
        found: String,
    },
    /// A weight is NaN or infinite, or too large for f32: every score would be NaN.
    #[error("the tensor `{tensor}` in {} holds {value} at element {element}, not a finite number", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The canonical name ([`crate::TensorSpec::name`]).
        tensor: String,
        /// The first such element's place in row-major order, from 0.
        element: usize,
        /// Its value as f32: NaN or an infinity.
        value: f32,
    },
    /// The scores of held-out texts are none, or those of another model.
    #[error("{} is not the calibration of this model: {fault}", path.display())]
    Calibration {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
    /// A fraction that is not between 0 and 1, both excluded.
    #[error("the {what} must be between 0 and 1, but {asked} was asked for")]
    Share {
        /// What it is a fraction of.
        what: &'static str,
        /// What was asked for.
        asked: f64,
    },
    /// No threshold makes the answers right as often as it was asked for.
    #[error(
        "an accuracy of {asked} is out of reach: of the {texts} texts that the model was calibrated on, those it is surest of \
         show {reached:.4} with 95 % confidence"
    )]
    AccuracyOutOfReach {
        /// What was asked for.
        asked: f64,
        /// The accuracy that is as certain as it must be, of the texts with the highest scores.
        reached: f64,
        /// The texts that the model was calibrated on.
        texts: usize,
    },
    /// Too few texts for such an accuracy or coverage, whatever their scores are.
    #[error("{what} of {asked} needs at least {needed} validation texts, but the model was calibrated on {texts}")]
    TooFewTexts {
        /// An accuracy or a coverage.
        what: &'static str,
        /// What was asked for.
        asked: f64,
        /// The texts that would be enough.
        needed: usize,
        /// The texts that the model was calibrated on.
        texts: usize,
    },
    /// The labels for a new classifier cannot be those of one.
    #[error("the list of labels is not one of a classifier: {fault}")]
    LabelList {
        /// What is wrong with it.
        fault: String,
    },
    /// A document has no pieces, not even the `[CLS]` that its score is read from.
    #[error("document {document} of the batch has no pieces")]
    EmptyDocument {
        /// The document's place in the batch, from 0.
        document: usize,
    },
    /// A document has more pieces than the model has positions.
    #[error("document {document} of the batch has {pieces} pieces, but the model reads at most {limit}")]
    DocumentTooLong {
        /// The document's place in the batch, from 0.
        document: usize,
        /// Its pieces, `[CLS]` and `[SEP]` included.
        pieces: usize,
        /// The model's positions.
        limit: usize,
    },
    /// A piece id is outside the model's vocabulary: the vocabulary and the weights do not belong together.
    #[error(
        "document {document} of the batch has the piece id {id}, but the model's vocabulary has {vocabulary} pieces"
    )]
    UnknownPiece {
        /// The document's place in the batch, from 0.
        document: usize,
        /// The piece id.
        id: u32,
        /// The number of pieces in the vocabulary.
        vocabulary: usize,
    },
    /// A token type is one that the model has no embedding for.
    #[error("document {document} of the batch has the token type {token_type}, the model has {token_types}")]
    UnknownTokenType {
        /// The document's place in the batch, from 0.
        document: usize,
        /// The token type.
        token_type: u32,
        /// The number of token types.
        token_types: usize,
    },
}
