//! `albertine sql`: queries over files, with the model as a function.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use albertine::Classifier;
use albertine::hub::Hub;
use albertine_sql::{Sql, SqlError};
use anyhow::{Context, bail};

use crate::args::SqlArgs;
use crate::exit::Outcome;
use crate::interrupt::discard_output_on_interrupt;
use crate::printer::Printer;
use crate::settings;
use crate::writer::Writer;
use crate::{report, timing};

/// Planning goes as deep as a query has terms, and programs write queries with thousands of them. Pages of a stack that
/// are not used cost nothing.
const STACK: usize = 1 << 30;

/// Runs the query and writes its rows, on a thread whose stack holds any query that was meant.
pub(crate) fn sql(args: &SqlArgs, hub: &Hub, printer: &Printer) -> anyhow::Result<Outcome> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("albertine-sql".into()).stack_size(STACK);
        let running = thread.spawn_scoped(scope, || run(args, hub, printer)).context("cannot start a thread")?;
        running.join().unwrap_or_else(|_| bail!("the query failed: the engine stopped unexpectedly"))
    })
}

fn run(args: &SqlArgs, hub: &Hub, printer: &Printer) -> anyhow::Result<Outcome> {
    let output = settings::output(&args.output, printer.stdout_is_terminal())?;
    let model = settings::model(&args.model, hub)?;
    discard_output_on_interrupt(*printer)?;
    let classifier = Arc::new(Classifier::load(&hub.resolve(&model.name)?, model.settings)?);
    let started = Instant::now();
    let mut rows = Sql::new(Arc::clone(&classifier)).and_then(|sql| sql.query(&args.query)).map_err(cause)?;
    let file = output.file().map(Path::to_owned);
    let mut writer = Writer::create(output, rows.schema(), printer)?;
    let mut written = 0;
    for batch in rows.by_ref() {
        let batch = batch.map_err(cause)?;
        written += batch.num_rows() as u64;
        writer.write(&batch)?;
    }
    writer.finish()?;
    let elapsed = started.elapsed();
    if let Some(path) = file {
        report::rows(printer, written, 0, elapsed, Some(&path));
    }
    let counts = rows.counts();
    report::texts(printer, &classifier, &counts);
    timing::tell(printer, &classifier, &counts, elapsed, &[], &[]).map_err(albertine::Error::from)?;
    Ok(Outcome::Done)
}

/// The error with what a hint depends on: a table's fault as that of a table.
fn cause(error: SqlError) -> anyhow::Error {
    match error {
        SqlError::Engine(error) => error.into(),
        error => error.into(),
    }
}
