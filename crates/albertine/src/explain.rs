//! Which words of a text speak for which label.
//!
//! A [`Classifier`] is asked again and again with some of a text hidden behind its mask token, and what that changes is
//! credited to the words:
//!
//! - [`Method::Shap`] is Partition SHAP: the Owen values of a hierarchy of the text's pieces, as the text plot of the
//!   Python package `shap` has them (`shap.Explainer(pipeline)`);
//! - [`Method::LeaveOneOut`] hides each word by itself, which needs as many evaluations as there are words.
//!
//! ```
//! use albertine::explain::{Settings, explain};
//! use albertine::{CancellationToken, Classifier, ClassifierSettings};
//!
//! let classifier = Classifier::pretrained("ag_news", ClassifierSettings::default())?;
//! let text = "Oil prices rose on Monday.";
//! let found = explain(&classifier, &[Some(text), None], &Settings::default(), &CancellationToken::default())?;
//! let explanation = found[0].as_ref().unwrap();
//! let label = explanation.best();
//! assert_eq!(classifier.labels()[label], "Business");
//! // The weights add up to what the text changes of a text that is all hidden.
//! let sum: f32 = explanation.words.iter().map(|word| word.weights[label]).sum();
//! assert!((sum - (explanation.values[label] - explanation.base[label])).abs() < 1e-5);
//! assert_eq!(&text[explanation.words[0].bytes.clone()], "Oil");
//! assert!(found[1].is_none());
//! # Ok::<(), albertine::Error>(())
//! ```

mod coalition;
mod game;
mod html;
mod leave_one_out;
mod masking;
mod partition;
mod shap;

use std::ops::Range;

use self::game::{Game, Scores};
pub use self::html::{colored, escape, html};
use self::leave_one_out::LeaveOneOut;
use self::masking::Masking;
use self::shap::PartitionShap;
use crate::category::CategoryRule;
use crate::scores::{Activation, argmax};
use crate::{CancellationToken, Classifier, Error};

/// The evaluations of a text that the `shap` package takes when nothing else is said.
pub const DEFAULT_EVALUATIONS: usize = 500;

/// Masked texts that go through the model in one call, at least and for each thread: enough for every thread, and few to
/// compute in vain.
const TOGETHER: usize = 32;
const TOGETHER_FOR_EACH_THREAD: usize = 8;

/// Texts that are explained side by side.
const SIDE_BY_SIDE: usize = 16;

/// How words are credited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Method {
    /// Partition SHAP: the credit of each piece is its Owen value, with pieces of a word, words of a phrase and phrases
    /// of a sentence as coalitions. The weights add up to the difference between the text and the text all hidden.
    ///
    /// Source: Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions" (2017); Owen, "Values of games
    /// with a priori unions" (1977); `PartitionExplainer` and `maskers.Text` of the `shap` package.
    #[default]
    Shap,
    /// What hiding a word alone takes from the score.
    ///
    /// Source: Li, Monroe and Jurafsky, "Understanding Neural Networks through Representation Erasure" (2016).
    LeaveOneOut,
}

impl Method {
    /// The name that flags and answers give it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shap => "shap",
            Self::LeaveOneOut => "leave-one-out",
        }
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How [`explain`] works; the default is that of the `shap` package.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// How words are credited.
    pub method: Method,
    /// About the most evaluations of the model for a text, which [`Method::Shap`] keeps to.
    pub evaluations: usize,
    /// What of the model is explained: its scores under this function, or with [`Activation::Identity`] its logits.
    /// `None`: the scores that [`Classifier::predict`] gives.
    pub activation: Option<Activation>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { method: Method::default(), evaluations: DEFAULT_EVALUATIONS, activation: None }
    }
}

/// What the words of a text contribute to each label.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// How words were credited.
    pub method: Method,
    /// What the values are: scores under this function; with [`Activation::Identity`] logits.
    pub activation: Activation,
    /// The value of each label for the text with everything hidden, `[labels]`.
    pub base: Vec<f32>,
    /// The value of each label for the text, `[labels]`.
    pub values: Vec<f32>,
    /// The words that the model reads, in order.
    pub words: Vec<Part>,
    /// The parts that [`Method::Shap`] worked on, in order: the pieces that the tokenizer cuts the text into, with what
    /// is between a piece and the next, and empty parts for special tokens, as the `shap` package has them. (Where two
    /// pieces stand for the same characters, `shap` repeats these, and it takes away spaces around a text: it then
    /// explains another text than the one that is classified, and this does not.) A
    /// word's weight is the sum over its parts; what a special token is credited with goes to the word beside it. Empty
    /// with [`Method::LeaveOneOut`].
    pub parts: Vec<Part>,
    /// How many evaluations of the model were taken into account.
    pub evaluations: usize,
    /// Whether the text is longer than what the model reads of it: the rest has no words here.
    pub truncated: bool,
}

impl Explanation {
    /// The label with the highest value, as an index into [`Classifier::labels`].
    #[must_use]
    pub fn best(&self) -> usize {
        argmax(&self.values)
    }

    /// The words that speak most for a label, at most `count`, the strongest first; none that speaks against it.
    #[must_use]
    pub fn strongest(&self, label: usize, count: usize) -> Vec<&Part> {
        let mut words: Vec<&Part> = self.words.iter().filter(|word| word.weights[label] > 0.0).collect();
        words.sort_by(|a, b| b.weights[label].total_cmp(&a.weights[label]));
        words.truncate(count);
        words
    }
}

/// A part of a text with its weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Where it lies in the text, in bytes: `&text[part.bytes.clone()]`.
    pub bytes: Range<usize>,
    /// Where it begins in the text, in characters (Unicode scalar values).
    pub begin: usize,
    /// Where it ends in the text, in characters, exclusive.
    pub end: usize,
    /// What it adds to the value of each label, `[labels]`: below 0 where it speaks against it.
    pub weights: Vec<f32>,
}

/// Scores of texts, one for each label, or `None` for a blank text: what [`explain_by`] asks for.
pub type ScoreTexts<'s> = dyn FnMut(&[Option<&str>]) -> Result<Vec<Option<Vec<f32>>>, Error> + 's;

/// Explains what a classifier says of texts: for each what its words contribute, or `None` for a null or blank text.
///
/// Masked texts go through the model many at a time, as ragged batches. As with all scores, the weights of a text do
/// not depend on the texts beside it. Of a text that is longer than the model reads, the words that it reads are
/// explained ([`Explanation::truncated`]); of one that it reads in windows, the first 64 KiB.
///
/// # Errors
/// As [`Classifier::run`].
pub fn explain(
    classifier: &Classifier,
    texts: &[Option<&str>],
    settings: &Settings,
    cancellation: &CancellationToken,
) -> Result<Vec<Option<Explanation>>, Error> {
    let activation = settings.activation.unwrap_or_else(|| classifier.activation());
    let rule = CategoryRule::new(activation, classifier.threshold())?;
    let mut scores = |texts: &[Option<&str>]| {
        let (classified, _) = classifier.classify(texts, cancellation)?;
        Ok(classified.scores(rule).collect())
    };
    explain_by(&mut scores, classifier, texts, settings)
}

/// As [`explain`], with masked texts classified by `scores`: by a queue, say, where they take turns with other texts.
/// Their scores must be those of `classifier` under [`Settings::activation`].
///
/// # Errors
/// Those of `scores`, and when the classifier cannot read a text.
pub fn explain_by(
    scores: &mut ScoreTexts<'_>,
    classifier: &Classifier,
    texts: &[Option<&str>],
    settings: &Settings,
) -> Result<Vec<Option<Explanation>>, Error> {
    let activation = settings.activation.unwrap_or_else(|| classifier.activation());
    let mut found = Vec::with_capacity(texts.len());
    for texts in texts.chunks(SIDE_BY_SIDE) {
        let mut games = Vec::with_capacity(texts.len());
        for text in texts {
            let text = text.filter(|text| !albertine_text::is_blank(text));
            games.push(text.map(|text| Round::new(classifier, text, settings)).transpose()?);
        }
        play(scores, classifier.labels().len(), classifier.threads(), &mut games)?;
        found.extend(games.into_iter().map(|game| Some(game?.finish(settings.method, activation))));
    }
    Ok(found)
}

/// Evaluates what the games ask for until none asks for more.
fn play(
    scores: &mut ScoreTexts<'_>,
    labels: usize,
    threads: usize,
    games: &mut [Option<Round<'_>>],
) -> Result<(), Error> {
    let together = TOGETHER.max(TOGETHER_FOR_EACH_THREAD * threads);
    loop {
        let room = together / games.iter().flatten().filter(|round| !round.done).count().max(1);
        let mut asked = Vec::new();
        for (game, round) in games.iter_mut().enumerate() {
            if let Some(round) = round.as_mut().filter(|round| !round.done) {
                let wanted = round.game.wanted(room);
                round.done = wanted.is_empty();
                asked.extend(wanted.into_iter().map(|coalition| (game, round.masking.masked(&coalition), coalition)));
            }
        }
        if asked.is_empty() {
            return Ok(());
        }
        let texts: Vec<Option<&str>> = asked.iter().map(|(_, text, _)| Some(text.as_str())).collect();
        let scores = scores(&texts)?;
        for ((game, _, coalition), scores) in asked.into_iter().zip(scores) {
            // a pipeline may find no document in a masked text: nothing then speaks for any label
            let scores: Scores = scores.unwrap_or_else(|| vec![0.0; labels]).into();
            if let Some(round) = &mut games[game] {
                round.game.take(coalition, scores);
            }
        }
    }
}

/// A text that is being explained.
struct Round<'t> {
    masking: Masking<'t>,
    game: Box<dyn Game>,
    done: bool,
}

impl<'t> Round<'t> {
    fn new(classifier: &Classifier, text: &'t str, settings: &Settings) -> Result<Self, Error> {
        let masking = Masking::new(classifier, text)?;
        let game: Box<dyn Game> = match settings.method {
            Method::Shap => Box::new(PartitionShap::new(&masking, settings.evaluations)),
            Method::LeaveOneOut => Box::new(LeaveOneOut::new(&masking)),
        };
        Ok(Self { masking, game, done: false })
    }

    fn finish(self, method: Method, activation: Activation) -> Explanation {
        let outcome = self.game.finish();
        let (words, parts) = self.masking.credited(&outcome.credits);
        Explanation {
            method,
            activation,
            base: outcome.base.to_vec(),
            values: outcome.values.to_vec(),
            words,
            parts,
            evaluations: outcome.evaluations,
            truncated: self.masking.truncated(),
        }
    }
}
