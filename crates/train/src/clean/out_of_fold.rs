//! Out-of-fold probabilities: each row's from a model that was fine-tuned on the others.

use std::collections::BTreeSet;
use std::path::Path;

use albertine_model::{ModelConfig, Precision, ProblemType, Scratch, SequenceClassifier, Weights, softmax};
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;

use super::ConfidentLearning;
use crate::classification::{Classification, TOKENS};
use crate::fingerprint::Fingerprint;
use crate::loss::Target;
use crate::trainer::Trainer;
use crate::{
    BaseModel, Event, Examples, Execution, Head, LabelNames, LabeledTexts, Tensors, TrainError, TrainSettings,
};

/// What a table's rows are, and what models say of them that have not seen them.
#[derive(Debug)]
pub struct OutOfFold {
    /// The labels, in the order of the classes.
    pub labels: Vec<String>,
    /// The given class and the probabilities of each text.
    pub learning: ConfidentLearning,
}

/// An event of the work on a fold.
#[derive(Debug, Clone, Copy)]
pub struct FoldEvent<'a> {
    /// The fold, from 1.
    pub fold: usize,
    /// How many there are.
    pub folds: usize,
    /// What happens in it.
    pub event: &'a Event<'a>,
}

/// The probabilities of each text from a model that was fine-tuned on the other folds.
///
/// The folds are drawn by the seed of the settings, with the same fraction of each class. The classification head is a
/// new one for the labels of the table, whatever the base model's are: one that was trained on these texts would know
/// their labels, wrong ones included. For the same reason the base model should not have seen them. There are no
/// checkpoints.
///
/// # Errors
/// [`TrainError::NoRows`], [`TrainError::OneLabel`], [`TrainError::Setting`] for fewer than two folds or more than texts,
/// [`TrainError::Cancelled`], and as [`fine_tune`](crate::fine_tune).
pub fn out_of_fold(
    base: &BaseModel,
    texts: LabeledTexts,
    folds: usize,
    settings: &TrainSettings,
    execution: &Execution,
    listen: &mut (dyn FnMut(FoldEvent<'_>) + Send),
) -> Result<OutOfFold, TrainError> {
    settings.check()?;
    let execution = Execution { checkpoints: None, metrics: None, ..execution.clone() };
    let names = texts.class_names().map(<[String]>::to_vec);
    let labels = ordered(&texts.labels()?, names.as_deref())?;
    if folds < 2 || folds > texts.len() {
        let expected = "from 2 to the number of texts";
        return Err(TrainError::Setting { name: "folds", value: folds.to_string(), expected });
    }
    let known = LabelNames::of_model(&labels)?;
    let known = match &names {
        Some(names) => known.with_table(names)?,
        None => known,
    };
    let examples = texts.examples(&known)?;
    let (config, weights) = base.weights(&Head::New(labels.clone()), ProblemType::SingleLabel, settings.seed)?;
    // texts of a table without labels are left out before
    let classes: Vec<usize> = (0..examples.len())
        .filter_map(|text| if let Target::Class(class) = examples.target(text) { Some(class) } else { None })
        .collect();
    let fold_of = folds_of(&classes, folds, settings.seed);
    let mut probabilities = vec![0.0; examples.len() * labels.len()];
    for fold in 0..folds {
        let (held_out, others): (Vec<usize>, Vec<usize>) = (0..examples.len()).partition(|&text| fold_of[text] == fold);
        let others = examples.of(&others);
        let mut objective = Classification::new(&config, settings, execution.kernels, &others, None)?;
        let mut listen = |event: &Event<'_>| listen(FoldEvent { fold: fold + 1, folds, event });
        let start = weights.clone();
        let trained = Trainer::train(&mut objective, start, settings, &execution, Fingerprint::default(), &mut listen)?;
        let predicted = predict(&config, &trained.weights, &execution, &examples.of(&held_out))?;
        for (&text, scores) in held_out.iter().zip(predicted.chunks_exact(labels.len())) {
            let row = &mut probabilities[text * labels.len()..][..labels.len()];
            row.iter_mut().zip(scores).for_each(|(probability, &score)| *probability = f64::from(score));
        }
    }
    let learning = ConfidentLearning::new(labels.len(), classes, probabilities)?;
    Ok(OutOfFold { labels, learning })
}

/// The labels of a table in the order of their numbers or letters, or in that of the table's own names.
fn ordered(found: &BTreeSet<String>, names: Option<&[String]>) -> Result<Vec<String>, TrainError> {
    let mut labels: Vec<String> = found.iter().cloned().collect();
    match labels.as_slice() {
        [] => return Err(TrainError::NoRows),
        [label] => return Err(TrainError::OneLabel { label: label.clone() }),
        [..] => {}
    }
    match names {
        Some(names) => labels.sort_by_key(|label| names.iter().position(|name| name == label)),
        None => labels.sort_by_key(|label| (label.parse::<u64>().unwrap_or(u64::MAX), label.clone())),
    }
    Ok(labels)
}

/// The fold of each text: those of a class are shuffled and dealt out in turn.
fn folds_of(classes: &[usize], folds: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..classes.len()).collect();
    order.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(seed));
    // A stable sort: within a class the order stays that of chance.
    order.sort_by_key(|&text| classes[text]);
    let mut fold_of = vec![0; classes.len()];
    order.into_iter().enumerate().for_each(|(place, text)| fold_of[text] = place % folds);
    fold_of
}

/// The scores of texts, `[texts, labels]`.
fn predict(
    config: &ModelConfig,
    weights: &Tensors,
    Execution { kernels, cancellation, .. }: &Execution,
    examples: &Examples,
) -> Result<Vec<f32>, TrainError> {
    let bytes = weights.to_safetensors()?;
    let weights = Weights::from_safetensors(&bytes, Path::new("the trained model"))?;
    let model = SequenceClassifier::new(config.clone(), &weights, *kernels, Precision::F32)?;
    let indices: Vec<usize> = (0..examples.len()).collect();
    let (mut scratch, mut logits, mut scores) = (Scratch::new(), Vec::new(), Vec::new());
    for part in examples.parts(&indices, TOKENS) {
        if cancellation.is_cancelled() {
            return Err(TrainError::Cancelled);
        }
        model.logits(&examples.batch(part), kernels.threads(), &mut scratch, &mut logits)?;
        scores.extend(logits.chunks_exact(config.labels().len()).flat_map(softmax));
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use albertine_model::{Checkpoint, Kernels};

    use super::*;

    fn base() -> BaseModel {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden/gelu");
        BaseModel::new(Checkpoint::open(&golden).unwrap(), Some(16)).unwrap()
    }

    fn texts(labels: impl IntoIterator<Item = &'static str>) -> LabeledTexts {
        let mut texts = LabeledTexts::new("table");
        for (row, label) in labels.into_iter().enumerate() {
            let text = ["Oil prices rose again", "The home side won again"][row % 2];
            texts.push(&base(), Some(&format!("{text} {row}")), Some(label)).unwrap();
        }
        texts
    }

    fn run(texts: LabeledTexts, folds: usize, seed: u64) -> Result<OutOfFold, TrainError> {
        let settings =
            TrainSettings { epochs: 4, batch_size: 4, learning_rate: 3e-3, seed, ..TrainSettings::default() };
        out_of_fold(&base(), texts, folds, &settings, &Execution::new(Kernels::detect().unwrap()), &mut |_| ())
    }

    #[test]
    fn a_wrong_label_is_found_by_models_that_have_not_seen_it() {
        let labels = (0..40).map(|row| ["oil", "sport"][(row + usize::from(row == 6 || row == 21)) % 2]);
        let found = run(texts(labels), 4, 1).unwrap();
        assert_eq!(found.labels, ["oil", "sport"]);
        let mut issues =
            found.learning.issues(super::super::FilterBy::PredictedNeqGiven, super::super::RankBy::SelfConfidence);
        issues.sort_unstable();
        assert_eq!(issues, [6, 21]);
    }

    #[test]
    fn texts_of_many_parts_each_get_their_scores() {
        let head = Head::New(["a", "b", "c"].map(str::to_owned).to_vec());
        let (config, weights) = base().weights(&head, ProblemType::SingleLabel, 1).unwrap();
        let mut examples = Examples::new();
        (0..TOKENS as u32).for_each(|text| examples.push(&[2, 5 + text % 400, 3], 0));
        let execution = Execution::new(Kernels::detect().unwrap());
        let scores = predict(&config, &weights, &execution, &examples).unwrap();
        assert_eq!(scores.len(), examples.len() * 3);
        for text in [0, 1500, TOKENS - 1] {
            let alone = predict(&config, &weights, &execution, &examples.of(&[text])).unwrap();
            assert_eq!(scores[3 * text..][..3], alone);
        }
    }

    #[test]
    fn folds_have_their_part_of_each_class_and_depend_on_the_seed() {
        let classes: Vec<usize> = (0..50).map(|text| usize::from(text % 5 == 0)).collect();
        let folds = folds_of(&classes, 5, 1);
        for fold in 0..5 {
            let of = |class: usize| (0..50).filter(|&text| folds[text] == fold && classes[text] == class).count();
            assert_eq!((of(0), of(1)), (8, 2));
        }
        assert_eq!(folds, folds_of(&classes, 5, 1));
        assert_ne!(folds, folds_of(&classes, 5, 2));
    }

    #[test]
    fn what_has_no_folds_is_refused() {
        let of = |texts: LabeledTexts, folds: usize| run(texts, folds, 1).unwrap_err().to_string();
        assert_eq!(of(texts(["a", "b"]), 1), "folds must be from 2 to the number of texts, not 1");
        assert_eq!(of(texts(["a", "b"]), 3), "folds must be from 2 to the number of texts, not 3");
        assert_eq!(of(texts(["a", "a"]), 2), "all rows have the label `a`");
        assert_eq!(of(texts([]), 2), "no row has both a text and a label");
    }
}
