//! A set of ASCII characters.

/// The set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AsciiSet(u128);

impl AsciiSet {
    pub(crate) const ALL: Self = Self(u128::MAX);
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn has(self, byte: u8) -> bool {
        byte < 128 && self.0 >> byte & 1 == 1
    }

    pub(crate) fn insert(&mut self, byte: u8) {
        self.0 |= 1_u128.checked_shl(byte.into()).unwrap_or(0);
    }

    pub(crate) fn remove(&mut self, byte: u8) {
        self.0 &= !1_u128.checked_shl(byte.into()).unwrap_or(0);
    }
}
