//! No code: the features that all builds of Albertine ask of the packages they share, so that each is compiled once (see
//! `Cargo.toml`).
