//! What Spark NLP does, text by text.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;

/// The sentences of a text with their offsets, as `text[begin,end]`.
fn shown(settings: SentenceDetectorSettings, text: &str) -> String {
    let mut sentences = Vec::new();
    SentenceDetector::new(settings).unwrap().detect(text, &mut sentences).unwrap();
    let shown: Vec<_> = sentences.iter().map(|s| format!("{}[{},{}]", s.text(text), s.begin, s.end)).collect();
    shown.join(" ")
}

fn by_default(text: &str) -> String {
    shown(SentenceDetectorSettings::default(), text)
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// Texts that are one sentence.
const WHOLE: [&str; 26] = [
    "My name is Jonas E. Smith.",
    "Please turn to p. 55.",
    "Were Jane and co. at the party?",
    "I can see Mt. Fuji from here.",
    "That is JFK Jr.'s book.",
    "He teaches science (He previously worked for 5 years as an engineer.) at the local University.",
    "She turned to him, 'This is great.' she said.",
    "She turned to him, \"This is great.\" she said.",
    "This is a sentence\ncut off in the middle because pdf.",
    "I visited the U.S.A. last year.",
    "I work for the U.S. government in Virginia.",
    "Wow!Great.",
    "end.Next",
    "Müller & Co. KG in Bonn",
    "a.m",
    "N°. 5 is]°. 6 here",
    "12. He",
    "See 'a|b. c' said",
    "-1é) x y -4.) z",
    "x etc.: etc., etc.-so on",
    "Mr.:5 etc. I am etc. I'm etc. I'll etc. 5 etc. x",
    "[Yes. No.] (a. b) \"c. d\"",
    "5.a 1.-",
    "X.'s$ .'s",
    "no. (5",
    "\u{a0}",
];

/// Texts and their sentences.
const CUT: [(&str, &str); 37] = [
    ("Hello World. My name is Jonas.", "Hello World.[0,11] My name is Jonas.[13,29]"),
    ("What is your name? My name is Jonas.", "What is your name?[0,17] My name is Jonas.[19,35]"),
    ("There it is! I found it.", "There it is![0,11] I found it.[13,23]"),
    ("Let's ask Jane and co. They should know.", "Let's ask Jane and co.[0,21] They should know.[23,39]"),
    ("She has $100.00. It is in her bag.", "She has $100.00.[0,15] It is in her bag.[17,33]"),
    ("Hello!! Long time no see.", "Hello!![0,6] Long time no see.[8,24]"),
    ("Hello!? Is that you?", "Hello!?[0,6] Is that you?[8,19]"),
    ("1.) The first item 2.) The second item", "1.) The first item[0,17] 2.) The second item[19,37]"),
    (
        "She works at Yahoo! in the accounting department.",
        "She works at Yahoo![0,18] in the accounting department.[20,48]",
    ),
    ("I live in the E.U. How about you?", "I live in the E.U.[0,17] How about you?[19,32]"),
    (
        "At 5 a.m. Mr. Smith went to the bank. He left the bank at 6 P.M. Next day came.",
        "At 5 a.m.[0,8] Mr. Smith went to the bank.[10,36] He left the bank at 6 P.M.[38,63] Next day came.[65,78]",
    ),
    ("Stocks rose; oil fell.", "Stocks rose;[0,11] oil fell.[13,21]"),
    ("Wait... What now?", "Wait...[0,6] What now?[8,16]"),
    ("It ends... and goes on.", "It ends.[0,7] .[8,8] .[9,9] and goes on.[11,22]"),
    (" Hello World!! .  New Sentence  ", "Hello World!![1,13] .[15,15] New Sentence[18,29]"),
    // The marker of a list item holds its full stop.
    ("His age is 34. He is visiting hospital.", "His age is[0,9] 34. He is visiting hospital.[11,38]"),
    ("Dr. Who vs. Mr. Bean. Done.", "Dr. Who vs.[0,10] Mr. Bean.[12,20] Done.[22,26]"),
    ("Fed (Reuters). Oil at $47.5.Now up", "Fed (Reuters).[0,13] Oil at $47.5.Now up[15,33]"),
    ("Line one.\nLine two", "Line one.[0,8] Line two[10,17]"),
    ("1. First item. 2. Second item.", "1. First item.[0,13] 2. Second item.[15,29]"),
    ("(a) one thing (b) two things", "(a) one thing[0,12] (b) two things[14,27]"),
    ("Inc. said it would. Apple Inc. rose 3%.", "Inc. said it would.[0,18] Apple Inc. rose 3%.[20,38]"),
    ("See Fig. 3 and No. 7. End", "See Fig.[0,7] 3 and No.[9,17] 7. End[19,24]"),
    ("WASHINGTON (AP) -- Oil fell. It rose.", "WASHINGTON (AP) -- Oil fell.[0,27] It rose.[29,36]"),
    ("No way...", "No way.[0,6] .[7,7] .[8,8]"),
    ("He said: “Go. Now.” ok", "He said: “Go.[0,12] Now.[14,17] ” ok[18,21]"),
    ("😀! Yes. é? No", "😀![0,2] Yes.[4,7] é?[9,10] No[12,13]"),
    ("iv) one -2. two s-3.) three", "iv) one[0,6] -2. two[8,14] s-3.) three[16,26]"),
    ("x -1. a -12. b -123. c", "x[0,0] -1. a[2,6] -12. b -123.[8,19] c[21,21]"),
    ("It cost 5!$6 x", "It cost 5![0,9] $6 x[10,13]"),
    ("'a. b' c. d", "'a. b' c.[0,8] d[10,10]"),
    ("x'a. b' c", "x'a.[0,3] b' c[5,8]"),
    ("(a. b c) d. (a. b? c) d", "(a. b c) d.[0,10] (a.[12,14] b?[16,17] c) d[19,22]"),
    ("(a. b? c", "(a.[0,2] b?[4,5] c[7,7]"),
    ("e\u{301}a.b. C a.b. c", "e\u{301}a.b.[0,5] C a.b. c[7,14]"),
    ("Mr.x (Mr. x", "Mr.x (Mr.[0,8] x[10,10]"),
    ("\u{0}a\u{1}. \u{2} b", "a\u{1}.[1,3] b[7,7]"),
];

#[test]
fn texts_that_are_one_sentence() {
    for text in WHOLE {
        assert_eq!(by_default(text), format!("{text}[0,{}]", utf16_len(text) - 1));
    }
}

#[test]
fn texts_that_are_several() {
    for (text, expected) in CUT {
        assert_eq!(by_default(text), expected, "{text:?}");
    }
}

#[test]
fn blank_texts_have_none() {
    for text in ["", " ", "\t\n\r", "\u{1}\u{0}"] {
        assert_eq!(by_default(text), "", "{text:?}");
    }
}

#[test]
fn characters_of_private_use_are_characters() {
    assert_eq!(by_default("a\u{f050}b ╔ c. d"), "a\u{f050}b ╔ c.[0,7] d[9,9]");
}

#[test]
fn abbreviations_and_lists_can_be_switched_off() {
    let without = || SentenceDetectorSettings { use_abbreviations: false, ..Default::default() };
    assert_eq!(shown(without(), "I can see Mt. Fuji from here."), "I can see Mt.[0,12] Fuji from here.[14,28]");
    // Acronyms and initials stay.
    assert_eq!(shown(without(), "A. B. C U.S. a.m. x"), "A. B. C U.S. a.m. x[0,18]");
    let settings = SentenceDetectorSettings { detect_lists: false, ..Default::default() };
    assert_eq!(
        shown(settings, "His age is 34. He is visiting hospital."),
        "His age is 34.[0,13] He is visiting hospital.[15,38]"
    );
}

fn bounds(bounds: &[&str], strategy: BoundsStrategy, only: bool) -> SentenceDetectorSettings {
    SentenceDetectorSettings {
        custom_bounds: strings(bounds),
        custom_bounds_strategy: strategy,
        use_custom_bounds_only: only,
        ..Default::default()
    }
}

#[test]
fn custom_bounds() {
    use BoundsStrategy::{Append, None, Prepend};
    let two = "This is a sentence. This one uses custom bounds; As is this one;";
    for (settings, text, expected) in [
        (
            bounds(&["%%"], None, false),
            "Here now%%This is Jimmy%%Stop me here. And here%%Goodbye",
            "Here now[0,7] This is Jimmy[10,22] Stop me here.[25,37] And here[39,46] Goodbye[49,55]",
        ),
        (
            bounds(&[r"\.", ";"], None, true),
            two,
            "This is a sentence[0,17] This one uses custom bounds[20,46] As is this one[49,62]",
        ),
        (
            bounds(&[r"\.", ";"], Append, true),
            two,
            "This is a sentence.[0,18] This one uses custom bounds;[20,47] As is this one;[49,63]",
        ),
        (
            bounds(&[r"\n[\d\.]+"], Prepend, true),
            "\n1. This is a list\n1.1 This is a subpoint\n2. Second thing\n2.2 Second subthing",
            "1. This is a list[1,17] 1.1 This is a subpoint[19,40] 2. Second thing[42,56] 2.2 Second subthing[58,76]",
        ),
        (
            bounds(&["\n\n"], None, false),
            "This is my first sentence. This my second.\n\nHow about a third?",
            "This is my first sentence.[0,25] This my second.[27,41] How about a third?[44,61]",
        ),
        // One bound after the other: the second does not see what the first has parted.
        (bounds(&["b", "ab"], Prepend, true), "xabz", "xa[0,1] bz[2,3]"),
        (bounds(&["x*"], Append, true), "axxb", "axx[0,2] b[3,3]"),
        (bounds(&["%%"], Append, false), "e.%%x (a%%b. c) d", "e.[0,1] %%[2,3] x (a%%[4,9] b.[10,11] c) d[13,16]"),
        // What is protected with a quotation is not parted, and what a bound took away is.
        (bounds(&["%%"], Prepend, false), "'a. b'%%x y. z", "'a. b'%%x y.[0,11] z[13,13]"),
        (bounds(&["%%"], None, false), "'a. b'%%x y. z", "'a. b'[0,5] x y.[8,11] z[13,13]"),
        // A sentence is the first place behind the one before where its text stands, even in a bound.
        (bounds(&["ab"], None, true), "xab b", "x[0,0] b[2,2]"),
        (bounds(&[], None, true), "a. b", "a.[0,1] b[3,3]"),
        // The character that Spark NLP marks bounds with is one that others may use.
        (bounds(&["%%"], None, true), "a\u{f050}b%%c", "a\u{f050}b[0,2] c[5,5]"),
        // Numbers come behind abbreviations where there are bounds.
        (bounds(&["zz"], None, false), "etc..1", "etc..1[0,5]"),
    ] {
        assert_eq!(shown(settings, text), expected, "{text:?}");
    }
    assert_eq!(by_default("etc..1"), "etc.[0,3] .1[4,5]");
    let error = SentenceDetector::new(bounds(&["("], None, false)).unwrap_err();
    assert_eq!(error.to_string(), "the pattern \"(\" cannot be used: a group is not closed");
}

#[test]
fn strategies_are_named_exactly() {
    for strategy in BoundsStrategy::ALL {
        assert_eq!(BoundsStrategy::named(strategy.name()).unwrap(), strategy);
    }
    assert_eq!(
        BoundsStrategy::named("Append").unwrap_err().to_string(),
        "there is no custom bounds strategy \"Append\"; there are none, prepend, append"
    );
}

#[test]
fn lengths() {
    let split = |length| SentenceDetectorSettings { split_length: Some(length), ..Default::default() };
    for (settings, text, expected) in [
        (
            split(12),
            "Hello world, this is a long sentence longerThanSplitLength",
            "Hello world,[0,11] this is a[13,21] long[23,26] sentence[28,35] longerThanSplitLength[37,57]",
        ),
        (split(5), "aa  bb   cc dd", "aa [0,2] bb  [4,7] cc dd[9,13]"),
        (split(5), "aa bb   cc", "aa bb[0,4]   cc[6,9]"),
        (split(2), "a      b c", "a [0,1]   [3,4]  b[6,7] c[9,9]"),
        (split(0), "ab c", "ab[0,1] c[3,3]"),
        (split(6), "a 😀😀😀 b", "a[0,0] 😀😀😀[2,7] b[9,9]"),
        (
            SentenceDetectorSettings { min_length: 16, max_length: Some(26), ..Default::default() },
            "Small sentence. This is a normal sentence. This is a long sentence (longer than the maxLength).",
            "This is a normal sentence.[16,41]",
        ),
        (SentenceDetectorSettings { max_length: Some(6), ..split(4) }, "abcd efghijkl. ab.", "abcd[0,3] ab.[15,17]"),
    ] {
        assert_eq!(shown(settings, text), expected, "{text:?}");
    }
    let settings = SentenceDetectorSettings { min_length: 5, max_length: Some(3), ..Default::default() };
    let error = SentenceDetector::new(settings).unwrap_err();
    assert_eq!(error.to_string(), "the largest sentence length 3 is below the smallest, 5");
}

/// Texts in which much happens.
fn awkward() -> impl Strategy<Value = String> {
    const PARTS: [&str; 40] = [
        " ", " ", " ", ".", ".", ". ", "... ", "!", "?", ";", ",", "'", "\"", "(", ")", "[", "]", "-", "$", "°.", "a",
        "A", "b", "1", "12. ", "2.)", "(a)", "s-1.)", "Mr.", "etc.", "no. ", "p.m.", "U.S.", "Co. KG", "'s ", " I ",
        "\n", "é", "😀", "\u{301}",
    ];
    proptest::collection::vec(0..PARTS.len(), 0..25)
        .prop_map(|parts| parts.into_iter().map(|part| PARTS[part]).collect())
}

proptest! {
    /// Sentences are in order, apart, and inside of the text; their offsets are those of their text; and between them
    /// there is nothing but white space and control characters.
    #[test]
    fn sentences_lie_in_the_text(text in awkward(), lists: bool, abbreviations: bool, split in 0_usize..20) {
        let settings = SentenceDetectorSettings {
            detect_lists: lists,
            use_abbreviations: abbreviations,
            split_length: (split > 0).then_some(split),
            ..Default::default()
        };
        let mut sentences = Vec::new();
        SentenceDetector::new(settings).unwrap().detect(&text, &mut sentences).unwrap();
        let units: Vec<u16> = text.encode_utf16().collect();
        let mut end = 0;
        for sentence in &sentences {
            prop_assert!(text[end..sentence.range.start].chars().all(|c| c <= ' '));
            prop_assert!(!sentence.range.is_empty());
            let again = String::from_utf16(&units[sentence.begin..=sentence.end]).unwrap();
            prop_assert_eq!(&again, sentence.text(&text));
            end = sentence.range.end;
        }
        prop_assert!(text[end..].chars().all(|c| c <= ' '));
    }

    /// With bounds too, whatever they take away.
    #[test]
    fn bounded_sentences_lie_in_the_text(text in awkward(), only: bool, strategy in 0_usize..3) {
        let settings = bounds(&["a+", r"\s\(", "(?=1)"], BoundsStrategy::ALL[strategy], only);
        let mut sentences = Vec::new();
        SentenceDetector::new(settings).unwrap().detect(&text, &mut sentences).unwrap();
        let units: Vec<u16> = text.encode_utf16().collect();
        let mut end = 0;
        for sentence in &sentences {
            prop_assert!(end <= sentence.range.start);
            let again = String::from_utf16(&units[sentence.begin..=sentence.end]).unwrap();
            prop_assert_eq!(&again, sentence.text(&text));
            end = sentence.range.end;
        }
    }
}
