//! A set of ASCII characters.

/// The set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct AsciiSet(u128);

impl AsciiSet {
    pub(super) const ALL: Self = Self(u128::MAX);
    pub(super) const NONE: Self = Self(0);

    pub(super) fn has(self, byte: u8) -> bool {
        byte < 128 && self.0 >> byte & 1 == 1
    }

    pub(super) fn insert(&mut self, byte: u8) {
        self.0 |= 1_u128.checked_shl(byte.into()).unwrap_or(0);
    }

    pub(super) fn remove(&mut self, byte: u8) {
        self.0 &= !1_u128.checked_shl(byte.into()).unwrap_or(0);
    }
}
