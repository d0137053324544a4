//! From documents to tokens.

use std::path::Path;
use std::sync::Arc;

use albertine_text::{ContextChars, TokenizerSettings};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use serde_json::{Map, Value};

use super::stage::Registration;
use super::{Annotator, Stage, one_input, with_annotations, with_column};
use crate::annotation::AnnotatorType;
use crate::column::{self, AnnotationColumnBuilder};
use crate::params::{ParamMap, Params};
use crate::{CancellationToken, Counts, Error, OutputSchema};

const STAGE: &str = "Tokenizer";

pub(super) const REGISTRATION: Registration =
    Registration { name: STAGE, from_params: |params, _| Ok(Tokenizer::from_params(params)?.into()) };

pub(super) const MODEL_REGISTRATION: Registration =
    Registration { name: "TokenizerModel", from_params: |params, _| Ok(Tokenizer::from_params(params)?.fit()?.into()) };

/// Cuts documents into tokens by Spark NLP's rules: unless said otherwise at spaces, and between a word and the
/// punctuation around it. [`Pipeline::fit`](crate::Pipeline::fit) makes a [`TokenizerModel`] of it.
///
/// Each token is an annotation of type `token` whose `begin` and `end` count from the start of the whole text and whose
/// metadata names the document (`sentence`) that it lies in. Patterns are Java regular expressions.
///
/// ```
/// use albertine::prelude::*;
/// # use std::sync::Arc;
/// # use arrow_array::{RecordBatch, StringArray};
/// # let texts = StringArray::from(vec![""]);
/// # let batch = RecordBatch::try_from_iter([("text", Arc::new(texts) as _)])?;
/// let token = Tokenizer::new().add_exception("New York").split_chars(["-"]);
/// let model = Pipeline::new().stages([DocumentAssembler::new().into(), token.into()]).fit(&batch.schema())?;
/// let found = LightPipeline::new(&model).annotate("A well-known New York firm")?;
/// assert_eq!(found["token"], ["A", "well", "known", "New York", "firm"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Tokenizer {
    input_cols: Vec<String>,
    output_col: String,
    settings: TokenizerSettings,
}

impl Default for Tokenizer {
    fn default() -> Self {
        Self {
            input_cols: vec!["document".to_owned()],
            output_col: "token".to_owned(),
            settings: TokenizerSettings::default(),
        }
    }
}

impl Tokenizer {
    /// Reads column `document`, writes column `token`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The column of documents to read: exactly one.
    #[must_use]
    pub fn input_cols<I: Into<String>>(mut self, columns: impl IntoIterator<Item = I>) -> Self {
        self.input_cols = columns.into_iter().map(Into::into).collect();
        self
    }

    /// The annotation column to write.
    #[must_use]
    pub fn output_col(mut self, column: impl Into<String>) -> Self {
        self.output_col = column.into();
        self
    }

    /// What a token is made of before rules cut it: `\S+` unless said otherwise.
    #[must_use]
    pub fn target_pattern(mut self, pattern: impl Into<String>) -> Self {
        self.settings.target_pattern = Some(pattern.into());
        self
    }

    /// The characters that are split off the ends of a word, in the place of `. , ; : ! ? * - ( ) " '`.
    #[must_use]
    pub fn context_chars(mut self, chars: impl IntoIterator<Item = char>) -> Self {
        self.settings.context_chars = ContextChars::new(chars);
        self
    }

    /// Adds a character that is split off the ends of a word.
    #[must_use]
    pub fn add_context_char(mut self, c: char) -> Self {
        let chars = self.settings.context_chars.as_slice().iter().copied().chain([c]);
        self.settings.context_chars = ContextChars::new(chars.collect::<Vec<_>>());
        self
    }

    /// What is split off the start of a word, in the place of context characters: begins with `\A`.
    #[must_use]
    pub fn prefix_pattern(mut self, pattern: impl Into<String>) -> Self {
        self.settings.prefix_pattern = Some(pattern.into());
        self
    }

    /// What is split off the end of a word, in the place of context characters: ends with `\z`.
    #[must_use]
    pub fn suffix_pattern(mut self, pattern: impl Into<String>) -> Self {
        self.settings.suffix_pattern = Some(pattern.into());
        self
    }

    /// What stands between prefix and suffix, each pattern with a group for every token; the first that matches counts.
    #[must_use]
    pub fn infix_patterns<I: Into<String>>(mut self, patterns: impl IntoIterator<Item = I>) -> Self {
        self.settings.infix_patterns = patterns.into_iter().map(Into::into).collect();
        self
    }

    /// Adds an infix pattern in front of the others.
    #[must_use]
    pub fn add_infix_pattern(mut self, pattern: impl Into<String>) -> Self {
        self.settings.infix_patterns.insert(0, pattern.into());
        self
    }

    /// Texts, as patterns, that stay whole whatever they hold.
    #[must_use]
    pub fn exceptions<I: Into<String>>(mut self, exceptions: impl IntoIterator<Item = I>) -> Self {
        self.settings.exceptions = exceptions.into_iter().map(Into::into).collect();
        self
    }

    /// Adds an exception behind the others.
    #[must_use]
    pub fn add_exception(mut self, exception: impl Into<String>) -> Self {
        self.settings.exceptions.push(exception.into());
        self
    }

    /// Adds the exceptions of a file, one a line.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn exceptions_path(mut self, path: impl AsRef<Path>) -> Result<Self, Error> {
        self.settings.exceptions.extend(albertine_text::read_exceptions(path.as_ref())?);
        Ok(self)
    }

    /// Whether case counts in exceptions; true unless said otherwise.
    #[must_use]
    pub fn case_sensitive_exceptions(mut self, sensitive: bool) -> Self {
        self.settings.case_sensitive_exceptions = sensitive;
        self
    }

    /// Where tokens are cut again.
    #[must_use]
    pub fn split_pattern(mut self, pattern: impl Into<String>) -> Self {
        self.settings.split_pattern = Some(pattern.into());
        self
    }

    /// At which characters tokens are cut again: each one character, or a backslash and one.
    #[must_use]
    pub fn split_chars<I: Into<String>>(mut self, chars: impl IntoIterator<Item = I>) -> Self {
        self.settings.split_chars = chars.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a character at which tokens are cut again.
    #[must_use]
    pub fn add_split_char(mut self, c: impl Into<String>) -> Self {
        self.settings.split_chars.push(c.into());
        self
    }

    /// The shortest token that is kept, in UTF-16 code units: 0 unless said otherwise.
    #[must_use]
    pub fn min_length(mut self, length: usize) -> Self {
        self.settings.min_length = length;
        self
    }

    /// The longest token that is kept, in UTF-16 code units: any unless said otherwise.
    #[must_use]
    pub fn max_length(mut self, length: usize) -> Self {
        self.settings.max_length = Some(length);
        self
    }

    /// The columns that it reads.
    #[must_use]
    pub fn get_input_cols(&self) -> &[String] {
        &self.input_cols
    }

    /// The annotation column that it writes.
    #[must_use]
    pub fn get_output_col(&self) -> &str {
        &self.output_col
    }

    /// How texts are cut.
    #[must_use]
    pub fn get_settings(&self) -> &TokenizerSettings {
        &self.settings
    }

    /// Compiles the patterns.
    ///
    /// # Errors
    /// When a parameter is none that Spark NLP takes, or a pattern is not understood.
    pub fn fit(self) -> Result<TokenizerModel, Error> {
        let rules = albertine_text::Tokenizer::new(self.settings)?;
        Ok(TokenizerModel { input_cols: self.input_cols, output_col: self.output_col, rules: Arc::new(rules) })
    }

    fn from_params(map: &Map<String, Value>) -> Result<Self, Error> {
        let params = Params::new(STAGE, map);
        let usual = Self::default();
        let chars = params.texts("contextChars")?;
        params.none(
            "exceptionsPath",
            "nothing: the file is not part of what was saved, put its lines into `exceptions`",
        )?;
        Ok(Self {
            input_cols: params.texts("inputCols")?.unwrap_or(usual.input_cols),
            output_col: params.text("outputCol")?.unwrap_or(usual.output_col),
            settings: TokenizerSettings {
                target_pattern: params.text("targetPattern")?.filter(|pattern| pattern != r"\S+"),
                context_chars: match chars {
                    Some(chars) => ContextChars::from_strings(&chars)?,
                    None => usual.settings.context_chars,
                },
                prefix_pattern: params.text("prefixPattern")?,
                suffix_pattern: params.text("suffixPattern")?,
                infix_patterns: params.texts("infixPatterns")?.unwrap_or_default(),
                rules: Vec::new(),
                exceptions: params.texts("exceptions")?.unwrap_or_default(),
                case_sensitive_exceptions: params.flag("caseSensitiveExceptions")?.unwrap_or(true),
                split_pattern: params.text("splitPattern")?,
                split_chars: params.texts("splitChars")?.unwrap_or_default(),
                min_length: params.count("minLength")?.unwrap_or(0),
                max_length: params.count("maxLength")?,
            }
            .with_rules(params.texts("rules")?.unwrap_or_default()),
        })
    }
}

impl Annotator for Tokenizer {
    fn name(&self) -> &'static str {
        STAGE
    }

    fn params(&self) -> Map<String, Value> {
        params_of(&self.input_cols, &self.output_col, &self.settings)
    }

    fn fit(&self) -> Result<Option<Stage>, Error> {
        Ok(Some(self.clone().fit()?.into()))
    }

    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, Error> {
        // what its model, which `fit` makes, will write
        self.clone().fit()?.output_schema(input)
    }

    fn run(
        &self,
        batch: &RecordBatch,
        cancellation: &CancellationToken,
    ) -> Result<(RecordBatch, Option<Counts>), Error> {
        self.clone().fit()?.run(batch, cancellation)
    }
}

fn params_of(input_cols: &[String], output_col: &str, settings: &TokenizerSettings) -> Map<String, Value> {
    let chars: Vec<String> = settings.context_chars.as_slice().iter().map(|&c| String::from(c)).collect();
    ParamMap::default()
        .with("inputCols", input_cols.to_vec())
        .with("outputCol", output_col)
        .with_some("targetPattern", settings.target_pattern.clone())
        .with("contextChars", chars)
        .with_some("prefixPattern", settings.prefix_pattern.clone())
        .with_some("suffixPattern", settings.suffix_pattern.clone())
        .with("infixPatterns", settings.infix_patterns.clone())
        .with("rules", settings.rules.clone())
        .with("exceptions", settings.exceptions.clone())
        .with("caseSensitiveExceptions", settings.case_sensitive_exceptions)
        .with_some("splitPattern", settings.split_pattern.clone())
        .with("splitChars", settings.split_chars.clone())
        .with("minLength", settings.min_length)
        .with_some("maxLength", settings.max_length)
        .into_map()
}

/// A [`Tokenizer`] with its patterns compiled.
#[derive(Debug, Clone)]
pub struct TokenizerModel {
    input_cols: Vec<String>,
    output_col: String,
    rules: Arc<albertine_text::Tokenizer>,
}

impl TokenizerModel {
    /// Spark NLP's one published tokenizer, `token_rules`: the default rules.
    ///
    /// # Errors
    /// [`Error::UnknownModel`] for any other name.
    pub fn pretrained(name: &str, lang: &str) -> Result<Self, Error> {
        if name == "token_rules" {
            return Tokenizer::new().fit();
        }
        Err(Error::UnknownModel { name: format!("{name} ({lang})"), nearest: vec!["token_rules (en)".to_owned()] })
    }

    /// The columns that it reads.
    #[must_use]
    pub fn get_input_cols(&self) -> &[String] {
        &self.input_cols
    }

    /// The annotation column that it writes.
    #[must_use]
    pub fn get_output_col(&self) -> &str {
        &self.output_col
    }

    /// How texts are cut.
    #[must_use]
    pub fn get_settings(&self) -> &TokenizerSettings {
        self.rules.settings()
    }
}

impl Annotator for TokenizerModel {
    fn name(&self) -> &'static str {
        MODEL_REGISTRATION.name
    }

    fn params(&self) -> Map<String, Value> {
        params_of(&self.input_cols, &self.output_col, self.rules.settings())
    }

    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, Error> {
        column::require(input, STAGE, one_input(STAGE, &self.input_cols)?, AnnotatorType::Document)?;
        with_annotations(input, STAGE, &self.output_col, AnnotatorType::Token)
    }

    fn run(&self, batch: &RecordBatch, _: &CancellationToken) -> Result<(RecordBatch, Option<Counts>), Error> {
        let schema = self.output_schema(&batch.schema())?;
        let documents = column::read(batch, STAGE, one_input(STAGE, &self.input_cols)?)?;
        let mut tokens = AnnotationColumnBuilder::default();
        let mut found = Vec::new();
        for row in 0..documents.rows() {
            for document in documents.row(row) {
                let sentence = document.sentence();
                found.clear();
                let outcome = self.rules.tokenize(document.result, document.begin.max(0) as usize, &mut found);
                outcome.map_err(|source| Error::Row { row, source })?;
                for token in &found {
                    let text = &document.result[token.range.clone()];
                    let (begin, end) = (token.begin as i32, token.end as i32);
                    tokens.push(AnnotatorType::Token, begin, end, text, [("sentence", sentence)]);
                }
            }
            tokens.end_row();
        }
        Ok((with_column(batch, &schema, tokens.finish()?)?, None))
    }
}
