//! `albertine bench`: how fast a model is on this machine, and how much of the machine it uses.

mod measure;
mod texts;

use std::sync::Arc;

use albertine::hub::Hub;
use albertine::{Classifier, ClassifierSettings, Classify, Columns, Transform};
use arrow_array::{ArrayRef, RecordBatch, StringArray};

use self::measure::{Round, round_size};
use crate::args::{BenchArgs, Errors};
use crate::exit::{Misuse, Outcome};
use crate::facts::Facts;
use crate::printer::Printer;
use crate::report::{count, grouped};
use crate::{settings, timing};

/// Rows of a table that are read: enough to measure, and they are kept in memory.
const MOST_ROWS: usize = 10_000;

/// Measures the model over the texts that `args` name, or over generated ones, and prints what was found.
pub(crate) fn bench(args: &BenchArgs, hub: &Hub, printer: &Printer) -> anyhow::Result<Outcome> {
    let model = settings::model(&args.model, hub)?;
    let table = if args.input.inputs.is_empty() { None } else { Some(read(args, printer)?) };
    let source = hub.resolve(&model.name)?;
    let name = source.to_string();
    let measured = ClassifierSettings { measure_stages: true, ..model.settings };
    let classifier = Arc::new(Classifier::load(&source, measured)?);
    let (batches, text, origin) = match table {
        Some((batches, text)) => (batches, text, settings::names(&args.input.inputs)),
        None => (vec![generated(&classifier)?], Columns::default().text, texts::description()),
    };
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if rows == 0 {
        return Err(Misuse::new(
            format!("{origin} has no rows"),
            "give a table with rows, or omit `--input` to use generated texts",
        )
        .into());
    }

    let classify = Classify::new(Arc::clone(&classifier), Columns { text, ..Columns::default() })?;
    for batch in &batches {
        classify.output_schema(&batch.schema())?;
    }
    printer.note(format_args!(
        "measuring: a warm-up round and {} over {}",
        count(args.rounds as u64, "round"),
        count(rows as u64, "text")
    ));
    Round::run(&classify, &batches)?;
    let mut rounds = (0..args.rounds).map(|_| Round::run(&classify, &batches)).collect::<Result<Vec<_>, _>>()?;
    rounds.sort_by_key(|round| round.elapsed);
    let median = rounds.swap_remove(rounds.len() / 2);

    let (kernels, precision) = (classifier.model().kernels(), classifier.model().precision());
    let mut facts = Facts::default();
    let parameters = classifier.config().parameters() as u64;
    facts.add("model", name.clone(), name);
    facts.add("parameters", parameters, grouped(parameters));
    facts.add("cpu_level", kernels.level().name(), kernels.level().name());
    facts.add("precision", precision.name(), precision.name());
    facts.add("threads", classifier.threads(), classifier.threads().to_string());
    facts.add("texts", rows, format!("{}, {origin}", grouped(rows as u64)));
    let computed = format!("{}, without duplicate and blank texts", grouped(median.counts.sequences));
    facts.add("computed", median.counts.sequences, computed);
    facts.add("rounds", args.rounds, args.rounds.to_string());
    let threads = timing::threads_at_once(classifier.threads());
    let peak = timing::peak_gflops(precision, threads).map_err(albertine::Error::from)?;
    median.tell(&mut facts, peak, threads);
    facts.print(printer)?;
    Ok(Outcome::Done)
}

/// The first rows of the tables that are named, and their text columns.
fn read(args: &BenchArgs, printer: &Printer) -> anyhow::Result<(Vec<RecordBatch>, Vec<String>)> {
    let mut batches = Vec::new();
    let mut missing = MOST_ROWS;
    let mut source = settings::open(settings::tables(&args.input, Errors::Fail), printer)?;
    let text = settings::text_columns(source.schema(), &args.input.text_columns);
    source.read_bytes_as_text(&text);
    for batch in source {
        let batch = batch?;
        let rows = batch.num_rows().min(missing);
        batches.push(batch.slice(0, rows));
        missing -= rows;
        if missing == 0 {
            break;
        }
    }
    Ok((batches, text))
}

/// As many generated texts as a round needs to be measured well, in the column that is read by default.
fn generated(classifier: &Arc<Classifier>) -> anyhow::Result<RecordBatch> {
    let columns = Columns::default();
    let table = |rows: usize| {
        let texts: ArrayRef = Arc::new(StringArray::from(texts::generate(rows)));
        RecordBatch::try_from_iter(columns.text.iter().map(|name| (name, Arc::clone(&texts))))
    };
    let classify = Classify::new(Arc::clone(classifier), columns.clone())?;
    let rows = round_size(&classify, &table(measure::SAMPLE)?)?;
    Ok(table(rows)?)
}
