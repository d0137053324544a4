//! Equal texts, found so that each is read once.

use std::collections::HashMap;

use super::reader::Given;

/// The different texts among those that are given together, blank ones left out.
pub(super) struct Distinct<'a> {
    pub(super) texts: Vec<Text<'a>>,
    /// Where each text that was given is among those, `None` for a null or blank one.
    pub(super) places: Vec<Option<usize>>,
}

/// One of the different texts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) given: Given<'a>,
    /// The first row that has it.
    pub(super) row: usize,
    /// How many rows have it.
    pub(super) rows: u64,
}

impl<'a> Distinct<'a> {
    pub(super) fn of(given: impl ExactSizeIterator<Item = Option<Given<'a>>>) -> Self {
        let mut texts: Vec<Text<'a>> = Vec::with_capacity(given.len());
        let mut seen = HashMap::with_capacity(given.len());
        let place = |(row, given): (usize, Option<Given<'a>>)| {
            let given = given.filter(|given| !albertine_text::is_blank(given.text))?;
            let place = *seen.entry(given).or_insert(texts.len());
            match texts.get_mut(place) {
                Some(text) => text.rows += 1,
                None => texts.push(Text { given, row, rows: 1 }),
            }
            Some(place)
        };
        let places = given.enumerate().map(place).collect();
        Self { texts, places }
    }
}
