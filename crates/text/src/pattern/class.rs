//! Sets of characters: what stands between square brackets, and the escapes that stand for sets.

use super::char_set::CharSet;
use super::property;
use super::reader::{Flags, Translator};

/// A class in square brackets, behind the opening one.
pub(super) fn parse(translator: &mut Translator) -> Result<CharSet, String> {
    translator.deeper(|translator| {
        let negated = !translator.is_quoting() && translator.take('^');
        let mut whole: Option<CharSet> = None;
        let mut union: Option<CharSet> = None;
        loop {
            let Some(c) = translator.peek() else { return Err("a class is not closed".to_owned()) };
            let sign = !translator.is_quoting();
            if sign && c == ']' && (union.is_some() || whole.is_some()) {
                translator.next();
                break;
            }
            if sign && translator.looking_at("&&") {
                while translator.looking_at("&&") {
                    translator.raw();
                    translator.raw();
                }
                // Nothing before the sign is no operand.
                if whole.is_some() || union.is_some() {
                    whole = Some(intersection(whole, union.take()));
                }
                continue;
            }
            let part = if sign && c == '[' {
                translator.next();
                parse(translator)?
            } else {
                range(translator)?
            };
            union = Some(match union {
                Some(union) => union.with(&part),
                None => part,
            });
        }
        let set = intersection(whole, union);
        Ok(if negated { set.negated() } else { set })
    })
}

/// What two operands have in common; one that is missing leaves the other as it is.
fn intersection(left: Option<CharSet>, right: Option<CharSet>) -> CharSet {
    match (left, right) {
        (Some(left), Some(right)) => left.intersected(&right),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => CharSet::of([]),
    }
}

/// One character, a range of them, or an escape that stands for a set.
fn range(translator: &mut Translator) -> Result<CharSet, String> {
    let flags = translator.flags;
    let start = match member(translator)? {
        Member::Char(c) => c,
        Member::Set(set) => return Ok(set),
    };
    if !translator.at_sign('-') || translator.is_quoting() {
        return Ok(CharSet::of([start]).folded(flags));
    }
    translator.next();
    if translator.at_sign(']') || translator.at_sign('[') {
        // A hyphen at the end is one.
        return Ok(CharSet::of([start, '-']).folded(flags));
    }
    match member(translator)? {
        Member::Char(end) if end >= start => Ok(CharSet::ranges([(start, end)]).folded(flags)),
        Member::Char(end) => Err(format!("the range {start:?} to {end:?} runs backwards")),
        Member::Set(_) => Err(format!("the range that starts with {start:?} has no last character")),
    }
}

enum Member {
    Char(char),
    Set(CharSet),
}

fn member(translator: &mut Translator) -> Result<Member, String> {
    let quoted = translator.peek().is_some() && translator.is_quoting();
    match translator.next() {
        None => Err("a class is not closed".to_owned()),
        Some('\\') if !quoted => match set_escape(translator)? {
            Some(set) => Ok(Member::Set(set)),
            None => char_escape(translator).map(Member::Char),
        },
        Some(c) => Ok(Member::Char(c)),
    }
}

/// What follows a backslash, where it stands for a character or a set of them.
pub(super) fn escape(translator: &mut Translator) -> Result<CharSet, String> {
    match set_escape(translator)? {
        Some(set) => Ok(set),
        None => Ok(CharSet::of([char_escape(translator)?]).folded(translator.flags)),
    }
}

/// A set, if the escape stands for one.
fn set_escape(translator: &mut Translator) -> Result<Option<CharSet>, String> {
    let flags = translator.flags;
    let named = ["d", "D", "s", "S", "w", "W", "h", "H", "v", "V", "p", "P"];
    let Some(name) = named.into_iter().find(|name| translator.looking_at(name)) else { return Ok(None) };
    translator.raw();
    let set = match name.to_ascii_lowercase().as_str() {
        "d" => property::digits(flags),
        "s" => property::spaces(flags),
        "w" => property::word(flags),
        "h" => CharSet::ranges(property::HORIZONTAL_SPACE),
        "v" => CharSet::ranges([('\n', '\r'), ('\u{85}', '\u{85}'), ('\u{2028}', '\u{2029}')]),
        _ => property::parse(translator)?,
    };
    Ok(Some(if name.starts_with(char::is_uppercase) { set.negated() } else { set }))
}

/// The character that an escape stands for.
fn char_escape(translator: &mut Translator) -> Result<char, String> {
    let Some(c) = translator.raw() else { return Err("it ends in a backslash".to_owned()) };
    match c {
        't' => Ok('\t'),
        'n' => Ok('\n'),
        'r' => Ok('\r'),
        'f' => Ok('\u{c}'),
        'a' => Ok('\u{7}'),
        'e' => Ok('\u{1b}'),
        'c' => {
            let control = translator.raw().and_then(|c| char::from_u32(u32::from(c) ^ 64));
            control.ok_or_else(|| r"\c is not followed by a character".to_owned())
        }
        '0' => octal(translator),
        'x' if translator.looking_at("{") => braced(translator),
        'x' => code_point(hexadecimal(translator, 2)?),
        'u' => utf16(translator),
        c if c.is_ascii_alphabetic() => Err(format!("\\{c} is not supported")),
        c => Ok(c),
    }
}

/// Up to three octal digits, of which the first of three is at most 3.
fn octal(translator: &mut Translator) -> Result<char, String> {
    let mut value = None;
    for digits in 0..3 {
        let digit = ('0'..='7').find(|digit| translator.looking_at(&digit.to_string())).and_then(|c| c.to_digit(8));
        let Some(digit) = digit.filter(|_| digits < 2 || value <= Some(0o37)) else { break };
        translator.raw();
        value = Some(value.unwrap_or(0) * 8 + digit);
    }
    value.map_or_else(|| Err(r"\0 is not followed by octal digits".to_owned()), code_point)
}

fn braced(translator: &mut Translator) -> Result<char, String> {
    translator.raw();
    let mut value = 0_u32;
    let mut digits = 0;
    loop {
        match translator.raw() {
            Some('}') if digits > 0 => return code_point(value),
            Some(c) if c.is_ascii_hexdigit() && value <= 0x10_FFFF => {
                value = value * 16 + c.to_digit(16).unwrap_or_default();
                digits += 1;
            }
            _ => return Err(r"\x{ is not followed by a number in hexadecimal digits and a }".to_owned()),
        }
    }
}

fn hexadecimal(translator: &mut Translator, digits: u32) -> Result<u32, String> {
    let mut value = 0;
    for _ in 0..digits {
        let digit = translator.raw().and_then(|c| c.to_digit(16));
        value = value * 16 + digit.ok_or_else(|| format!("{digits} hexadecimal digits are missing"))?;
    }
    Ok(value)
}

/// `\uXXXX`; two of them make one character beyond the basic plane.
fn utf16(translator: &mut Translator) -> Result<char, String> {
    let first = hexadecimal(translator, 4)?;
    if !(0xD800..0xDC00).contains(&first) || !translator.looking_at("\\u") {
        return code_point(first);
    }
    translator.raw();
    translator.raw();
    let second = hexadecimal(translator, 4)?;
    if !(0xDC00..0xE000).contains(&second) {
        return Err(format!("\\u{first:04X} is half a character"));
    }
    code_point(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00))
}

fn code_point(value: u32) -> Result<char, String> {
    char::from_u32(value).ok_or_else(|| format!("{value:X} is no character"))
}

/// `\b`, or `\B` where `there` is not: a change between word and not word, where a word is a letter, a digit or `_`
/// of any script, and a mark that combines with a letter or digit. Up to three marks on one letter are looked at.
pub(super) fn word_boundary(flags: Flags, there: bool) -> String {
    let (base, mark) = (property::letters_and_digits().to_class(), property::non_spacing_marks().to_class());
    let word = if flags.unicode_classes {
        property::word(flags)
    } else {
        property::letters_and_digits().clone().with(&CharSet::of(['_']))
    };
    let word = word.to_class();
    // Each large set as seldom as can be: they are slow to compile.
    let behind = format!("{word}|{base}{mark}(?:{mark}{mark}?)?");
    let marked = format!("(?<={base}(?:{mark}{mark}?)?){mark}");
    let (before, after) = (format!("(?<={behind})"), format!("(?={word}|{marked})"));
    let (not_before, not_after) = (format!("(?<!{behind})"), format!("(?!{word}|{marked})"));
    if there {
        format!("(?:{before}{not_after}|{not_before}{after})")
    } else {
        format!("(?:{before}{after}|{not_before}{not_after})")
    }
}
