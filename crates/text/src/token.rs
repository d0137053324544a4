//! Words and punctuation: Spark NLP's `Tokenizer` with its default rules.
//!
//! A text is broken at the six ASCII space characters, and at nothing else: no-break spaces and other Unicode spaces
//! stay inside a token. From each run between breaks the *context characters* (punctuation) at both ends are split
//! off, each side as one token; punctuation inside a word stays. A run of nothing but context characters is one token.

use std::ops::Range;

use crate::error::TextError;
use crate::offsets::{Utf16Cursor, utf16_len};

/// The characters that are split off the ends of a word (Spark NLP's `contextChars`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextChars(Vec<char>);

impl ContextChars {
    /// These characters and no others.
    #[must_use]
    pub fn new(chars: impl IntoIterator<Item = char>) -> Self {
        Self(chars.into_iter().collect())
    }

    /// These characters, each given as a string of one.
    ///
    /// # Errors
    ///
    /// [`TextError::ContextChar`] for a string of none or several.
    pub fn named<C: AsRef<str>>(chars: &[C]) -> Result<Self, TextError> {
        let one = |text: &C| {
            let mut chars = text.as_ref().chars();
            match (chars.next(), chars.next()) {
                (Some(c), None) => Ok(c),
                _ => Err(TextError::ContextChar { text: text.as_ref().to_owned() }),
            }
        };
        chars.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    /// The characters, in their order.
    pub fn iter(&self) -> impl Iterator<Item = char> + '_ {
        self.0.iter().copied()
    }

    /// Whether `c` is one of them.
    #[must_use]
    pub fn contains(&self, c: char) -> bool {
        self.0.contains(&c)
    }
}

impl Default for ContextChars {
    /// `. , ; : ! ? * - ( ) " '`
    fn default() -> Self {
        Self::new(['.', ',', ';', ':', '!', '?', '*', '-', '(', ')', '"', '\''])
    }
}

/// How texts are cut into tokens. Patterns are Java regular expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenizerSettings {
    /// What a candidate for a token is made of (default `\S+`: anything but the six ASCII space characters).
    pub target_pattern: Option<String>,
    /// The characters split off the ends of a word.
    pub context_chars: ContextChars,
    /// What is split off the start of a word, in the place of context characters; begins with `\A`.
    pub prefix_pattern: Option<String>,
    /// What is split off the end of a word, in the place of context characters; ends with `\z`.
    pub suffix_pattern: Option<String>,
    /// What stands between the two, in the place of anything: each with a group for every token.
    pub infix_patterns: Vec<String>,
    /// What stays whole, whatever it holds.
    pub exceptions: Vec<String>,
    /// Whether case counts in exceptions (default: it does).
    pub case_sensitive_exceptions: bool,
    /// Where tokens are cut again; `split_chars` is not looked at where this cuts.
    pub split_pattern: Option<String>,
    /// At which characters tokens are cut again: each one character, or a backslash and one.
    pub split_chars: Vec<String>,
    /// The shortest token that is kept, in UTF-16 code units (default 0).
    pub min_length: usize,
    /// The longest token that is kept, in UTF-16 code units (default: any length).
    pub max_length: Option<usize>,
}

impl Default for TokenizerSettings {
    fn default() -> Self {
        Self {
            target_pattern: None,
            context_chars: ContextChars::default(),
            prefix_pattern: None,
            suffix_pattern: None,
            infix_patterns: Vec::new(),
            exceptions: Vec::new(),
            case_sensitive_exceptions: true,
            split_pattern: None,
            split_chars: Vec::new(),
            min_length: 0,
            max_length: None,
        }
    }
}

/// One token of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Where the token lies in the text that was cut, in bytes.
    pub range: Range<usize>,
    /// Its first UTF-16 code unit, counted from the start of the document.
    pub begin: usize,
    /// Its last UTF-16 code unit, **inclusive**, counted from the start of the document.
    pub end: usize,
}

/// Cuts texts into tokens.
///
/// ```
/// use albertine_text::Tokenizer;
///
/// let text = "Hello, world!";
/// let mut tokens = Vec::new();
/// Tokenizer::default().tokenize(text, 0, &mut tokens)?;
/// let words: Vec<_> = tokens.iter().map(|t| (&text[t.range.clone()], t.begin, t.end)).collect();
/// assert_eq!(words, [("Hello", 0, 4), (",", 5, 5), ("world", 7, 11), ("!", 12, 12)]);
/// # Ok::<(), albertine_text::TextError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Tokenizer {
    settings: TokenizerSettings,
}

impl Tokenizer {
    /// A tokenizer with these settings.
    ///
    /// # Errors
    ///
    /// [`TextError::Lengths`] when the largest length is below the smallest.
    pub fn new(settings: TokenizerSettings) -> Result<Self, TextError> {
        TextError::check_lengths("token", settings.min_length, settings.max_length)?;
        Ok(Self { settings })
    }

    /// The settings it works with.
    #[must_use]
    pub fn settings(&self) -> &TokenizerSettings {
        &self.settings
    }

    /// Appends the tokens of `text` to `tokens`, in order.
    ///
    /// `text` is a document or one sentence of it; `begin` is where it starts in its document, in UTF-16 code units.
    ///
    /// # Errors
    ///
    /// [`TextError::PatternGaveUp`] when a pattern of the settings gives up on the text. Without patterns there is none.
    pub fn tokenize(&self, text: &str, begin: usize, tokens: &mut Vec<Token>) -> Result<(), TextError> {
        let mut cursor = Utf16Cursor::new(text);
        for run in runs(text) {
            for range in self.split(text, run) {
                if range.is_empty() {
                    continue;
                }
                let length = utf16_len(&text[range.clone()]);
                if length < self.settings.min_length || self.settings.max_length.is_some_and(|max| length > max) {
                    continue;
                }
                let first = begin + cursor.at(range.start);
                tokens.push(Token { range, begin: first, end: first + length - 1 });
            }
        }
        Ok(())
    }

    /// The leading punctuation, the word and the trailing punctuation of a run; any of them may be empty.
    fn split(&self, text: &str, run: Range<usize>) -> [Range<usize>; 3] {
        let context = |c| self.settings.context_chars.contains(c);
        let word = text[run.clone()].trim_start_matches(context);
        let start = run.end - word.len();
        let end = start + word.trim_end_matches(context).len();
        if start == end {
            // Nothing but context characters: no rule applies and the run stays whole.
            return [run, start..start, end..end];
        }
        [run.start..start, start..end, end..run.end]
    }
}

/// Whether a text holds nothing but the six ASCII space characters: it has no token under any setting.
///
/// ```
/// assert!(albertine_text::is_blank(" \t\n"));
/// assert!(!albertine_text::is_blank("\u{a0}")); // a no-break space is a character like any other
/// ```
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.bytes().all(is_break)
}

/// The maximal runs of characters that are not space, tab, line feed, vertical tab, form feed or carriage return.
fn runs(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text[from..].bytes().position(|byte| !is_break(byte))?;
        let length = text[start..].bytes().position(is_break).unwrap_or(text.len() - start);
        from = start + length;
        Some(start..from)
    })
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0B | 0x0C | b'\r')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    fn shown(tokenizer: &Tokenizer, text: &str, begin: usize) -> String {
        let mut tokens = Vec::new();
        tokenizer.tokenize(text, begin, &mut tokens).unwrap();
        let words: Vec<_> =
            tokens.iter().map(|t| format!("{}[{},{}]", &text[t.range.clone()], t.begin, t.end)).collect();
        words.join(" ")
    }

    /// Texts and their tokens as Spark NLP gives them with default parameters.
    const DEFAULT_RULES: [(&str, &str); 45] = [
        ("Hello, world!", "Hello[0,4] ,[5,5] world[7,11] ![12,12]"),
        (
            "I'd like to say we didn't expect that. Jane's boyfriend.",
            "I'd[0,2] like[4,7] to[9,10] say[12,14] we[16,17] didn't[19,24] expect[26,31] that[33,36] .[37,37] \
             Jane's[39,44] boyfriend[46,54] .[55,55]",
        ),
        ("U.S.A.", "U.S.A[0,4] .[5,5]"),
        ("(and you know it héroe).", "([0,0] and[1,3] you[5,7] know[9,12] it[14,15] héroe[17,21] ).[22,23]"),
        ("'He said',", "'[0,0] He[1,2] said[4,7] ',[8,9]"),
        ("markus-crassus.", "markus-crassus[0,13] .[14,14]"),
        ("$100 bucks", "$100[0,3] bucks[5,9]"),
        ("www.google.com.", "www.google.com[0,13] .[14,14]"),
        ("e-mail: a.b@c.com", "e-mail[0,5] :[6,6] a.b@c.com[8,16]"),
        ("?!?! what", "?!?![0,3] what[5,8]"),
        ("...", "...[0,2]"),
        ("wait...", "wait[0,3] ...[4,6]"),
        ("\"Quoted\" text", "\"[0,0] Quoted[1,6] \"[7,7] text[9,12]"),
        ("don't", "don't[0,4]"),
        ("3.14", "3.14[0,3]"),
        ("1,000,000", "1,000,000[0,8]"),
        ("-5 +5", "-[0,0] 5[1,1] +5[3,4]"),
        ("[NER] {x} <y>", "[NER][0,4] {x}[6,8] <y>[10,12]"),
        ("C++ C# .NET", "C++[0,2] C#[4,5] .[7,7] NET[8,10]"),
        ("50%", "50%[0,2]"),
        ("rock'n'roll", "rock'n'roll[0,10]"),
        ("(a)(b)", "([0,0] a)(b[1,4] )[5,5]"),
        ("semi;colon", "semi;colon[0,9]"),
        ("a\u{a0}b", "a\u{a0}b[0,2]"),
        ("a\u{200b}b", "a\u{200b}b[0,2]"),
        ("tab\tsep\nnew\r\nline", "tab[0,2] sep[4,6] new[8,10] line[13,16]"),
        ("  lead trail  ", "lead[2,5] trail[7,11]"),
        ("", ""),
        ("   ", ""),
        ("emoji 😀 ok", "emoji[0,4] 😀[6,7] ok[9,10]"),
        ("x😀.", "x😀[0,2] .[3,3]"),
        ("“Smart” quotes", "“Smart”[0,6] quotes[8,13]"),
        ("AT&amp;T", "AT&amp;T[0,7]"),
        ("#39;s", "#39;s[0,4]"),
        (
            "Reuters - Short-sellers, Wall Street's dwindling\\band",
            "Reuters[0,6] -[8,8] Short-sellers[10,22] ,[23,23] Wall[25,28] Street's[30,37] dwindling\\band[39,52]",
        ),
        ("well--then", "well--then[0,9]"),
        ("**bold**", "**[0,1] bold[2,5] **[6,7]"),
        ("It's 5:30p.m.", "It's[0,3] 5:30p.m[5,11] .[12,12]"),
        ("a.b.", "a.b[0,2] .[3,3]"),
        ("!wow!!", "![0,0] wow[1,3] !![4,5]"),
        ("foo\u{2028}bar.", "foo\u{2028}bar[0,6] .[7,7]"),
        ("100,", "100[0,2] ,[3,3]"),
        ("--", "--[0,1]"),
        ("Oil prices: $50/barrel", "Oil[0,2] prices[4,9] :[10,10] $50/barrel[12,21]"),
        ("a\u{b}b\u{c}c", "a[0,0] b[2,2] c[4,4]"),
    ];

    #[test]
    fn default_rules() {
        for (text, expected) in DEFAULT_RULES {
            assert_eq!(shown(&Tokenizer::default(), text, 0), expected, "{text:?}");
        }
    }

    #[test]
    fn a_sentence_counts_from_its_document() {
        assert_eq!(shown(&Tokenizer::default(), "Go on.", 4), "Go[4,5] on[7,8] .[9,9]");
    }

    #[test]
    fn lengths_are_limits_on_utf16_units() {
        let settings = TokenizerSettings { min_length: 4, max_length: Some(5), ..Default::default() };
        let tokenizer = Tokenizer::new(settings).expect("four is below five");
        assert_eq!(shown(&tokenizer, "Hello New York and Goodbye 😀😀", 0), "Hello[0,4] York[10,13] 😀😀[27,30]");
    }

    #[test]
    fn contradicting_lengths_are_an_error() {
        let settings = TokenizerSettings { min_length: 4, max_length: Some(3), ..Default::default() };
        let error = Tokenizer::new(settings).expect_err("three is below four");
        assert_eq!(error.to_string(), "the largest token length 3 is below the smallest, 4");
    }

    #[test]
    fn context_chars_can_be_replaced() {
        let settings = TokenizerSettings { context_chars: ContextChars::new(['!']), ..Default::default() };
        let tokenizer = Tokenizer::new(settings).expect("no lengths are set");
        assert_eq!(shown(&tokenizer, "(Hello.)!", 0), "(Hello.)[0,7] ![8,8]");
    }

    proptest! {
        /// Tokens are ordered, do not overlap, hold no break, and together hold everything that is not a break.
        #[test]
        fn tokens_cover_the_text(text in "[ \\t\\na-c.,'(é😀\u{a0}]{0,40}") {
            let mut tokens = Vec::new();
            Tokenizer::default().tokenize(&text, 0, &mut tokens).unwrap();
            let joined: String = tokens.iter().map(|t| &text[t.range.clone()]).collect();
            let kept: String = text.chars().filter(|c| !c.is_ascii_whitespace() && *c != '\u{b}').collect();
            prop_assert_eq!(joined, kept);
            let units: Vec<u16> = text.encode_utf16().collect();
            for token in &tokens {
                let again = String::from_utf16_lossy(&units[token.begin..=token.end]);
                prop_assert_eq!(&again, &text[token.range.clone()]);
            }
        }
    }
}
