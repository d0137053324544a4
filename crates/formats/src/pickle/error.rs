//! What can be wrong inside a pickle.

/// Why a checkpoint's pickle could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PickleError {
    /// It names something that rebuilding tensors does not need; running it could do anything.
    #[error("it names `{0}`, which is not among what a checkpoint may name")]
    ForeignGlobal(String),
    /// It ends before its last instruction.
    #[error("it ends too early")]
    Truncated,
    /// An instruction that `torch.save` does not write for a state dictionary.
    #[error("it has the instruction {0:#04x}, which a state dictionary does not need")]
    UnknownInstruction(u8),
    /// A protocol that is not read.
    #[error("it is in protocol {0}, only 2 to 5 are read")]
    Protocol(u8),
    /// An instruction needs more values than there are.
    #[error("an instruction takes a value that is not there")]
    StackUnderflow,
    /// An instruction recalls a value that was never put by.
    #[error("an instruction recalls value {0}, which was never put by")]
    MissingMemo(u32),
    /// An instruction found another kind of value than it needs.
    #[error("an instruction found a value of another kind than {0}")]
    Unexpected(&'static str),
    /// A name or a text is not UTF-8.
    #[error("a text in it is not UTF-8")]
    Text,
    /// It makes more values than any checkpoint does.
    #[error("it makes more than {0} values")]
    TooManyValues(usize),
    /// It rebuilds or lists more tensors than any checkpoint has.
    #[error("it makes more than {0} tensors")]
    TooManyTensors(usize),
    /// A tensor has more axes than any weight.
    #[error("it has a tensor of {found} dimensions, at most {limit} are read")]
    TooManyDimensions {
        /// The items of its sizes or strides.
        found: usize,
        /// The most that are read.
        limit: usize,
    },
}
