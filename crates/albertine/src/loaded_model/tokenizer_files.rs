//! The files that say how a model's texts become tokens, and the tokenizers made of them when they are needed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use albertine_text::{SubwordTokenizer, TokenEncoder};

use crate::Error;
use crate::session::{Encoding, Tokenization};

#[derive(Debug)]
pub(super) struct TokenizerFiles {
    /// What errors call the model.
    origin: PathBuf,
    files: BTreeMap<&'static str, Cow<'static, [u8]>>,
    document: OnceLock<Arc<SubwordTokenizer>>,
    token: OnceLock<Arc<TokenEncoder>>,
}

impl TokenizerFiles {
    pub(super) fn new(origin: PathBuf, files: BTreeMap<&'static str, Cow<'static, [u8]>>) -> Self {
        Self { origin, files, document: OnceLock::new(), token: OnceLock::new() }
    }

    /// The tokenization of an encoding. `case_sensitive` is what is asked for, if anything is; `hides_unknown` whether
    /// the attention mask hides unknown tokens.
    pub(super) fn tokenization(
        &self,
        encoding: Encoding,
        case_sensitive: Option<bool>,
        hides_unknown: bool,
    ) -> Result<Tokenization, Error> {
        Ok(match encoding {
            Encoding::Document => {
                let own = self.document()?;
                Tokenization::Document(match case_sensitive {
                    Some(sensitive) => Arc::new(SubwordTokenizer::clone(&own).with_case_sensitive(sensitive)?),
                    None => own,
                })
            }
            Encoding::Token => {
                let pieces = self.token()?;
                let hidden = hides_unknown.then(|| pieces.unknown());
                Tokenization::Token { pieces, case_sensitive: case_sensitive.unwrap_or(false), hidden }
            }
        })
    }

    fn document(&self) -> Result<Arc<SubwordTokenizer>, Error> {
        if let Some(pieces) = self.document.get() {
            return Ok(pieces.clone());
        }
        let pieces = SubwordTokenizer::from_files(&self.origin, |name| self.file(name))?;
        Ok(self.document.get_or_init(|| Arc::new(pieces)).clone())
    }

    fn token(&self) -> Result<Arc<TokenEncoder>, Error> {
        if let Some(pieces) = self.token.get() {
            return Ok(pieces.clone());
        }
        let pieces = TokenEncoder::from_files(&self.origin, |name| self.file(name))?;
        Ok(self.token.get_or_init(|| Arc::new(pieces)).clone())
    }

    fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(AsRef::as_ref)
    }
}
