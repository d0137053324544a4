//! Cutting by the patterns of a user.

use std::collections::HashSet;
use std::ops::Range;

use super::{BREAK, PROTECTED, TokenizerSettings};
use crate::error::TextError;
use crate::pattern::Pattern;

/// The compiled patterns of a tokenizer.
#[derive(Debug, Clone)]
pub(super) struct Patterns {
    /// One character that breaks a text into candidates.
    breaks: Pattern,
    /// Whether the target alone makes the break mark a break, so that an exception can hold it as it holds others.
    target_breaks_at_mark: bool,
    exceptions: Option<Pattern>,
    /// Prefix, infix and suffix; none where only context characters are split off.
    rules: Vec<Pattern>,
    split_pattern: Option<Pattern>,
    /// Where tokens are cut at characters, and the characters that a token must hold for that.
    split_chars: Option<(Pattern, Vec<char>)>,
}

/// A run of text between breaks.
pub(super) struct Candidate {
    /// Where it lies in the text, in bytes.
    pub(super) range: Range<usize>,
    /// Whether an exception keeps it whole.
    pub(super) whole: bool,
}

impl Patterns {
    /// The patterns of these settings, unless the default rules do all that they ask for.
    pub(super) fn new(settings: &TokenizerSettings) -> Result<Option<Self>, TextError> {
        let rules = rules(settings)?;
        let nothing_set = settings.target_pattern.is_none()
            && settings.exceptions.is_empty()
            && settings.split_pattern.is_none()
            && settings.split_chars.is_empty();
        if rules.is_empty() && nothing_set {
            return Ok(None);
        }
        let target = settings.target_pattern.as_deref().unwrap_or(r"\S+");
        let exceptions = if settings.case_sensitive_exceptions {
            settings.exceptions.join("|")
        } else {
            settings.exceptions.iter().map(|exception| format!("(?i){exception}")).collect::<Vec<_>>().join("|")
        };
        let split_chars = if settings.split_chars.is_empty() {
            None
        } else {
            let held = settings.split_chars.iter().filter_map(|chars| chars.chars().next_back()).collect();
            Some((Pattern::new(&settings.split_chars.join("|"))?, held))
        };
        let off_target = format!("[^(?:{target}){PROTECTED}]");
        let target_breaks_at_mark = !Pattern::new(&off_target)?.find_all(&BREAK.to_string())?.is_empty();
        Ok(Some(Self {
            breaks: Pattern::new(&format!("{off_target}|{BREAK}"))?,
            target_breaks_at_mark,
            exceptions: if settings.exceptions.is_empty() { None } else { Some(Pattern::new(&exceptions)?) },
            rules,
            split_pattern: settings.split_pattern.as_deref().map(Pattern::new).transpose()?,
            split_chars,
        }))
    }

    /// The candidates of a text, in order; none is empty.
    pub(super) fn candidates(&self, text: &str) -> Result<Vec<Candidate>, TextError> {
        let breaks = self.breaks.find_all(text)?;
        let exceptions = self.exceptions.as_ref().map_or(Ok(Vec::new()), |exceptions| exceptions.find_all(text))?;
        let mut exceptions = exceptions.into_iter().peekable();
        let (mut candidates, mut literals) = (Vec::new(), HashSet::new());
        let (mut start, mut whole) = (0, false);
        let mut holds_break = false;
        // The end of the text is a break like any other.
        for at in breaks.into_iter().chain(std::iter::once(text.len()..text.len() + 1)) {
            while let Some(exception) = exceptions.next_if(|exception| exception.end <= at.start) {
                if !holds_break {
                    literals.insert(&text[exception]);
                }
                holds_break = false;
            }
            let can_be_held = self.target_breaks_at_mark || !text[at.start..].starts_with(BREAK);
            if can_be_held && exceptions.peek().is_some_and(|exception| exception.start <= at.start) {
                // An exception goes on over this break.
                whole = true;
                holds_break = true;
                continue;
            }
            if start < at.start {
                candidates.push(Candidate { range: start..at.start, whole });
            }
            (start, whole) = (at.end, false);
        }
        if self.exceptions.is_some() {
            for candidate in &mut candidates {
                let candidate_text = &text[candidate.range.clone()];
                candidate.whole |= candidate_text.contains(PROTECTED) || literals.contains(candidate_text);
            }
        }
        Ok(candidates)
    }

    /// Whether rules take the place of context characters.
    pub(super) fn has_rules(&self) -> bool {
        !self.rules.is_empty()
    }

    /// The groups of the first rule that is found in a candidate, in bytes; none when no rule is found.
    pub(super) fn groups(&self, candidate: &str) -> Result<Option<Vec<Range<usize>>>, TextError> {
        for rule in &self.rules {
            if let Some(groups) = rule.captures(candidate)? {
                return Ok(Some(groups.into_iter().flatten().collect()));
            }
        }
        Ok(None)
    }

    /// The parts that a token is cut into, in bytes; some may be empty.
    pub(super) fn split(&self, token: &str) -> Result<Vec<Range<usize>>, TextError> {
        if let Some(pattern) = &self.split_pattern {
            let parts = pattern.split(token)?;
            if parts.len() > 1 {
                return Ok(parts);
            }
        }
        match &self.split_chars {
            Some((pattern, held)) if token.contains(held.as_slice()) => pattern.split(token),
            _ => Ok(std::iter::once(0..token.len()).collect()),
        }
    }
}

/// The rules that take the place of context characters: one for each infix pattern.
fn rules(settings: &TokenizerSettings) -> Result<Vec<Pattern>, TextError> {
    if !settings.rules.is_empty() {
        return settings.rules.iter().map(|rule| Pattern::new(rule)).collect();
    }
    // The default rule looks at no line but the first, which shows only where a line end is a context character.
    let lines = ['\u{85}', '\u{2028}', '\u{2029}'].iter().any(|c| settings.context_chars.contains(*c));
    if settings.prefix_pattern.is_none()
        && settings.suffix_pattern.is_none()
        && settings.infix_patterns.is_empty()
        && !lines
    {
        return Ok(Vec::new());
    }
    let chars: String =
        settings.context_chars.as_slice().iter().map(|c| format!("\\x{{{:x}}}", u32::from(*c))).collect();
    let (context, other) = if chars.is_empty() {
        ("(?!)".to_owned(), r"[\x{0}-\x{10ffff}]".to_owned())
    } else {
        (format!("[{chars}]"), format!("[^{chars}]"))
    };
    let prefix = settings.prefix_pattern.clone().unwrap_or_else(|| format!(r"\A({context}*)"));
    let suffix = settings.suffix_pattern.clone().unwrap_or_else(|| format!(r"({context}*)\z"));
    let default_infix = [format!("({other}(?:.*{other})*)")];
    let infixes = if settings.infix_patterns.is_empty() { &default_infix[..] } else { &settings.infix_patterns };
    infixes.iter().map(|infix| Pattern::new(&format!("{prefix}{infix}{suffix}"))).collect()
}
