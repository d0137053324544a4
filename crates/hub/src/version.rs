//! Versions of Spark NLP and of Spark, and which of them can read what.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Numbers of a version that count.
const PARTS: usize = 3;

/// A version of Spark NLP or of Spark: one to three numbers, written in an index as `{"parts":[3,4,0]}`.
///
/// ```
/// use albertine_hub::Version;
/// let ours = Version::parse("5.1.0").ok_or("no version")?;
/// assert!(ours.reads(&Version::from([3, 4, 0])));
/// assert!(!Version::from([3, 3, 4]).reads(&Version::from([3, 4, 0])));
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    parts: Vec<u32>,
}

impl<const N: usize> From<[u32; N]> for Version {
    fn from(parts: [u32; N]) -> Self {
        Self { parts: parts.to_vec() }
    }
}

impl Version {
    /// Reads `3.4.0`, `3.4`, `3.4.0-rc1`: the leading numbers, three at most. `None` when there is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<u32> = text.split(['.', '-']).map_while(|part| part.parse().ok()).take(PARTS).collect();
        (!parts.is_empty()).then_some(Self { parts })
    }

    /// Whether a program of this version reads a model that was saved for `found`. The first number that differs
    /// decides; a version that is told to more places than this one is not read.
    #[must_use]
    pub fn reads(&self, found: &Self) -> bool {
        found.parts.len() <= self.parts.len() && found.parts[..] <= self.parts[..found.parts.len()]
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.parts.iter().map(u32::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_first_number_that_differs_decides() {
        let cases = [
            ("5.1.0", "3.4.0", true),
            ("3.4.0", "3.4.0", true),
            ("3.3.4", "3.4.0", false),
            ("3.4", "3.4.0", false),
            ("3.4.1", "3.4", true),
            ("4.0.0", "3.4.9", true),
            ("7.0.0", "3.4.0", true),
            ("3.3.9", "3.4.0", false),
            ("4.1", "3.0", true),
        ];
        for (ours, found, expected) in cases {
            let reads = Version::parse(ours).unwrap().reads(&Version::parse(found).unwrap());
            assert_eq!(reads, expected, "{ours} reads {found}");
        }
    }

    #[test]
    fn only_leading_numbers_count() {
        assert_eq!(Version::parse("3.4.0-rc1"), Some(Version::from([3, 4, 0])));
        assert_eq!(Version::parse("3.4-rc1"), Some(Version::from([3, 4])));
        assert_eq!(Version::parse("3.4.0.7"), Some(Version::from([3, 4, 0])));
        assert_eq!(Version::parse("v3"), None);
        assert_eq!(Version::parse(""), None);
        assert_eq!(Version::from([3, 4, 0]).to_string(), "3.4.0");
    }

    #[test]
    fn an_index_writes_parts() {
        let version: Version = serde_json::from_str(r#"{"parts":[3,4,0]}"#).unwrap();
        assert_eq!(version, Version::from([3, 4, 0]));
    }
}
