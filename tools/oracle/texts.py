"""Awkward strings, from a seed: what sentence and token rules look at, glued together in every way."""

import random

from vectors import vectors

WORDS = [
    "the", "oil", "Prices", "rose", "on", "Monday", "court", "said", "it", "would", "New", "York", "Jane's", "won't", "co-op", "I", "a",
    "is", "I'm", "I'll", "They", "KG", "iPhone", "McDonald", "naïve", "Ärger", "go", "He", "Reuters", "AP", "state-of-the-art", "x_y",
]
# Every abbreviation that the detector knows, some that it does not, and lower and upper case of them by chance.
SHORT = [
    "adj", "bros", "btw", "co", "col", "corp", "cpl", "dec", "aug", "del", "dept", "dist", "dr", "e.g", "etc", "exp", "feb", "fy", "hr",
    "i.e", "inc", "jan", "jr", "jul", "jun", "lt", "ltd", "mar", "may", "min", "mr", "mrs", "ms", "no", "nov", "oct", "ok", "p", "plz",
    "prof", "px", "rep", "sec", "sep", "sept", "sr", "st", "u.s", "ver", "vs", "mt", "fig", "gov", "gen", "capt", "ave", "ca", "cf", "pp",
]
DOTTED = ["U.S.", "U.S.A.", "E.U", "U.K.", "a.m.", "p.m.", "5 p.m", "A.M", "J.", "E.", "J. R. R.", "A.B.C.", "i.e.", "Ph.D.", "x.y.z", "N.B"]
NUMBERS = [
    "3.14", "$100.00", "1,000.50", ".5", "5.", "No. 5", "p. 55", "47.5%", "1.2.3", "v2.0.", "$5!", "5°. 6", "12", "0", "1st.", "£3m", "Q3",
    "10.10.2004", "2004-11-08", "5:30", "17:45:09.", "8/11/04", "Nov. 8,", "3. May", "'98.", "1990s.", "2.c", "a1.b",
]
LISTS = ["1.", "2.)", "a)", "(b)", "(ii)", "-3.", "-4.)", "10.", "1)", "12.", "s-5.)", "-", "*", "•", "iv)", "123.", "A)", "(A)"]
ENDS = [".", ".", ".", ".", "?", "!", "!!", "?!", "...", "....", "..", ";", ":", ",", "…", "。", " .", " !", "?\"", "!'", ".)", ".]", ".'", ".\"", ". ...", "‽"]
PAIRS = [("'", "'"), ('"', '"'), ("(", ")"), ("[", "]"), ("“", "”"), ("‘", "’"), ("«", "»"), ("{", "}"), ("``", "''"), ("<", ">"), ("'", '"'), ("(", "]")]
SPACES = [" ", " ", " ", " ", " ", " ", " ", "  ", "\n", "\n\n", "\t", "\r\n", "\u00a0", "\u200b", "\u2028", "\u0085", "\u3000", "\x0b", "\x0c", "\r", ""]
MARKS = list(".,;:!?*-()\"'") + ["--", "#", "&", "@", "%", "$", "^", "|", "/", "\\", "_", "+", "=", "~", "`", "<", "]", "%%", "###", "•", "–", "—"]
ODD = [
    "😀", "👨\u200d👩\u200d👧", "👍🏽.", "🇫🇷", "❤\ufe0f", "e\u0301te\u0301.", "a\u0308\u0323!", "ﬁne", "Ａ１。", "日本語", "東京。大阪", "한국어.", "שלום.",
    "مرحبا؟", "नमस्ते।", "\u202eabc\u202c", "\ufeff", "\u00ad", "\x00", "\x01", "\x07x", "\x1b[0m", "\x7f", "\u0002", "\ue000", "\U0001d400",
    "\u2187", "\u2188", "½", "²", "ß", "İ", "ǆ", "\ufffd", "\U0010ffff",
]
WEB = [
    "http://x.y/z?a=b&c=d.", "https://example.org/a(b)_c;", "www.site.com,", "a.b@c.com", "<a.b@c.co.uk>", "ftp://h:21/p.", "#tag", "@user:",
    "AT&amp;T", "#39;s", "&lt;b&gt;", "&quot;Hi.&quot;", "&nbsp;", "dwindling\\band", "C:\\new\\table.txt", "a\\nb", "x\\ty", "q\\r\\nr", "\\n", "\\t", "\\",
]


def _case(rng, word):
    return rng.choice([word, word, word.capitalize(), word.upper()])


def _part(rng, depth=0):
    """One word, mark or clause."""
    kind = rng.randrange(22)
    if kind < 7:
        return rng.choice(WORDS)
    if kind < 10:
        after = rng.choice([".", ".", ".", ".,", "..", ".:", ".-", ".?", "", ".'s", ".!", ".)", ".:5", ". (x)"])
        return _case(rng, rng.choice(SHORT)) + after
    if kind == 10:
        return rng.choice(DOTTED)
    if kind in (11, 12):
        return rng.choice(NUMBERS)
    if kind == 13:
        return rng.choice(LISTS)
    if kind in (14, 15):
        return rng.choice(WORDS) + rng.choice(ENDS)
    if kind == 16 and depth < 2:
        left, right = rng.choice(PAIRS)
        inside = _join(rng, rng.randint(1, 4), depth + 1, [" "])
        return left + inside + right + rng.choice(["", "", ".", ",", "!", "?"])
    if kind == 17:
        return "".join(rng.choice(MARKS) for _ in range(rng.randint(1, 3)))
    if kind == 18:
        return rng.choice(ODD)
    if kind == 19:
        return rng.choice(WEB)
    if kind == 20:
        return rng.choice(MARKS) + rng.choice(WORDS) + rng.choice(MARKS)
    return rng.choice(ENDS)


def _join(rng, count, depth, spaces):
    out = _part(rng, depth)
    for _ in range(count - 1):
        out += rng.choice(spaces) + _part(rng, depth)
    return out


def _long(rng):
    """Words beyond every limit, and long runs of one thing."""
    unit = rng.choice(["a", "ab.", "!", "x-", "😀", "( ", "'", "...", "1.", "é", ".a"])
    return unit * rng.randint(40, 300 // len(unit)) + rng.choice(["", ".", " end."])


def texts(count: int, seed: int) -> list:
    """The vectors, and generated strings up to `count`, none twice; the same for the same seed and count."""
    rng = random.Random(seed)
    out = dict.fromkeys(vectors())
    while len(out) < count:
        if rng.randrange(60) == 0:
            text = _long(rng)
        else:
            spaces = rng.choice([[" "], [" "], SPACES, SPACES])
            edge = rng.choice(["", "", "", " ", "\n", "\t "])
            text = edge + _join(rng, rng.choice([rng.randint(1, 5), rng.randint(4, 16)]), 0, spaces) + rng.choice(["", "", "", ".", " ", "\n"])
        out[text] = None
    return list(out)
