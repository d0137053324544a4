//! Everything that can be wrong with a model directory or with what is asked of a model.

use std::path::PathBuf;

use crate::formats::PickleError;

/// Why a model could not be read or used.
///
/// Variants that concern a file hold its path (for bytes in memory, the origin that the caller gave), and those that
/// concern a tensor, a field or a document hold its name or its number.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The operating system refused a file.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A layer has more inputs than int8 can add up.
    #[error("{inputs} inputs of a layer are too many for int8, which adds up at most {most}: take f32 or bf16")]
    TooWideForInt8 {
        /// The larger of the hidden and the intermediate size.
        inputs: usize,
        /// The most there may be.
        most: usize,
    },
    /// The CPU level lacks the precision.
    #[error(transparent)]
    Precision(#[from] albertine_kernels::CpuError),
    /// A model was looked for in a file that is no archive.
    #[error("{} is neither a model directory nor a zip archive of one", path.display())]
    NotADirectory {
        /// The path that was given.
        path: PathBuf,
    },
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
         tokenizer.json or spiece.model, and this one holds {found}", directory.display()
    )]
    MissingConfig {
        /// The directory.
        directory: PathBuf,
        /// What is in it, in words.
        found: String,
    },
    /// A directory has none of the files that weights are read from.
    #[error(
        "no weights in {}: they are read from model.safetensors, model.safetensors.index.json, pytorch_model.bin or \
         pytorch_model.bin.index.json, and this directory holds {found}", directory.display()
    )]
    MissingWeights {
        /// The directory.
        directory: PathBuf,
        /// What is in it, in words.
        found: String,
    },
    /// A zip archive of a model is malformed.
    #[error("{} is not a sound zip archive: {source}", path.display())]
    Archive {
        /// The archive, or the entry of one.
        path: PathBuf,
        /// What the archive reader found.
        source: zip::result::ZipError,
    },
    /// A zip archive has more entries than any model.
    #[error("{} has more than {limit} entries", path.display())]
    TooManyEntries {
        /// The archive.
        path: PathBuf,
        /// The most entries that are read.
        limit: usize,
    },
    /// An entry of a zip archive is of a kind that no model has and that could do harm.
    #[error("the entry {entry:?} of {} {fault}", path.display())]
    ArchiveEntry {
        /// The archive.
        path: PathBuf,
        /// The entry's name, shortened when it is long.
        entry: String,
        /// What is wrong with it, as the end of a sentence.
        fault: &'static str,
    },
    /// A file that another one names, or that its format always has, is not there.
    #[error("{} is missing", path.display())]
    MissingFile {
        /// The file.
        path: PathBuf,
    },
    /// A saved Spark NLP annotator or pipeline holds no text classifier, or several.
    #[error("{} has {found}, expected one AlbertForSequenceClassification", path.display())]
    Stages {
        /// The annotator or the pipeline.
        path: PathBuf,
        /// Its stages, in words.
        found: String,
    },
    /// A file does not have the form that its place calls for.
    #[error("{} is not {form}: {fault}", path.display())]
    Malformed {
        /// The file, in an archive as `a.zip/entry`.
        path: PathBuf,
        /// What it should be, with its article.
        form: &'static str,
        /// What is wrong, and where.
        fault: String,
    },
    /// A graph does not tell the configuration of the model it computes.
    #[error("cannot tell the configuration of the model in {}: {fault}; put its config.json beside it", path.display())]
    Undetermined {
        /// The graph's file.
        path: PathBuf,
        /// Where it departs from an ALBERT.
        fault: String,
    },
    /// A graph does not tell which of its tensors is one that the configuration calls for.
    #[error("cannot tell which tensor in {} is `{tensor}`: {fault}, and none has a known name", path.display())]
    Untraceable {
        /// The graph's file.
        path: PathBuf,
        /// The canonical name ([`crate::layout`]).
        tensor: String,
        /// Where the graph departs from an ALBERT.
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
    /// A model would be written over what is there.
    #[error("{} is there already", path.display())]
    Exists {
        /// The file or directory.
        path: PathBuf,
    },
    /// A file has no bytes at all.
    #[error("{} is empty", path.display())]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },
    /// A file, or what it claims to hold, is larger than any model of its kind.
    #[error("{} holds {size} bytes, over the limit of {limit}", path.display())]
    TooLarge {
        /// The file, or the entry of an archive.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
        /// The largest size that is read, in bytes.
        limit: u64,
    },
    /// Git Large File Storage left its pointer where the weights should be.
    #[error("{} is a git-lfs pointer, not the weights it points at: fetch them with `git lfs pull`", path.display())]
    LfsPointer {
        /// The file.
        path: PathBuf,
    },
    /// A file is not the JSON it should be.
    #[error("cannot read {} as JSON: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why parsing stopped.
        source: serde_json::Error,
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
    /// A safetensors header is malformed: sizes, offsets or JSON.
    #[error("{} is not a sound safetensors file: {source}", path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// What the format's own checks found.
        source: safetensors::SafeTensorError,
    },
    /// A shard index names a file outside its own directory.
    #[error("{} names the shard {shard:?}, which is not a plain file name", path.display())]
    ShardName {
        /// The index.
        path: PathBuf,
        /// The name as it stands in the index.
        shard: String,
    },
    /// A shard index promises a tensor that its shard does not hold.
    #[error("{} promises the tensor `{tensor}` in {shard}, which does not hold it", path.display())]
    ShardTensor {
        /// The index.
        path: PathBuf,
        /// The tensor, as the index names it.
        tensor: String,
        /// The shard's file name.
        shard: String,
    },
    /// A checkpoint was written by `torch.save` as it was before PyTorch 1.6, without the zip container.
    #[error(
        "{} is a checkpoint in PyTorch's old format: load it with transformers and save it again as safetensors",
        path.display()
    )]
    LegacyCheckpoint {
        /// The file.
        path: PathBuf,
    },
    /// A PyTorch checkpoint is not a sound zip archive.
    #[error("{} is not a sound PyTorch checkpoint: {source}", path.display())]
    Zip {
        /// The file, or the entry of the archive.
        path: PathBuf,
        /// What the archive reader found.
        source: zip::result::ZipError,
    },
    /// A zip archive lacks an entry that `torch.save` always writes, or that its pickle refers to.
    #[error("{} has no entry `{entry}`, which a PyTorch checkpoint needs", path.display())]
    MissingEntry {
        /// The archive.
        path: PathBuf,
        /// The entry.
        entry: String,
    },
    /// An entry of a checkpoint is compressed or encrypted, which `torch.save` never does.
    #[error("the entry `{entry}` of {} is not stored as it is, as PyTorch stores it", path.display())]
    PackedEntry {
        /// The archive.
        path: PathBuf,
        /// The entry.
        entry: String,
    },
    /// A checkpoint was written on a machine of the other byte order.
    #[error("{} holds numbers in {order} byte order, only little is read", path.display())]
    ByteOrder {
        /// The archive.
        path: PathBuf,
        /// What the archive says of its order.
        order: String,
    },
    /// The pickle inside a checkpoint is malformed or asks for more than rebuilding tensors.
    #[error("cannot read the pickle in {} at byte {offset}: {source}", path.display())]
    Pickle {
        /// The archive.
        path: PathBuf,
        /// Where in the pickle.
        offset: usize,
        /// What was wrong there.
        source: PickleError,
    },
    /// A tensor reaches beyond the bytes that its file has for it.
    #[error("the tensor `{tensor}` in {} is cut short: it needs {expected} bytes and has {found}", path.display())]
    TruncatedTensor {
        /// The file.
        path: PathBuf,
        /// The tensor, as the file names it.
        tensor: String,
        /// Bytes that its shape and type need.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// A tensor claims more elements than its storage has, by strides that read elements over again.
    #[error("the tensor `{tensor}` in {} has the shape {shape:?}, more elements than its storage", path.display())]
    RepeatedElements {
        /// The file.
        path: PathBuf,
        /// The tensor, as the file names it.
        tensor: String,
        /// The shape that it claims.
        shape: Vec<usize>,
    },
    /// The tensors of a checkpoint are views of the same few storages, far more often than tied weights are.
    #[error(
        "the tensors in {} hold {viewed} bytes by reading {stored} stored ones over and over, more than sharing weights \
         explains", path.display()
    )]
    SharedStorage {
        /// The file.
        path: PathBuf,
        /// Bytes of all tensors, each on its own.
        viewed: u64,
        /// Bytes of all storages.
        stored: u64,
    },
    /// Two tensors of a checkpoint stand for the same weight.
    #[error("{} holds the tensor `{tensor}` twice, with and without a prefix or in an old spelling", path.display())]
    DuplicateTensor {
        /// The file that holds the second one.
        path: PathBuf,
        /// The canonical name ([`crate::layout`]).
        tensor: String,
    },
    /// A weight that the configuration calls for is not there.
    #[error("the tensor `{tensor}` is missing from {}", path.display())]
    MissingTensor {
        /// The file, or the directory of a sharded checkpoint.
        path: PathBuf,
        /// The canonical name ([`crate::layout`]).
        tensor: String,
    },
    /// A checkpoint has no classification head: it was trained for something else, or only pretrained.
    #[error("{} is not a sequence classifier: the tensor `{tensor}` of its head is missing", path.display())]
    NotAClassifier {
        /// The file, or the directory of a sharded checkpoint.
        path: PathBuf,
        /// The canonical name ([`crate::layout`]).
        tensor: String,
    },
    /// A weight has another shape than the configuration calls for.
    #[error("the tensor `{tensor}` in {} has the shape {found:?}, the configuration asks for {expected:?}", path.display())]
    TensorShape {
        /// The file.
        path: PathBuf,
        /// The canonical name ([`crate::layout`]).
        tensor: String,
        /// The shape in the file.
        found: Vec<usize>,
        /// The shape that was asked for.
        expected: Vec<usize>,
    },
    /// A weight is stored in a type that is not a floating-point number of 16, 32 or 64 bits.
    #[error("the tensor `{tensor}` in {} is stored as {found}, only F64, F32, F16 and BF16 are read", path.display())]
    TensorType {
        /// The file.
        path: PathBuf,
        /// The canonical name ([`crate::layout`]).
        tensor: String,
        /// The type's name, in safetensors' spelling.
        found: String,
    },
    /// A weight is NaN or infinite, or too large for f32: every score would be NaN.
    #[error("the tensor `{tensor}` in {} holds {value} at element {element}, not a finite number", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The canonical name ([`crate::layout`]).
        tensor: String,
        /// The first such element's place in row-major order, from 0.
        element: usize,
        /// Its value as f32: NaN or an infinity.
        value: f32,
    },
    /// A document has no pieces, not even the `[CLS]` that its score is read from.
    #[error("document {document} of the batch has no pieces")]
    EmptyDocument {
        /// The document's place in the batch, from 0.
        document: usize,
    },
    /// A document has more pieces than the model has positions.
    #[error("document {document} of the batch has {pieces} pieces, the model reads at most {limit}")]
    DocumentTooLong {
        /// The document's place in the batch, from 0.
        document: usize,
        /// Its pieces, `[CLS]` and `[SEP]` included.
        pieces: usize,
        /// The model's positions.
        limit: usize,
    },
    /// A piece id is outside the model's vocabulary: the vocabulary and the weights do not belong together.
    #[error("document {document} of the batch has the piece id {id}, the model's vocabulary has {vocabulary}")]
    UnknownPiece {
        /// The document's place in the batch, from 0.
        document: usize,
        /// The piece id.
        id: u32,
        /// The number of pieces in the vocabulary.
        vocabulary: usize,
    },
}
