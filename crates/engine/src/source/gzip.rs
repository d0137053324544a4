//! gzip, of one member or several ([RFC 1952](https://www.rfc-editor.org/rfc/rfc1952#page-5)), with the zeros that tapes
//! and block devices leave at the end.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// The plain bytes of a gzip file.
pub(super) struct Gzip<R> {
    /// The member being read; nothing at the end.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Gzip<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { member: Some(GzDecoder::new(inner)) }
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let Some(mut inner) = self.member.take().map(GzDecoder::into_inner) else { break };
            if more_after_zeros(&mut inner)? {
                self.member = Some(GzDecoder::new(inner));
            }
        }
        Ok(0)
    }
}

/// Skips zeros; whether something else follows them.
fn more_after_zeros(inner: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let bytes = inner.fill_buf()?;
        if bytes.is_empty() {
            return Ok(false);
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let more = zeros < bytes.len();
        inner.consume(zeros);
        if more {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::io::Write;

    use super::*;

    fn member(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        Gzip::new(io::BufReader::with_capacity(7, bytes)).read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn members_follow_each_other_and_zeros_end_them() {
        let (one, two) = (member(b"one\n"), member(b"two\n"));
        assert_eq!(read(&[one.clone(), two.clone()].concat()).unwrap(), "one\ntwo\n");
        assert_eq!(read(&[one.clone(), vec![0; 512]].concat()).unwrap(), "one\n");
        assert_eq!(read(&[one.clone(), vec![0; 3], two].concat()).unwrap(), "one\ntwo\n");
        assert!(read(&[one.clone(), b"garbage".to_vec()].concat()).is_err());
        assert!(read(&one[..one.len() - 2]).is_err());
    }
}
