//! A stream of batches through a transform, window by window.

use std::sync::Arc;
use std::time::Instant;

use arrow_array::RecordBatch;
use arrow_array::{Array, ArrayRef};
use arrow_schema::{FieldRef, Schema, SchemaRef};

use crate::{
    CancellationToken, Counts, Error, Origin, OutputSchema, Rows, Transform, Transformed, WindowSettings, Windows,
};

/// An iterator over the transformed windows of a stream: every row once, in order, or an error.
///
/// It sizes windows by the time that they take, adds up what the transform counts, gives rows in errors the numbers
/// that they have in the stream, and holds the transform to what it says of rows and columns.
///
/// ```
/// use std::sync::Arc;
/// use albertine::{Classifier, ClassifierSettings, Classify, Columns, Counts, Error, WindowSettings, Windowed};
/// use arrow_array::{RecordBatch, StringArray};
///
/// let texts = |texts: Vec<&str>| RecordBatch::try_from_iter([("text", Arc::new(StringArray::from(texts)) as _)]);
/// let batches = [texts(vec!["Oil prices rose.", " "])?, texts(vec!["The team won the cup final."])?];
/// let schema = batches[0].schema();
/// let classifier = Arc::new(Classifier::pretrained("ag_news", ClassifierSettings::default())?);
/// let classify = Classify::new(classifier, Columns::default())?;
///
/// let stream = batches.into_iter().map(Ok::<_, Error>);
/// let mut windowed = Windowed::new(stream, &schema, classify, WindowSettings::default())?;
/// let rows: usize = windowed.by_ref().map(|window| Ok::<_, Error>(window?.num_rows())).sum::<Result<_, _>>()?;
/// let counts: Counts = windowed.counts().iter().sum();
/// assert_eq!((rows, counts.documents, counts.blank), (3, 3, 1));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Windowed<S, T> {
    windows: Windows<S>,
    transform: T,
    output: OutputSchema,
    cancellation: CancellationToken,
    rows: usize,
    /// The number of the stream's first row in the table that errors speak of.
    first_row: usize,
    counts: Vec<Counts>,
}

impl<S, T: Transform> Windowed<S, T> {
    /// The windows of `source`, whose batches have the schema `input`, through `transform`.
    ///
    /// # Errors
    /// As [`Transform::output_schema`]: before anything is read.
    pub fn new(source: S, input: &SchemaRef, transform: T, settings: WindowSettings) -> Result<Self, Error> {
        Ok(Self {
            windows: Windows::new(source, settings),
            output: transform.output_schema(input)?,
            transform,
            cancellation: CancellationToken::default(),
            rows: 0,
            first_row: 0,
            counts: Vec::new(),
        })
    }

    /// The same, stopped by `cancellation`.
    #[must_use]
    pub fn with_cancellation(self, cancellation: CancellationToken) -> Self {
        Self { cancellation, ..self }
    }

    /// The same for a stream that begins with row `first_row` of its table, counted from 0: rows in errors have the
    /// numbers of the table.
    #[must_use]
    pub fn with_first_row(self, first_row: usize) -> Self {
        Self { first_row, ..self }
    }
}

impl<S, T> Windowed<S, T> {
    /// The columns and rows of its windows.
    #[must_use]
    pub fn output_schema(&self) -> &OutputSchema {
        &self.output
    }

    /// What stops it.
    #[must_use]
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
    }

    /// Rows of the stream that are through the transform.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// What each classifier of the transform counted so far, over all windows.
    #[must_use]
    pub fn counts(&self) -> &[Counts] {
        &self.counts
    }

    /// Where the batches come from.
    #[must_use]
    pub fn source(&self) -> &S {
        self.windows.source()
    }
}

impl<S, T: Transform> Windowed<S, T> {
    /// The next window as [`next`](Iterator::next) gives it, where `run` does the work that it is given: for hosts that
    /// do it elsewhere than they read, such as on a thread that leaves this one free to listen.
    ///
    /// # Errors
    /// Those of the source, of the transform and of `run`, and [`Error::SchemaChanged`], [`Error::RowsChanged`] and
    /// [`Error::ColumnChanged`].
    pub fn advance<E>(
        &mut self,
        run: impl FnOnce(&(dyn Fn() -> Result<Transformed, Error> + Sync)) -> Result<Transformed, E>,
    ) -> Result<Option<RecordBatch>, E>
    where
        S: Iterator<Item = Result<RecordBatch, E>>,
        E: From<Error>,
    {
        self.cancellation.check().map_err(Error::from)?;
        let Some(window) = self.windows.next().transpose()? else { return Ok(None) };
        let since = Instant::now();
        let (transform, cancellation, first) = (&self.transform, &self.cancellation, self.first_row + self.rows);
        let work = || transform.run(&window, cancellation).map_err(|error| error.of_rows_from(first));
        let (transformed, counts) = run(&work)?;
        self.windows.keep_pace(window.num_rows(), since.elapsed());
        check(&self.output, &window, &transformed)?;
        self.rows += window.num_rows();
        Counts::add_each(&mut self.counts, counts);
        Ok(Some(transformed))
    }
}

impl<S, T, E> Iterator for Windowed<S, T>
where
    S: Iterator<Item = Result<RecordBatch, E>>,
    T: Transform,
    E: From<Error>,
{
    type Item = Result<RecordBatch, E>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance(|work| Ok(work()?)).transpose()
    }
}

/// Whether a transform did to a window what it says.
fn check(output: &OutputSchema, window: &RecordBatch, transformed: &RecordBatch) -> Result<(), Error> {
    if !Arc::ptr_eq(output.schema(), transformed.schema_ref()) {
        check_columns(output.schema(), transformed.schema_ref())?;
    }
    if output.rows() != Rows::Kept {
        return Ok(());
    }
    if window.num_rows() != transformed.num_rows() {
        return Err(Error::RowsChanged { expected: window.num_rows(), found: transformed.num_rows() });
    }
    for (column, origin) in transformed.columns().iter().zip(output.origins()) {
        if let Origin::Input(index) = *origin
            && !is_same(column, window.column(index))
        {
            return Err(Error::ColumnChanged { column: window.schema_ref().field(index).name().clone() });
        }
    }
    Ok(())
}

/// Whether a transform gave the columns that it says: their number, names and types.
fn check_columns(said: &Schema, given: &Schema) -> Result<(), Error> {
    let column = |field: Option<&FieldRef>| {
        field.map_or_else(|| "none".to_owned(), |field| format!("`{}` of type {}", field.name(), field.data_type()))
    };
    for index in 0..said.fields().len().max(given.fields().len()) {
        let (said, given) = (said.fields().get(index), given.fields().get(index));
        let same = said.zip(given).is_some_and(|(said, given)| {
            said.name() == given.name() && said.data_type().equals_datatype(given.data_type())
        });
        if !same {
            return Err(Error::SchemaChanged { number: index + 1, expected: column(said), found: column(given) });
        }
    }
    Ok(())
}

/// Whether two columns have the same rows in the same order. A column that is handed on is not looked into.
fn is_same(one: &ArrayRef, other: &ArrayRef) -> bool {
    Arc::ptr_eq(one, other) || one.to_data().ptr_eq(&other.to_data()) || **one == **other
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow_array::Int32Array;
    use arrow_select::take::take;

    use super::*;

    /// Gives the rows that it is told to.
    struct Takes(Vec<i32>, Rows);

    impl Transform for Takes {
        fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, Error> {
            let output = OutputSchema::unchanged(input);
            Ok(if self.1 == Rows::Kept { output } else { output.multiplying_rows() })
        }

        fn run(&self, batch: &RecordBatch, _: &CancellationToken) -> Result<Transformed, Error> {
            let column = take(batch.column(0), &Int32Array::from(self.0.clone()), None)?;
            Ok((RecordBatch::try_new(batch.schema(), vec![column])?, Vec::new()))
        }
    }

    fn outcome(taken: &[i32], rows: Rows) -> Result<usize, String> {
        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![7, 8, 9]));
        let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
        let transform = Takes(taken.to_vec(), rows);
        let source = [batch.clone()].into_iter().map(Ok::<_, Error>);
        let mut windowed = Windowed::new(source, &batch.schema(), transform, WindowSettings::default()).unwrap();
        windowed.next().unwrap().map(|window| window.num_rows()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_transform_is_held_to_its_word() {
        assert_eq!(outcome(&[0, 1, 2], Rows::Kept), Ok(3));
        assert_eq!(outcome(&[0, 1], Rows::Kept), Err("a transform returned 2 rows for 3".into()));
        let reordered = outcome(&[2, 1, 0], Rows::Kept);
        assert_eq!(reordered, Err("a transform changed column `n`, which it was to keep".into()));
        assert_eq!(outcome(&[0, 0, 1], Rows::Multiplied), Ok(3));
        assert_eq!(outcome(&[], Rows::Multiplied), Ok(0));
    }

    /// Gives a batch of its own.
    struct Gives(RecordBatch);

    impl Transform for Gives {
        fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, Error> {
            Ok(OutputSchema::unchanged(input))
        }

        fn run(&self, _: &RecordBatch, _: &CancellationToken) -> Result<Transformed, Error> {
            Ok((self.0.clone(), Vec::new()))
        }
    }

    #[test]
    fn a_transform_gives_the_columns_that_it_says() {
        let column = |name: &str, column: ArrayRef| RecordBatch::try_from_iter([(name, column)]).unwrap();
        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1]));
        let batch = column("n", Arc::clone(&numbers));
        let two = RecordBatch::try_from_iter([("n", Arc::clone(&numbers)), ("m", Arc::clone(&numbers))]).unwrap();
        let floats: ArrayRef = Arc::new(arrow_array::Float32Array::from(vec![1.0]));
        for (given, message) in [
            (column("m", numbers), "column 1: `m` of type Int32, where it said `n` of type Int32"),
            (column("n", floats), "column 1: `n` of type Float32, where it said `n` of type Int32"),
            (two, "column 2: `m` of type Int32, where it said none"),
            (batch.project(&[]).unwrap(), "column 1: none, where it said `n` of type Int32"),
        ] {
            let source = [batch.clone()].into_iter().map(Ok::<_, Error>);
            let windows = Windowed::new(source, &batch.schema(), Gives(given), WindowSettings::default());
            let error = windows.unwrap().next().unwrap().unwrap_err().to_string();
            assert_eq!(error, format!("a transform gave as {message}"));
        }
    }

    #[test]
    fn a_cancelled_stream_ends() {
        let batch = RecordBatch::try_from_iter([("n", Arc::new(Int32Array::from(vec![1])) as ArrayRef)]).unwrap();
        let source = [batch.clone(), batch.clone()].into_iter().map(Ok::<_, Error>);
        let settings = WindowSettings { rows: 1, ..WindowSettings::default() };
        let windowed = Windowed::new(source, &batch.schema(), Takes(vec![0], Rows::Kept), settings).unwrap();
        let token = CancellationToken::default();
        let mut windowed = windowed.with_cancellation(token.clone());
        assert!(windowed.next().unwrap().is_ok());
        token.cancel();
        assert!(matches!(windowed.next(), Some(Err(Error::Cancelled))));
    }
}
