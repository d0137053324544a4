//! Byte offsets to UTF-16 code-unit offsets.
//!
//! Spark NLP counts `begin` and `end` as the JVM does, in UTF-16 code units. Rust counts bytes. The cursor walks a
//! text once, however many offsets are asked for.

/// Walks a text once and says where its bytes lie in UTF-16 code units.
///
/// ```
/// use albertine_text::Utf16Cursor;
///
/// let text = "emoji 😀 ok";
/// let mut cursor = Utf16Cursor::new(text);
/// assert_eq!(cursor.at(6), 6); // before the emoji: four bytes, two code units
/// assert_eq!(cursor.at(10), 8); // behind it
/// assert_eq!(cursor.at(text.len()), 11);
/// ```
#[derive(Debug, Clone)]
pub struct Utf16Cursor<'t> {
    text: &'t str,
    byte: usize,
    utf16: usize,
}

impl<'t> Utf16Cursor<'t> {
    /// A cursor at the start of `text`.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        Self { text, byte: 0, utf16: 0 }
    }

    /// The offset of `byte` in UTF-16 code units from the start of the text.
    ///
    /// # Panics
    ///
    /// When `byte` lies before the one asked for last, behind the end of the text, or inside a character.
    pub fn at(&mut self, byte: usize) -> usize {
        let passed = &self.text[self.byte..byte];
        self.utf16 += utf16_len(passed);
        self.byte = byte;
        self.utf16
    }
}

/// The length of `text` in UTF-16 code units.
///
/// ```
/// assert_eq!(albertine_text::utf16_len("a😀"), 3);
/// ```
#[must_use]
pub fn utf16_len(text: &str) -> usize {
    // One unit a character, and a second one for those beyond the basic plane, which are four bytes long in UTF-8.
    text.bytes().map(|byte| usize::from(byte & 0xC0 != 0x80) + usize::from(byte >= 0xF0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_the_standard_library(text in "\\PC*") {
            let mut cursor = Utf16Cursor::new(&text);
            for (byte, _) in text.char_indices() {
                prop_assert_eq!(cursor.at(byte), text[..byte].encode_utf16().count());
            }
            prop_assert_eq!(cursor.at(text.len()), text.encode_utf16().count());
        }
    }

    #[test]
    #[should_panic(expected = "char boundary")]
    fn refuses_the_inside_of_a_character() {
        let _ = Utf16Cursor::new("é").at(1);
    }
}
