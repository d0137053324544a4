//! One stage of a pipeline, of any kind.

use std::any::Any;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use serde_json::{Map, Value};

use super::{Annotator, REGISTRY, SequenceClassification};
use crate::{CancellationToken, Classifier, Counts, Error, OutputSchema};

/// How a registered stage gets its model.
pub(super) type LoadClassifier<'a> = Box<dyn FnOnce() -> Result<Classifier, Error> + 'a>;

/// How a stage is made of its name and its parameters.
#[derive(Debug)]
pub struct Registration {
    /// The name of its class in Spark NLP, without the package.
    pub(super) name: &'static str,
    /// The stage with parameters under Spark NLP's names over the usual ones.
    pub(super) from_params: fn(&Map<String, Value>, LoadClassifier<'_>) -> Result<Stage, Error>,
}

/// One stage of a [`Pipeline`](crate::Pipeline): any [`Annotator`] turns into it with `.into()`. Clones share it.
#[derive(Debug, Clone)]
pub struct Stage(Arc<dyn Annotator>);

impl<A: Annotator> From<A> for Stage {
    fn from(annotator: A) -> Self {
        Self(Arc::new(annotator))
    }
}

impl Stage {
    /// The stage of that name with those parameters, under Spark NLP's names, or nothing when there is no stage of that
    /// name. `classifier` loads the model of one that has a model.
    ///
    /// # Errors
    /// [`Error::Param`] for a parameter of another type than it has or with a value that it cannot have, and those of
    /// `classifier`.
    ///
    /// ```
    /// use albertine::Error;
    /// use albertine::annotators::Stage;
    ///
    /// let params = serde_json::json!({"inputCol": "text", "cleanupMode": "shrink"});
    /// let none = || unreachable!("this stage has no model");
    /// let stage = params.as_object().map(|params| Stage::from_params("DocumentAssembler", params, none)).transpose()?;
    /// let stage = stage.flatten();
    /// assert_eq!(stage.map(|stage| stage.params()["outputCol"].clone()), Some("document".into()));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn from_params(
        name: &str,
        params: &Map<String, Value>,
        classifier: impl FnOnce() -> Result<Classifier, Error>,
    ) -> Result<Option<Self>, Error> {
        let registered = REGISTRY.iter().find(|registration| registration.name == name);
        registered.map(|registration| (registration.from_params)(params, Box::new(classifier))).transpose()
    }

    /// As [`from_params`](Self::from_params), for hosts that have loaded the model of the stage, if it has one. The
    /// stage gets a session of its own over the weights of `classifier`.
    ///
    /// # Errors
    /// As `from_params`, and [`Error::MaxSentenceLength`] for a limit that the model has no positions for: of what was
    /// saved the limit is lowered, what was asked for is refused.
    pub fn with_classifier(
        name: &str,
        params: &Map<String, Value>,
        classifier: Option<&Classifier>,
    ) -> Result<Option<Self>, Error> {
        let unknown = || Error::UnknownStage { path: "the pipeline".into(), class: name.to_owned() };
        Self::from_params(name, params, || {
            let classifier = classifier.ok_or_else(unknown)?.with_own_session()?;
            let most = classifier.config().architecture().max_tokens();
            let asked = params.get("maxSentenceLength").and_then(Value::as_u64).map_or(0, |asked| asked as usize);
            if asked > most { Err(Error::MaxSentenceLength { asked, least: 2, most }) } else { Ok(classifier) }
        })
    }

    /// The name of its class in Spark NLP, without the package.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// Its parameters as JSON under Spark NLP's names, for `explainParams` and for what is saved: those that are set
    /// and those that have a value without being set; the ones that are merely possible are left out.
    ///
    /// ```
    /// use albertine::annotators::Stage;
    /// use albertine::prelude::*;
    ///
    /// let stage = Stage::from(Finisher::new().input_cols(["class"]).output_as_array(false));
    /// let params = stage.params();
    /// assert_eq!(params["inputCols"][0], "class");
    /// assert_eq!(params["outputAsArray"], false);
    /// assert_eq!(params["valueSplitSymbol"], "#");
    /// assert!(!params.contains_key("outputCols"));
    /// ```
    #[must_use]
    pub fn params(&self) -> Map<String, Value> {
        self.0.params()
    }

    /// The annotator, if it is of that type.
    ///
    /// ```
    /// use albertine::annotators::Stage;
    /// use albertine::prelude::*;
    ///
    /// let stage = Stage::from(DocumentAssembler::new().input_col("title"));
    /// assert_eq!(stage.downcast_ref::<DocumentAssembler>().map(DocumentAssembler::get_input_col), Some("title"));
    /// assert!(stage.downcast_ref::<Tokenizer>().is_none());
    /// ```
    #[must_use]
    pub fn downcast_ref<A: Annotator>(&self) -> Option<&A> {
        (&*self.0 as &dyn Any).downcast_ref()
    }

    /// The stage as one that classifies sequences, if it does.
    #[must_use]
    pub fn sequence_classification(&self) -> Option<&dyn SequenceClassification> {
        self.0.sequence_classification()
    }

    /// The model of a stage that has one.
    #[must_use]
    pub fn classifier(&self) -> Option<&Arc<Classifier>> {
        self.sequence_classification().map(|class| class.classifier())
    }

    /// The stage with so many threads, 0 for one for each core, if it has threads of its own.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        self.0.with_threads(threads).unwrap_or(self)
    }

    /// The stage as it works on texts in hand: without columns that only a table has, and one row for each text.
    pub(crate) fn on_texts_alone(&self) -> Self {
        self.0.on_texts_alone().unwrap_or_else(|| self.clone())
    }

    /// Checks the stage's parameters and makes it ready to work.
    pub(crate) fn fit(self) -> Result<Self, Error> {
        Ok(self.0.fit()?.unwrap_or(self))
    }

    pub(crate) fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, Error> {
        self.0.output_schema(input)
    }

    pub(crate) fn run(
        &self,
        batch: &RecordBatch,
        cancellation: &CancellationToken,
    ) -> Result<(RecordBatch, Option<Counts>), Error> {
        cancellation.check()?;
        self.0.run(batch, cancellation)
    }
}
