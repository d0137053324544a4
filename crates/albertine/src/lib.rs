//! Text classification with ALBERT: annotators and pipelines over Arrow record batches, under Spark NLP's names.
//!
//! Two ways lead to the same scores. [`Classify`] adds flat columns (`label`, `score`) to a table; a [`Pipeline`] of
//! annotators adds annotation columns with Spark NLP's schema. Both are a [`Transform`]: rows stay, in order, with all
//! their columns, unless a stage says otherwise ([`OutputSchema`]).
//!
//! ```
//! use std::sync::Arc;
//! use albertine::prelude::*;
//! use arrow_array::StringArray;
//! use arrow_array::RecordBatch;
//!
//! let document = DocumentAssembler::new().input_col("text").output_col("document");
//! let token = Tokenizer::new().input_cols(["document"]).output_col("token");
//! let class = AlbertForSequenceClassification::pretrained("ag_news", "en")?
//!     .input_cols(["token", "document"])
//!     .output_col("class")
//!     .case_sensitive(false)
//!     .max_sentence_length(512);
//!
//! let texts = StringArray::from(vec!["Oil prices rose on Monday as OPEC cut its output."]);
//! let batch = RecordBatch::try_from_iter([("text", Arc::new(texts) as _)])?;
//! let model = Pipeline::new().stages([document.into(), token.into(), class.into()]).fit(&batch.schema())?;
//! let annotated = model.transform(&batch)?;
//! assert_eq!(annotated.num_columns(), 4);
//!
//! let light = LightPipeline::new(&model);
//! assert_eq!(light.annotate("Oil prices rose on Monday as OPEC cut its output.")?["class"], ["Business"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod annotation;
pub mod annotators;
pub mod builtin;
mod category;
mod classified;
mod classifier;
mod classify;
pub mod column;
mod documents;
mod encoded_text;
mod error;
mod error_kind;
pub mod explain;
mod files;
pub mod hub;
pub mod labels;
mod light_pipeline;
mod load;
mod loaded_model;
mod output_schema;
mod params;
mod pipeline;
mod preparation;
mod pretrained_pipeline;
mod saved;
pub mod scores;
mod session;
mod spark_params;
mod text_column;
pub mod texts;
mod transform;
mod windowed;
mod windows;

pub use albertine_model as model;
pub use albertine_model::{CancellationToken, Precision};
pub use albertine_text as text;
pub use albertine_text::{BoundsStrategy, CleanupMode, TruncationSide};
pub use classifier::{Classifier, Prediction};
pub use classify::{Classify, Columns, Words};
pub use encoded_text::{EncodedText, TextOutput};
pub use error::Error;
pub use error_kind::ErrorKind;
pub use light_pipeline::LightPipeline;
pub use output_schema::{Origin, OutputSchema, Rows};
pub use pipeline::{Pipeline, PipelineModel};
pub use pretrained_pipeline::PretrainedPipeline;
pub use scores::Activation;
pub use session::{
    ClassifierSettings, Counts, DEFAULT_MAX_SENTENCE_LENGTH, Document, EncodedDocument, Encoding, LongTexts,
    MAX_THREADS, Outputs, Session, StageCost,
};
pub use transform::{Transform, Transformed};
pub use windowed::Windowed;
pub use windows::{WindowSettings, Windows};

/// What a program that builds pipelines needs, in one line.
pub mod prelude {
    pub use crate::annotation::{Annotation, AnnotatorType};
    pub use crate::annotators::{
        AlbertForSequenceClassification, BertForSequenceClassification, DocumentAssembler, Finisher, SentenceDetector,
        Tokenizer, TokenizerModel,
    };
    pub use crate::{
        Activation, BoundsStrategy, Classifier, ClassifierSettings, Classify, CleanupMode, Columns, Encoding, Error,
        LightPipeline, LongTexts, Pipeline, PipelineModel, PretrainedPipeline, Transform,
    };
}
