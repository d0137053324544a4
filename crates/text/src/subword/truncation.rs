//! What stays of texts that have more pieces than may be.

/// Which end of a text goes when it has more pieces than may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TruncationSide {
    /// The pieces at its start go.
    Left,
    /// The pieces at its end go.
    Right,
}

/// How many pieces of two texts, so many each, stay when there is room for `room` in all.
///
/// Source: `TruncationStrategy::LongestFirst` of Hugging Face tokenizers.
pub(super) fn longest_first(first: usize, second: usize, room: usize) -> (usize, usize) {
    if first + second <= room {
        return (first, second);
    }
    let shorter = first.min(second);
    let (mut few, mut many) = (shorter, room.saturating_sub(shorter).max(shorter));
    if few + many > room {
        few = room / 2;
        many = room - few;
    }
    if first <= second { (few, many) } else { (many, few) }
}

/// The `count` pieces that stay.
pub(super) fn kept(ids: &[u32], count: usize, side: TruncationSide) -> &[u32] {
    let count = count.min(ids.len());
    match side {
        TruncationSide::Left => &ids[ids.len() - count..],
        TruncationSide::Right => &ids[..count],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_of_two_texts_gives_way() {
        assert_eq!(longest_first(3, 4, 7), (3, 4));
        assert_eq!(longest_first(3, 9, 7), (3, 4));
        assert_eq!(longest_first(9, 3, 7), (4, 3));
        assert_eq!(longest_first(9, 8, 7), (4, 3));
        assert_eq!(longest_first(8, 9, 7), (3, 4));
        assert_eq!(longest_first(9, 0, 7), (7, 0));
        assert_eq!(longest_first(5, 5, 0), (0, 0));
    }

    #[test]
    fn the_side_says_which_pieces_stay() {
        assert_eq!(kept(&[1, 2, 3], 2, TruncationSide::Left), [2, 3]);
        assert_eq!(kept(&[1, 2, 3], 2, TruncationSide::Right), [1, 2]);
        assert_eq!(kept(&[1, 2, 3], 9, TruncationSide::Left), [1, 2, 3]);
    }
}
