//! Reads a `vocab.txt`, the vocabulary of a BERT, as Hugging Face's converter does: a piece a line.
//!
//! Behaviour: `load_vocab` of transformers' `tokenization_bert.py`, and `BertConverter` of its
//! `convert_slow_tokenizer.py`.

use std::collections::HashSet;
use std::path::Path;

use crate::error::TextError;
use crate::subword::files::config::{Config, Defaults};
use crate::subword::files::recipe::{MAX_PIECES, ModelRecipe, PostProcessor, Recipe};
use crate::subword::normalizers::Normalizer;
use crate::subword::normalizers::bert::BertNormalizer;
use crate::subword::pre_tokenizers::PreTokenizer;

/// What stands before a piece within a word.
pub(crate) const PREFIX: &str = "##";
/// Words of more characters are unknown.
pub(crate) const MAX_CHARS: usize = 100;

/// What `bytes`, the contents of the file `path`, say together with the directory's `config`.
pub(crate) fn read(path: &Path, bytes: &[u8], config: &Config) -> Result<Recipe, TextError> {
    let malformed = |reason| TextError::Malformed { path: path.to_owned(), reason };
    let text = str::from_utf8(bytes)
        .map_err(|error| malformed(format!("it is not UTF-8: byte {} begins no character", error.valid_up_to())))?;
    let vocabulary: Vec<String> = lines(text).take(MAX_PIECES + 1).map(str::to_owned).collect();
    let special = |key| match config.special(key, Defaults::Bert) {
        Some(piece) => Ok(piece.to_owned()),
        None => Err(malformed(format!("its configuration takes the {key} away"))),
    };
    let unknown = special("unk_token")?;
    let recipe = Recipe {
        model: ModelRecipe::WordPiece {
            tokens: vocabulary.iter().collect::<HashSet<_>>().len(),
            unknown: match vocabulary.iter().rposition(|piece| *piece == unknown) {
                Some(unknown) => unknown,
                None if vocabulary.is_empty() => 0,
                None => return Err(malformed(format!("it has no piece {unknown}"))),
            },
            prefix: PREFIX.into(),
            max_chars: MAX_CHARS,
            vocabulary,
        },
        normalizers: vec![Normalizer::Bert(BertNormalizer {
            clean_text: true,
            handle_chinese_chars: config.tokenize_chinese_chars,
            strip_accents: config.strip_accents,
            lowercase: config.do_lower_case,
        })],
        pre_tokenizers: vec![PreTokenizer::Bert],
        added: Vec::new(),
        post_processor: PostProcessor::Named { before: special("cls_token")?, after: special("sep_token")? },
        truncate_left: None,
        configurable: true,
    };
    recipe.check(path)?;
    Ok(recipe)
}

/// The lines of a text, which end as Python has it: with a line feed, a carriage return, or both.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (line, behind) = rest.split_at(rest.find(['\n', '\r']).unwrap_or(rest.len()));
        rest = behind.strip_prefix("\r\n").or(behind.strip_prefix(['\n', '\r'])).unwrap_or(behind);
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_in_python() {
        let all = |text| lines(text).collect::<Vec<_>>();
        assert_eq!(all("a\nb\r\nc\rd\n\n e \r\r\n"), ["a", "b", "c", "d", "", " e ", ""]);
        assert_eq!(all("a\u{2028}b\u{B}c"), ["a\u{2028}b\u{B}c"]);
        assert_eq!(all(""), [""; 0]);
    }
}
