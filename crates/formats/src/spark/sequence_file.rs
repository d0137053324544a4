//! Hadoop's sequence files as Spark writes objects into them: records without keys, whose values are bytes.
//!
//! ```text
//! SEQ 6, the classes of keys and values, two flags for compression, pairs of text, a marker of 16 bytes
//! records: length, length of the key, key, value; or -1 and the marker
//! ```
//!
//! Numbers are big-endian. Format:
//! <https://hadoop.apache.org/docs/current/api/org/apache/hadoop/io/SequenceFile.html>.

use crate::wire::Reason;

const KEY: &[u8] = b"org.apache.hadoop.io.NullWritable";
const VALUE: &[u8] = b"org.apache.hadoop.io.BytesWritable";

/// The most pairs of text in a header.
const MAX_PAIRS: i32 = 1024;

/// The values of a file's records.
pub(super) fn values(file: &[u8]) -> Result<Vec<&[u8]>, Reason> {
    let mut cursor = Cursor { bytes: file };
    if cursor.take(3)? != b"SEQ" {
        return Err("it does not begin as one".to_owned());
    }
    let [version] = cursor.array()?;
    if version != 6 {
        return Err(format!("it is of version {version}, only 6 is read"));
    }
    for (class, expected) in [("keys", KEY), ("values", VALUE)] {
        let found = cursor.text()?;
        if found != expected {
            return Err(format!("its {class} are {}", String::from_utf8_lossy(found)));
        }
    }
    if cursor.array()? != [0, 0] {
        return Err("it is compressed".to_owned());
    }
    let pairs = cursor.int()?;
    if !(0..=MAX_PAIRS).contains(&pairs) {
        return Err(format!("it announces {pairs} pairs of text"));
    }
    for _ in 0..2 * pairs {
        cursor.text()?;
    }
    let marker: [u8; 16] = cursor.array()?;
    let mut values = Vec::new();
    while !cursor.bytes.is_empty() {
        let length = cursor.int()?;
        if length == -1 {
            if cursor.array::<16>()? != marker {
                return Err("a marker between records is another than in the header".to_owned());
            }
            continue;
        }
        let (record, key) = (length, cursor.int()?);
        // The value is bytes again, with their length before them.
        let size = cursor.int()?;
        if key != 0 || size.checked_add(4) != Some(record) {
            return Err(format!("a record of {record} bytes has a key of {key} and a value of {size}"));
        }
        values.push(cursor.take(size)?);
    }
    Ok(values)
}

struct Cursor<'b> {
    bytes: &'b [u8],
}

impl<'b> Cursor<'b> {
    fn take(&mut self, size: i32) -> Result<&'b [u8], Reason> {
        let parts = usize::try_from(size).ok().and_then(|size| self.bytes.split_at_checked(size));
        let (taken, rest) = parts
            .ok_or_else(|| format!("it is cut short: {size} bytes are announced and {} are left", self.bytes.len()))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Reason> {
        let taken = self.take(i32::try_from(N).unwrap_or(i32::MAX))?;
        taken.first_chunk().copied().ok_or_else(|| "it is cut short".to_owned())
    }

    fn int(&mut self) -> Result<i32, Reason> {
        self.array().map(i32::from_be_bytes)
    }

    /// A text of at most 127 bytes, whose length is one byte.
    fn text(&mut self) -> Result<&'b [u8], Reason> {
        let [size] = self.array()?;
        if size > 127 {
            return Err("the name of a class is too long".to_owned());
        }
        self.take(i32::from(size))
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    /// A file of such records, with a marker after the first.
    pub(in super::super) fn file(records: &[&[u8]]) -> Vec<u8> {
        let mut file = b"SEQ\x06".to_vec();
        for class in [KEY, VALUE] {
            file.push(class.len() as u8);
            file.extend_from_slice(class);
        }
        file.extend([0; 6]);
        file.extend([7; 16]);
        for (place, record) in records.iter().enumerate() {
            if place == 1 {
                file.extend((-1_i32).to_be_bytes());
                file.extend([7; 16]);
            }
            let size = record.len() as i32;
            file.extend([size + 4, 0, size].iter().flat_map(|number| number.to_be_bytes()));
            file.extend_from_slice(record);
        }
        file
    }

    #[test]
    fn records_are_read() {
        assert_eq!(values(&file(&[])).unwrap(), Vec::<&[u8]>::new());
        assert_eq!(values(&file(&[b"one", b"", b"three"])).unwrap(), [&b"one"[..], b"", b"three"]);
    }

    #[test]
    fn files_cut_short_or_with_changed_bytes_never_panic() {
        let whole = file(&[b"one", b"two"]);
        let sound: Vec<usize> = (0..whole.len()).filter(|end| values(&whole[..*end]).is_ok()).collect();
        assert_eq!(sound.len(), 3, "it is sound where a record or a marker ends");
        for place in 0..whole.len() {
            for byte in [0, 0x7F, 0x80, 0xFF] {
                let mut changed = whole.clone();
                changed[place] = byte;
                let _ = values(&changed);
            }
        }
        for (place, byte, fault) in [
            (0, b'P', "it does not begin as one"),
            (3, 5, "it is of version 5, only 6 is read"),
            (5, b'x', "its keys are xrg.apache.hadoop.io.NullWritable"),
            (73, 1, "it is compressed"),
        ] {
            let mut changed = whole.clone();
            changed[place] = byte;
            assert_eq!(values(&changed).unwrap_err(), fault);
        }
    }
}
