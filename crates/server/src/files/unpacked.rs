//! How large compressed files are: a small one may unpack to more than there is room for.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use albertine::CancellationToken;
use flate2::bufread::MultiGzDecoder;

/// Whether a file has more than `limit` bytes when it is unpacked. What cannot be read is left to those who say why.
pub(super) fn is_larger(path: &Path, limit: u64, cancellation: &CancellationToken) -> bool {
    let Ok(mut file) = File::open(path) else { return false };
    let mut magic = [0; 4];
    if file.read_exact(&mut magic).is_err() {
        return false;
    }
    let Ok(file) = File::open(path).map(BufReader::new) else { return false };
    // as the reader of tables tells them, whatever the file is called
    let unpacked: Box<dyn Read> = match magic {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(file)),
        // a frame, or one to skip
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => match zstd::Decoder::with_buffer(file) {
            Ok(decoder) => Box::new(decoder),
            Err(_) => return false,
        },
        _ => return false,
    };
    let (mut unpacked, mut buffer, mut bytes) = (unpacked, vec![0; 64 << 10], 0);
    loop {
        match unpacked.read(&mut buffer) {
            Ok(0) | Err(_) => return false,
            Ok(count) => bytes += count as u64,
        }
        if bytes > limit {
            return true;
        }
        if cancellation.check().is_err() {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_is_as_large_as_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let is_larger = |name: &str, bytes: &[u8], limit| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            is_larger(&path, limit, &CancellationToken::default())
        };
        let text = vec![b'a'; 1 << 20];
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&text).unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd = zstd::encode_all(&text[..], 1).unwrap();
        for bytes in
            [&gzip[..], &zstd, &[&gzip[..], &gzip].concat(), &[&b"\x50\x2a\x4d\x18\0\0\0\0"[..], &zstd].concat()]
        {
            assert!(bytes.len() < 100_000);
            assert!(is_larger("a.csv", bytes, (1 << 20) - 1));
            assert!(!is_larger("a.csv", bytes, 2 << 20));
            assert!(!is_larger("a.csv", &bytes[..bytes.len() / 3], 2 << 20), "half of one is for others to tell");
        }
        assert!(!is_larger("a.csv", &text, 10), "a plain file is limited when it arrives");
        assert!(!is_larger("a.csv", b"a", 10));
    }
}
