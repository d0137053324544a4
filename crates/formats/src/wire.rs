//! The wire format of graphs and checkpoints, and what is wrong with them in words.

pub(crate) use albertine_wire::{Fields, Value, signed, text};

/// What is wrong with some bytes, in words.
pub(crate) type Reason = String;
