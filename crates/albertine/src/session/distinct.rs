//! Equal documents, found so that each is computed once.

use std::collections::HashMap;

use super::Document;

/// The distinct documents among those that are given together, blank ones left out.
pub(super) struct Distinct<'a> {
    pub(super) documents: Vec<DistinctDocument<'a>>,
    /// The index among those of each document that was given, `None` for a null or blank one.
    pub(super) indices: Vec<Option<usize>>,
}

/// One of the distinct documents.
#[derive(Debug, Clone, Copy)]
pub(super) struct DistinctDocument<'a> {
    pub(super) document: Document<'a>,
    /// The index of the first that is equal to it, among those that were given.
    pub(super) first: usize,
    /// How many are equal to it, itself included.
    pub(super) count: u64,
}

impl<'a> Distinct<'a> {
    pub(super) fn of(given: impl ExactSizeIterator<Item = Option<Document<'a>>>) -> Self {
        let mut documents: Vec<DistinctDocument<'a>> = Vec::with_capacity(given.len());
        let mut seen = HashMap::with_capacity(given.len());
        let index = |(first, document): (usize, Option<Document<'a>>)| {
            let document = document.filter(|document| !document.is_blank())?;
            let index = *seen.entry(document).or_insert(documents.len());
            match documents.get_mut(index) {
                Some(known) => known.count += 1,
                None => documents.push(DistinctDocument { document, first, count: 1 }),
            }
            Some(index)
        };
        let indices = given.enumerate().map(index).collect();
        Self { documents, indices }
    }
}
