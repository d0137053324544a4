//! The column of the words that speak for a label.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{Float32Builder, Int32Builder, ListBuilder, StringBuilder, StructBuilder};
use arrow_schema::{DataType, Field, Fields};

use super::Words;
use crate::explain::{Settings, explain};
use crate::scores::Activation;
use crate::{CancellationToken, Classifier, Error};

/// Texts that are explained at a time: what is kept of an explanation is little of it.
const ROWS: usize = 64;

/// The column, under its usual name.
pub(super) fn field() -> Field {
    Field::new("words", DataType::List(element()), true)
}

fn element() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Struct(fields()), true))
}

fn fields() -> Fields {
    let integer = |name: &str| Field::new(name, DataType::Int32, true);
    let word = Field::new("word", DataType::Utf8, true);
    [word, integer("begin"), integer("end"), Field::new("weight", DataType::Float32, true)].into_iter().collect()
}

/// The words of each text; null for a null or blank one.
pub(super) fn column(
    classifier: &Classifier,
    words: Words,
    activation: Activation,
    texts: &[Option<&str>],
    cancellation: &CancellationToken,
) -> Result<ArrayRef, Error> {
    let settings = Settings { method: words.method, activation: Some(activation), ..Settings::default() };
    let mut lists = ListBuilder::new(StructBuilder::from_fields(fields(), texts.len())).with_field(element());
    for texts in texts.chunks(ROWS) {
        for (text, explanation) in texts.iter().zip(explain(classifier, texts, &settings, cancellation)?) {
            if let (Some(text), Some(explanation)) = (text, &explanation) {
                let label = explanation.best();
                for word in explanation.strongest(label, words.most) {
                    push(lists.values(), &text[word.bytes.clone()], word.begin, word.end, word.weights[label]);
                }
            }
            lists.append(explanation.is_some());
        }
    }
    Ok(Arc::new(lists.finish()))
}

fn push(row: &mut StructBuilder, word: &str, begin: usize, end: usize, weight: f32) {
    if let Some(column) = row.field_builder::<StringBuilder>(0) {
        column.append_value(word);
    }
    for (index, position) in [(1, begin), (2, end)] {
        if let Some(column) = row.field_builder::<Int32Builder>(index) {
            column.append_value(position as i32); // a text in an Arrow column has at most 2 GiB
        }
    }
    if let Some(column) = row.field_builder::<Float32Builder>(3) {
        column.append_value(weight);
    }
    row.append(true);
}
