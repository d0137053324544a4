//! The native half of the Python package `albertine`: pipelines and classifiers over Arrow streams.
//!
//! Python's half spells things as Spark NLP does and turns frames of every kind into Arrow streams; this half reads
//! them through the Arrow PyCapsule interface, works without the interpreter's lock, and raises typed errors. Nothing
//! starts a thread at import.

mod batches;
mod calibrate;
mod classifier;
mod error;
mod evaluate;
mod explain;
mod hub;
mod input;
mod labeled;
mod pipeline;
mod rows;
mod train;
mod warnings;
mod work;

/// The module that `albertine` keeps to itself.
#[pyo3::pymodule(gil_used = false)]
mod _albertine {
    #[pymodule_export]
    use crate::batches::Batches;
    #[pymodule_export]
    use crate::calibrate::calibrate;
    #[pymodule_export]
    use crate::classifier::Classifier;
    #[pymodule_export]
    use crate::evaluate::evaluate;
    #[pymodule_export]
    use crate::explain::{explain, explanation_html};
    #[pymodule_export]
    use crate::hub::{known_models, published_models, pull, remove};
    #[pymodule_export]
    use crate::pipeline::replace_folder;
    #[pymodule_export]
    use crate::pipeline::{Pipeline, default_params, read_exceptions};
    #[pymodule_export]
    use crate::rows::take;
    #[pymodule_export]
    use crate::train::train;

    /// The version of the package.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
