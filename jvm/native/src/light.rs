//! Texts in hand.

use std::sync::Arc;

use albertine::annotation::AnnotatorType;
use albertine::column::AnnotationColumnBuilder;
use albertine::{CancellationToken, Classifier, Columns, Counts, Error, Transform};
use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};

use crate::failure::Failure;
use crate::message::{Reader, Writer};
use crate::pipeline::{Pipeline, write_counts};
use crate::{batch, handles};

/// Texts that are worked on together: a call that is to end need not wait for all of them.
const CHUNK: usize = 1024;

/// The annotations of texts. The request has the token of the call and the texts; the answer the texts that each
/// classifier cut, and for each annotation column its name and its values.
pub(crate) fn annotate(pipeline: &Pipeline, request: &mut Reader<'_>, answer: &mut Writer) -> Result<(), Failure> {
    let token = handles::token(request.long()?)?;
    let texts = request.list(|request| Ok(request.optional()?.unwrap_or_default()))?;
    let mut rows = Vec::with_capacity(texts.len());
    let mut counts = Vec::new();
    for some in texts.chunks(CHUNK) {
        let first = rows.len();
        let (annotated, counted) = pipeline.light.run(some, &token).map_err(|error| error.of_rows_from(first))?;
        rows.extend(annotated);
        Counts::add_each(&mut counts, counted);
    }
    write_counts(answer, &counts, pipeline.model.stages());
    let names: Vec<String> = rows.first().map(|row| row.keys().cloned().collect()).unwrap_or_default();
    answer.count(names.len());
    for name in &names {
        let mut column = AnnotationColumnBuilder::default();
        for row in &rows {
            for annotation in row.get(name).map(Vec::as_slice).unwrap_or_default() {
                let kind = AnnotatorType::ALL.into_iter().find(|kind| kind.name() == annotation.annotator_type);
                let metadata = annotation.metadata.iter().map(|(key, value)| (key.as_str(), value.as_deref()));
                let kind = kind.unwrap_or(AnnotatorType::Any);
                column.push(kind, annotation.begin, annotation.end, &annotation.result, metadata);
            }
            column.end_row();
        }
        answer.text(name);
        batch::write(answer, &column.finish()?)?;
    }
    Ok(())
}

/// The labels of texts. The request has the token of the call and the texts, the answer for each text whether it has
/// scores, its label, the score of that and the score of every label in their order; last, how many texts were cut.
pub(crate) fn classify(
    classifier: &Arc<Classifier>,
    request: &mut Reader<'_>,
    answer: &mut Writer,
) -> Result<(), Failure> {
    let token = handles::token(request.long()?)?;
    let texts = request.list(Reader::optional)?;
    let columns = Columns { all_scores: true, ..Columns::default() };
    let classify = albertine::Classify::new(Arc::clone(classifier), columns)?;
    let mut cut = 0;
    for (number, some) in texts.chunks(CHUNK).enumerate() {
        let (found, counts) = labels(&classify, some, &token).map_err(|error| error.of_rows_from(number * CHUNK))?;
        cut += counts.iter().map(|counts| counts.truncated).sum::<u64>();
        let [labels, scores, all] = [1, 2, 3].map(|index| found.column(index));
        let (labels, scores) = (labels.as_string::<i32>(), scores.as_primitive::<Float32Type>());
        let all: Vec<_> = all.as_struct().columns().iter().map(|column| column.as_primitive::<Float32Type>()).collect();
        for row in 0..found.num_rows() {
            answer.byte(scores.is_valid(row).into());
            if scores.is_valid(row) {
                answer.optional(labels.is_valid(row).then(|| labels.value(row)));
                answer.float(scores.value(row));
                all.iter().for_each(|column| answer.float(column.value(row)));
            }
        }
    }
    answer.long(cut as i64);
    Ok(())
}

fn labels(
    classify: &albertine::Classify,
    texts: &[Option<&str>],
    token: &CancellationToken,
) -> Result<(RecordBatch, Vec<Counts>), Error> {
    let texts: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    classify.run(&RecordBatch::try_from_iter_with_nullable([("text", texts, true)])?, token)
}
