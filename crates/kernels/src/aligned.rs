//! A buffer of 32-bit words that starts on a cache line, so that no vector load of a panel crosses two.

/// One cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u32; Line::WORDS]);

impl Line {
    const WORDS: usize = 16;
}

/// 32-bit words that start on a cache line.
#[derive(Clone, Default)]
pub(crate) struct Aligned {
    lines: Vec<Line>,
}

impl Aligned {
    /// `len` zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        Self { lines: vec![Line([0; Line::WORDS]); len.div_ceil(Line::WORDS)] }
    }

    /// At least `len` words, kept from the last use where there was one: the buffer grows and never shrinks.
    pub(crate) fn grown_to(&mut self, len: usize) -> &mut [u32] {
        let lines = len.div_ceil(Line::WORDS);
        if self.lines.len() < lines {
            self.lines.resize(lines, Line([0; Line::WORDS]));
        }
        &mut self.as_mut_slice()[..len]
    }

    /// All words, up to the end of the last line.
    pub(crate) fn as_slice(&self) -> &[u32] {
        // SAFETY: a `Line` is exactly 16 words without padding, and the lines of a vector are contiguous.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.lines.len() * Line::WORDS) }
    }

    /// All words, up to the end of the last line.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [u32] {
        // SAFETY: as in `as_slice`; the borrow of `self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.lines.len() * Line::WORDS) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_on_a_cache_line_and_grows() {
        let mut buffer = Aligned::zeros(17);
        assert_eq!(buffer.as_slice().len(), 32);
        assert_eq!(buffer.as_slice().as_ptr() as usize % 64, 0);
        buffer.grown_to(3).fill(1);
        assert_eq!(buffer.grown_to(100).len(), 100);
        assert_eq!(buffer.as_slice()[..4], [1, 1, 1, 0]);
        assert_eq!(buffer.as_slice().as_ptr() as usize % 64, 0);
    }
}
