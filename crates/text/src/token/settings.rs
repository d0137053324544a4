//! What can be set on a tokenizer.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::error::TextError;
use crate::offsets::utf16_len;

/// The characters that are split off the ends of a word (Spark NLP's `contextChars`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextChars(Vec<char>);

impl ContextChars {
    /// These characters and no others.
    #[must_use]
    pub fn new(chars: impl IntoIterator<Item = char>) -> Self {
        Self(chars.into_iter().collect())
    }

    /// The characters that a user lists, each a string of its own.
    ///
    /// # Errors
    ///
    /// [`TextError::Parameter`] when one is not exactly one UTF-16 code unit long.
    ///
    /// ```
    /// use albertine_text::ContextChars;
    ///
    /// assert!(ContextChars::from_strings(&[".", ","])?.contains(','));
    /// assert!(ContextChars::from_strings(&["..."]).is_err());
    /// # Ok::<(), albertine_text::TextError>(())
    /// ```
    pub fn from_strings<S: AsRef<str>>(chars: &[S]) -> Result<Self, TextError> {
        let one = |text: &S| match (text.as_ref().chars().next(), utf16_len(text.as_ref())) {
            (Some(c), 1) => Ok(c),
            _ => Err(parameter("contextChars", text.as_ref(), "each must be one character")),
        };
        chars.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `c` is one of them.
    #[must_use]
    pub fn contains(&self, c: char) -> bool {
        self.0.contains(&c)
    }

    /// The characters, in the order in which they were given.
    #[must_use]
    pub fn as_slice(&self) -> &[char] {
        &self.0
    }
}

impl Default for ContextChars {
    /// `. , ; : ! ? * - ( ) " '`
    fn default() -> Self {
        Self::new(['.', ',', ';', ':', '!', '?', '*', '-', '(', ')', '"', '\''])
    }
}

/// How texts are cut into tokens. Patterns are Java regular expressions ([`Pattern`](crate::Pattern)); lengths are in
/// UTF-16 code units.
///
/// A prefix, an infix and a suffix make a rule, which is looked for in each candidate; its groups are the tokens, and
/// a candidate in which no rule is found stays whole. There is one rule for each infix pattern, and the first that is
/// found counts. What is not set stands for: as many context characters as there are, and between them anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenizerSettings {
    /// What a candidate for a token is made of (default `\S+`: anything but the six ASCII space characters). It is read
    /// as the inside of a class, so of `\w+` the `+` is a character that belongs to candidates, and so are `( ? : )`.
    pub target_pattern: Option<String>,
    /// The characters split off the ends of a word.
    pub context_chars: ContextChars,
    /// What is split off the start of a word, in the place of context characters; starts with `\A`.
    pub prefix_pattern: Option<String>,
    /// What is split off the end of a word, in the place of context characters; ends with `\z`.
    pub suffix_pattern: Option<String>,
    /// What stands between the two, in the place of anything: each with a group for every token.
    pub infix_patterns: Vec<String>,
    /// Whole rules in the place of context characters, prefix, infix and suffix, each with a group for every token: what a
    /// fitted Tokenizer of Spark NLP has made of those.
    pub rules: Vec<String>,
    /// What stays whole, with all that is glued to it if it holds a space.
    pub exceptions: Vec<String>,
    /// Whether case counts in exceptions (default: it does).
    pub case_sensitive_exceptions: bool,
    /// Where tokens are cut again; `split_chars` is looked at where this does not cut.
    pub split_pattern: Option<String>,
    /// At which characters tokens are cut again: each one character, or a backslash and one.
    pub split_chars: Vec<String>,
    /// The shortest token that is kept (default 0).
    pub min_length: usize,
    /// The longest token that is kept (default: any length).
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
            rules: Vec::new(),
            exceptions: Vec::new(),
            case_sensitive_exceptions: true,
            split_pattern: None,
            split_chars: Vec::new(),
            min_length: 0,
            max_length: None,
        }
    }
}

impl TokenizerSettings {
    /// Sets the rules that a fitted Tokenizer of Spark NLP keeps, whole ones. One that splits off context characters and
    /// nothing else gives these characters back.
    ///
    /// ```
    /// use albertine_text::TokenizerSettings;
    ///
    /// let saved = r"\A([\Q,!\E]*)([^\Q,!\E](?:.*[^\Q,!\E])*)([\Q,!\E]*)\z".to_owned();
    /// let settings = TokenizerSettings::default().with_rules(vec![saved]);
    /// assert_eq!(settings.context_chars.as_slice(), [',', '!']);
    /// assert!(settings.rules.is_empty());
    /// ```
    #[must_use]
    pub fn with_rules(mut self, rules: Vec<String>) -> Self {
        match rules.as_slice() {
            [rule] if let Some(chars) = context_chars_of(rule) => {
                self.context_chars = chars;
                self.rules = Vec::new();
            }
            _ => self.rules = rules,
        }
        self
    }

    /// What Spark NLP's setters look at.
    pub(super) fn check(&self) -> Result<(), TextError> {
        TextError::check_lengths("token", self.min_length, self.max_length)?;
        if let Some(prefix) = self.prefix_pattern.as_deref().filter(|prefix| !prefix.starts_with(r"\A")) {
            return Err(parameter("prefixPattern", prefix, r"it must start with \A, the start of a word"));
        }
        if let Some(suffix) = self.suffix_pattern.as_deref().filter(|suffix| !suffix.ends_with(r"\z")) {
            return Err(parameter("suffixPattern", suffix, r"it must end with \z, the end of a word"));
        }
        for infix in &self.infix_patterns {
            if infix.split_once('(').is_none_or(|(_, group)| !group.contains(')')) {
                return Err(parameter("infixPatterns", infix, "each must hold a group, which makes a token"));
            }
        }
        for chars in &self.split_chars {
            let length = utf16_len(chars);
            if length != 1 && (length != 2 || !chars.starts_with('\\')) {
                return Err(parameter("splitChars", chars, "each must be one character, or a backslash and one"));
            }
        }
        Ok(())
    }
}

/// The characters of a rule that splits off context characters and nothing else, as Spark NLP writes it.
fn context_chars_of(rule: &str) -> Option<ContextChars> {
    let (chars, _) = rule.strip_prefix(r"\A([\Q")?.split_once(r"\E]*)(")?;
    let (some, other) = (format!(r"([\Q{chars}\E]*)"), format!(r"[^\Q{chars}\E]"));
    let usual = format!(r"\A{some}({other}(?:.*{other})*){some}\z");
    (rule == usual).then(|| ContextChars::new(chars.chars()))
}

fn parameter(parameter: &'static str, value: &str, reason: &str) -> TextError {
    TextError::Parameter { parameter, value: value.to_owned(), reason: reason.to_owned() }
}

/// The most bytes that a file of exceptions may have.
const LARGEST_EXCEPTIONS: u64 = 1 << 20;

/// The exceptions in a file (Spark NLP's `exceptionsPath`): one a line. A byte order mark at its beginning and blank
/// lines are no exceptions, while Spark NLP takes them for some.
///
/// # Errors
///
/// [`TextError::Read`] when the file cannot be read, [`TextError::TooLarge`] when it has more than a megabyte, and
/// [`TextError::Malformed`] when it is not UTF-8.
///
/// ```no_run
/// use albertine_text::{TokenizerSettings, read_exceptions};
///
/// let exceptions = read_exceptions("exceptions.txt".as_ref())?;
/// let settings = TokenizerSettings { exceptions, ..Default::default() };
/// # Ok::<(), albertine_text::TextError>(())
/// ```
pub fn read_exceptions(path: &Path) -> Result<Vec<String>, TextError> {
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_EXCEPTIONS + 1).read_to_end(&mut text))
        .map_err(|source| TextError::Read { path: path.to_owned(), source })?;
    if text.len() as u64 > LARGEST_EXCEPTIONS {
        return Err(TextError::TooLarge { path: path.to_owned(), cap: LARGEST_EXCEPTIONS });
    }
    let text = String::from_utf8(text)
        .map_err(|error| TextError::Malformed { path: path.to_owned(), reason: error.utf8_error().to_string() })?;
    // A blank exception would be found between any two characters, and hide those behind it.
    let lines = text.strip_prefix('\u{feff}').unwrap_or(&text).lines().filter(|line| !line.trim().is_empty());
    Ok(lines.map(str::to_owned).collect())
}
