//! Just enough of a pickle reader to find the tensors of a checkpoint that `torch.save` wrote, and no more.
//!
//! A pickle is a program for a small stack machine. This one knows the opcodes that a state dictionary needs in
//! protocols 2 to 5, and of the globals that a pickle may call only those that rebuild tensors ([`Global`]). Nothing
//! that the file names is ever run: a "call" of a known global makes a value of a closed type here, and any other name
//! is an error that says it.
//!
//! Values live in flat lists and refer to each other by place, so that no nesting, however deep or circular, can
//! exhaust the call stack, here or when it is dropped.
//!
//! Opcodes: <https://github.com/python/cpython/blob/main/Lib/pickletools.py>.

mod error;
mod global;
mod machine;
mod reader;
mod value;

pub use self::error::PickleError;
pub(crate) use self::global::Global;
pub(crate) use self::machine::Pickles;
pub(crate) use self::value::{StorageRef, TensorRef, Value};

#[cfg(test)]
mod tests;
