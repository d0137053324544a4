//! `classify(text)` and `classify_score(text)`.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use albertine::{Classifier, Prediction};
use arrow::array::{Array, ArrayRef, AsArray, Float32Array, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// The functions of one model.
pub(super) fn of(classifier: &Arc<Classifier>) -> [ScalarUDF; 2] {
    let model = Arc::new(Model { classifier: Arc::clone(classifier), last: Mutex::new(None) });
    [Gives::Label, Gives::Score].map(|gives| {
        let signature = Signature::user_defined(Volatility::Immutable);
        ScalarUDF::new_from_impl(Classify { gives, model: Arc::clone(&model), signature })
    })
}

/// What a function gives of a prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Gives {
    Label,
    Score,
}

/// A function.
#[derive(Debug)]
struct Classify {
    gives: Gives,
    model: Arc<Model>,
    signature: Signature,
}

/// The model behind both functions.
#[derive(Debug)]
struct Model {
    classifier: Arc<Classifier>,
    /// The texts of the last call and what came out: a query that asks for label and score asks for both of one column,
    /// in turn.
    last: Mutex<Option<(ArrayRef, Predictions)>>,
}

type Predictions = Arc<Vec<Option<Prediction>>>;

impl Model {
    fn predict(&self, texts: &ArrayRef) -> Result<Predictions> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((before, predictions)) = &*last
            && Arc::ptr_eq(before, texts)
        {
            return Ok(Arc::clone(predictions));
        }
        let rows: Vec<Option<&str>> = match texts.data_type() {
            DataType::Utf8 => texts.as_string::<i32>().iter().collect(),
            DataType::LargeUtf8 => texts.as_string::<i64>().iter().collect(),
            DataType::Utf8View => texts.as_string_view().iter().collect(),
            other => return plan_err!("classify() takes text, not {other}"),
        };
        let predictions = self.classifier.predict(&rows).map_err(|error| DataFusionError::External(Box::new(error)))?;
        let predictions = Arc::new(predictions);
        *last = Some((Arc::clone(texts), Arc::clone(&predictions)));
        Ok(predictions)
    }
}

impl ScalarUDFImpl for Classify {
    fn name(&self) -> &str {
        match self.gives {
            Gives::Label => "classify",
            Gives::Score => "classify_score",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Where wrong arguments are refused: an error here reaches the person as it is, one of the coercion would not.
    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [kind] if is_text(kind) => Ok(match self.gives {
                Gives::Label => DataType::Utf8,
                Gives::Score => DataType::Float32,
            }),
            [other] => plan_err!("{}() takes text, not {other}; CAST(.. AS VARCHAR) makes text of it", self.name()),
            _ => plan_err!("{}() takes one text, not {} arguments", self.name(), types.len()),
        }
    }

    /// Text of any kind is taken as it is, a dictionary as its values.
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let coerce = |kind: &DataType| match kind {
            DataType::Null => DataType::Utf8,
            DataType::Dictionary(_, value) if is_text(value) => value.as_ref().clone(),
            other => other.clone(),
        };
        Ok(types.iter().map(coerce).collect())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(text) = arguments.args.first() else {
            return plan_err!("{}() takes one text", self.name());
        };
        let texts = match text {
            ColumnarValue::Array(texts) => Arc::clone(texts),
            ColumnarValue::Scalar(text) => text.to_array_of_size(1)?,
        };
        let predictions = self.model.predict(&texts)?;
        let values: ArrayRef = match self.gives {
            Gives::Label => {
                let labels = self.model.classifier.labels();
                let label = |found: &Option<Prediction>| labels.get(found.as_ref()?.label).map(String::as_str);
                Arc::new(predictions.iter().map(label).collect::<StringArray>())
            }
            Gives::Score => Arc::new(
                predictions.iter().map(|found| found.as_ref().map(|found| found.score)).collect::<Float32Array>(),
            ),
        };
        Ok(match text {
            ColumnarValue::Array(_) => ColumnarValue::Array(values),
            ColumnarValue::Scalar(_) => {
                ColumnarValue::Scalar(datafusion::common::ScalarValue::try_from_array(&values, 0)?)
            }
        })
    }
}

fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

impl PartialEq for Classify {
    fn eq(&self, other: &Self) -> bool {
        self.gives == other.gives && Arc::ptr_eq(&self.model, &other.model)
    }
}

impl Eq for Classify {}

impl Hash for Classify {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.gives.hash(state);
        Arc::as_ptr(&self.model).hash(state);
    }
}
