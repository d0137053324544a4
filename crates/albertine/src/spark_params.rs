//! What an annotator for sequence classification that Spark NLP saved was set to.

use serde_json::{Map, Value};

use crate::Error;
use crate::params::Params;
use crate::scores::Activation;

/// The parameters of the annotator, as far as they say how a text is read and scored.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SparkParams {
    /// Whether there are any: the model was saved by Spark NLP.
    there: bool,
    pub(crate) max_sentence_length: Option<usize>,
    pub(crate) case_sensitive: Option<bool>,
    pub(crate) batch_size: Option<usize>,
    pub(crate) coalesce_sentences: Option<bool>,
    pub(crate) activation: Option<Activation>,
    pub(crate) threshold: Option<f32>,
    pub(crate) input_cols: Option<Vec<String>>,
    pub(crate) output_col: Option<String>,
    /// Whether unknown pieces are hidden from the others by the attention mask, as with TensorFlow.
    pub(crate) hides_unknown: bool,
}

impl SparkParams {
    pub(crate) fn is_some(&self) -> bool {
        self.there
    }

    /// Reads the parameters of an annotator of that name.
    pub(crate) fn read(annotator: &'static str, map: &Map<String, Value>) -> Result<Self, Error> {
        let params = Params::new(annotator, map);
        let activation = params.named("activation", "softmax or sigmoid", |name| match name {
            "softmax" => Some(Activation::Softmax),
            "sigmoid" => Some(Activation::Sigmoid),
            _ => None,
        })?;
        // From Scala `multilabel` sets the activation too, and from Python it does nothing in the versions that could
        // be run.
        let multilabel = params.flag("multilabel")?.unwrap_or(false).then_some(Activation::Sigmoid);
        let engine = params.text("engine")?;
        Ok(Self {
            there: !map.is_empty(),
            max_sentence_length: params.count("maxSentenceLength")?,
            case_sensitive: params.flag("caseSensitive")?,
            batch_size: params.count("batchSize")?,
            coalesce_sentences: params.flag("coalesceSentences")?,
            activation: activation.or(multilabel),
            threshold: params.number("threshold")?,
            input_cols: params.texts("inputCols")?,
            output_col: params.text("outputCol")?,
            // Models saved before there was a choice of engines do not name theirs.
            hides_unknown: !map.is_empty() && engine.is_none_or(|engine| engine == "tensorflow"),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Result<SparkParams, Error> {
        SparkParams::read("AlbertForSequenceClassification", value.as_object().unwrap())
    }

    #[test]
    fn old_and_new_metadata_are_understood() {
        assert_eq!(read(json!({})).unwrap(), SparkParams::default());
        let old = read(json!({"inputCols": ["document", "token"], "maxSentenceLength": 512, "caseSensitive": false}));
        let old = old.unwrap();
        assert!(old.is_some() && old.hides_unknown && old.activation.is_none());
        assert_eq!((old.max_sentence_length, old.case_sensitive), (Some(512), Some(false)));
        let new =
            read(json!({"engine": "onnx", "activation": "softmax", "multilabel": true, "threshold": 0.25})).unwrap();
        assert!(!new.hides_unknown);
        assert_eq!((new.activation, new.threshold), (Some(Activation::Softmax), Some(0.25)));
        assert_eq!(read(json!({"multilabel": true})).unwrap().activation, Some(Activation::Sigmoid));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let error = read(json!({"maxSentenceLength": "long"})).unwrap_err().to_string();
        assert_eq!(
            error,
            "AlbertForSequenceClassification has the parameter maxSentenceLength set to \"long\", expected a whole number from 0 up"
        );
        assert!(read(json!({"activation": "tanh"})).unwrap_err().to_string().contains("softmax or sigmoid"));
    }
}
