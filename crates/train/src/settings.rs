//! How a model is trained.

use std::fmt;
use std::str::FromStr;

use albertine_model::{DropoutRates, ModelConfig, Precision, ProblemType};

use crate::{Examples, TrainError};

/// How a model is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainSettings {
    /// Number of epochs.
    pub epochs: u32,
    /// Batch size: examples whose gradients are computed together.
    pub batch_size: usize,
    /// Batches whose gradients are added up for one optimizer step.
    pub gradient_accumulation_steps: usize,
    /// Peak learning rate of AdamW.
    pub learning_rate: f64,
    /// How the learning rate decays after the warm-up.
    pub lr_scheduler: LrScheduler,
    /// Fraction of all steps over which the learning rate warms up linearly.
    pub warmup: f64,
    /// Weight decay, not applied to biases and LayerNorm weights.
    pub weight_decay: f64,
    /// Maximum gradient norm; larger gradients are clipped to it.
    pub clip: f64,
    /// Label smoothing: the part of each target that is spread evenly over all classes, from 0 to 1.
    pub label_smoothing: f32,
    /// Class weights in the loss.
    pub class_weights: ClassWeights,
    /// Dropout probability wherever the network has dropout; `None`: those of the model's configuration.
    pub dropout: Option<f32>,
    /// The temperature at which a teacher's scores and the model's are compared, above 0.
    pub teacher_temperature: f64,
    /// The part of the loss that a teacher decides, from 0 to 1; the labels decide the rest.
    pub teacher_weight: f64,
    /// Keep the labels of the base model, and add those that it lacks.
    pub add_labels: bool,
    /// Train only the classifier (and not the pooler).
    pub freeze_encoder: bool,
    /// The validation metric that chooses the epoch that is kept.
    pub best_metric: BestMetric,
    /// Early-stopping patience: the number of epochs without a better validation metric after which training stops.
    pub patience: Option<u32>,
    /// Decay of a moving average of the weights, which is evaluated and kept instead of the weights themselves; at least 0
    /// and below 1.
    pub ema_decay: Option<f64>,
    /// What matrix products multiply: f32, or bfloat16 on CPUs that have it. Weights, sums and all else are f32 in both.
    pub precision: Precision,
    /// Random seed: the same seed on the same kind of CPU gives the same weights, bit for bit.
    pub seed: u64,
}

impl Default for TrainSettings {
    /// Three epochs of 32 at 2e-5, the usual starting point for fine-tuning published ALBERTs.
    fn default() -> Self {
        Self {
            epochs: 3,
            batch_size: 32,
            gradient_accumulation_steps: 1,
            learning_rate: 2e-5,
            lr_scheduler: LrScheduler::Linear,
            warmup: 0.1,
            weight_decay: 0.01,
            clip: 1.0,
            label_smoothing: 0.0,
            class_weights: ClassWeights::Equal,
            dropout: None,
            teacher_temperature: 2.0,
            teacher_weight: 0.5,
            add_labels: false,
            freeze_encoder: false,
            best_metric: BestMetric::Loss,
            patience: None,
            ema_decay: None,
            precision: Precision::F32,
            seed: 42,
        }
    }
}

impl TrainSettings {
    /// Checks that every setting is one to train with.
    ///
    /// # Errors
    /// [`TrainError::Setting`].
    pub fn check(&self) -> Result<(), TrainError> {
        let fraction = |value: f64| (0.0..1.0).contains(&value);
        let above_zero = |value: f64| value > 0.0 && value.is_finite();
        let must_be = |name: &'static str, value: f64, expected: &'static str| {
            Err(TrainError::Setting { name, value: value.to_string(), expected })
        };
        if !(1..=100_000).contains(&self.epochs) {
            return must_be("epochs", f64::from(self.epochs), "from 1 to 100000");
        }
        for (name, value) in
            [("batch_size", self.batch_size), ("gradient_accumulation_steps", self.gradient_accumulation_steps)]
        {
            if !(1..=1 << 30).contains(&value) {
                return must_be(name, value as f64, "at least 1 and at most 1073741824");
            }
        }
        let temperature = self.teacher_temperature;
        for (name, value) in
            [("learning_rate", self.learning_rate), ("clip", self.clip), ("teacher_temperature", temperature)]
        {
            if !above_zero(value) {
                return must_be(name, value, "greater than 0");
            }
        }
        let dropout = f64::from(self.dropout.unwrap_or(0.0));
        let ema_decay = self.ema_decay.unwrap_or(0.0);
        for (name, value) in [
            ("warmup", self.warmup),
            ("weight_decay", self.weight_decay),
            ("dropout", dropout),
            ("ema_decay", ema_decay),
        ] {
            if !fraction(value) {
                return must_be(name, value, "at least 0 and below 1");
            }
        }
        if !(0.0..=1.0).contains(&self.label_smoothing) {
            return must_be("label_smoothing", f64::from(self.label_smoothing), "from 0 to 1");
        }
        if !(0.0..=1.0).contains(&self.teacher_weight) {
            return must_be("teacher_weight", self.teacher_weight, "from 0 to 1");
        }
        if self.precision == Precision::Int8 {
            let value = self.precision.to_string();
            return Err(TrainError::Setting { name: "precision", value, expected: "f32 or bf16" });
        }
        if self.patience == Some(0) {
            return must_be("patience", 0.0, "at least 1");
        }
        Ok(())
    }

    /// The settings by name, in the order of the report.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        vec![
            ("epochs", self.epochs.to_string()),
            ("batch size", self.batch_size.to_string()),
            ("gradient accumulation steps", self.gradient_accumulation_steps.to_string()),
            ("learning rate", self.learning_rate.to_string()),
            ("learning rate scheduler", self.lr_scheduler.to_string()),
            ("warmup", self.warmup.to_string()),
            ("weight decay", self.weight_decay.to_string()),
            ("max gradient norm", self.clip.to_string()),
            ("label smoothing", self.label_smoothing.to_string()),
            ("dropout", self.dropout.map_or_else(|| "of the configuration".to_owned(), |rate| rate.to_string())),
            ("teacher temperature", self.teacher_temperature.to_string()),
            ("teacher weight", self.teacher_weight.to_string()),
            ("labels added", self.add_labels.to_string()),
            ("moving average", self.ema_decay.map_or_else(|| "none".to_owned(), |decay| decay.to_string())),
            ("precision", self.precision.to_string()),
            ("class weights", self.class_weights.to_string()),
            ("metric for the best epoch", self.best_metric.to_string()),
            ("patience", self.patience.map_or_else(|| "none".to_owned(), |patience| patience.to_string())),
            ("encoder frozen", self.freeze_encoder.to_string()),
            ("seed", self.seed.to_string()),
        ]
    }

    /// The examples of an optimizer step.
    pub(crate) fn step_size(&self) -> usize {
        self.batch_size * self.gradient_accumulation_steps
    }

    /// The dropout of a model with this configuration.
    pub(crate) fn dropout_rates(&self, config: &ModelConfig) -> DropoutRates {
        let all = |rate| DropoutRates { hidden: rate, attention: rate, classifier: rate };
        self.dropout.map_or_else(|| config.dropout(), all)
    }

    /// The learning rate of a step, counted from 0, of `total`.
    pub(crate) fn rate(&self, step: u64, total: u64) -> f64 {
        let warmup = (self.warmup * total as f64).ceil() as u64;
        self.learning_rate * self.lr_scheduler.factor(step, warmup, total)
    }
}

/// How the learning rate decays after the warm-up, by the names of Hugging Face's `lr_scheduler_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LrScheduler {
    /// In a straight line to 0.
    #[default]
    Linear,
    /// Along half a cosine to 0 ([Loshchilov and Hutter 2016](https://arxiv.org/abs/1608.03983), without restarts).
    Cosine,
    /// Not at all.
    Constant,
}

impl LrScheduler {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Linear, Self::Cosine, Self::Constant];

    /// Its name, as flags and reports have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Cosine => "cosine",
            Self::Constant => "constant",
        }
    }

    /// The learning rate of a step, counted from 0, as a fraction of the peak: linear warm-up over `warmup` steps, then
    /// the decay to what would be 0 at `total`. No step has a rate of 0: Hugging Face's schedule, whose first step is
    /// one, counts from 1 here while it grows.
    pub(crate) fn factor(self, step: u64, warmup: u64, total: u64) -> f64 {
        if step < warmup {
            return (step + 1) as f64 / warmup as f64;
        }
        let left = total.saturating_sub(step) as f64 / total.saturating_sub(warmup).max(1) as f64;
        match self {
            Self::Linear => left,
            Self::Cosine => 0.5 - 0.5 * (std::f64::consts::PI * left).cos(),
            Self::Constant => 1.0,
        }
    }
}

impl fmt::Display for LrScheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Class weights in the loss.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ClassWeights {
    /// Every row counts the same.
    #[default]
    Equal,
    /// Every class counts the same, however many rows it has.
    Balanced,
    /// These labels count as much, and all others 1.
    Given(Vec<(String, f32)>),
}

impl ClassWeights {
    /// The greatest weight of a class.
    const MOST: f32 = 1e6;

    /// The weights of the classes of these labels, where they are not equal.
    ///
    /// # Errors
    /// [`TrainError::UnknownLabel`] for a label that is none of these.
    pub(crate) fn of(&self, labels: &[String], examples: &Examples) -> Result<Option<Vec<f32>>, TrainError> {
        match self {
            Self::Equal => Ok(None),
            Self::Balanced => Ok(Some(examples.balanced_weights(labels.len()))),
            Self::Given(given) => {
                let mut weights = vec![1.0; labels.len()];
                for (label, weight) in given {
                    let unknown = || TrainError::UnknownLabel { label: label.clone(), labels: labels.to_vec() };
                    weights[labels.iter().position(|known| known == label).ok_or_else(unknown)?] = *weight;
                }
                Ok(Some(weights))
            }
        }
    }
}

impl FromStr for ClassWeights {
    type Err = TrainError;

    /// `equal`, `balanced`, or `label=weight` for some labels, with commas between them.
    fn from_str(text: &str) -> Result<Self, TrainError> {
        let given = |pair: &str| {
            let (label, weight) = pair.rsplit_once('=')?;
            let weight = weight.trim().parse().ok().filter(|weight| *weight > 0.0 && *weight <= Self::MOST)?;
            Some((label.trim().to_owned(), weight))
        };
        match text {
            "equal" => Ok(Self::Equal),
            "balanced" => Ok(Self::Balanced),
            text => {
                text.split(',').map(given).collect::<Option<_>>().map(Self::Given).ok_or_else(|| TrainError::Setting {
                    name: "class_weights",
                    value: text.to_owned(),
                    expected: "equal, balanced, or label=weight,... with weights above 0 and at most 1000000",
                })
            }
        }
    }
}

impl fmt::Display for ClassWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equal => f.write_str("equal"),
            Self::Balanced => f.write_str("balanced"),
            Self::Given(given) => {
                let given: Vec<String> = given.iter().map(|(label, weight)| format!("{label}={weight}")).collect();
                f.write_str(&given.join(","))
            }
        }
    }
}

/// The validation metric that chooses the epoch that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BestMetric {
    /// The lowest loss.
    #[default]
    Loss,
    /// The highest accuracy.
    Accuracy,
    /// The highest mean F1 of the classes.
    MacroF1,
    /// The highest F1 over all texts and labels, where a text has any number of these.
    F1,
    /// The lowest mean absolute error of a regression.
    Mae,
    /// The highest fraction of a regression's variance that is explained.
    R2,
    /// The highest correlation of a regression.
    Pearson,
}

impl BestMetric {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Loss, Self::Accuracy, Self::MacroF1, Self::F1, Self::Mae, Self::R2, Self::Pearson];

    /// Its name, as flags and reports have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Accuracy => "accuracy",
            Self::MacroF1 => "macro_f1",
            Self::F1 => "f1",
            Self::Mae => "mae",
            Self::R2 => "r2",
            Self::Pearson => "pearson",
        }
    }

    /// Whether less is better.
    pub(crate) fn is_error(self) -> bool {
        matches!(self, Self::Loss | Self::Mae)
    }

    /// Checks that a model for this problem has the metric.
    pub(crate) fn check(self, problem: ProblemType) -> Result<(), TrainError> {
        let (known, expected): (&[Self], _) = match problem {
            ProblemType::SingleLabel => (&[Self::Loss, Self::Accuracy, Self::MacroF1], "loss, accuracy or macro_f1"),
            ProblemType::MultiLabel => {
                (&[Self::Loss, Self::Accuracy, Self::F1, Self::MacroF1], "loss, accuracy, f1 or macro_f1")
            }
            ProblemType::Regression => (&[Self::Loss, Self::Mae, Self::R2, Self::Pearson], "loss, mae, r2 or pearson"),
        };
        let wrong = || TrainError::Setting { name: "metric_for_best_model", value: self.name().to_owned(), expected };
        if known.contains(&self) { Ok(()) } else { Err(wrong()) }
    }
}

impl fmt::Display for BestMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn class_weights_are_given_by_label() {
        let of = |text: &str| ClassWeights::from_str(text).map_err(|error| error.to_string());
        assert_eq!(of("balanced"), Ok(ClassWeights::Balanced));
        let given = of("a = b=2, sport=0.5").unwrap();
        assert_eq!(given, ClassWeights::Given(vec![("a = b".to_owned(), 2.0), ("sport".to_owned(), 0.5)]));
        let labels = ["oil", "sport", "a = b"].map(str::to_owned);
        assert_eq!(given.of(&labels, &Examples::new()).unwrap(), Some(vec![1.0, 0.5, 2.0]));
        assert!(matches!(given.of(&labels[..2], &Examples::new()), Err(TrainError::UnknownLabel { .. })));
        for wrong in ["fair", "oil=0", "oil=-1", "oil=NaN", "oil=inf", "oil=1e7", "oil=", "=", ""] {
            assert!(
                of(wrong).is_err_and(|error| error.starts_with("class_weights must be equal, balanced, or")),
                "{wrong}"
            );
        }
    }

    #[test]
    fn the_rate_warms_up_and_decays() {
        let rates = |scheduler: LrScheduler| (0..6).map(|step| scheduler.factor(step, 2, 6)).collect::<Vec<_>>();
        assert_eq!(rates(LrScheduler::Linear), [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]);
        assert_eq!(rates(LrScheduler::Constant), [0.5, 1.0, 1.0, 1.0, 1.0, 1.0]);
        let cosine = [0.5, 1.0, 1.0, 0.853_553_390_593_273_7, 0.5, 0.146_446_609_406_726_24];
        assert!(rates(LrScheduler::Cosine).iter().zip(cosine).all(|(one, two)| (one - two).abs() < 1e-12));
        assert_eq!(LrScheduler::Linear.factor(0, 1, 1), 1.0, "an only step learns");
        assert_eq!(LrScheduler::Linear.factor(0, 0, 4), 1.0);
        assert_eq!(LrScheduler::Linear.factor(9, 0, 4), 0.0);
    }
}
