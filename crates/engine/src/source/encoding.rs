//! The character encoding of a text: told by a byte order mark, given by a caller, or guessed from its first bytes.

use std::io::{self, BufRead, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    Decoder, DecoderResult, Encoding, ISO_8859_3, ISO_8859_4, ISO_8859_10, ISO_8859_13, ISO_8859_14, ISO_8859_16,
    UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, WINDOWS_1257, WINDOWS_1258,
};

/// What the first bytes of a file say.
#[derive(Debug, PartialEq)]
pub(super) enum Guess {
    /// This encoding, and the number of bytes of the byte order mark that says so.
    Marked(&'static Encoding, usize),
    /// UTF-8, or nothing better.
    Utf8,
    /// Most likely this encoding.
    Likely(&'static Encoding),
    /// No text at all, but this.
    Binary(&'static str),
}

/// What programs write that is no table of text, by its first bytes.
const BINARY: [(&[u8], &str); 13] = [
    (b"PK\x03\x04", "it is a zip archive or an Excel workbook; save the workbook as CSV, or unpack the archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "it is an Excel workbook; save it as CSV"),
    (b"%PDF-", "it is a PDF file"),
    (b"\x89PNG\r\n\x1a\n", "it is a PNG image"),
    (b"\xff\xd8\xff", "it is a JPEG image"),
    (b"ARROW1", "it is an Arrow IPC file; write it as parquet"),
    (b"FEA1", "it is a Feather file; write it as parquet"),
    (b"ORC", "it is an ORC file; write it as parquet"),
    (b"Obj\x01", "it is an Avro file; write it as parquet"),
    (b"SQLite format 3\0", "it is an SQLite database; write the table as CSV"),
    (b"BZh", "it is compressed with bzip2; unpack it with `bunzip2`"),
    (b"\xfd7zXZ\0", "it is compressed with xz; unpack it with `unxz`"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7z archive; unpack it"),
];

/// The encoding of the text that begins with `head`; `given` is what a caller says of it.
pub(super) fn guess(head: &[u8], given: Option<&'static Encoding>) -> Guess {
    if let Some((_, what)) = BINARY.iter().find(|(magic, _)| head.starts_with(magic) && is_binary(magic, head)) {
        return Guess::Binary(what);
    }
    if head.starts_with(&[0xff, 0xfe, 0, 0]) || head.starts_with(&[0, 0, 0xfe, 0xff]) {
        return Guess::Binary("it is UTF-32; convert it with `iconv -f UTF-32 -t UTF-8`");
    }
    if let Some((encoding, mark)) = Encoding::for_bom(head) {
        return Guess::Marked(encoding, mark);
    }
    if let Some(given) = given {
        return if given == UTF_8 { Guess::Utf8 } else { Guess::Likely(given) };
    }
    if let Some(encoding) = utf16_without_mark(head).or_else(|| utf16_by_its_lines(head)) {
        return Guess::Likely(encoding);
    }
    legacy(head).map_or(Guess::Utf8, Guess::Likely)
}

/// Whether a short magic, which a text might begin with, is really one.
fn is_binary(magic: &[u8], head: &[u8]) -> bool {
    !magic.is_ascii() || magic.len() > 4 || head.iter().take(512).any(|byte| *byte < 7)
}

/// UTF-16 of mostly Latin text has a zero in every other byte.
fn utf16_without_mark(head: &[u8]) -> Option<&'static Encoding> {
    let pairs = head.len() / 2;
    if pairs < 4 {
        return None;
    }
    let zeros = |from: usize| head.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (first, second) = (zeros(0), zeros(1));
    let (many, few) = (pairs / 2, pairs / 50);
    if second > many && first <= few {
        Some(UTF_16LE)
    } else if first > many && second <= few {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// UTF-16 of any script in the byte order in which it is a text with line ends, which are a zero and another byte in one
/// of both orders only. Nothing for what may be UTF-8.
fn utf16_by_its_lines(head: &[u8]) -> Option<&'static Encoding> {
    let is_utf8 = std::str::from_utf8(head).err().is_none_or(|error| error.error_len().is_none());
    if is_utf8 || !head.contains(&0) {
        return None;
    }
    let is_text = |encoding: &&'static Encoding| {
        let mut decoded = String::with_capacity(head.len() * 3);
        let (_, _, malformed) = encoding.new_decoder_without_bom_handling().decode_to_string(head, &mut decoded, false);
        let is_odd = |character: char| {
            let private_or_none =
                matches!(character, '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fff0}'..='\u{ffff}');
            // A line end in the other order is a character that there is not.
            private_or_none
                || character == '\u{0a00}'
                || (character.is_control() && !matches!(character, '\t' | '\n' | '\r'))
        };
        !malformed && decoded.contains(['\n', '\r']) && !decoded.contains(is_odd)
    };
    [UTF_16LE, UTF_16BE].into_iter().find(is_text)
}

/// The encoding of a text that is not UTF-8, if its bytes make a text in it.
fn legacy(head: &[u8]) -> Option<&'static Encoding> {
    let error = std::str::from_utf8(head).err()?;
    // A character that goes on after the first bytes.
    error.error_len()?;
    // UTF-8 with damaged places has sound characters too, which other encodings give by chance only.
    let (mut sound, mut damaged) = (0, 0);
    for chunk in head.utf8_chunks() {
        sound += chunk.valid().chars().filter(|character| !character.is_ascii()).count();
        damaged += usize::from(!chunk.invalid().is_empty());
    }
    if sound * 2 > damaged {
        return None;
    }
    if head.iter().filter(|byte| !byte.is_ascii()).all(|byte| PUNCTUATION.contains(byte)) {
        return Some(WINDOWS_1252);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(head, false);
    let encoding = likely(detector.guess(None, Utf8Detection::Deny), damaged);
    let mut decoded = String::with_capacity(head.len() * 3);
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let (_, _, malformed) = decoder.decode_to_string(head, &mut decoded, false);
    let text = |character: char| !character.is_control() || matches!(character, '\t' | '\n' | '\r' | '\u{c}');
    (!malformed && decoded.chars().all(text) && are_in_words(&decoded)).then_some(encoding)
}

/// Quotation marks, dashes, the ellipsis and the signs of currencies in windows-1252. A text of English has no others.
const PUNCTUATION: [u8; 14] = [0x80, 0x85, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x99, 0xa3, 0xa9, 0xae, 0xb0];

/// The guess, unless it is an encoding that hardly anyone writes and rests on few characters: then Western European,
/// which has most of the letters at the same places.
fn likely(guess: &'static Encoding, characters: usize) -> &'static Encoding {
    const RARE: [&Encoding; 8] =
        [ISO_8859_3, ISO_8859_4, ISO_8859_10, ISO_8859_13, ISO_8859_14, ISO_8859_16, WINDOWS_1257, WINDOWS_1258];
    if RARE.contains(&guess) && characters < 50 { WINDOWS_1252 } else { guess }
}

/// Whether most characters beyond ASCII stand beside letters or digits, as they do in texts; damage stands anywhere.
fn are_in_words(text: &str) -> bool {
    let (mut in_words, mut others, mut before) = (0, 0, ' ');
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if !character.is_ascii() {
            let beside = before.is_alphanumeric() || characters.peek().is_some_and(|next| next.is_alphanumeric());
            if beside { in_words += 1 } else { others += 1 }
        }
        before = character;
    }
    in_words > others
}

/// Text in another encoding, as UTF-8.
pub(super) struct Decode<R> {
    inner: R,
    decoder: Decoder,
    /// Decoded bytes, and how many of them were given away.
    decoded: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: BufRead> Decode<R> {
    pub(super) fn new(inner: R, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_without_bom_handling();
        Self { inner, decoder, decoded: Vec::new(), given: 0, ended: false }
    }

    /// Decodes what comes next.
    fn decode(&mut self) -> io::Result<()> {
        self.given = 0;
        self.decoded.clear();
        while self.decoded.is_empty() && !self.ended {
            let input = self.inner.fill_buf()?;
            self.ended = input.is_empty();
            let most = self.decoder.max_utf8_buffer_length_without_replacement(input.len());
            self.decoded.resize(most.unwrap_or(input.len()), 0);
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(input, &mut self.decoded, self.ended);
            self.decoded.truncate(written);
            self.inner.consume(read);
            if matches!(result, DecoderResult::Malformed(..)) {
                let name = self.decoder.encoding().name();
                return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it has bytes that are not {name}")));
            }
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Decode<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.decoded.len() {
            self.decode()?;
        }
        let rest = &self.decoded[self.given..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use encoding_rs::{GBK, SHIFT_JIS, WINDOWS_1251};

    use super::*;

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    #[test]
    fn encodings_are_told_by_marks_and_by_bytes() {
        assert_eq!(guess("text\nÖl\n".as_bytes(), None), Guess::Utf8);
        assert_eq!(guess(&"text\nÖl".as_bytes()[..6], None), Guess::Utf8, "cut within a character");
        assert_eq!(guess(b"\xef\xbb\xbftext", Some(WINDOWS_1252)), Guess::Marked(UTF_8, 3));
        assert_eq!(guess(&[&[0xff, 0xfe], utf16("a", false).as_slice()].concat(), None), Guess::Marked(UTF_16LE, 2));
        assert_eq!(guess(&utf16("text\nOil rose\n", false), None), Guess::Likely(UTF_16LE));
        assert_eq!(guess(&utf16("text\nOil rose\n", true), None), Guess::Likely(UTF_16BE));
        assert_eq!(guess(b"text\nCaf\xe9 opens\n", None), Guess::Likely(WINDOWS_1252));
        for english in [&b"price \xa320"[..], b"A \x96 dash", b"\x80 100", b"It\x92s \x93so\x94"] {
            assert_eq!(guess(english, None), Guess::Likely(WINDOWS_1252));
        }
        let russian = "text\nЦены на нефть выросли в понедельник\n";
        assert_eq!(guess(&WINDOWS_1251.encode(russian).0, None), Guess::Likely(WINDOWS_1251));
        let japanese = "text\n株式市場が上昇しました。原油価格も上がりました。\n";
        assert_eq!(guess(&SHIFT_JIS.encode(japanese).0, None), Guess::Likely(SHIFT_JIS));
        let chinese = "text\n今天天气很好,油价上涨了。\n";
        assert_eq!(guess(&GBK.encode(chinese).0, None), Guess::Likely(GBK));
        for text in [
            "text\n今天天气很好，油价上涨了。\n一月\n",
            "id,text\r\n1,株式市場が上昇しました。\r\n",
            "id\t제목\n1\t유가가 상승했다\n",
            "{\"text\": \"Цены на нефть 😀\"}\n",
        ] {
            assert_eq!(guess(&utf16(text, false), None), Guess::Likely(UTF_16LE), "{text}");
            assert_eq!(guess(&utf16(text, true), None), Guess::Likely(UTF_16BE), "{text}");
        }
        assert_eq!(guess(b"text\nCaf\xe9\n", Some(UTF_8)), Guess::Utf8);
        assert_eq!(guess(b"c0,c1\nna\xefve,x\nit's na\xefve,y\n", None), Guess::Likely(WINDOWS_1252));
    }

    #[test]
    fn damaged_utf8_and_binary_data_are_not_taken_for_another_encoding() {
        assert_eq!(guess("text\nÖl und Käse \u{fffd} kosten".as_bytes(), None), Guess::Utf8);
        assert_eq!(guess(b"text\n\xc3\x96l und K\xc3\xa4se \xe9 mehr\n", None), Guess::Utf8);
        assert_eq!(guess(b"text\n\x81\x01\xff\n", None), Guess::Utf8);
        assert_eq!(guess(b"text\n\xff\n", None), Guess::Utf8, "no word");
        assert_eq!(guess(b"text\ncaf\xc3\xa9\ncaf\xe9\n", None), Guess::Utf8, "as much sound as damaged");
        assert_eq!(guess(b"text\n\xc2\xa3 5\n\xa3 5\n", None), Guess::Utf8);
        assert_eq!(guess("text\nÖl\0und\n".as_bytes(), None), Guess::Utf8, "a zero in UTF-8");
        assert!(matches!(guess(b"PK\x03\x04....", None), Guess::Binary(_)));
        assert!(matches!(guess(b"\xff\xfe\0\0a\0\0\0", None), Guess::Binary(_)));
        assert_eq!(guess(b"ORC,text\n", None), Guess::Utf8);
        assert_eq!(guess(b"BZh,text\n", None), Guess::Utf8);
    }

    #[test]
    fn decoding_gives_every_character_or_an_error() {
        let decode = |bytes: &[u8], encoding| {
            let mut text = String::new();
            let inner = io::BufReader::with_capacity(3, bytes);
            Decode::new(inner, encoding).read_to_string(&mut text).map(|_| text)
        };
        assert_eq!(decode(&utf16("Öl 😀 rose", false), UTF_16LE).unwrap(), "Öl 😀 rose");
        assert_eq!(decode(b"Caf\xe9 \x80", WINDOWS_1252).unwrap(), "Café €");
        let error = decode(&utf16("a", true)[..1], UTF_16BE).unwrap_err();
        assert_eq!(error.to_string(), "it has bytes that are not UTF-16BE");
        assert!(decode(&[0x00, 0xd8, 0x41, 0x00], UTF_16LE).is_err(), "a lone surrogate");
    }
}
