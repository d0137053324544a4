//! From logits to probabilities, and how the JVM writes them.

pub use albertine_model::argmax;
use albertine_model::{ModelConfig, ProblemType, softmax};

/// How logits become scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Activation {
    /// One label out of many: the scores add up to 1.
    Softmax,
    /// Each label by itself, between 0 and 1.
    Sigmoid,
    /// The logits as they are, for regression.
    Identity,
}

impl Activation {
    /// The name that flags give it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Softmax => "softmax",
            Self::Sigmoid => "sigmoid",
            Self::Identity => "identity",
        }
    }

    /// The problem that a model with such scores solves.
    #[must_use]
    pub const fn problem_type(self) -> ProblemType {
        match self {
            Self::Softmax => ProblemType::SingleLabel,
            Self::Sigmoid => ProblemType::MultiLabel,
            Self::Identity => ProblemType::Regression,
        }
    }

    /// What a model's scores are made with when nothing else is asked for: its `problem_type` and the number of its
    /// labels decide, and a single label is scored by sigmoid unless it is a regression.
    ///
    /// Source: `TextClassificationPipeline.postprocess` of Hugging Face transformers.
    #[must_use]
    pub fn of(config: &ModelConfig) -> Self {
        match config.problem_type() {
            Some(ProblemType::Regression) => Self::Identity,
            Some(ProblemType::MultiLabel) => Self::Sigmoid,
            Some(ProblemType::SingleLabel) | None if config.labels().len() == 1 => Self::Sigmoid,
            Some(ProblemType::SingleLabel) | None => Self::Softmax,
        }
    }

    /// The scores of one row of logits, computed in double precision.
    #[must_use]
    pub fn scores(self, logits: &[f32]) -> Vec<f32> {
        match self {
            Self::Softmax => softmax(logits),
            Self::Sigmoid => logits.iter().map(|&x| (1.0 / (1.0 + (-f64::from(x)).exp())) as f32).collect(),
            Self::Identity => logits.to_vec(),
        }
    }
}

/// The mean of each label over rows of logits or scores, in their order.
pub(crate) fn mean<'a>(rows: impl ExactSizeIterator<Item = &'a [f32]> + Clone) -> Vec<f32> {
    let labels = rows.clone().next().map_or(0, <[f32]>::len);
    let sum = |label: usize| rows.clone().map(|row| f64::from(row[label])).sum::<f64>();
    (0..labels).map(|label| (sum(label) / rows.len() as f64) as f32).collect()
}

/// The text of a float as Java's `Float.toString` gives it, which is what Spark NLP puts into annotation metadata.
///
/// ```
/// use albertine::scores::jvm_float;
/// assert_eq!(jvm_float(0.99), "0.99");
/// assert_eq!(jvm_float(1.0), "1.0");
/// assert_eq!(jvm_float(8.7e-5), "8.7E-5");
/// assert_eq!(jvm_float(1.0e7), "1.0E7");
/// ```
#[must_use]
pub fn jvm_float(value: f32) -> String {
    let size = value.abs();
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else if size == 0.0 || (1e-3..1e7).contains(&size) {
        format!("{value:?}")
    } else {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let fraction = if digits.contains('.') { "" } else { ".0" };
        format!("{digits}{fraction}E{exponent}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_read_as_java_prints_them() {
        let vectors = [
            (0.99, "0.99"),
            (1.0, "1.0"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (0.5, "0.5"),
            (0.001, "0.001"),
            (0.002, "0.002"),
            (9.99e-4, "9.99E-4"),
            (8.41e-4, "8.41E-4"),
            (8.7e-5, "8.7E-5"),
            (2.0e-10, "2.0E-10"),
            (9.536743e-7, "9.536743E-7"),
            (0.018864956, "0.018864956"),
            (0.94723684, "0.94723684"),
            (0.9999999, "0.9999999"),
            (1.0e7, "1.0E7"),
            (f32::NAN, "NaN"),
            (f32::INFINITY, "Infinity"),
            (f32::NEG_INFINITY, "-Infinity"),
            (-1.5e-9, "-1.5E-9"),
            (9_999_999.0, "9999999.0"),
        ];
        for (value, text) in vectors {
            assert_eq!(jvm_float(value), text);
        }
    }

    #[test]
    fn softmax_survives_large_logits_and_adds_up_to_one() {
        let scores = Activation::Softmax.scores(&[1000.0, 999.0, -1000.0]);
        assert!((scores.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((scores[0] - 0.731_058_6).abs() < 1e-6);
        assert_eq!(argmax(&scores), 0);
    }

    #[test]
    fn the_first_of_equal_scores_wins() {
        assert_eq!(argmax(&[0.25, 0.5, 0.5]), 1);
        assert_eq!(argmax(&[]), 0);
    }

    #[test]
    fn sigmoid_and_identity_take_each_logit_by_itself() {
        assert_eq!(Activation::Sigmoid.scores(&[0.0, 0.0]), [0.5, 0.5]);
        assert_eq!(Activation::Identity.scores(&[-3.0, 7.5]), [-3.0, 7.5]);
    }
}
