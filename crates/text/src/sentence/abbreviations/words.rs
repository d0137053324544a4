//! The abbreviations that are known by name.

/// How many letters the longest of them has.
pub(super) const LONGEST: usize = 4;

/// What is known of an abbreviation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    /// It stands before a name.
    pub(super) title: bool,
    /// It stands before a number.
    pub(super) before_number: bool,
    /// It stands anywhere.
    pub(super) general: bool,
}

impl Word {
    /// What is known of these letters, in any case.
    pub(super) fn of(letters: &[u8]) -> Option<Self> {
        if letters.is_empty() || letters.len() > LONGEST {
            return None;
        }
        let mut lower = [0; LONGEST];
        let lower = &mut lower[..letters.len()];
        lower.copy_from_slice(letters);
        lower.make_ascii_lowercase();
        let word = Self {
            title: matches!(&*lower, b"dr" | b"mr" | b"ms" | b"prof" | b"mt" | b"st"),
            before_number: matches!(&*lower, b"no" | b"p" | b"px"),
            general: is_general(lower),
        };
        (word.title || word.before_number || word.general).then_some(word)
    }
}

/// Spark NLP also lists `e.g`, `i.e` and `u.s`; those are protected as acronyms before this list is looked at.
fn is_general(lower: &[u8]) -> bool {
    matches!(
        lower,
        b"adj"
            | b"aug"
            | b"bros"
            | b"btw"
            | b"co"
            | b"col"
            | b"corp"
            | b"cpl"
            | b"dec"
            | b"del"
            | b"dept"
            | b"dist"
            | b"dr"
            | b"etc"
            | b"exp"
            | b"feb"
            | b"fy"
            | b"hr"
            | b"id"
            | b"inc"
            | b"jan"
            | b"jr"
            | b"jul"
            | b"jun"
            | b"lt"
            | b"ltd"
            | b"mar"
            | b"may"
            | b"min"
            | b"mr"
            | b"mrs"
            | b"ms"
            | b"no"
            | b"nov"
            | b"oct"
            | b"ok"
            | b"p"
            | b"plz"
            | b"prof"
            | b"px"
            | b"rep"
            | b"sec"
            | b"sep"
            | b"sept"
            | b"sr"
            | b"st"
            | b"ver"
            | b"vs"
    )
}
