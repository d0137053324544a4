"""Awkward strings, from a seed: the same strings for the same seed and count, whatever else is made."""

import random

SCRIPTS = [
    (0x41, 0x5A), (0x61, 0x7A), (0x61, 0x7A), (0xC0, 0x24F), (0x370, 0x3FF), (0x400, 0x4FF), (0x531, 0x587), (0x5D0, 0x5EA),
    (0x621, 0x64A), (0x904, 0x97F), (0xE01, 0xE5B), (0xF40, 0xFBC), (0x1100, 0x11FF), (0x1E00, 0x1EFF), (0x1F00, 0x1FFF),
    (0x3041, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0x10400, 0x1044F), (0x1D400, 0x1D7FF), (0x20000, 0x2A6DF),
]  # fmt: skip
SPACES = " \t\n\r\v\f\x1c\x1f\x85\u00a0\u1680\u2000\u2003\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
CONTROLS = [chr(c) for c in [*range(0x20), *range(0x7F, 0xA0)]] + list("\u00ad\u200b\u200c\u200d\u2060\ufeff\ufffd\ufffe\uffff")
MARKS = [(0x300, 0x36F), (0x483, 0x489), (0x591, 0x5C7), (0x64B, 0x65F), (0x93A, 0x94F), (0x20D0, 0x20F0), (0x1AB0, 0x1AC0), (0xFE20, 0xFE2F)]
DIRECTIONS = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
QUOTES = ["'", "''", "'''", "``", "`", '"', "“", "”", "‘", "’", "«", "»", "„", "′", "″", "´", "¨", "＂", "＇"]
NUMBERS = ["1,000", "3.14", "1,", "2²,", "①,", "٣,", "९,", "１,２", "50%", "$100", "5:30", "½,", "ⅷ,", "1,000,000,"]
SPECIALS = ["[CLS]", "[SEP]", "[MASK]", "<pad>", "<unk>", "[cls]", "[ MASK]", " [MASK]", "[MASK] ", "\u3000[MASK]", "<PAD>", "[CLS][SEP]"]
EMOJI = ["😀", "👨\u200d👩\u200d👧\u200d👦", "👍🏽", "🏳\ufe0f\u200d🌈", "🇫🇷", "🇫🇷🇩🇪🇫", "❤\ufe0f", "1\ufe0f\u20e3", "☃", "\u200d", "\ufe0e"]
FORMS = ["ﬁ", "ﬂ", "ﬃ", "ĳ", "ǆ", "ß", "ẞ", "İ", "ı", "Σ", "ς", "Å", "Å", "Ω", "㎏", "㍿", "™", "…", "‥", "№", "ﷺ", "ｱﾞ", "ﾊﾟ", "ー", "～", "〜", "ﹼ", "￼"]
WORDS = ["the", "Oil", "prices", "rose", "on", "Monday", "Café", "naïve", "don't", "Reuters", "AT&amp;T", "#39;s", "dwindling\\band", "U.S.A.", "co-op", "http://x.y/z?a=b", "ÀÉÎ", "STRASSE"]
EDGES = ["\u2581", "▁the", "the▁", "\ud7ff", "\ue000", "\uf8ff", "\U000f0000", "\U0010ffff", "\0", "a\0b", "\u0378", "\uFDD0", "(", ")", "-", "–", "£", "€", ".", ",", " ,", "'s"]


def _from(rng, ranges):
    first, last = rng.choice(ranges)
    return chr(rng.randint(first, last))


def _part(rng):
    kind = rng.randrange(14)
    if kind == 0:
        return "".join(_from(rng, SCRIPTS) for _ in range(rng.randint(1, 6)))
    if kind == 1:
        script = [rng.choice(SCRIPTS)]
        return "".join(_from(rng, script) for _ in range(rng.randint(1, 8)))
    if kind == 2:
        return _from(rng, SCRIPTS) + "".join(_from(rng, MARKS) for _ in range(rng.randint(1, 4)))
    if kind == 3:
        return "".join(rng.choice(SPACES) for _ in range(rng.randint(1, 4)))
    if kind == 4:
        return "".join(chr(rng.randint(0xFF01, 0xFFEE)) for _ in range(rng.randint(1, 4)))
    if kind == 5:
        return chr(rng.choice([rng.randint(0x21, 0xD7FF), rng.randint(0xE000, 0x1FFFF), rng.randint(0x20000, 0x10FFFF)]))
    if kind in (6, 7):
        return rng.choice(WORDS)
    return rng.choice([CONTROLS, DIRECTIONS, QUOTES, NUMBERS, SPECIALS, EMOJI, FORMS, EDGES][rng.randrange(8)])


def strings(count, seed):
    """`count` strings of up to nine parts, some glued together and some apart."""
    rng = random.Random(seed)
    out = ["", " ", "  a  ", "''``''", "[MASK]"]
    while len(out) < count:
        glue = rng.choice(["", "", " ", "  "])
        text = glue.join(_part(rng) for _ in range(rng.randint(1, 9)))
        out.append("".join(c for c in text if not 0xD800 <= ord(c) <= 0xDFFF))
    return out[:count]
