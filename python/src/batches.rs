//! A stream of batches on its way through a transform.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use albertine::column::annotator_type;
use albertine::{Error, Origin, OutputSchema, Transform, WindowSettings, Windowed};
use arrow_array::{RecordBatch, RecordBatchReader};
use pyo3::prelude::*;
use pyo3_arrow::input::AnyRecordBatch;
use pyo3_arrow::{PyRecordBatch, PySchema, PyTable};

use crate::error::Failure;
use crate::input::InputColumns;
use crate::warnings;
use crate::work::interruptible;

/// An iterator over the transformed batches of a stream, cut into windows; every row once, in order.
///
/// The stream is read as batches are asked for. Errors are raised as they are, which a C stream could not do.
#[pyclass(module = "albertine._albertine", frozen)]
pub(crate) struct Batches {
    output: OutputSchema,
    /// The most tokens that each classifier of the transform reads of a text.
    limits: Vec<usize>,
    stream: Mutex<Stream>,
}

struct Stream {
    windows: Windowed<Source, Arc<dyn Transform>>,
    is_over: bool,
}

/// The batches of a foreign stream, as stages read them.
struct Source {
    reader: Box<dyn RecordBatchReader + Send>,
    columns: InputColumns,
    rows: usize,
}

impl Iterator for Source {
    type Item = Result<RecordBatch, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.reader.next()? {
            Ok(batch) => batch,
            Err(error) => return Some(Err(Error::from(error).into())),
        };
        let converted = self.columns.convert(&batch, self.rows);
        self.rows += batch.num_rows();
        Some(converted)
    }
}

impl Batches {
    /// A stream, or one batch, through `transform`, whose classifiers read at most `limits` tokens of a text. Columns
    /// are checked before the first batch is read.
    pub(crate) fn new(
        stream: AnyRecordBatch,
        transform: Arc<dyn Transform>,
        kinds: &HashMap<String, String>,
        limits: Vec<usize>,
    ) -> PyResult<Self> {
        let reader = stream.into_reader()?;
        let columns = InputColumns::new(&reader.schema(), kinds);
        let schema = Arc::clone(columns.schema());
        let source = Source { reader, columns, rows: 0 };
        let windows = Windowed::new(source, &schema, transform, WindowSettings::default()).map_err(Failure::from)?;
        let output = windows.output_schema().clone();
        Ok(Self { output, limits, stream: Mutex::new(Stream { windows, is_over: false }) })
    }

    /// One batch through `transform`.
    pub(crate) fn of_batch(batch: RecordBatch, transform: Arc<dyn Transform>, limits: Vec<usize>) -> PyResult<Self> {
        Self::new(AnyRecordBatch::RecordBatch(PyRecordBatch::new(batch)), transform, &HashMap::new(), limits)
    }

    /// The next batch, which may be taken without the interpreter's lock. At the end of the stream it warns of texts
    /// that were cut.
    pub(crate) fn next(&self) -> Result<Option<RecordBatch>, Failure> {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let cancellation = stream.windows.cancellation().clone();
        // The stream is read here, on the thread of whoever asks: it may be a generator of Python's that wants no
        // other.
        let batch = stream.windows.advance(|work| interruptible(&cancellation, work))?;
        if batch.is_none() && !std::mem::replace(&mut stream.is_over, true) {
            warnings::warn(stream.windows.counts(), &self.limits)?;
        }
        Ok(batch)
    }
}

impl Batches {
    /// Texts that were truncated so far.
    pub(crate) fn truncated(&self) -> u64 {
        let stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        stream.windows.counts().iter().map(|counts| counts.truncated).sum()
    }
}

#[pymethods]
impl Batches {
    /// The schema of the batches.
    #[getter]
    fn schema(&self) -> PySchema {
        PySchema::new(Arc::clone(self.output.schema()))
    }

    /// For each column of the batches the place of the same column in the stream; `None` for one that was written.
    #[getter]
    fn origins(&self) -> Vec<Option<usize>> {
        let index = |origin: &Origin| match *origin {
            Origin::Input(index) => Some(index),
            Origin::Stage(_) => None,
        };
        self.output.origins().iter().map(index).collect()
    }

    /// The annotator types of the annotation columns of the batches.
    #[getter]
    fn kinds(&self) -> HashMap<&str, &str> {
        let fields = self.output.schema().fields().iter();
        fields.filter_map(|field| Some((field.name().as_str(), annotator_type(field)?))).collect()
    }

    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<PyRecordBatch>> {
        Ok(py.detach(|| self.next())?.map(PyRecordBatch::new))
    }

    /// All batches as one table.
    fn read_all(&self, py: Python<'_>) -> PyResult<PyTable> {
        let batches = py.detach(|| std::iter::from_fn(|| self.next().transpose()).collect::<Result<Vec<_>, _>>())?;
        PyTable::try_new(batches, Arc::clone(self.output.schema()))
    }
}
