//! Tables of text formats: queries read them as everything else does, through a [`Source`].

use std::sync::{Arc, Mutex, PoisonError};

use albertine_engine::{EngineError, Format, InputFile, Source};
use arrow_array::cast::AsArray;
use arrow_array::{RecordBatch, RecordBatchOptions, new_null_array};
use arrow_cast::cast;
use arrow_schema::{Field, FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream};
use tokio::sync::mpsc::Sender;

use crate::SqlError;
use crate::types::{self, Kind};

/// Rows of each CSV file that are looked at for the types of its columns.
const LOOKED_AT: usize = 100_000;

/// The most characters of a cell that a message shows.
const SHOWN: usize = 40;

/// The files of one table, all of one format.
#[derive(Debug)]
struct Files {
    files: Vec<InputFile>,
    /// Whether the cells are texts whose types were found here.
    typed: bool,
    /// All columns, with their types.
    schema: SchemaRef,
    /// The source that was opened to find the columns of JSON Lines, for the first scan: it has looked at all lines.
    opened: Mutex<Option<Source>>,
}

impl Files {
    /// All rows in order.
    fn source(&self) -> std::result::Result<Source, SqlError> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(opened.map_or_else(|| Source::of_files(self.files.clone()), Ok)?)
    }
}

/// A table that each scan reads anew.
#[derive(Debug)]
pub(super) struct SourceTable {
    files: Arc<Files>,
}

impl SourceTable {
    /// Finds the columns of `files`, which are of one format. Those of CSV and TSV get the types that hold the cells of
    /// the first rows of every file.
    ///
    /// # Errors
    /// As [`Source::open`], and when a file can be read only once.
    pub(super) fn open(files: Vec<InputFile>) -> std::result::Result<Self, SqlError> {
        if let Some(file) = files.iter().find(|file| file.location.is_stream()) {
            let reason = "a table of a query must be a file, which can be read more than once".to_owned();
            return Err(SqlError::Query { reason: format!("cannot read {}: {reason}", file.location) });
        }
        let source = Source::of_files(files.clone())?;
        let schema = Arc::clone(source.schema());
        if !files.iter().all(|file| matches!(file.format, Format::Csv | Format::Tsv)) {
            let opened = Mutex::new(Some(source));
            return Ok(Self { files: Arc::new(Files { files, typed: false, schema, opened }) });
        }
        let mut kinds = vec![Kind::Empty; schema.fields().len()];
        for file in &files {
            look(file, &schema, &mut kinds)?;
        }
        let is_partition = |name: &str| files.iter().any(|file| file.partitions.iter().any(|(key, _)| key == name));
        let typed = |(field, kind): (&FieldRef, &Kind)| {
            let own = is_partition(field.name()).then(|| field.data_type().clone());
            Field::new(field.name(), own.unwrap_or_else(|| kind.data_type()), true)
        };
        let fields: Vec<_> = schema.fields().iter().zip(&kinds).map(typed).collect();
        let schema = Arc::new(Schema::new(fields));
        Ok(Self { files: Arc::new(Files { files, typed: true, schema, opened: Mutex::new(None) }) })
    }
}

/// The rows of one file of several, of which some may have none.
fn rows_of(file: &InputFile) -> std::result::Result<Option<Source>, SqlError> {
    match Source::of_files(vec![file.clone()]) {
        Err(EngineError::EmptyFile { .. }) => Ok(None),
        source => Ok(Some(source?)),
    }
}

/// Widens `kinds`, those of the columns of `schema`, by the first rows of a file.
fn look(file: &InputFile, schema: &SchemaRef, kinds: &mut [Kind]) -> std::result::Result<(), SqlError> {
    let mut rows = 0;
    for batch in rows_of(file)?.into_iter().flatten() {
        let batch = batch?;
        let batch = batch.slice(0, batch.num_rows().min(LOOKED_AT - rows));
        for (field, kind) in schema.fields().iter().zip(&mut *kinds) {
            let column = batch.column_by_name(field.name()).and_then(|column| column.as_string_opt::<i32>());
            for cell in column.into_iter().flatten().flatten() {
                if *kind == Kind::Text {
                    break;
                }
                *kind = kind.and(Kind::of(cell));
            }
        }
        rows += batch.num_rows();
        if rows >= LOOKED_AT || kinds.iter().all(|kind| *kind == Kind::Text) {
            break;
        }
    }
    Ok(())
}

#[async_trait]
impl TableProvider for SourceTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.files.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns = projection.map_or_else(|| (0..self.files.schema.fields().len()).collect(), Clone::clone);
        let schema = Arc::new(self.files.schema.project(&columns)?);
        let scan = Scan { files: Arc::clone(&self.files), columns, schema: Arc::clone(&schema) };
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![Arc::new(scan)], None, [], false, limit)?))
    }
}

/// One reading of some columns of a table.
#[derive(Debug, Clone)]
struct Scan {
    files: Arc<Files>,
    columns: Vec<usize>,
    schema: SchemaRef,
}

impl PartitionStream for Scan {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut stream = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), 1);
        let (scan, sender) = (self.clone(), stream.tx());
        // Reading blocks.
        stream.spawn_blocking(move || scan.send(&sender).map_err(|error| DataFusionError::External(Box::new(error))));
        stream.build()
    }
}

impl Scan {
    /// Sends all rows, or as many as are wanted.
    fn send(&self, sender: &Sender<Result<RecordBatch>>) -> std::result::Result<(), SqlError> {
        if !self.files.typed {
            for batch in self.files.source()? {
                let batch = self.chosen(&batch?)?;
                if sender.blocking_send(Ok(batch)).is_err() {
                    return Ok(());
                }
            }
            return Ok(());
        }
        for file in &self.files.files {
            // Data rows are counted from 1, as people do.
            let mut row = 1;
            for batch in rows_of(file)?.into_iter().flatten() {
                let batch = batch?;
                let typed = self.typed(&batch, file, row)?;
                row += batch.num_rows();
                if sender.blocking_send(Ok(typed)).is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn chosen(&self, batch: &RecordBatch) -> std::result::Result<RecordBatch, SqlError> {
        batch.project(&self.columns).map_err(arrow_error)
    }

    /// The texts of a batch, which starts at row `first` of `file`, in the types of the table.
    fn typed(&self, batch: &RecordBatch, file: &InputFile, first: usize) -> std::result::Result<RecordBatch, SqlError> {
        let mut columns = Vec::with_capacity(batch.num_columns());
        for field in self.schema.fields() {
            let Some(column) = batch.column_by_name(field.name()) else {
                columns.push(new_null_array(field.data_type(), batch.num_rows()));
                continue;
            };
            let Some(cells) = column.as_string_opt::<i32>() else {
                // A partition, whose type is that of its values in all files.
                columns.push(cast(column, field.data_type()).map_err(arrow_error)?);
                continue;
            };
            columns.push(types::column(cells, field.data_type()).map_err(|row| SqlError::CellType {
                path: file.location.to_string(),
                row: first + row,
                column: field.name().clone(),
                cell: cells.value(row).chars().take(SHOWN).collect(),
                expected: types::described(field.data_type()),
            })?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options).map_err(arrow_error)
    }
}

fn arrow_error(error: arrow_schema::ArrowError) -> SqlError {
    SqlError::query(&error.to_string())
}
