//! A stream of batches on its way through a transform.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use albertine::column::annotator_type;
use albertine::{Error, Transform, WindowSettings, Windows};
use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::SchemaRef;
use pyo3::prelude::*;
use pyo3_arrow::input::AnyRecordBatch;
use pyo3_arrow::{PyRecordBatch, PySchema, PyTable};

use crate::annotations::Door;
use crate::cuts::Cuts;
use crate::error::Failure;
use crate::work::interruptible;

/// An iterator over the transformed batches of a stream, cut into windows; every row once, in order.
///
/// The stream is read as batches are asked for. Errors are raised as they are, which a C stream could not do.
#[pyclass(module = "albertine._albertine", frozen)]
pub(crate) struct Batches {
    transform: Arc<dyn Transform>,
    output: SchemaRef,
    /// For each column of the output the one of the input that it is; none for one that was written.
    origins: Vec<Option<usize>>,
    stream: Mutex<Stream>,
    cuts: Cuts,
}

struct Stream {
    windows: Windows<Source>,
    rows: usize,
}

/// The batches of a foreign stream, through the door.
struct Source {
    reader: Box<dyn RecordBatchReader + Send>,
    door: Door,
    rows: usize,
}

impl Iterator for Source {
    type Item = Result<RecordBatch, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.reader.next()? {
            Ok(batch) => batch,
            Err(error) => return Some(Err(Error::from(error).into())),
        };
        let admitted = self.door.admit(&batch, self.rows);
        self.rows += batch.num_rows();
        Some(admitted)
    }
}

impl Batches {
    /// A stream, or one batch, through `transform`. Columns are checked before the first batch is read.
    pub(crate) fn new(
        stream: AnyRecordBatch,
        transform: Arc<dyn Transform>,
        kinds: &HashMap<String, String>,
        cuts: Cuts,
    ) -> PyResult<Self> {
        let reader = stream.into_reader()?;
        let door = Door::new(&reader.schema(), kinds);
        let output = door.output_schema(&*transform).map_err(Failure::from)?;
        let origins = door.origins(&output);
        let source = Source { reader, door, rows: 0 };
        let windows = Windows::new(source, WindowSettings::default());
        Ok(Self { transform, output, origins, stream: Mutex::new(Stream { windows, rows: 0 }), cuts })
    }

    /// One batch through `transform`.
    pub(crate) fn of_batch(batch: RecordBatch, transform: Arc<dyn Transform>, cuts: Cuts) -> PyResult<Self> {
        Self::new(AnyRecordBatch::RecordBatch(PyRecordBatch::new(batch)), transform, &HashMap::new(), cuts)
    }

    /// The next batch, which may be taken without the interpreter's lock.
    pub(crate) fn next(&self) -> Result<Option<RecordBatch>, Failure> {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(window) = stream.windows.next().transpose()? else {
            self.cuts.tell()?;
            return Ok(None);
        };
        let since = Instant::now();
        let first = stream.rows;
        let transformed =
            interruptible(|| self.transform.transform(&window).map_err(|error| error.of_rows_from(first)))?;
        stream.windows.keep_pace(window.num_rows(), since.elapsed());
        stream.rows += window.num_rows();
        Ok(Some(transformed))
    }
}

#[pymethods]
impl Batches {
    /// The schema of the batches.
    #[getter]
    fn schema(&self) -> PySchema {
        PySchema::new(self.output.clone())
    }

    /// For each column of the batches the place of the same column in the stream; `None` for one that was written.
    #[getter]
    fn origins(&self) -> Vec<Option<usize>> {
        self.origins.clone()
    }

    /// The annotator types of the annotation columns of the batches.
    #[getter]
    fn kinds(&self) -> HashMap<&str, &str> {
        let fields = self.output.fields().iter();
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
        PyTable::try_new(batches, self.output.clone())
    }
}
