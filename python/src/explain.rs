//! Which words speak for which label.

use albertine::explain::{self as explanations, Method, Part, Settings};
use albertine::{Activation, CancellationToken};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;

use crate::classifier::{Classifier, activation, param};
use crate::work::interruptible;

/// A part of a text: what it is, its first character and the one after its last, and its weight for each label.
type Weighted = (String, usize, usize, Vec<f32>);

/// What the words of a text contribute to each label.
#[derive(IntoPyObject)]
pub(crate) struct Explanation {
    activation: &'static str,
    base: Vec<f32>,
    values: Vec<f32>,
    words: Vec<Weighted>,
    pieces: Vec<Weighted>,
    evaluations: usize,
    truncated: bool,
}

/// How words are credited, by its name.
pub(crate) fn method(name: &str) -> PyResult<Method> {
    [Method::Shap, Method::LeaveOneOut]
        .into_iter()
        .find(|method| method.name() == name)
        .ok_or_else(|| param("method", name, "shap or leave-one-out"))
}

/// Explains what a model says of each text; nothing for a null or blank one.
#[pyfunction]
pub(crate) fn explain(
    classifier: &Classifier,
    texts: Vec<Option<PyBackedStr>>,
    method: &str,
    evaluations: usize,
    activation: Option<&str>,
    logits: bool,
) -> PyResult<Vec<Option<Explanation>>> {
    let activation = match activation {
        Some(_) if logits => return Err(param("activation", "a function of scores", "none with logits")),
        Some(name) => Some(self::activation(name)?),
        None => logits.then_some(Activation::Identity),
    };
    let settings = Settings { method: self::method(method)?, evaluations, activation };
    let texts: Vec<Option<&str>> = texts.iter().map(|text| text.as_deref()).collect();
    let (classifier, cancellation) = (classifier.inner(), CancellationToken::default());
    let explained = || explanations::explain(classifier, &texts, &settings, &cancellation);
    let found = interruptible(&cancellation, explained)?;
    Ok(texts.iter().zip(found).map(|(text, found)| Some(read(text.as_ref()?, found?))).collect())
}

fn read(text: &str, explanation: explanations::Explanation) -> Explanation {
    let weighted = |part: Part| (text[part.bytes].to_owned(), part.begin, part.end, part.weights);
    Explanation {
        activation: explanation.activation.name(),
        base: explanation.base,
        values: explanation.values,
        words: explanation.words.into_iter().map(weighted).collect(),
        pieces: explanation.parts.into_iter().map(weighted).collect(),
        evaluations: explanation.evaluations,
        truncated: explanation.truncated,
    }
}

/// A text as an HTML paragraph with its words colored. `words` are characters from and to, and the weight, in order.
#[pyfunction]
pub(crate) fn explanation_html(text: &str, words: Vec<(usize, usize, f32)>, truncated: bool) -> PyResult<String> {
    // where each character begins, and where the text ends
    let bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let mut last = 0;
    let mut colored = Vec::with_capacity(words.len());
    for (begin, end, weight) in words {
        if begin < last || end < begin || end >= bytes.len() {
            return Err(param("words", &format!("{begin}..{end}"), "words of the text, in order"));
        }
        last = end;
        colored.push((bytes[begin]..bytes[end], weight));
    }
    Ok(explanations::colored(text, &colored, truncated))
}
