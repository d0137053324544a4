//! `albertine train`: a model, fine-tuned on a labelled table.

mod card;
mod log;
mod place;
mod rows;

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use albertine::hub::Hub;
use albertine::model::{CheckpointKind, Kernels, ProblemType};
use albertine_engine::{Target, WholeFile};
use albertine_train::{Base, Examples, Head, LabelNames, Metrics, Report, TrainSettings, Trained, Trainer};
use anyhow::Context;

use self::log::{Line, Log};
use self::place::{Place, must_be_free};
use self::rows::Rows;
use crate::args::{ClassWeights, TrainArgs};
use crate::exit::{Misuse, Outcome};
use crate::interrupt::{ask_first, discard_output_on_interrupt, is_asked_to_stop};
use crate::printer::Printer;
use crate::report::{count, grouped};

/// How many labels a note names.
const NAMED: usize = 12;

/// Fine-tunes the model on the tables that `args` name, and writes it.
pub(crate) fn train(args: &TrainArgs, hub: &Hub, printer: &Printer) -> anyhow::Result<Outcome> {
    must_be_free(&args.output)?;
    check(args)?;
    hub.here(&args.model)?;
    discard_output_on_interrupt(*printer)?;
    let tables = rows::open(args)?;
    let found = hub.resolve(&args.model)?;
    let base = Base::new(found.checkpoint()?, args.max_sentence_length)?;
    let kernels = kernels(args)?;

    let mut rows = Rows::default();
    rows.read(&base, tables.train, args, printer)?;
    let head = head(&base, &rows, printer)?;
    let names = LabelNames::of_model(head.labels())?;
    let mut learned = rows.examples(&names)?;
    let held_out = match tables.validation {
        Some(table) => Some(rows::examples(&base, table, &names, args, printer)?),
        None => split(&mut learned, args)?,
    };
    let test = tables.test.map(|table| rows::examples(&base, table, &names, args, printer)).transpose()?;
    printer.note(format_args!(
        "{} for training, {} for validation, at most {} pieces per text",
        count(learned.len() as u64, "text"),
        grouped(held_out.as_ref().map_or(0, Examples::len) as u64),
        base.limit()
    ));

    let settings = settings(args, &learned, head.labels().len());
    let (config, weights) = base.weights(&head, args.seed)?;
    let place = Place::prepare(&args.output)?;
    let mut log = Log::new(printer, &learned, &settings);
    ask_first();
    let started = Instant::now();
    let trainer = Trainer::new(config.clone(), weights, settings.clone(), kernels);
    let trained = trainer.train(&learned, held_out.as_ref(), &mut |event| {
        log.hear(event);
        if is_asked_to_stop() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    let (lines, epochs_run) = log.finish();
    if let Some(step) = trained.diverged {
        printer.warn(format_args!("training diverged at step {step}; the model of epoch {} is kept", trained.epoch));
    }
    let tested = match &test {
        Some(test) => {
            albertine_train::measure(&config, &trained.weights, kernels, test, trained.epoch, &is_asked_to_stop)?
        }
        None => None,
    };
    let stopped = is_asked_to_stop();
    if stopped && test.is_some() && tested.is_none() {
        printer.warn("stopped before the model was evaluated on the test set");
    }

    let facts = facts(
        args,
        &found.to_string(),
        &base,
        [&learned, held_out.as_ref().unwrap_or(&Examples::new())],
        &trained,
        kernels,
    );
    let measured = tested.as_ref().or(trained.validation.as_ref());
    let card = card::card(&args.output, &facts, head.labels(), measured);
    let checkpoint = base.finish(head, &trained.weights, card)?;
    let folder = place.model();
    checkpoint.save(&folder)?;
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    file("metrics.jsonl", &lines)?;
    if let Some(metrics) = measured {
        let report = Report { facts: &facts, metrics, mistakes: &[] };
        file("metrics.json", &report.json()?)?;
        file("report.html", &report.page())?;
    }
    place.finish()?;
    printer.note(format_args!(
        "{} {} ({}) in {:.1} s; the model of epoch {} is in {}",
        if stopped { "stopped after" } else { "trained for" },
        count(u64::from(epochs_run), "epoch"),
        count(trained.steps, "step"),
        started.elapsed().as_secs_f64(),
        trained.epoch,
        args.output.display()
    ));
    tell(&args.output, trained.epoch, measured)?;
    Ok(if stopped { Outcome::Interrupted } else { Outcome::Done })
}

/// What is wrong with flags that do not go together.
fn check(args: &TrainArgs) -> Result<(), Misuse> {
    if args.patience.is_some() && args.validation.is_empty() && args.validation_split == 0.0 {
        return Err(Misuse::new(
            "`--patience` needs a validation set",
            "give one with `--validation`, or hold out some rows with `--validation-split 0.1`",
        ));
    }
    let streams =
        [&args.input.inputs, &args.validation, &args.test].map(|inputs| inputs.iter().any(|input| input == "-"));
    let implied = args.input.inputs.is_empty();
    if streams.into_iter().chain([implied]).filter(|is_stream| *is_stream).count() > 1 {
        return Err(Misuse::new("standard input can be used for one table only", "give files for the others"));
    }
    Ok(())
}

/// The classifier that is trained; says which, and what is no longer as it was.
fn head(base: &Base, rows: &Rows, printer: &Printer) -> anyhow::Result<Head> {
    let labels = rows.labels();
    if labels.len() < 2 {
        return Err(Misuse::new(
            format!("all rows have the label `{}`", labels.iter().map(|label| plain(label)).collect::<String>()),
            "give a table with at least two classes, or choose another `--label-column`",
        )
        .into());
    }
    let head = base.head(&labels)?;
    let mut names: Vec<String> = head.labels().iter().take(NAMED).map(|label| plain(label)).collect();
    names.extend((head.labels().len() > NAMED).then(|| "...".to_owned()));
    let which = if matches!(head, Head::Own(_)) { "the model's own" } else { "a new" };
    printer.note(format_args!(
        "{which} classification head with {} classes: {}",
        head.labels().len(),
        names.join(", ")
    ));
    if matches!(head, Head::Own(_)) && !labels.iter().all(|label| head.labels().contains(label)) {
        printer.note("numeric labels are read as indices of these classes, from 0");
    }
    if matches!(base.config().problem_type(), Some(ProblemType::MultiLabel | ProblemType::Regression)) {
        printer.warn("the base model was trained for multi-label classification or regression; the new model predicts one class per text");
    }
    if let CheckpointKind::SparkNlp { .. } = base.checkpoint().kind() {
        printer.warn("Spark NLP encodes texts token by token for this model; the new model reads each text as a whole");
    }
    Ok(head)
}

/// A label on one line, whatever is in it.
pub(super) fn plain(label: &str) -> String {
    label.escape_debug().take(60).collect()
}

/// The result as one line of JSON: where the model is, and what was measured.
fn tell(output: &Path, epoch: u32, measured: Option<&Metrics>) -> anyhow::Result<()> {
    let line = Line::measured(measured).of_model(output, epoch);
    Ok(WholeFile::create(&Target::Stdout)?.finish((serde_json::to_string(&line)? + "\n").as_bytes())?)
}

fn kernels(args: &TrainArgs) -> anyhow::Result<Kernels> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Kernels::detect().map_err(albertine::Error::from)?.with_threads(args.threads.map_or_else(cores, Into::into)))
}

/// Holds some rows back to measure on, drawn by chance.
fn split(learned: &mut Examples, args: &TrainArgs) -> Result<Option<Examples>, Misuse> {
    if args.validation_split == 0.0 {
        return Ok(None);
    }
    let (rows, held_out) = (learned.len(), (learned.len() as f64 * args.validation_split).round() as usize);
    if held_out == 0 || held_out >= rows {
        let which = if held_out == 0 { "none" } else { "all" };
        return Err(Misuse::new(
            format!("a fraction of {} of {} is {which} of them", args.validation_split, count(rows as u64, "row")),
            "choose another `--validation-split`, or give a validation set with `--validation`",
        ));
    }
    Ok(Some(learned.split(held_out, args.seed)))
}

fn settings(args: &TrainArgs, learned: &Examples, labels: usize) -> TrainSettings {
    let class_weights = match args.class_weights {
        ClassWeights::Equal => None,
        ClassWeights::Balanced => Some(learned.balanced_weights(labels)),
    };
    TrainSettings {
        epochs: args.epochs,
        batch_size: args.batch_size.get(),
        learning_rate: args.learning_rate,
        warmup: args.warmup,
        weight_decay: args.weight_decay,
        clip: args.clip,
        label_smoothing: args.label_smoothing,
        class_weights,
        dropout: args.dropout,
        freeze_encoder: args.freeze_encoder,
        patience: args.patience,
        seed: args.seed,
    }
}

/// What the model was trained on and how, in the order in which a report tells it.
fn facts(
    args: &TrainArgs,
    model: &str,
    base: &Base,
    [learned, held_out]: [&Examples; 2],
    trained: &Trained,
    kernels: Kernels,
) -> Vec<(&'static str, String)> {
    let list = |inputs: &[String]| if inputs.is_empty() { "none".to_owned() } else { inputs.join(", ") };
    let validation = if args.validation_split > 0.0 {
        format!("{} of the input", args.validation_split)
    } else {
        list(&args.validation)
    };
    vec![
        ("model", args.output.display().to_string()),
        ("base model", model.to_owned()),
        ("input", args.input.inputs.join(", ")),
        ("text columns", args.input.text_columns.join(", ")),
        ("label column", args.label_column.clone()),
        ("training texts", learned.len().to_string()),
        ("validation set", validation),
        ("validation texts", held_out.len().to_string()),
        ("test set", list(&args.test)),
        ("epochs", args.epochs.to_string()),
        ("epoch kept", trained.epoch.to_string()),
        ("steps", trained.steps.to_string()),
        ("interrupted", is_asked_to_stop().to_string()),
        ("batch size", args.batch_size.to_string()),
        ("learning rate", args.learning_rate.to_string()),
        ("warmup", args.warmup.to_string()),
        ("weight decay", args.weight_decay.to_string()),
        ("max gradient norm", args.clip.to_string()),
        ("label smoothing", args.label_smoothing.to_string()),
        ("dropout", args.dropout.to_string()),
        ("class weights", format!("{:?}", args.class_weights).to_lowercase()),
        ("patience", args.patience.map_or_else(|| "none".to_owned(), |patience| patience.to_string())),
        ("encoder frozen", args.freeze_encoder.to_string()),
        ("max sentence length", base.limit().to_string()),
        ("seed", args.seed.to_string()),
        ("cpu level", kernels.level().to_string()),
        ("albertine", env!("CARGO_PKG_VERSION").to_owned()),
    ]
}
