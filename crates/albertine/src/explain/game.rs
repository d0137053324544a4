//! What a method asks of the model, and what comes of it.

use std::rc::Rc;

use super::coalition::Coalition;

/// The value of each label for a coalition, `[labels]`.
pub(super) type Scores = Rc<[f32]>;

/// A method at work on one text. It asks for values and gets them, so that several texts can be evaluated together.
pub(super) trait Game {
    /// The coalitions that are to be evaluated next: at least what is needed to go on, and up to `room` that are likely
    /// to be needed soon. None when everything is known.
    fn wanted(&mut self, room: usize) -> Vec<Coalition>;

    /// Takes the values of a coalition that was wanted.
    fn take(&mut self, coalition: Coalition, scores: Scores);

    /// What came of it, when nothing more is wanted.
    fn finish(self: Box<Self>) -> Outcome;
}

/// What a method found.
pub(super) struct Outcome {
    /// The values with everything hidden.
    pub(super) base: Scores,
    /// The values with everything shown.
    pub(super) values: Scores,
    pub(super) credits: Credits,
    /// The evaluations that were taken into account.
    pub(super) evaluations: usize,
}

/// What each part or word adds to each label.
pub(super) enum Credits {
    /// `[parts][labels]`
    OfParts(Vec<Vec<f64>>),
    /// `[words][labels]`
    OfWords(Vec<Vec<f64>>),
}
