//! Sets of characters that have names.

use std::sync::LazyLock;

use super::char_set::CharSet;
use super::reader::{Flags, Translator};

/// What `\h` matches.
pub(super) const HORIZONTAL_SPACE: [(char, char); 9] = [
    ('\t', '\t'),
    (' ', ' '),
    ('\u{a0}', '\u{a0}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{2000}', '\u{200a}'),
    ('\u{202f}', '\u{202f}'),
    ('\u{205f}', '\u{205f}'),
    ('\u{3000}', '\u{3000}'),
];

/// Blocks that patterns name, of the many that there are.
const BLOCKS: [(&str, char, char); 14] = [
    ("basiclatin", '\0', '\u{7f}'),
    ("latin1supplement", '\u{80}', '\u{ff}'),
    ("latinextendeda", '\u{100}', '\u{17f}'),
    ("latinextendedb", '\u{180}', '\u{24f}'),
    ("combiningdiacriticalmarks", '\u{300}', '\u{36f}'),
    ("greek", '\u{370}', '\u{3ff}'),
    ("cyrillic", '\u{400}', '\u{4ff}'),
    ("hebrew", '\u{590}', '\u{5ff}'),
    ("arabic", '\u{600}', '\u{6ff}'),
    ("generalpunctuation", '\u{2000}', '\u{206f}'),
    ("hiragana", '\u{3040}', '\u{309f}'),
    ("katakana", '\u{30a0}', '\u{30ff}'),
    ("cjkunifiedideographs", '\u{4e00}', '\u{9fff}'),
    ("hangulsyllables", '\u{ac00}', '\u{d7af}'),
];

pub(super) fn digits(flags: Flags) -> CharSet {
    if flags.unicode_classes { class(r"\p{Nd}") } else { CharSet::ranges([('0', '9')]) }
}

pub(super) fn spaces(flags: Flags) -> CharSet {
    if flags.unicode_classes { class(r"\p{White_Space}") } else { CharSet::ranges([(' ', ' '), ('\t', '\r')]) }
}

pub(super) fn word(flags: Flags) -> CharSet {
    if flags.unicode_classes {
        class(r"[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]")
    } else {
        CharSet::ranges([('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')])
    }
}

/// What Java's `Character.isLetterOrDigit` is true of.
pub(crate) fn letters_and_digits() -> &'static CharSet {
    static SET: LazyLock<CharSet> = LazyLock::new(|| class(r"[\p{L}\p{Nd}]"));
    &SET
}

/// Marks that take no room of their own.
pub(crate) fn non_spacing_marks() -> &'static CharSet {
    static SET: LazyLock<CharSet> = LazyLock::new(|| class(r"\p{Mn}"));
    &SET
}

/// A class that is written here; tests hold that each is one.
fn class(class: &str) -> CharSet {
    CharSet::known(class).unwrap_or_else(|| CharSet::of([]))
}

/// What follows `\p`: a letter, or a name in braces.
pub(super) fn parse(translator: &mut Translator) -> Result<CharSet, String> {
    let mut name = String::new();
    match translator.raw() {
        Some('{') => loop {
            match translator.raw() {
                Some('}') => break,
                Some(c) => name.push(c),
                None => return Err(r"the name behind \p{ does not end".to_owned()),
            }
        },
        Some(c) => name.push(c),
        None => return Err(r"\p is not followed by a name".to_owned()),
    }
    let set = named(&name, translator.flags);
    set.map(|set| set.folded(translator.flags)).ok_or_else(|| format!(r"\p{{{name}}} is not supported"))
}

fn named(name: &str, flags: Flags) -> Option<CharSet> {
    if let Some((key, value)) = name.split_once('=') {
        return match key.to_ascii_lowercase().as_str() {
            "gc" | "general_category" => category(value),
            "sc" | "script" => CharSet::known(&format!(r"\p{{Script={}}}", plain(value)?)),
            "blk" | "block" => block(value),
            _ => None,
        };
    }
    if let Some(name) = name.strip_prefix("In") {
        return block(name);
    }
    if let Some(name) = name.strip_prefix("Is") {
        let plain_name = plain(name)?;
        return category(name)
            .or_else(|| binary(name))
            .or_else(|| CharSet::known(&format!(r"\p{{Script={plain_name}}}")));
    }
    if let Some(name) = name.strip_prefix("java") {
        return java(name);
    }
    posix(name, flags).or_else(|| category(name))
}

/// A name that holds nothing but letters, digits and `_`.
fn plain(name: &str) -> Option<&str> {
    (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')).then_some(name)
}

/// General categories, which have one or two letters.
fn category(name: &str) -> Option<CharSet> {
    match name {
        "LC" => Some(class(r"[\p{Lu}\p{Ll}\p{Lt}]")),
        "LD" => Some(letters_and_digits().clone()),
        "L1" => Some(CharSet::ranges([('\0', '\u{ff}')])),
        "all" => Some(CharSet::all()),
        _ if name.len() <= 2 && plain(name).is_some() && name.starts_with(char::is_uppercase) => {
            CharSet::known(&format!(r"\p{{gc={name}}}"))
        }
        _ => None,
    }
}

fn block(name: &str) -> Option<CharSet> {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let (_, start, end) = BLOCKS.into_iter().find(|(block, ..)| *block == name)?;
    Some(CharSet::ranges([(start, end)]))
}

/// Properties that are there or not.
fn binary(name: &str) -> Option<CharSet> {
    let class_of = match name.to_ascii_uppercase().as_str() {
        "ALPHABETIC" => r"\p{Alphabetic}",
        "IDEOGRAPHIC" => r"\p{Ideographic}",
        "LETTER" => r"\p{L}",
        "LOWERCASE" => r"\p{Lowercase}",
        "UPPERCASE" => r"\p{Uppercase}",
        "TITLECASE" => r"\p{Lt}",
        "PUNCTUATION" => r"\p{P}",
        "CONTROL" => r"\p{Cc}",
        "WHITE_SPACE" | "WHITESPACE" => r"\p{White_Space}",
        "DIGIT" => r"\p{Nd}",
        "HEX_DIGIT" => r"[\p{Nd}A-Fa-f\x{ff10}-\x{ff19}\x{ff21}-\x{ff26}\x{ff41}-\x{ff46}]",
        "JOIN_CONTROL" => r"\p{Join_Control}",
        "ASSIGNED" => r"\P{Cn}",
        _ => return None,
    };
    CharSet::known(class_of)
}

/// What the methods of `java.lang.Character` say.
fn java(name: &str) -> Option<CharSet> {
    let class_of = match name {
        "LowerCase" => r"\p{Lowercase}",
        "UpperCase" => r"\p{Uppercase}",
        "Alphabetic" => r"\p{Alphabetic}",
        "Ideographic" => r"\p{Ideographic}",
        "TitleCase" => r"\p{Lt}",
        "Digit" => r"\p{Nd}",
        "Defined" => r"\P{Cn}",
        "Letter" => r"\p{L}",
        "LetterOrDigit" => r"[\p{L}\p{Nd}]",
        "SpaceChar" => r"\p{Z}",
        "Whitespace" => r"[\p{Z}\t-\r\x{1c}-\x{1f}&&[^\x{a0}\x{2007}\x{202f}]]",
        "ISOControl" => r"\p{Cc}",
        _ => return None,
    };
    CharSet::known(class_of)
}

/// The classes of POSIX: ASCII, unless the flag `U` says otherwise.
fn posix(name: &str, flags: Flags) -> Option<CharSet> {
    let (ascii, unicode) = match name {
        "Lower" => (r"[a-z]", r"\p{Lowercase}"),
        "Upper" => (r"[A-Z]", r"\p{Uppercase}"),
        "ASCII" => (r"[\x00-\x7f]", r"[\x00-\x7f]"),
        "Alpha" => (r"[A-Za-z]", r"\p{Alphabetic}"),
        "Digit" => (r"[0-9]", r"\p{Nd}"),
        "Alnum" => (r"[0-9A-Za-z]", r"[\p{Alphabetic}\p{Nd}]"),
        "Punct" => (r"[!-/:-@\[-`{-~]", r"\p{P}"),
        "Graph" => (r"[!-~]", r"[^\p{White_Space}\p{Cc}\p{Cn}]"),
        "Print" => (r"[ -~]", r"[[^\p{White_Space}\p{Cc}\p{Cn}]\p{Zs}]"),
        "Blank" => (r"[ \t]", r"[\p{Zs}\t]"),
        "Cntrl" => (r"[\x00-\x1f\x7f]", r"\p{Cc}"),
        "XDigit" => (r"[0-9A-Fa-f]", r"[\p{Nd}A-Fa-f\x{ff10}-\x{ff19}\x{ff21}-\x{ff26}\x{ff41}-\x{ff46}]"),
        "Space" => (r"[ \t-\r]", r"\p{White_Space}"),
        _ => return None,
    };
    CharSet::known(if flags.unicode_classes { unicode } else { ascii })
}
