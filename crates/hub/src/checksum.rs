//! Sums that tell whether a file is what it should be.

use std::fmt::Write;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use md5::Md5;
use sha2::{Digest, Sha256};

/// Bytes that are read at a time.
const CHUNK: usize = 1 << 16;

/// The sum that a file is said to have, in lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Checksum {
    /// 32 digits.
    Md5(String),
    /// 64 digits.
    Sha256(String),
}

impl Checksum {
    /// Tells the kind by the number of digits; `None` for anything else, such as the empty sums of most lines of an
    /// index.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match text.len() {
            32 if hexadecimal => Some(Self::Md5(text)),
            64 if hexadecimal => Some(Self::Sha256(text)),
            _ => None,
        }
    }

    /// The digits.
    pub(super) fn digits(&self) -> &str {
        match self {
            Self::Md5(digits) | Self::Sha256(digits) => digits,
        }
    }

    /// The kind, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Md5(_) => "MD5",
            Self::Sha256(_) => "SHA-256",
        }
    }

    /// The sum of the same kind that a file has.
    pub(super) fn of_file(&self, path: &Path) -> io::Result<Self> {
        match self {
            Self::Md5(_) => digest::<Md5>(path).map(Self::Md5),
            Self::Sha256(_) => sha256(path).map(Self::Sha256),
        }
    }
}

/// The SHA-256 of a file, in hexadecimal digits.
pub(super) fn sha256(path: &Path) -> io::Result<String> {
    digest::<Sha256>(path)
}

/// The SHA-256 of a text, in hexadecimal digits.
pub(super) fn sha256_of(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes()))
}

fn digest<D: Digest>(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = D::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok(hexadecimal(&digest.finalize()));
        }
        digest.update(&chunk[..read]);
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_number_of_digits_tells_the_kind() {
        assert!(matches!(Checksum::parse(&"aB".repeat(16)), Some(Checksum::Md5(digits)) if digits == "ab".repeat(16)));
        assert!(matches!(Checksum::parse(&"0".repeat(64)), Some(Checksum::Sha256(_))));
        for other in ["", "abc", &"g".repeat(32), &"0".repeat(40)] {
            assert_eq!(Checksum::parse(other), None, "{other}");
        }
    }

    #[test]
    fn sums_are_those_of_the_standards() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let md5 = Checksum::parse("900150983cd24fb0d6963f7d28e17f72").unwrap();
        assert_eq!(super::sha256(file.path()).unwrap(), sha256);
        assert_eq!(sha256_of("abc"), sha256);
        assert_eq!(md5.of_file(file.path()).unwrap(), md5);
    }
}
