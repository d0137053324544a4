//! The base model of a fine-tuning, and the model that results from it.

use std::collections::BTreeSet;
use std::path::Path;

use albertine_model::{Checkpoint, ModelConfig, ProblemType, Weights};
use albertine_text::SubwordTokenizer;

use crate::random::{Draw, random};
use crate::{LabelNames, Tensors, TrainError};

/// A base model: any checkpoint, including a pretrained one without a classifier or, as masked language models are,
/// without a pooler.
#[derive(Debug)]
pub struct BaseModel {
    checkpoint: Checkpoint,
    pieces: SubwordTokenizer,
    limit: usize,
}

/// The classification head that is trained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// The base model's own: the labels of the table are its labels.
    Own(Vec<String>),
    /// A new one for these labels.
    New(Vec<String>),
    /// The base model's own for as many labels as it has, and new rows of it for those that follow.
    Extended(Vec<String>),
}

impl Head {
    /// The labels, in the order of the logits.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        match self {
            Self::Own(labels) | Self::New(labels) | Self::Extended(labels) => labels,
        }
    }
}

impl BaseModel {
    /// A checkpoint whose texts are cut to `limit` pieces; `None`: to what it can read, or what its vocabulary says.
    ///
    /// # Errors
    /// [`TrainError::Text`] when its vocabulary cannot be read, [`TrainError::VocabularyTooLarge`],
    /// [`TrainError::Limit`].
    pub fn new(checkpoint: Checkpoint, limit: Option<usize>) -> Result<Self, TrainError> {
        let pieces = SubwordTokenizer::from_files(checkpoint.origin(), |name| checkpoint.file(name))?;
        let (found, embeddings) = (pieces.vocabulary(), checkpoint.config().architecture().vocab_size());
        if found > embeddings {
            return Err(TrainError::VocabularyTooLarge { pieces: found, embeddings });
        }
        let (before, after) = pieces.around();
        let (least, most) = (before + after + 1, checkpoint.config().architecture().max_tokens());
        let asked = limit.unwrap_or_else(|| pieces.model_max_length().map_or(most, |own| own.min(most)));
        if !(least..=most).contains(&asked) {
            return Err(TrainError::Limit { asked, least, most });
        }
        Ok(Self { checkpoint, pieces, limit: asked })
    }

    /// Where the model came from and what it was.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The shape of the model and its labels.
    #[must_use]
    pub fn config(&self) -> &ModelConfig {
        self.checkpoint.config()
    }

    /// The maximum sequence length in pieces.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Appends the piece ids of a text, special pieces included; returns whether it was truncated.
    ///
    /// # Errors
    /// [`TrainError::Text`].
    pub fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<bool, TrainError> {
        Ok(self.pieces.encode(text, self.limit, ids)?.truncated)
    }

    /// Appends the piece ids of a text or of a pair of texts, special pieces included, and their types; returns whether
    /// it was truncated.
    pub(crate) fn encode_document(
        &self,
        text: &str,
        second: Option<&str>,
        ids: &mut Vec<u32>,
        token_types: &mut Vec<u32>,
    ) -> Result<bool, TrainError> {
        let Some(second) = second else {
            let truncated = self.encode(text, ids)?;
            token_types.resize(ids.len(), 0);
            return Ok(truncated);
        };
        let side = self.pieces.truncation_side();
        Ok(self.pieces.encode_pair((text, second), self.limit, side, ids, token_types)?.truncated)
    }

    /// The vocabulary.
    pub(crate) fn pieces(&self) -> &SubwordTokenizer {
        &self.pieces
    }

    /// Whether the model has a pooler; a new one is made where it has none, as where its classifier is new.
    #[must_use]
    pub fn has_pooler(&self) -> bool {
        self.checkpoint.weights().has(&self.config().tensors().pooler.weight.name)
    }

    /// The classifier for a table with these labels: the model's own where all are its labels, or just the numbers of
    /// all of them from 0; else a new one for them, in the order of their numbers or letters.
    ///
    /// # Errors
    /// [`TrainError::TooFewLabels`].
    pub fn head(&self, found: &BTreeSet<String>) -> Result<Head, TrainError> {
        let own = self.config().labels();
        let numbers: BTreeSet<String> = (0..own.len()).map(|class| class.to_string()).collect();
        if self.has_classifier() && (found.iter().all(|label| own.contains(label)) || *found == numbers) {
            return Ok(Head::Own(own.to_vec()));
        }
        if found.len() < 2 {
            return Err(TrainError::TooFewLabels { count: found.len() });
        }
        let mut labels: Vec<String> = found.iter().cloned().collect();
        labels.sort_by_key(|label| (label.parse::<u64>().unwrap_or(u64::MAX), label.clone()));
        Ok(Head::New(labels))
    }

    /// The classifier for a table that names its classes `names`, of which those in `found` occur: the model's own
    /// where they are its labels, in whatever case, or where its labels are placeholders (`LABEL_0` and so on) for as
    /// many classes, which then get these names; else a new one for those that occur, in the order of the table.
    ///
    /// # Errors
    /// [`TrainError::TooFewLabels`], [`TrainError::SameName`].
    pub fn named_head(&self, names: &[String], found: &BTreeSet<String>) -> Result<Head, TrainError> {
        let own = self.config().labels();
        if self.has_classifier() {
            let known = LabelNames::of_model(own)?;
            if found.iter().all(|label| known.class_called(label).is_some()) {
                return Ok(Head::Own(own.to_vec()));
            }
            let are_placeholders = own.iter().enumerate().all(|(class, label)| *label == format!("LABEL_{class}"));
            if are_placeholders && own.len() == names.len() {
                return Ok(Head::Own(names.to_vec()));
            }
        }
        if found.len() < 2 {
            return Err(TrainError::TooFewLabels { count: found.len() });
        }
        let mut labels: Vec<String> = found.iter().cloned().collect();
        labels.sort_by_key(|label| names.iter().position(|name| name == label));
        Ok(Head::New(labels))
    }

    /// The classifier for a regression: the model's own if it is one, else a new one.
    #[must_use]
    pub fn value_head(&self) -> Head {
        let own = self.config().labels();
        let is_own = own.len() == 1 && self.has_output(1);
        if is_own { Head::Own(own.to_vec()) } else { Head::New(vec!["LABEL_0".to_owned()]) }
    }

    /// The classifier for a regression to several numbers: the model's own if it has these names, else a new one.
    #[must_use]
    pub fn vector_head(&self, names: &[String]) -> Head {
        let is_own = self.config().labels() == names && self.has_output(names.len());
        if is_own { Head::Own(names.to_vec()) } else { Head::New(names.to_vec()) }
    }

    /// The model's own classifier with new rows for the labels that it lacks, in the order of the table's `names` or of
    /// their numbers or letters.
    ///
    /// # Errors
    /// [`TrainError::NoOwnLabels`] when the model has no labels of its own.
    pub fn extended_head(&self, names: Option<&[String]>, found: &BTreeSet<String>) -> Result<Head, TrainError> {
        if !self.has_classifier() {
            return Err(TrainError::NoOwnLabels);
        }
        let own = self.config().labels();
        let known = LabelNames::of_model(own)?;
        let mut new: Vec<String> = found.iter().filter(|label| known.class_called(label).is_none()).cloned().collect();
        if new.is_empty() {
            return Ok(Head::Own(own.to_vec()));
        }
        match names {
            Some(names) => new.sort_by_key(|label| names.iter().position(|name| name == label)),
            None => new.sort_by_key(|label| (label.parse::<u64>().unwrap_or(u64::MAX), label.clone())),
        }
        Ok(Head::Extended([own, &new].concat()))
    }

    /// Whether the model has classes of its own. A classifier without a pooler is one of tokens.
    fn has_classifier(&self) -> bool {
        self.has_output(2)
    }

    /// Whether the model has a classifier with at least so many labels.
    fn has_output(&self, least: usize) -> bool {
        let classifier = &self.config().tensors().classifier.weight.name;
        self.config().labels().len() >= least && self.checkpoint.weights().has(classifier) && self.has_pooler()
    }

    /// The initial weights, and the configuration of the model, for this problem.
    ///
    /// # Errors
    /// [`TrainError::Model`] for a tensor that is missing or has another shape, and for labels that no classifier has.
    pub fn weights(&self, head: &Head, problem: ProblemType, seed: u64) -> Result<(ModelConfig, Tensors), TrainError> {
        let config = self.config().with_labels(head.labels().to_vec(), Some(problem))?;
        let stored = self.checkpoint.weights();
        let random = &mut random(seed, Draw::Head, 0);
        let weights = match head {
            _ if self.checkpoint.is_untrained() => Tensors::new(&config, config.tensors().iter(), random),
            Head::Own(_) => Tensors::read(&config, stored)?,
            Head::New(_) => Tensors::with_new_classifier(&config, stored, random)?,
            Head::Extended(_) => Tensors::with_more_labels(self.config(), &config, stored, random)?,
        };
        Ok((config, weights))
    }

    /// The initial weights of a masked language model: those of the base model, and new ones where it has none.
    ///
    /// # Errors
    /// [`TrainError::Model`] for a tensor that is missing or has another shape.
    pub(crate) fn masked_language_weights(&self, seed: u64) -> Result<Tensors, TrainError> {
        let (config, stored) = (self.config(), self.checkpoint.weights());
        let specs = config.masked_language_tensors();
        let mut weights = Tensors::new(config, specs.iter(), &mut random(seed, Draw::Head, 0));
        if !self.checkpoint.is_untrained() {
            weights.read_known(stored, config.tensors().indices().pooler.weight)?;
        }
        Ok(weights)
    }

    /// The model after training, to be [saved](Checkpoint::save).
    ///
    /// # Errors
    /// [`TrainError::Safetensors`], [`TrainError::Model`].
    pub fn finish(
        self,
        head: Head,
        problem: ProblemType,
        weights: &Tensors,
        card: String,
    ) -> Result<Checkpoint, TrainError> {
        let weights = Weights::from_safetensors_vec(weights.to_safetensors()?, Path::new("the trained model"))?;
        let (Head::Own(labels) | Head::New(labels) | Head::Extended(labels)) = head;
        let config = self.config().with_labels(labels, Some(problem))?;
        Ok(self.checkpoint.retrained(config, weights, card))
    }

    /// The masked language model after pre-training, to be [saved](Checkpoint::save).
    pub(crate) fn finish_masked_language(self, weights: &Tensors, card: String) -> Result<Checkpoint, TrainError> {
        let weights = Weights::from_safetensors_vec(weights.to_safetensors()?, Path::new("the trained model"))?;
        let config = self.config().clone();
        Ok(self.checkpoint.pretrained(config, weights, card))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn base(name: &str, limit: Option<usize>) -> Result<BaseModel, TrainError> {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden").join(name);
        BaseModel::new(Checkpoint::open(&golden).unwrap(), limit)
    }

    fn labels(labels: &[&str]) -> BTreeSet<String> {
        labels.iter().map(|&label| label.to_owned()).collect()
    }

    #[test]
    fn the_models_own_classifier_stays_where_it_fits() {
        let base = base("gelu", None).unwrap();
        let own = Head::Own(base.config().labels().to_vec());
        assert_eq!(base.head(&labels(&["World", "Sports"])).unwrap(), own);
        assert_eq!(base.head(&labels(&["0", "1", "2", "3"])).unwrap(), own);
        // The numbers of another task.
        assert_eq!(base.head(&labels(&["0", "1"])).unwrap(), Head::New(["0", "1"].map(str::to_owned).to_vec()));
        let new = base.head(&labels(&["10", "9", "World"])).unwrap();
        assert_eq!(new, Head::New(["9", "10", "World"].map(str::to_owned).to_vec()));
        assert!(matches!(base.head(&labels(&["Politics"])), Err(TrainError::TooFewLabels { count: 1 })));
    }

    #[test]
    fn the_names_of_a_table_are_those_of_the_classifier() {
        let strings = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let base_model = base("gelu", None).unwrap();
        let names = strings(&["Sports", "WORLD", "Weather", "Art"]);
        let head = |found: &[&str]| base_model.named_head(&names, &labels(found)).unwrap();
        assert_eq!(head(&["WORLD", "Sports"]), Head::Own(base_model.config().labels().to_vec()));
        assert_eq!(head(&["Art", "Weather", "Sports"]), Head::New(strings(&["Sports", "Weather", "Art"])));
        let few = base_model.named_head(&names, &labels(&["Art"]));
        assert!(matches!(few, Err(TrainError::TooFewLabels { count: 1 })));
    }

    #[test]
    fn a_new_classifier_depends_on_the_seed_alone() {
        let base = base("gelu", None).unwrap();
        let head = Head::New(["no", "yes"].map(str::to_owned).to_vec());
        let (config, one) = base.weights(&head, ProblemType::SingleLabel, 1).unwrap();
        assert_eq!(config.labels().len(), 2);
        assert!(
            base.weights(&head, ProblemType::SingleLabel, 1).unwrap().1 == one
                && base.weights(&head, ProblemType::SingleLabel, 2).unwrap().1 != one
        );
    }

    #[test]
    fn a_masked_language_model_gets_a_pooler_too() {
        for name in ["../heads/albert_mlm", "../heads/bert_mlm"] {
            let base = base(name, None).unwrap();
            assert!(!base.has_pooler());
            let head = base.head(&labels(&["no", "yes"])).unwrap();
            assert_eq!(head, Head::New(["no", "yes"].map(str::to_owned).to_vec()));
            let (config, weights) = base.weights(&head, ProblemType::SingleLabel, 1).unwrap();
            let tensors = config.tensors();
            let values = |spec: &str| weights.iter().find(|(known, _)| known.name == spec).unwrap().1;
            let pooler = values(&tensors.pooler.weight.name);
            // Numbers from a normal distribution of the deviation that transformers' models have.
            let deviation = (pooler.iter().map(|value| value * value).sum::<f32>() / pooler.len() as f32).sqrt();
            assert!((0.017..0.023).contains(&deviation), "{deviation}");
            assert!(values(&tensors.pooler.bias.name).iter().all(|&value| value == 0.0));
            let word = &tensors.word_embeddings;
            assert_eq!(values(&word.name), base.checkpoint().weights().tensor(word).unwrap());
            assert!(
                base.weights(&head, ProblemType::SingleLabel, 1).unwrap().1 == weights
                    && base.weights(&head, ProblemType::SingleLabel, 2).unwrap().1 != weights
            );
        }
    }

    #[test]
    fn the_head_of_another_task_is_not_the_models_own() {
        // One that classifies sentences has a pooler, which is kept; one that classifies tokens has none.
        let pretraining = base("../heads/albert_pretraining", None).unwrap();
        assert!(pretraining.has_pooler());
        let labels = labels(&["LABEL_0", "LABEL_1"]);
        let head = pretraining.head(&labels).unwrap();
        assert_eq!(head, Head::New(["LABEL_0", "LABEL_1"].map(str::to_owned).to_vec()));
        let (config, weights) = pretraining.weights(&head, ProblemType::SingleLabel, 1).unwrap();
        let pooler = config.tensors().pooler.weight;
        let kept = weights.iter().find(|(spec, _)| spec.name == pooler.name).unwrap().1;
        assert_eq!(kept, pretraining.checkpoint().weights().tensor(&pooler).unwrap());
        let tokens = base("../heads/bert_tokens", None).unwrap();
        assert!(!tokens.has_pooler());
        assert_eq!(tokens.head(&labels).unwrap(), head);
    }

    #[test]
    fn the_classifier_does_not_depend_on_whether_the_pooler_is_new() {
        let head = Head::New(["no", "yes"].map(str::to_owned).to_vec());
        let classifier = |name: &str| {
            let (config, weights) = base(name, None).unwrap().weights(&head, ProblemType::SingleLabel, 7).unwrap();
            let name = config.tensors().classifier.weight.name;
            weights.iter().find(|(spec, _)| spec.name == name).unwrap().1.to_vec()
        };
        assert_eq!(classifier("../heads/albert_mlm"), classifier("gelu"));
    }

    #[test]
    fn a_limit_is_one_that_the_model_reads() {
        assert_eq!(base("positions_64", None).unwrap().limit(), 64);
        assert_eq!(base("gelu", Some(3)).unwrap().limit(), 3);
        for wrong in [0, 2, 129] {
            assert!(matches!(base("gelu", Some(wrong)), Err(TrainError::Limit { least: 3, most: 128, .. })), "{wrong}");
        }
    }
}
