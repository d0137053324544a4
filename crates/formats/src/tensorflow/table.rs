//! The sorted table that a checkpoint's index is: LevelDB's format of tables.
//!
//! ```text
//! data blocks     keys and values, a key as what it shares with the one before and the rest
//! index block     a key and the place of a block for each data block
//! footer          48 bytes: the handles of two blocks, and a magic number
//! ```
//!
//! After each block stand one byte for its compression and a masked CRC-32C.
//!
//! Format: <https://github.com/google/leveldb/blob/main/doc/table_format.md>.

use crate::wire::Reason;

const FOOTER: usize = 48;
const MAGIC: [u8; 8] = 0xdb47_7524_8b80_fb57_u64.to_le_bytes();

/// Bytes after each block.
const TRAILER: usize = 5;

/// The most bytes that a block may unpack to.
const MAX_BLOCK: usize = 4 << 20;

/// The most entries of a table.
const MAX_ENTRIES: usize = 1 << 16;

/// The longest key, in bytes. Keys share what they begin with, so a few bytes may make a long one.
const MAX_KEY: usize = 1 << 12;

const DISORDER: &str = "its keys are not in order";

/// A key and its value.
pub(super) type Entry = (Vec<u8>, Vec<u8>);

/// The keys and values of a table, in its order.
pub(super) fn read(file: &[u8]) -> Result<Vec<Entry>, Reason> {
    let footer = file.len().checked_sub(FOOTER).and_then(|start| file.get(start..));
    let footer = footer.ok_or("it is shorter than its footer")?;
    let (handles, magic) = footer.split_at(FOOTER - MAGIC.len());
    if magic != MAGIC {
        return Err("it does not end as a table does".to_owned());
    }
    let mut handles = Cursor { bytes: handles };
    // The first is of a block about the table itself, of which there is nothing to know.
    let (_, _) = (handles.varint()?, handles.varint()?);
    let index = block(file, &mut handles)?;

    let mut found: Vec<Entry> = Vec::new();
    for (_, place) in entries(&index, MAX_ENTRIES)? {
        let data = block(file, &mut Cursor { bytes: &place })?;
        let more = entries(&data, MAX_ENTRIES - found.len())?;
        // Blocks that are empty, or that are named twice, would be work without end.
        match (found.last(), more.first()) {
            (_, None) => return Err("a block is empty".to_owned()),
            (Some((last, _)), Some((first, _))) if last >= first => return Err(DISORDER.to_owned()),
            _ => found.extend(more),
        }
    }
    Ok(found)
}

/// The checksum of some bytes as TensorFlow and LevelDB keep it: turned and moved, so that bytes which hold checksums
/// can be summed themselves.
pub(super) fn masked_checksum(bytes: &[&[u8]]) -> u32 {
    let sum = bytes.iter().fold(0, |sum, part| crc32c::crc32c_append(sum, part));
    sum.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The contents of the block whose place is read from `place`.
fn block(file: &[u8], place: &mut Cursor<'_>) -> Result<Vec<u8>, Reason> {
    let (offset, size) = (place.varint()?, place.varint()?);
    let whole = usize::try_from(offset).ok().zip(usize::try_from(size).ok()).and_then(|(offset, size)| {
        let end = offset.checked_add(size)?.checked_add(TRAILER)?;
        file.get(offset..end)?.split_at_checked(size)
    });
    let (data, trailer) =
        whole.ok_or_else(|| format!("the block of {size} bytes at byte {offset} reaches beyond it"))?;
    let (kind, sum) = trailer.split_at(1);
    if sum != masked_checksum(&[data, kind]).to_le_bytes() {
        return Err(format!("the block at byte {offset} does not have its checksum"));
    }
    match kind {
        [0] => Ok(data.to_owned()),
        [1] => {
            let packed = |error: snap::Error| format!("the block at byte {offset} is packed badly: {error}");
            let size = snap::raw::decompress_len(data).map_err(packed)?;
            if size > MAX_BLOCK {
                return Err(format!(
                    "the block at byte {offset} unpacks to {size} bytes, over the limit of {MAX_BLOCK}"
                ));
            }
            snap::raw::Decoder::new().decompress_vec(data).map_err(packed)
        }
        _ => Err(format!("the block at byte {offset} is compressed in an unknown way")),
    }
}

/// The keys and values of a block.
fn entries(block: &[u8], limit: usize) -> Result<Vec<Entry>, Reason> {
    let too_short = || "a block is shorter than its restart points".to_owned();
    let (rest, count) = block.split_last_chunk::<4>().ok_or_else(too_short)?;
    let restarts = usize::try_from(u32::from_le_bytes(*count)).ok().and_then(|count| count.checked_mul(4));
    let end = restarts.and_then(|size| rest.len().checked_sub(size)).ok_or_else(too_short)?;
    let mut cursor = Cursor { bytes: rest.get(..end).unwrap_or_default() };
    let mut found: Vec<Entry> = Vec::new();
    let mut key: Vec<u8> = Vec::new();
    while !cursor.bytes.is_empty() {
        let (shared, own, size) = (cursor.varint()?, cursor.varint()?, cursor.varint()?);
        let shared = usize::try_from(shared).ok().filter(|shared| *shared <= key.len());
        key.truncate(shared.ok_or("a key shares more with the one before than that has")?);
        key.extend_from_slice(cursor.take(own)?);
        if key.len() > MAX_KEY {
            return Err(format!("a key has more than {MAX_KEY} bytes"));
        }
        if found.last().is_some_and(|(last, _)| *last >= key) {
            return Err(DISORDER.to_owned());
        }
        found.push((key.clone(), cursor.take(size)?.to_owned()));
        if found.len() > limit {
            return Err(format!("it has more than {MAX_ENTRIES} entries"));
        }
    }
    Ok(found)
}

struct Cursor<'b> {
    bytes: &'b [u8],
}

impl<'b> Cursor<'b> {
    fn varint(&mut self) -> Result<u64, Reason> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = *self.take(1)? else { break };
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number does not end".to_owned())
    }

    fn take(&mut self, size: u64) -> Result<&'b [u8], Reason> {
        let (taken, rest) = usize::try_from(size)
            .ok()
            .and_then(|size| self.bytes.split_at_checked(size))
            .ok_or_else(|| format!("it is cut short: {size} bytes are announced and {} are left", self.bytes.len()))?;
        self.bytes = rest;
        Ok(taken)
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn put(value: usize, out: &mut Vec<u8>) {
        let mut value = value;
        while value >= 0x80 {
            out.push((value & 0x7F) as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }

    /// A block with every key written with what it shares, and its place in `file`.
    fn add_block(file: &mut Vec<u8>, entries: &[(&[u8], &[u8])], packed: bool) -> Vec<u8> {
        let mut data = Vec::new();
        let mut last: &[u8] = b"";
        for (key, value) in entries {
            let shared = key.iter().zip(last).take_while(|(a, b)| a == b).count();
            for size in [shared, key.len() - shared, value.len()] {
                put(size, &mut data);
            }
            data.extend_from_slice(&key[shared..]);
            data.extend_from_slice(value);
            last = key;
        }
        data.extend([0, 0, 0, 0, 1, 0, 0, 0]);
        if packed {
            data = snap::raw::Encoder::new().compress_vec(&data).unwrap();
        }
        let mut place = Vec::new();
        put(file.len(), &mut place);
        put(data.len(), &mut place);
        let kind = [u8::from(packed)];
        file.extend_from_slice(&data);
        file.extend(kind);
        file.extend(masked_checksum(&[&data, &kind]).to_le_bytes());
        place
    }

    /// A table of one block.
    pub(in super::super) fn table_of(entries: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut file = Vec::new();
        let data = add_block(&mut file, entries, false);
        let index = add_block(&mut file, &[(b"~", &data)], false);
        let mut footer = [data, index].concat();
        footer.resize(FOOTER - 8, 0);
        file.extend(footer);
        file.extend(MAGIC);
        file
    }

    fn table(packed: bool) -> Vec<u8> {
        let mut file = Vec::new();
        let first = add_block(&mut file, &[(b"", b"header"), (b"aa/b", b"1"), (b"aa/c", b"2")], packed);
        let second = add_block(&mut file, &[(b"ab", b"3")], packed);
        let meta = add_block(&mut file, &[], false);
        let index = add_block(&mut file, &[(b"aa/d", &first), (b"ac", &second)], packed);
        let mut footer = [meta, index].concat();
        footer.resize(FOOTER - 8, 0);
        file.extend(footer);
        file.extend(MAGIC);
        file
    }

    #[test]
    fn keys_and_values_are_read() {
        for packed in [false, true] {
            let found = read(&table(packed)).unwrap();
            let found: Vec<(&[u8], &[u8])> = found.iter().map(|(key, value)| (&key[..], &value[..])).collect();
            let expected: [(&[u8], &[u8]); 4] = [(b"", b"header"), (b"aa/b", b"1"), (b"aa/c", b"2"), (b"ab", b"3")];
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn tables_cut_short_or_with_a_changed_bit_are_refused() {
        for packed in [false, true] {
            let whole = table(packed);
            let data = whole.len() - FOOTER;
            for place in 0..whole.len() {
                assert!(read(&whole[..place]).is_err());
                for bit in 0..8 {
                    let mut changed = whole.clone();
                    changed[place] ^= 1 << bit;
                    // A changed footer may still be sound where it is padding; a changed block never is.
                    let block_of_table_itself = read(&changed).is_ok();
                    assert!(!block_of_table_itself || place >= data || changed_meta(&whole, place), "{place} {bit}");
                }
            }
        }
    }

    /// Whether a byte belongs to the block that is not read.
    fn changed_meta(whole: &[u8], place: usize) -> bool {
        let mut footer = Cursor { bytes: &whole[whole.len() - FOOTER..] };
        let (offset, size) = (footer.varint().unwrap() as usize, footer.varint().unwrap() as usize);
        (offset..offset + size + TRAILER).contains(&place)
    }

    #[test]
    fn absurd_sizes_are_refused() {
        assert_eq!(read(b"").unwrap_err(), "it is shorter than its footer");
        let mut bytes = vec![0xFF; 9];
        bytes.push(1);
        bytes.extend([1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 9]);
        bytes.resize(FOOTER - 8, 0);
        bytes.extend(MAGIC);
        assert_eq!(read(&bytes).unwrap_err(), "the block of 9 bytes at byte 18446744073709551615 reaches beyond it");
        assert_eq!(entries(&[0xFF; 4], 9).unwrap_err(), "a block is shorter than its restart points");
        assert_eq!(masked_checksum(&[b"123456789"]), 0xe306_9283_u32.rotate_right(15).wrapping_add(0xa282_ead8));
    }
}
