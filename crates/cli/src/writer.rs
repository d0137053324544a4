//! Record batches to wherever the settings say: a table for a person, or a format for programs.

use albertine_engine::Sink;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use crate::printer::{Data, Printer};
use crate::settings::Output;
use crate::table::Table;

/// Takes the batches of one result.
pub(crate) enum Writer {
    /// A table on the terminal.
    Table(Table<Data>),
    /// A format of the engine.
    Sink(Box<Sink>),
}

impl Writer {
    /// Opens the output for batches of `schema`.
    ///
    /// # Errors
    /// When the output cannot be created.
    pub(crate) fn create(output: Output, schema: SchemaRef, printer: &Printer) -> anyhow::Result<Self> {
        match output {
            Output::Table => {
                Ok(Self::Table(Table::new(printer.data(), schema, printer.width(), printer.colors_stdout())))
            }
            Output::Data(data) => Ok(Self::Sink(Box::new(Sink::create(data.target, data.format, schema)?))),
        }
    }

    /// Writes the rows of a batch.
    ///
    /// # Errors
    /// When the output cannot take them.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        match self {
            Self::Table(table) => table.write(batch),
            Self::Sink(sink) => Ok(sink.write(batch)?),
        }
    }

    /// Completes the output; a file is moved into place.
    ///
    /// # Errors
    /// When what is left cannot be written.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Table(table) => Ok(table.finish()?),
            Self::Sink(sink) => {
                sink.finish()?;
                Ok(())
            }
        }
    }
}
