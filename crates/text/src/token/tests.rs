//! What Spark NLP does, text by text.
#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::*;
use proptest::prelude::*;

fn shown(tokenizer: &Tokenizer, text: &str, begin: usize) -> String {
    let mut tokens = Vec::new();
    tokenizer.tokenize(text, begin, &mut tokens).unwrap();
    let words: Vec<_> = tokens.iter().map(|t| format!("{}[{},{}]", &text[t.range.clone()], t.begin, t.end)).collect();
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
    fn tokens_cover_the_text(text in "[ \\t\\na-c.,'(é😀\u{a0}\u{2187}\u{2188}]{0,40}") {
        let mut tokens = Vec::new();
        Tokenizer::default().tokenize(&text, 0, &mut tokens).unwrap();
        let joined: String = tokens.iter().map(|t| &text[t.range.clone()]).collect();
        let kept: String = text.chars().filter(|c| !c.is_ascii_whitespace() && !['\u{b}', BREAK].contains(c)).collect();
        prop_assert_eq!(joined, kept);
        let units: Vec<u16> = text.encode_utf16().collect();
        for token in &tokens {
            let again = String::from_utf16_lossy(&units[token.begin..=token.end]);
            prop_assert_eq!(&again, &text[token.range.clone()]);
        }
    }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// Tokens without offsets, parted by ` | `.
fn words(settings: TokenizerSettings, text: &str) -> String {
    let mut tokens = Vec::new();
    Tokenizer::new(settings).unwrap().tokenize(text, 0, &mut tokens).unwrap();
    let units: Vec<u16> = text.encode_utf16().collect();
    for token in &tokens {
        assert_eq!(String::from_utf16(&units[token.begin..=token.end]).unwrap(), text[token.range.clone()]);
    }
    tokens.iter().map(|token| &text[token.range.clone()]).collect::<Vec<_>>().join(" | ")
}

fn exceptions(exceptions: &[&str]) -> TokenizerSettings {
    TokenizerSettings { exceptions: strings(exceptions), ..Default::default() }
}

#[test]
fn exceptions_stay_whole() {
    let ignoring_case = TokenizerSettings { case_sensitive_exceptions: false, ..exceptions(&["New York"]) };
    for (settings, text, expected) in [
        (
            exceptions(&["New York"]),
            "My friend moved to New York. She likes it. Frank visited New York, and didn't like it.",
            "My | friend | moved | to | New York. | She | likes | it | . | Frank | visited | New York, | and | didn't | \
             like | it | .",
        ),
        (ignoring_case, "He moved to new york.", "He | moved | to | new york."),
        (
            exceptions(&[r"Jane's \w+", "that."]),
            "say that. Jane's boyfriend said.",
            "say | that. | Jane's boyfriend | said | .",
        ),
        (
            exceptions(&["New York"]),
            "Hello, I won't be from New York in the U.S.A. (and you know it héroe). Give me my horse! or $100 bucks 'He \
             said', I'll defeat markus-crassus. You understand. Goodbye George E. Bush. www.google.com.",
            "Hello | , | I | won't | be | from | New York | in | the | U.S.A | . | ( | and | you | know | it | héroe | ). \
             | Give | me | my | horse | ! | or | $100 | bucks | ' | He | said | ', | I'll | defeat | markus-crassus | . | \
             You | understand | . | Goodbye | George | E | . | Bush | . | www.google.com | .",
        ),
        // Without a space in it an exception is one only where it is all there is.
        (exceptions(&["that."]), "that. (that.) that..", "that. | ( | that | .) | that | .."),
        (exceptions(&["New York", "York City"]), "New York City.", "New York | City | ."),
        (exceptions(&["New York"]), "(New York) New  York xNew Yorky", "(New York) | New | York | xNew Yorky"),
        (exceptions(&["x*"]), "a xx. b", "a | xx | . | b"),
    ] {
        assert_eq!(words(settings, text), expected, "{text:?}");
    }
    let settings = TokenizerSettings { split_chars: strings(&["-"]), ..exceptions(&["a b"]) };
    assert_eq!(words(settings, "a b-c d-e"), "a b-c | d | e");
}

#[test]
fn targets_are_the_inside_of_a_class() {
    let target = |pattern: &str| TokenizerSettings { target_pattern: Some(pattern.to_owned()), ..Default::default() };
    for (settings, text, expected) in [
        (target(r"\w+"), "a_b: what?(x)+y z", "a_b | : | what?(x)+y | z"),
        (target("[a-z]+"), "ab cd(e)F+g]h[i", "ab | cd(e | ) | +g | h | i"),
        (target("[^a]+"), "baab c", "b | b c"),
        (target(r"\d+"), "a12 3b.4", "12 | 3 | 4"),
        (target("a&&b"), "ab&c", ""),
        (
            TokenizerSettings { exceptions: strings(&["New York"]), ..target(r"\w+") },
            "Hello New York and Goodbye 😀New York",
            "Hello | New York | and | Goodbye | New York",
        ),
    ] {
        assert_eq!(words(settings, text), expected, "{text:?}");
    }
}

#[test]
fn marks_of_spark_nlp_are_taken_for_its_marks() {
    let target = |pattern: &str| TokenizerSettings { target_pattern: Some(pattern.to_owned()), ..Default::default() };
    let of_target =
        |pattern: &str| TokenizerSettings { exceptions: strings(&["a.", "x\u{2187}? y"]), ..target(pattern) };
    let split = TokenizerSettings { split_chars: strings(&["\u{2188}", "-"]), ..Default::default() };
    for (settings, text, expected) in [
        // U+2187 breaks, and is in no token.
        (TokenizerSettings::default(), "\u{2187}\u{2187} \u{2187}", ""),
        (
            TokenizerSettings::default(),
            "\u{2187}a.\u{2187}.b\u{2187}\u{2187}😀\u{2187}(c)",
            "a | . | . | b | 😀 | ( | c | )",
        ),
        (exceptions(&["\u{2187}", "that."]), "that.\u{2187}that.\u{2187}x.", "that. | that. | x | ."),
        (target("\u{2187}"), "a\u{2187}(\u{2187}b", "("),
        // So it does inside an exception, whose other breaks are held,
        (
            exceptions(&["New\u{2187}? York"]),
            "(New York)\u{2187}. (New\u{2187} York)\u{2187}.",
            "(New York) | . | ( | New |  York) | .",
        ),
        (of_target("[a-z]"), "x\u{2187} y!b\u{2187}c", "x\u{2187} y | b | c"),
        // unless the target alone makes it a break, which an exception can hold.
        (of_target(r"\p{L}"), "x\u{2187} y!a\u{2187}b\u{2187}c", "x\u{2187} y | a\u{2187}b | c"),
        // U+2188 is a character like any other where there are no exceptions, and never a break.
        (
            TokenizerSettings::default(),
            "\u{2188} (a\u{2188}b). \u{2188}\u{2187}\u{2188}.",
            "\u{2188} | ( | a\u{2188}b | ). | \u{2188} | \u{2188} | .",
        ),
        (target("[a-z]"), "a\u{2188}b.c", "a\u{2188}b | c"),
        (split.clone(), "a\u{2188}b-c.", "a | b | c | ."),
        // Where there are, what holds it stays whole, whether or not one is found.
        (
            exceptions(&["New York"]),
            "\u{2188} (a\u{2188}b). .c, \u{2188}\u{2187}\u{2188}.",
            "\u{2188} | (a\u{2188}b). | . | c | , | \u{2188} | \u{2188}.",
        ),
        (exceptions(&["New York"]), "x \u{2188}New York.", "x | \u{2188}New York."),
        (exceptions(&["\u{2188}"]), "a\u{2188}b. c.", "a\u{2188}b. | c | ."),
        (TokenizerSettings { exceptions: strings(&["x"]), ..split }, "a\u{2188}b-c. d-e", "a\u{2188}b-c. | d | e"),
        (TokenizerSettings { max_length: Some(3), ..exceptions(&["x"]) }, "a\u{2188}b b\u{2188}b.", "a\u{2188}b"),
    ] {
        assert_eq!(words(settings, text), expected, "{text:?}");
    }
}

#[test]
fn rules_replace_context_characters() {
    let infix = |infixes: &[&str]| TokenizerSettings { infix_patterns: strings(infixes), ..Default::default() };
    let prefix = TokenizerSettings { prefix_pattern: Some(r"\A([^\s\w\$\.]*)".to_owned()), ..Default::default() };
    let suffix = TokenizerSettings { suffix_pattern: Some(r"([.]*)([!]*)\z".to_owned()), ..Default::default() };
    for (settings, text, expected) in [
        (
            infix(&[r"([\p{L}\w]+'{1})([\p{L}\w]+)"]),
            "l'une d'un l'un, des l'extrême des l'extreme",
            "l' | une | d' | un | l' | un | , | des | l' | extrême | des | l' | extreme",
        ),
        (
            infix(&[r"(\w+)(n't\b)", r"(\w+)-(\w+)", r"(\w+)"]),
            "didn't a-b. (c) x'y",
            "did | n't | a | b | . | ( | c | ) | x'y",
        ),
        (infix(&["(a|b)?(x)"]), "x ax.", "x | a | x | ."),
        (prefix, "(x). ..x $x(", "( | x | ). | ..x | $x | ("),
        (suffix, "x.. x! x.!", "x | .. | x | ! | x | . | !"),
    ] {
        assert_eq!(words(settings, text), expected, "{text:?}");
    }
    let settings = TokenizerSettings { context_chars: ContextChars::new(['.', '\u{2028}']), ..Default::default() };
    assert_eq!(words(settings, "x.\u{2028}y .z\u{2028}."), "x.\u{2028}y | . | z | \u{2028}.");
}

#[test]
fn tokens_are_split_again() {
    let chars = |chars: &[&str]| TokenizerSettings { split_chars: strings(chars), ..Default::default() };
    let pattern = |pattern: &str| TokenizerSettings { split_pattern: Some(pattern.to_owned()), ..Default::default() };
    let text = "Hello big-city-of-lights welcome to the ground###earth.";
    let cut = "Hello | big | city | of | lights | welcome | to | the | ground | earth | .";
    for (settings, text, expected) in [
        (chars(&["-", "#"]), text, cut),
        (pattern("-|#"), text, cut),
        (pattern("(?=.)"), "abcdef", "a | b | c | d | e | f"),
        (pattern(r"(?<=[a-z])(?=[A-Z])"), "camelCaseWord fooBar.", "camel | Case | Word | foo | Bar | ."),
        // Nothing is left of what is all separators, unless a pattern says so.
        (chars(&["-"]), "-a- ---", "a | ---"),
        (pattern("-"), "-a- ---", "- | a | - | ---"),
        (chars(&["."]), "a.b. c", "c"),
        (chars(&[r"\."]), "a.b. c", "a | b | c"),
        (chars(&["|"]), "a|b", "a | | | b"),
        (
            TokenizerSettings { split_chars: strings(&["y"]), ..pattern("x") },
            "axbyc ayb axb ybx xay",
            "a | byc | a | b | a | b | bx | ay",
        ),
    ] {
        assert_eq!(words(settings, text), expected, "{text:?}");
    }
}

#[test]
fn settings_that_spark_nlp_refuses() {
    let refused = |settings| Tokenizer::new(settings).unwrap_err().to_string();
    let default = TokenizerSettings::default;
    assert_eq!(
        refused(TokenizerSettings { prefix_pattern: Some("(a)".to_owned()), ..default() }),
        r#"prefixPattern cannot be "(a)": it must start with \A, the start of a word"#
    );
    assert_eq!(
        refused(TokenizerSettings { suffix_pattern: Some("(a)".to_owned()), ..default() }),
        r#"suffixPattern cannot be "(a)": it must end with \z, the end of a word"#
    );
    assert_eq!(
        refused(TokenizerSettings { infix_patterns: strings(&["abc"]), ..default() }),
        r#"infixPatterns cannot be "abc": each must hold a group, which makes a token"#
    );
    for chars in ["ab", "", "😀", "\\ab"] {
        let error = refused(TokenizerSettings { split_chars: strings(&[chars]), ..default() });
        assert!(error.starts_with("splitChars cannot be"), "{error}");
    }
    let error = ContextChars::from_strings(&["ab"]).unwrap_err().to_string();
    assert_eq!(error, r#"contextChars cannot be "ab": each must be one character"#);
    assert!(refused(TokenizerSettings { split_chars: strings(&["("]), ..default() }).contains("cannot be used"));
}

#[test]
fn exceptions_are_read_from_a_file() {
    let path = std::env::temp_dir().join(format!("albertine-exceptions-{}", std::process::id()));
    std::fs::write(&path, "New York\r\nSan Francisco\n").unwrap();
    assert_eq!(read_exceptions(&path).unwrap(), ["New York", "San Francisco"]);
    std::fs::write(&path, "\u{feff}New York\r\n\r\nSan Francisco\n  \n\u{feff}Oil\n").unwrap();
    assert_eq!(read_exceptions(&path).unwrap(), ["New York", "San Francisco", "\u{feff}Oil"]);
    std::fs::write(&path, "\u{feff}").unwrap();
    assert_eq!(read_exceptions(&path).unwrap(), [""; 0]);
    std::fs::write(&path, [0xFF]).unwrap();
    assert!(read_exceptions(&path).unwrap_err().to_string().contains("is malformed: invalid utf-8"));
    std::fs::remove_file(&path).unwrap();
    assert!(read_exceptions(&path).unwrap_err().to_string().starts_with("cannot read"));
}

proptest! {
    /// Cutting by the patterns that stand for the defaults is cutting by default.
    #[test]
    fn default_patterns_are_the_default(text in "[ \\t\\na-c.,'(é😀\u{a0}\u{2187}\u{2188}]{0,40}") {
        let settings = TokenizerSettings {
            target_pattern: Some(r"\S+".to_owned()),
            prefix_pattern: Some(r#"\A([.,;:!?*\-()"']*)"#.to_owned()),
            suffix_pattern: Some(r#"([.,;:!?*\-()"']*)\z"#.to_owned()),
            ..Default::default()
        };
        let (mut by_patterns, mut by_default) = (Vec::new(), Vec::new());
        Tokenizer::new(settings).unwrap().tokenize(&text, 7, &mut by_patterns).unwrap();
        Tokenizer::default().tokenize(&text, 7, &mut by_default).unwrap();
        prop_assert_eq!(by_patterns, by_default);
    }
}
