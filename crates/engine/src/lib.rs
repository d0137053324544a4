//! The data engine of Albertine: sources, sinks and bounded streaming.
//!
//! A [`Source`] reads tables from files, URLs or standard input as a stream of Arrow record batches; [`run`] takes it window by window
//! through a [`Transform`](albertine::Transform) into a [`Sink`]. Rows are never lost, added or reordered, and
//! memory use depends on the windows, not on the tables. `albertine-sql` queries the same files.
//!
//! # Examples
//! A transform that adds nothing turns one format into another:
//!
//! ```
//! use albertine::{CancellationToken, OutputSchema, Transformed, WindowSettings};
//! use albertine_engine::{Format, Sink, Source, SourceOptions, Target, run};
//! use arrow_array::RecordBatch;
//! use arrow_schema::SchemaRef;
//!
//! struct Keep;
//!
//! impl albertine::Transform for Keep {
//!     fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, albertine::Error> {
//!         Ok(OutputSchema::unchanged(input))
//!     }
//!     fn run(&self, batch: &RecordBatch, _: &CancellationToken) -> Result<Transformed, albertine::Error> {
//!         Ok((batch.clone(), Vec::new()))
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let (input, output) = (folder.path().join("news.csv"), folder.path().join("news.jsonl"));
//! std::fs::write(&input, "id,text\n007,Oil rises\n008,\n")?;
//!
//! let source = Source::open(SourceOptions { inputs: vec![input.into()], ..Default::default() })?;
//! let sink = Sink::create(Target::File(output.clone()), Format::Jsonl, source.schema().clone())?;
//! let summary = run(source, &Keep, sink, WindowSettings::default(), &CancellationToken::default(), &mut |_| {})?;
//!
//! assert_eq!(summary.rows, 2);
//! let lines = std::fs::read_to_string(output)?;
//! assert_eq!(lines, "{\"id\":\"007\",\"text\":\"Oil rises\"}\n{\"id\":\"008\",\"text\":\"\"}\n");
//! # Ok(())
//! # }
//! ```

mod columns;
mod dialect;
mod error;
mod format;
mod guard;
mod location;
mod redacted;
pub mod remote;
mod resume;
mod run;
mod sink;
mod source;

pub use columns::column_name;
pub use dialect::{CharacterEncoding, Quote, TextOptions};
pub use error::{EngineError, clause};
pub use format::{Compression, Format};
pub use location::{InputFile, Location};
pub use resume::{FailedRows, ModelFile, ResumableOutput, ResumableRun, ResumeOptions};
pub use run::{Progress, Summary, for_each_window, run};
pub use sink::{RejectedRows, Sink, Target, WholeFile, discard_unfinished};
pub use source::{OnError, Rejects, Source, SourceOptions};
