//! Where the piece ids of a text go, and when there are enough of them.

use super::Encoded;

/// A text that is cut at its start never keeps more ids than twice its limit and this.
const SLACK: usize = 4 << 10;

/// Takes the ids of one text.
#[derive(Debug)]
pub(crate) struct Sink<'i> {
    ids: &'i mut Vec<u32>,
    /// Where the ids of the text begin.
    body: usize,
    /// How many of them there may be.
    room: usize,
    /// Whether the first ones go when there are more.
    left: bool,
    truncated: bool,
}

impl<'i> Sink<'i> {
    /// Appends to `ids`, `room` of them at most: the first, or the last if `left`.
    pub(crate) fn new(ids: &'i mut Vec<u32>, room: usize, left: bool) -> Self {
        let body = ids.len();
        Self { ids, body, room, left, truncated: false }
    }

    #[inline]
    pub(crate) fn push(&mut self, id: u32) {
        self.ids.push(id);
    }

    #[inline]
    pub(crate) fn extend(&mut self, ids: &[u32]) {
        self.ids.extend_from_slice(ids);
    }

    /// The ids from the one with number `from`, counted from the first in the vector.
    pub(crate) fn since(&self, from: usize) -> &[u32] {
        self.ids.get(from..).unwrap_or_default()
    }

    /// How many ids are in the vector.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether nothing that follows can count.
    #[inline]
    pub(crate) fn is_full(&mut self) -> bool {
        let kept = self.ids.len() - self.body;
        if kept <= self.room {
            return false;
        }
        if self.left && kept > self.room.saturating_mul(2).saturating_add(SLACK) {
            self.cut();
        }
        !self.left
    }

    /// Forgets the text.
    pub(crate) fn clear(&mut self) {
        self.ids.truncate(self.body);
        self.truncated = false;
    }

    /// Leaves what counts.
    pub(crate) fn finish(mut self) -> Encoded {
        self.cut();
        Encoded { truncated: self.truncated }
    }

    fn cut(&mut self) {
        let kept = self.ids.len() - self.body;
        if kept <= self.room {
            return;
        }
        self.truncated = true;
        if self.left {
            self.ids.drain(self.body..self.ids.len() - self.room);
        } else {
            self.ids.truncate(self.body + self.room);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_first_or_the_last() {
        for (left, expected) in [(false, [9, 0, 1, 2]), (true, [9, 99_997, 99_998, 99_999])] {
            let mut ids = vec![9];
            let mut sink = Sink::new(&mut ids, 3, left);
            let mut most = 0;
            for id in 0..100_000 {
                sink.push(id);
                most = most.max(sink.len());
                if sink.is_full() {
                    break;
                }
            }
            assert!(most < 2 * SLACK);
            assert!(sink.finish().truncated);
            assert_eq!(ids, expected);
        }
        let mut ids = Vec::new();
        let mut sink = Sink::new(&mut ids, 3, false);
        sink.extend(&[1, 2, 3]);
        assert!(!sink.is_full() && !sink.finish().truncated);
    }
}
