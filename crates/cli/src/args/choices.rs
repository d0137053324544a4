//! Flags whose values are those of an enum of the library: the library names them, and `--help` explains them here.

use albertine::explain::Method;
use albertine::model::ProblemType;
use albertine::{Activation, Encoding, Precision};
use albertine_engine::{Format, Quote};
use albertine_train::clean::{FilterBy, RankBy};
use albertine_train::{BestMetric, LrScheduler};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

const CSV: (Format, &str) = (Format::Csv, "Comma-separated values with a header");
const TSV: (Format, &str) = (Format::Tsv, "Tab-separated values with a header");
const JSONL: (Format, &str) = (Format::Jsonl, "One JSON object per line");
const PARQUET: (Format, &str) = (Format::Parquet, "Apache Parquet");
const TXT: (Format, &str) = (Format::Txt, "One text per line");

/// Formats that can be read.
pub(super) fn input_format() -> impl TypedValueParser<Value = Format> {
    choices(Format::name, vec![CSV, TSV, JSONL, PARQUET, TXT])
}

/// Formats that can be written.
pub(super) fn output_format() -> impl TypedValueParser<Value = Format> {
    choices(Format::name, vec![CSV, TSV, JSONL, PARQUET])
}

/// The functions that turn logits into scores of classes.
pub(super) fn activation() -> impl TypedValueParser<Value = Activation> {
    let softmax = (Activation::Softmax, "One class per text: the scores of all classes sum to 1");
    let sigmoid = (Activation::Sigmoid, "Any number of classes per text: each class is scored independently");
    choices(Activation::name, vec![softmax, sigmoid])
}

/// How words are credited in explanations.
pub(super) fn method() -> impl TypedValueParser<Value = Method> {
    let shap = (Method::Shap, "Partition SHAP, as the shap package computes it for texts");
    let leave_one_out = (Method::LeaveOneOut, "The change of the score when a word alone is hidden: faster");
    choices(Method::name, vec![shap, leave_one_out])
}

/// How texts are split into pieces.
pub(super) fn encoding() -> impl TypedValueParser<Value = Encoding> {
    let document = (Encoding::Document, "The whole text at once, as models are trained");
    let token = (Encoding::Token, "Each token separately, as Spark NLP does it");
    choices(Encoding::name, vec![document, token])
}

/// Numeric precisions of the encoder.
pub(super) fn precision() -> impl TypedValueParser<Value = Precision> {
    let f32 = (Precision::F32, "32-bit floating point: exact");
    let bf16 = (Precision::Bf16, "bfloat16 matrix products, on CPUs that support them");
    let int8 = (Precision::Int8, "8-bit integer matrix products");
    choices(Precision::name, vec![f32, bf16, int8])
}

/// Numeric precisions of training.
pub(super) fn training_precision() -> impl TypedValueParser<Value = Precision> {
    let f32 = (Precision::F32, "32-bit floating point: exact");
    let bf16 = (Precision::Bf16, "bfloat16, on CPUs that multiply it: faster");
    choices(Precision::name, vec![f32, bf16])
}

/// Numeric precisions of stored weights.
pub(super) fn stored_precision() -> impl TypedValueParser<Value = Precision> {
    let f32 = (Precision::F32, "32-bit floating point");
    let bf16 = (Precision::Bf16, "bfloat16: half the space");
    let int8 = (Precision::Int8, "8-bit integers with a scale for each row: a quarter of the space");
    choices(Precision::name, vec![f32, bf16, int8])
}

/// What the labels of a training are for.
pub(super) fn problem_type() -> impl TypedValueParser<Value = ProblemType> {
    let single = (ProblemType::SingleLabel, "One class per text");
    let multi = (ProblemType::MultiLabel, "Any number of classes per text");
    let regression = (ProblemType::Regression, "A number per text");
    choices(ProblemType::name, vec![single, multi, regression])
}

/// How the learning rate decays.
pub(super) fn lr_scheduler() -> impl TypedValueParser<Value = LrScheduler> {
    let linear = (LrScheduler::Linear, "In a straight line to 0");
    let cosine = (LrScheduler::Cosine, "Along half a cosine to 0");
    let constant = (LrScheduler::Constant, "Not at all");
    choices(LrScheduler::name, vec![linear, cosine, constant])
}

/// The validation metric that chooses an epoch.
pub(super) fn best_metric() -> impl TypedValueParser<Value = BestMetric> {
    let loss = (BestMetric::Loss, "The mean loss");
    let accuracy = (BestMetric::Accuracy, "The fraction of texts that are predicted correctly");
    let macro_f1 = (BestMetric::MacroF1, "The mean F1 of the classes");
    let f1 = (BestMetric::F1, "The F1 over all texts and labels, where a text may have several");
    let mae = (BestMetric::Mae, "The mean absolute error of a regression");
    let r2 = (BestMetric::R2, "The fraction of a regression's variance that is explained");
    let pearson = (BestMetric::Pearson, "The correlation of a regression");
    choices(BestMetric::name, vec![loss, accuracy, macro_f1, f1, mae, r2, pearson])
}

/// How rows with a label issue are chosen.
pub(super) fn filter_by() -> impl TypedValueParser<Value = FilterBy> {
    let help = |filter: FilterBy| match filter {
        FilterBy::PruneByNoiseRate => {
            "Of each pair of a given and another class, as many as the confident joint has, by margin"
        }
        FilterBy::PruneByClass => {
            "Of each given class, as many as the confident joint has elsewhere, by self-confidence"
        }
        FilterBy::Both => "What both of these choose: fewer, and surer",
        FilterBy::ConfidentLearning => "The rows that the confident joint counts elsewhere",
        FilterBy::PredictedNeqGiven => "All rows whose likeliest class is another one: most",
        FilterBy::LowNormalizedMargin => "As many as confident-learning chooses, by normalized margin",
        FilterBy::LowSelfConfidence => "As many as confident-learning chooses, by self-confidence",
    };
    choices(FilterBy::name, FilterBy::ALL.map(|filter| (filter, help(filter))).to_vec())
}

/// How the quality of a label is measured.
pub(super) fn rank_by() -> impl TypedValueParser<Value = RankBy> {
    let confidence = (RankBy::SelfConfidence, "The probability of the given class");
    let margin = (RankBy::NormalizedMargin, "The same minus that of the likeliest other class, from 0 to 1");
    choices(RankBy::name, vec![confidence, margin])
}

/// One ASCII character; `\t` and `tab` are the tab, `\xNN` is the character of that code.
pub(super) fn character(text: &str) -> Result<u8, String> {
    let byte = match text {
        r"\t" | "tab" => b'\t',
        r"\\" => b'\\',
        _ => match (text.strip_prefix(r"\x"), text.as_bytes()) {
            (Some(code), _) => u8::from_str_radix(code, 16).map_err(|_| "not a code such as `\\x01`".to_owned())?,
            (None, [byte]) => *byte,
            (None, _) => return Err("not one ASCII character".to_owned()),
        },
    };
    if byte.is_ascii() && !matches!(byte, b'\r' | b'\n' | 0) {
        Ok(byte)
    } else {
        Err("not an ASCII character other than a line end".to_owned())
    }
}

/// A character around fields, or `none`.
pub(super) fn quote(text: &str) -> Result<Quote, String> {
    if text == "none" || text.is_empty() { Ok(Quote::None) } else { character(text).map(Quote::Byte) }
}

/// These values by their names, each with what `--help` says of it.
fn choices<T>(
    name: impl Fn(T) -> &'static str + Clone + Send + Sync + 'static,
    choices: Vec<(T, &'static str)>,
) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let values = choices.iter().map(|&(value, help)| PossibleValue::new(name(value)).help(help));
    PossibleValuesParser::new(values).try_map(move |typed| {
        let found = choices.iter().find(|(value, _)| name(*value) == typed);
        found.map(|(value, _)| *value).ok_or("not one of the choices")
    })
}
