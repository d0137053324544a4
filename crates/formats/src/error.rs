//! Everything that can be wrong with a file of a model.

use std::path::PathBuf;

use crate::PickleError;

/// Why a file could not be read or written.
///
/// Variants hold the file's path (for bytes in memory, the name that the caller gave), and those that concern an entry or
/// a tensor hold its name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The operating system refused a file.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The operating system refused to write.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A folder is complete and cannot be moved to its place.
    #[error("cannot move the folder to {}; it was kept in {}: {source}", path.display(), kept.display())]
    NotMoved {
        /// Its place.
        path: PathBuf,
        /// Where it is.
        kept: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A model was looked for in a file that is no archive.
    #[error("{} is neither a model directory nor a zip or tar archive of one", path.display())]
    NotADirectory {
        /// The path that was given.
        path: PathBuf,
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
    #[error("{} is not a valid zip archive: {source}", path.display())]
    Archive {
        /// The archive, or the entry of one.
        path: PathBuf,
        /// What the archive reader found.
        source: zip::result::ZipError,
    },
    /// A tar archive of a model is malformed.
    #[error("{} is not a valid tar archive: {source}", path.display())]
    Tar {
        /// The archive, or the entry of one.
        path: PathBuf,
        /// What the archive reader found.
        source: std::io::Error,
    },
    /// An archive has more entries than any model.
    #[error("{} has more than {limit} entries", path.display())]
    TooManyEntries {
        /// The archive.
        path: PathBuf,
        /// The most entries that are read.
        limit: usize,
    },
    /// An entry of an archive is of a kind that no model has and that could do harm.
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
    /// The labels that come with a model are not those of its `config.json`, or too many or too few.
    #[error("the labels in {} do not fit the model: {fault}", path.display())]
    Labels {
        /// The file of the labels.
        path: PathBuf,
        /// How they differ.
        fault: String,
    },
    /// A model would be written over what is there.
    #[error("{} already exists", path.display())]
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
    /// Git Large File Storage left its pointer where a file of the model should be.
    #[error("{} is a Git LFS pointer, not the file itself: run `git lfs pull` in its repository", path.display())]
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
    /// A safetensors header is malformed: sizes, offsets or JSON.
    #[error("{} is not a valid safetensors file: {source}", path.display())]
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
    #[error("{} lists the tensor `{tensor}` in {shard}, which does not contain it", path.display())]
    ShardTensor {
        /// The index.
        path: PathBuf,
        /// The tensor, as the index names it.
        tensor: String,
        /// The shard's file name.
        shard: String,
    },
    /// A PyTorch checkpoint is not a valid zip archive.
    #[error("{} is not a valid PyTorch checkpoint: {source}", path.display())]
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
    #[error("the entry `{entry}` of {} is compressed or encrypted, but PyTorch stores entries as they are", path.display())]
    PackedEntry {
        /// The archive.
        path: PathBuf,
        /// The entry.
        entry: String,
    },
    /// A checkpoint was written on a machine of the other byte order.
    #[error("{} has {order} byte order, but only little is supported", path.display())]
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
    #[error("the tensor `{tensor}` in {} is truncated: it needs {expected} bytes but has {found}", path.display())]
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
    /// Two files of a checkpoint hold a tensor of the same name, or one file holds it twice.
    #[error("{} holds the tensor `{tensor}` a second time", path.display())]
    DuplicateTensor {
        /// The file that holds the second one.
        path: PathBuf,
        /// The tensor, as the file names it.
        tensor: String,
    },
}
