//! What a training is made of, to tell whether a checkpoint is one of it.

use serde::{Deserialize, Serialize};

/// Settings by name and value, and data by a hash of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    settings: Vec<(String, String)>,
    data: Vec<(String, String)>,
}

impl Fingerprint {
    /// Adds a setting, whose value a message shows.
    pub(crate) fn setting(&mut self, name: &str, value: impl Into<String>) {
        self.settings.push((name.to_owned(), value.into()));
    }

    /// Adds what is told apart by its hash.
    pub(crate) fn data(&mut self, name: &str, hash: Hash) {
        self.data.push((name.to_owned(), format!("{:016x}", hash.0)));
    }

    /// What differs between a checkpoint with this fingerprint and a training with that of `now`; nothing if they are of
    /// the same training.
    pub(crate) fn differences(&self, now: &Self) -> Vec<String> {
        let of = |list: &[(String, String)], name: &str| {
            list.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        let mut differences = Vec::new();
        let mut names: Vec<&String> = Vec::new();
        for (name, _) in self.settings.iter().chain(&now.settings) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        for name in names {
            let [then, now] = [self, now].map(|all| of(&all.settings, name).unwrap_or_else(|| "unknown".to_owned()));
            if then != now {
                differences.push(format!("{name} {then} instead of {now}"));
            }
        }
        for (name, hash) in &now.data {
            if of(&self.data, name).as_ref() != Some(hash) {
                differences.push(format!("other {name}"));
            }
        }
        differences
    }
}

/// A hash over 64-bit words (FNV-1a over words, then mixed): against mistakes, not against malice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    /// Adds numbers, and how many they are.
    pub(crate) fn numbers(mut self, numbers: impl IntoIterator<Item = u64>) -> Self {
        let mut count = 0_u64;
        let mut word = |word: u64| self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29);
        for number in numbers {
            word(number);
            count += 1;
        }
        word(count);
        self
    }

    /// Adds a text.
    pub(crate) fn text(self, text: &str) -> Self {
        self.numbers(text.bytes().map(u64::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(rate: &str, rows: &[u64]) -> Fingerprint {
        let mut fingerprint = Fingerprint::default();
        fingerprint.setting("learning rate", rate);
        fingerprint.setting("epochs", "3");
        fingerprint.data("training texts", Hash::default().numbers(rows.iter().copied()));
        fingerprint.data("base model", Hash::default().text("albert"));
        fingerprint
    }

    #[test]
    fn what_differs_is_named() {
        let then = fingerprint("0.1", &[1, 2]);
        assert!(then.differences(&fingerprint("0.1", &[1, 2])).is_empty());
        assert_eq!(
            then.differences(&fingerprint("0.2", &[1, 3])),
            ["learning rate 0.1 instead of 0.2", "other training texts"]
        );
        let mut more = fingerprint("0.1", &[1, 2]);
        more.setting("patience", "2");
        assert_eq!(then.differences(&more), ["patience unknown instead of 2"]);
    }

    #[test]
    fn a_hash_depends_on_every_number_and_their_order() {
        let of = |numbers: &[u64]| Hash::default().numbers(numbers.iter().copied());
        for other in [&[1, 2, 4][..], &[2, 1, 3], &[1, 2], &[1, 2, 3, 0], &[]] {
            assert_ne!(of(&[1, 2, 3]), of(other));
        }
    }
}
