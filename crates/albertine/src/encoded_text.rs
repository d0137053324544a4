//! Texts that are tokenized now and classified later, together with others: what a service's queue holds.

use albertine_text::TruncationSide;

use crate::annotation::Annotation;
use crate::category::{CategoryRule, THRESHOLD};
use crate::classified::Classified;
use crate::column::{self, AnnotationColumn, AnnotationColumnBuilder};
use crate::documents::{Documents, Span};
use crate::session::{Document, EncodedDocument, Outputs};
use crate::{Activation, CancellationToken, Classifier, Counts, Error};

/// A text in tokens, made by [`Classifier::encode`]: one document, or as many as the first stages of the model's
/// pipeline make of it, none of a blank text.
#[derive(Debug, Clone)]
pub struct EncodedText {
    documents: Vec<(Span, EncodedDocument)>,
    /// Whether they get one annotation together.
    coalesce: bool,
}

impl EncodedText {
    /// Its tokens, special ones included.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.documents.iter().map(|(_, document)| document.tokens()).sum()
    }

    /// Whether a part of it is not read, because it has more tokens than the model reads.
    #[must_use]
    pub fn truncated(&self) -> bool {
        self.documents.iter().any(|(_, document)| document.truncated())
    }

    /// Whether there is nothing to classify.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.documents.is_empty()
    }
}

/// What a classifier says of one text.
#[derive(Debug)]
pub struct TextOutput(Classified);

impl TextOutput {
    /// One number for each label, the mean where the text has several documents; `None` for a blank text.
    #[must_use]
    pub fn logits(&self) -> Option<Vec<f32>> {
        self.0.logits().next().flatten()
    }

    /// One score for each label, the mean where the text has several documents; `None` for a blank text.
    #[must_use]
    pub fn scores(&self, activation: Activation) -> Option<Vec<f32>> {
        // the threshold decides on labels, not on scores
        let rule = CategoryRule::new(activation, THRESHOLD).ok()?;
        self.0.scores(rule).next().flatten()
    }
}

impl Classifier {
    /// A text, or a pair of texts, in tokens. A longer text is cut at `side`, or where the tokenizer's configuration
    /// says.
    ///
    /// ```
    /// use albertine::{CancellationToken, Classifier, ClassifierSettings, Document};
    ///
    /// let classifier = Classifier::pretrained("ag_news", ClassifierSettings::default())?;
    /// let texts = [classifier.encode("Oil prices rose.".into(), None)?, classifier.encode(" ".into(), None)?];
    /// let (outputs, _) = classifier.run_encoded(&[&texts[0], &texts[1]], &CancellationToken::default())?;
    /// assert_eq!(outputs[0].logits(), classifier.logits(&[Some("Oil prices rose.")])?[0]);
    /// assert!(texts[1].is_blank() && outputs[1].logits().is_none());
    /// # Ok::<(), albertine::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::PairOfTokens`] for a pair, if the model reads token by token or has a pipeline before it; otherwise only
    /// when the text is refused, which with a checked model does not happen.
    pub fn encode(&self, text: Document<'_>, side: Option<TruncationSide>) -> Result<EncodedText, Error> {
        let Some(preparation) = self.preparation() else {
            if text.pair.is_some() {
                let span =
                    Span { begin: 0, end: albertine_text::utf16_len(text.text) as i32 - 1, sentence: "0".into() };
                return Ok(EncodedText {
                    documents: vec![(span, self.session().encode(text, side)?)],
                    coalesce: false,
                });
            }
            return self.encode_documents(Documents::of_texts(&[Some(text.text)]), side, false);
        };
        if text.pair.is_some() {
            return Err(Error::PairOfTokens);
        }
        let table = preparation.annotate(&[Some(text.text)], &CancellationToken::default())?;
        let (document, token) = preparation.columns();
        let column = |name: &str| column::read(&table, "Classifier", name);
        let documents = Documents::with_tokens(&column(document)?, &column(token)?);
        self.encode_documents(documents, side, preparation.coalesces())
    }

    fn encode_documents(
        &self,
        documents: Documents<'_>,
        side: Option<TruncationSide>,
        coalesce: bool,
    ) -> Result<EncodedText, Error> {
        let encoded = documents.iter().zip(&documents.spans).filter_map(|(document, span)| Some((document?, span)));
        let encoded = encoded.map(|(document, span)| Ok((span.clone(), self.session().encode(document, side)?)));
        Ok(EncodedText { documents: encoded.collect::<Result<_, Error>>()?, coalesce })
    }

    /// What the classifier says of texts that it has tokenized: the same bits as [`run`](Self::run) gives.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_encoded(
        &self,
        texts: &[&EncodedText],
        cancellation: &CancellationToken,
    ) -> Result<(Vec<TextOutput>, Counts), Error> {
        let documents: Vec<Option<&EncodedDocument>> =
            texts.iter().flat_map(|text| text.documents.iter().map(|(_, document)| Some(document))).collect();
        let row_of = |document: usize| {
            let ends = texts.iter().scan(0, |end, text| {
                *end += text.documents.len();
                Some(*end)
            });
            ends.take_while(|&end| end <= document).count()
        };
        let (outputs, counts) = self.session().run_encoded(&documents, cancellation).map_err(|error| match error {
            Error::NotFinite { row, label } => Error::NotFinite { row: row_of(row), label },
            other => other,
        })?;
        let mut first = 0;
        let of_text = |text: &&EncodedText| {
            let range = first..first + text.documents.len();
            first = range.end;
            let spans = text.documents.iter().map(|(span, _)| span.clone()).collect();
            TextOutput(Classified::of_row(outputs.slice(range), spans, text.coalesce))
        };
        Ok((texts.iter().map(of_text).collect(), counts))
    }

    /// The annotations of a text, as the annotator of the model's family gives them; none for a blank one.
    ///
    /// # Errors
    /// [`Error::Threshold`] when the model was saved with a threshold that is not between 0 and 1.
    pub fn annotations(&self, output: &TextOutput, activation: Option<Activation>) -> Result<Vec<Annotation>, Error> {
        let rule = CategoryRule::new(activation.unwrap_or(self.activation()), self.threshold())?;
        let mut column = AnnotationColumnBuilder::default();
        output.0.annotate(rule, self.labels(), &mut column);
        let column = column.finish()?;
        let annotations = AnnotationColumn::new(&column);
        Ok(annotations.iter().flat_map(|column| column.row(0)).map(|annotation| annotation.to_annotation()).collect())
    }
}

impl Outputs {
    /// Those of some of the documents.
    fn slice(&self, documents: std::ops::Range<usize>) -> Self {
        let (mut logits, mut indices) = (Vec::new(), Vec::with_capacity(documents.len()));
        for document in documents {
            let of_document = self.logits(document);
            indices.push(of_document.map(|_| logits.len() / self.labels().max(1)));
            logits.extend_from_slice(of_document.unwrap_or_default());
        }
        Self::new(logits, self.labels(), indices)
    }
}
