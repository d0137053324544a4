//! The program that a hub serves.

use std::path::Path;

use albertine_model::{BuiltIn, Checkpoint};

use super::HubError;

/// What a hub has to know of the program that it serves.
pub trait Program: Clone + 'static {
    /// What can go wrong while a model is imported.
    type Error: From<HubError>;

    /// The models inside the program, whose names come before all others.
    fn built_in() -> &'static [BuiltIn];

    /// Reads the model of any kind at `from`, a folder or an archive, and writes it as a model directory to `to`, whole
    /// or not at all.
    ///
    /// # Errors
    /// Whatever is wrong with the model, or in the way of the new one.
    fn import(from: &Path, to: &Path) -> Result<(), Self::Error>;
}

/// A program without models of its own, which imports classifiers alone: a pipeline's other stages are left out.
impl Program for () {
    type Error = HubError;

    fn built_in() -> &'static [BuiltIn] {
        &[]
    }

    fn import(from: &Path, to: &Path) -> Result<(), HubError> {
        let imported = Checkpoint::open(from).and_then(|model| model.save(to));
        imported.map_err(|error| HubError::Model(Box::new(error)))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A program with a model of its own.
    #[derive(Debug, Clone)]
    pub(crate) enum News {}

    impl Program for News {
        type Error = HubError;

        fn built_in() -> &'static [BuiltIn] {
            &[BuiltIn {
                name: "ag_news",
                language: "en",
                summary: "Topics of news",
                config: b"",
                weights: b"",
                tokenizer: b"",
                tokenizer_config: b"",
                card: "",
            }]
        }

        fn import(from: &Path, to: &Path) -> Result<(), HubError> {
            <()>::import(from, to)
        }
    }
}
