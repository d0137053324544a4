//! The scores that a calibrated model gave to texts that it was not trained on, and the thresholds that follow from them.

mod binomial;

use albertine_formats::{Folder, FormatError};
use serde::{Deserialize, Serialize};

use crate::{ModelError, argmax};

/// What the file says it is.
const FORMAT: &str = "albertine-calibration";

/// The newest form of it that is known.
const VERSION: u64 = 1;

/// The largest file that is read, in bytes: about three million texts.
const MAX_BYTES: u64 = 64 << 20;

/// The probability that an abstention keeps what it promises, whichever texts it was found on.
const CONFIDENCE: f64 = 0.95;

/// The thresholds that are tested for one.
const THRESHOLDS: usize = 20;

/// The scores of labeled texts that a model was not trained on, after its calibration: from them follow the score under
/// which a model abstains, and the score from which a class belongs to a prediction set.
///
/// They lie beside the weights in `calibration.json`. The temperature that the scores were calibrated with is part of
/// the weights; here it is told for the record.
///
/// ```
/// use albertine_model::HeldOutScores;
///
/// let mut held_out = HeldOutScores::new(["no", "yes"].map(str::to_owned).to_vec(), 1.0);
/// for text in 0..200 {
///     let sure = 0.6 + 0.002 * text as f32;
///     // the least sure tenth of the answers is wrong
///     held_out.add(usize::from(text < 20), &[sure, 1.0 - sure]);
/// }
/// let threshold = held_out.abstention_threshold(0.95)?;
/// assert!(threshold > 0.6 && threshold < 0.7);
/// assert!(held_out.abstention_threshold(0.999).is_err());
/// assert!(held_out.set_threshold(0.8)? > 0.6);
/// # Ok::<(), albertine_model::ModelError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOutScores {
    temperature: f64,
    labels: Vec<String>,
    /// The score of the predicted class, where that is the true one.
    correct: Vec<f32>,
    /// The scores of the predicted class and of the true one, where they differ.
    errors: Vec<[f32; 2]>,
}

/// `calibration.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    version: u64,
    temperature: f64,
    labels: Vec<String>,
    correct: Vec<f32>,
    errors: Vec<[f32; 2]>,
}

impl HeldOutScores {
    /// The name of the file in a model directory.
    pub const FILE: &'static str = "calibration.json";

    /// Without any text, of a model with these labels whose logits were divided by `temperature`.
    #[must_use]
    pub fn new(labels: Vec<String>, temperature: f64) -> Self {
        Self { temperature, labels, correct: Vec::new(), errors: Vec::new() }
    }

    /// Adds a text by its true class and the scores of all classes, which add up to 1.
    ///
    /// # Panics
    /// When there is no such class.
    pub fn add(&mut self, class: usize, scores: &[f32]) {
        let predicted = argmax(scores);
        if predicted == class {
            self.correct.push(scores[class]);
        } else {
            self.errors.push([scores[predicted], scores[class]]);
        }
    }

    /// The number of texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.correct.len() + self.errors.len()
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the logits were divided by.
    #[must_use]
    pub fn temperature(&self) -> f64 {
        self.temperature
    }

    /// A score of the predicted class from which at least the fraction `accuracy` of the answers is right, with a
    /// probability of 95 % over the choice of the texts, and as low as that allows. Texts with a lower score are those to
    /// abstain from.
    ///
    /// Twenty thresholds are tested, from one that few texts reach down to one that all do, each by the binomial tail of
    /// its errors, until the first that fails (fixed sequence testing, so that searching does not cost the guarantee). It
    /// holds for texts from where these came from. The threshold that has just this accuracy on these texts would miss it
    /// on others half of the time.
    ///
    /// Source: Angelopoulos et al., Learn then Test: Calibrating Predictive Algorithms to Achieve Risk Control, 2021,
    /// <https://arxiv.org/abs/2110.01052>, for selective classification (Geifman and El-Yaniv 2017,
    /// <https://arxiv.org/abs/1705.08500>).
    ///
    /// # Errors
    /// [`ModelError::Share`] for an accuracy that is not between 0 and 1; [`ModelError::TooFewTexts`] where all of them could
    /// be right by chance; [`ModelError::AccuracyOutOfReach`].
    pub fn abstention_threshold(&self, accuracy: f64) -> Result<f32, ModelError> {
        check_share("accuracy of the answers", accuracy)?;
        let (doubt, texts) = (1.0 - CONFIDENCE, self.len());
        let mut scores: Vec<f32> =
            self.correct.iter().copied().chain(self.errors.iter().map(|error| error[0])).collect();
        let mut wrong: Vec<f32> = self.errors.iter().map(|error| error[0]).collect();
        scores.sort_unstable_by(|one, other| other.total_cmp(one));
        wrong.sort_unstable_by(|one, other| other.total_cmp(one));
        let count = |sorted: &[f32], threshold: f32| sorted.partition_point(|&score| score >= threshold) as u64;
        // As few answers as can be certain at all when every one is right, but not so few that one wrong label of the
        // table decides.
        let certain = (doubt.ln() / accuracy.ln()).ceil() as usize;
        if certain > texts {
            return Err(ModelError::TooFewTexts { what: "an accuracy", asked: accuracy, needed: certain, texts });
        }
        let fewest = certain.max(texts.div_ceil(10));
        let (mut reached, mut found) = (0.0, None);
        for step in 0..THRESHOLDS {
            let last = fewest + (texts - fewest) * step / (THRESHOLDS - 1) - 1;
            let threshold = scores[last];
            let (answers, errors) = (count(&scores, threshold), count(&wrong, threshold));
            if binomial::tail(errors, answers, 1.0 - accuracy) > doubt {
                reached = 1.0 - binomial::upper_bound(errors, answers, doubt);
                break;
            }
            found = Some(threshold);
        }
        found.ok_or(ModelError::AccuracyOutOfReach { asked: accuracy, reached, texts })
    }

    /// The fraction of the texts whose predicted class has at least the score `threshold`.
    #[must_use]
    pub fn answered(&self, threshold: f32) -> f64 {
        let scores = self.correct.iter().copied().chain(self.errors.iter().map(|error| error[0]));
        scores.filter(|&score| score >= threshold).count() as f64 / self.len().max(1) as f64
    }

    /// The score from which a class belongs to the prediction set of a text, so that the sets of at least the fraction
    /// `coverage` of texts contain their true class (split conformal prediction).
    ///
    /// The conformity score is the score of the true class (LAC: the least ambiguous sets, the smallest on average of
    /// all that cover as much). Where a text has no class of such a score, its set is empty.
    ///
    /// Source: Sadinle, Lei and Wasserman, Least Ambiguous Set-Valued Classifiers with Bounded Error Levels, 2019,
    /// <https://arxiv.org/abs/1609.00451>; Angelopoulos and Bates, A Gentle Introduction to Conformal Prediction, 2021,
    /// <https://arxiv.org/abs/2107.07511>, section 1.
    ///
    /// # Errors
    /// [`ModelError::Share`] for a coverage that is not between 0 and 1, [`ModelError::TooFewTexts`].
    pub fn set_threshold(&self, coverage: f64) -> Result<f32, ModelError> {
        check_share("coverage", coverage)?;
        let mut scores: Vec<f32> =
            self.correct.iter().copied().chain(self.errors.iter().map(|error| error[1])).collect();
        scores.sort_unstable_by(|one, other| other.total_cmp(one));
        // The quantile of n + 1 texts, the next one included. A product such as 0.9 * 10 may be a little over.
        let rank = (coverage * (scores.len() + 1) as f64 - 1e-9).ceil() as usize;
        scores.get(rank.max(1) - 1).copied().ok_or_else(|| {
            let needed = (coverage / (1.0 - coverage) - 1e-9).ceil() as usize;
            ModelError::TooFewTexts { what: "a coverage", asked: coverage, needed, texts: scores.len() }
        })
    }

    /// Reads them from the folder of a model with these labels, if it has them.
    ///
    /// # Errors
    /// [`ModelError::Calibration`] for scores that are none, or of other labels, and what reading the file says.
    pub(crate) fn read(folder: &Folder, labels: &[String]) -> Result<Option<Self>, ModelError> {
        let Some(bytes) = folder.read(Self::FILE, MAX_BYTES)? else { return Ok(None) };
        let path = folder.path_of(Self::FILE);
        let file: File =
            serde_json::from_slice(&bytes).map_err(|source| FormatError::Json { path: path.clone(), source })?;
        let unsound = |fault: &str| Err(ModelError::Calibration { path: path.clone(), fault: fault.to_owned() });
        if file.format != FORMAT {
            return unsound("it is of another format");
        }
        if file.version > VERSION {
            return unsound("it is of a later version");
        }
        if file.labels != labels {
            return unsound("its labels are not those of config.json");
        }
        let is_score = |score: &f32| (0.0..=1.0).contains(score);
        if !file.correct.iter().chain(file.errors.as_flattened()).all(is_score) {
            return unsound("a score is not between 0 and 1");
        }
        let File { temperature, labels, correct, errors, .. } = file;
        Ok(Some(Self { temperature, labels, correct, errors }))
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// When a number cannot be written.
    pub(crate) fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let Self { temperature, labels, correct, errors } = self.clone();
        let mut json = serde_json::to_vec(&File {
            format: FORMAT.into(),
            version: VERSION,
            temperature,
            labels,
            correct,
            errors,
        })?;
        json.push(b'\n');
        Ok(json)
    }
}

fn check_share(what: &'static str, asked: f64) -> Result<(), ModelError> {
    if asked > 0.0 && asked < 1.0 { Ok(()) } else { Err(ModelError::Share { what, asked }) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn labels() -> Vec<String> {
        ["no", "yes"].map(str::to_owned).to_vec()
    }

    /// Texts of the first class with these scores.
    fn held_out(scores: impl IntoIterator<Item = f32>) -> HeldOutScores {
        let mut held_out = HeldOutScores::new(labels(), 1.0);
        scores.into_iter().for_each(|score| held_out.add(0, &[score, 1.0 - score]));
        held_out
    }

    #[test]
    fn a_set_threshold_is_the_quantile_of_one_text_more() {
        // of nine texts, the scores of the true class are 0.1 to 0.9
        let held_out = held_out((1..=9).map(|score| score as f32 / 10.0));
        for (coverage, threshold) in [(0.1, 0.9), (0.5, 0.5), (0.85, 0.1), (0.9, 0.1), (0.001, 0.9)] {
            assert_eq!(held_out.set_threshold(coverage).unwrap(), threshold, "{coverage}");
        }
        let said = held_out.set_threshold(0.95).unwrap_err().to_string();
        assert_eq!(said, "a coverage of 0.95 needs at least 19 validation texts, but the model was calibrated on 9");
    }

    #[test]
    fn an_accuracy_needs_enough_texts_to_be_sure_of() {
        let right = |count: usize| held_out(std::iter::repeat_n(0.9, count)).abstention_threshold(0.98);
        // Ten texts, all right, may be luck: 0.98 to the power of ten is 0.82.
        assert!(matches!(right(148), Err(ModelError::TooFewTexts { needed: 149, texts: 148, .. })));
        assert_eq!(right(400).unwrap(), 0.9);
        let none = held_out([]).abstention_threshold(0.5).unwrap_err();
        assert!(matches!(none, ModelError::TooFewTexts { texts: 0, .. }), "{none}");
        let wrong = (0..400).map(|text| if text % 10 == 0 { 0.05 } else { 0.9 });
        let said = held_out(wrong).abstention_threshold(0.98).unwrap_err().to_string();
        assert!(said.starts_with("an accuracy of 0.98 is out of reach: of the 400 texts"), "{said}");
    }

    #[test]
    fn shares_lie_between_0_and_1() {
        let held_out = held_out([0.9; 100]);
        for wrong in [0.0, 1.0, -0.1, 98.0, f64::NAN] {
            assert!(matches!(held_out.abstention_threshold(wrong), Err(ModelError::Share { .. })), "{wrong}");
            assert!(matches!(held_out.set_threshold(wrong), Err(ModelError::Share { .. })), "{wrong}");
        }
    }

    #[test]
    fn the_file_gives_back_what_was_written_and_nothing_unsound() {
        let folder = tempfile::tempdir().unwrap();
        let place = Folder::open(folder.path()).unwrap();
        assert!(HeldOutScores::read(&place, &labels()).unwrap().is_none());
        let write = |bytes: &[u8]| std::fs::write(folder.path().join(HeldOutScores::FILE), bytes).unwrap();
        let scores = held_out([0.9, 0.2, 0.123_456_79]);
        write(&scores.to_json().unwrap());
        assert_eq!(HeldOutScores::read(&place, &labels()).unwrap(), Some(scores.clone()));
        let others = HeldOutScores::read(&place, &["yes".to_owned(), "no".to_owned()]).unwrap_err().to_string();
        assert!(others.ends_with("its labels are not those of config.json"), "{others}");
        let json = String::from_utf8(scores.to_json().unwrap()).unwrap();
        for (from, to) in [("0.9", "1.9"), ("-calibration", "-other"), ("\"version\":1", "\"version\":2"), ("{", "[")] {
            write(json.replacen(from, to, 1).as_bytes());
            assert!(HeldOutScores::read(&place, &labels()).is_err(), "{to}");
        }
    }

    proptest! {
        /// On the texts themselves, sets cover what was asked for, and those that are answered are right often enough.
        #[test]
        fn thresholds_keep_their_word_on_their_own_texts(
            scores in prop::collection::vec(0f32..1.0, 30..400), share in 0.5f64..0.95
        ) {
            let held_out = held_out(scores.iter().copied());
            let count = |from: &dyn Fn(&f32) -> bool| scores.iter().filter(|&score| from(score)).count() as f64;
            let set = held_out.set_threshold(share).unwrap();
            prop_assert!(count(&|&score| score >= set) >= share * scores.len() as f64);
            if let Ok(threshold) = held_out.abstention_threshold(share) {
                let answered = count(&|&score| score.max(1.0 - score) >= threshold);
                let right = count(&|&score| score >= threshold && score >= 0.5);
                prop_assert!(right >= share * answered, "{right} of {answered} for {share}");
            }
        }
    }
}
