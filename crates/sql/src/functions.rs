//! `classify(text)` and `classify_score(text)`, by the transform that classifies tables too: both give the same labels.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use albertine::{CancellationToken, Classifier, Classify, Columns, Counts, Transform};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use datafusion::common::{DataFusionError, Result, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::SqlError;

/// The functions of one model, for one query.
pub(super) fn of(model: &Arc<Model>) -> [ScalarUDF; 2] {
    [Gives::Label, Gives::Score].map(|gives| {
        let signature = Signature::user_defined(Volatility::Immutable);
        ScalarUDF::new_from_impl(Function { gives, model: Arc::clone(model), signature })
    })
}

/// The name of the one column that the transform is given.
const TEXT: &str = "text";

/// What a function gives of what the transform adds: its label, or the score after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Gives {
    Label,
    Score,
}

/// A function.
#[derive(Debug)]
struct Function {
    gives: Gives,
    model: Arc<Model>,
    signature: Signature,
}

/// The model behind both functions of a query.
#[derive(Debug)]
pub(super) struct Model {
    classify: Classify,
    /// The texts of the last call and what came out: a query that asks for label and score asks for both of one column,
    /// in turn.
    last: Mutex<Option<(ArrayRef, RecordBatch)>>,
    counts: Mutex<Counts>,
    cancellation: CancellationToken,
}

impl Model {
    /// # Errors
    /// When the model cannot be used over tables.
    pub(super) fn new(
        classifier: &Arc<Classifier>,
        cancellation: &CancellationToken,
    ) -> std::result::Result<Self, SqlError> {
        let columns = Columns { text: vec![TEXT.to_owned()], ..Columns::default() };
        let classify = Classify::new(Arc::clone(classifier), columns)?;
        Ok(Self {
            classify,
            last: Mutex::new(None),
            counts: Mutex::new(Counts::default()),
            cancellation: cancellation.clone(),
        })
    }

    /// What the calls so far counted.
    pub(super) fn counts(&self) -> Counts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fails once the query is cancelled.
    pub(super) fn check(&self) -> std::result::Result<(), albertine::Error> {
        Ok(self.cancellation.check()?)
    }

    /// The texts with their labels and scores.
    fn classify(&self, texts: &ArrayRef) -> Result<RecordBatch> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((before, classified)) = &*last
            && Arc::ptr_eq(before, texts)
        {
            return Ok(classified.clone());
        }
        let schema = Schema::new(vec![Field::new(TEXT, texts.data_type().clone(), true)]);
        let batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::clone(texts)])?;
        let outcome = self.classify.run(&batch, &self.cancellation);
        let (classified, counts) = outcome.map_err(|error| DataFusionError::External(Box::new(error)))?;
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) += counts.into_iter().sum();
        *last = Some((Arc::clone(texts), classified.clone()));
        Ok(classified)
    }
}

impl ScalarUDFImpl for Function {
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
        let classified = self.model.classify(&texts)?;
        let place = match self.gives {
            Gives::Label => 1,
            Gives::Score => 2,
        };
        let values = Arc::clone(classified.column(place));
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

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.gives == other.gives && Arc::ptr_eq(&self.model, &other.model)
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.gives.hash(state);
        Arc::as_ptr(&self.model).hash(state);
    }
}
