//! `albertine train`: a model, fine-tuned on labeled tables.

mod base;
mod progress;
mod tables;
mod teachers;

use std::ffi::OsString;
use std::path::Path;
use std::time::Instant;

use albertine::CancellationToken;
use albertine::hub::Hub;
use albertine::model::Kernels;
use albertine_engine::{Target, WholeFile};
use albertine_train::{
    BaseModel, Checkpoints, Corpus, Datasets, Execution, FineTuned, Pretrained, Provenance, TaskMetrics, TrainError,
    TrainSettings, Validation, check_output, create_output, fine_tune,
};

use self::progress::TrainProgress;
use self::tables::Tables;
use crate::args::TrainArgs;
use crate::exit::{Misuse, Outcome};
use crate::interrupt::{cancel_first, discard_output_on_interrupt, set_unfinished_folder};
use crate::printer::Printer;
use crate::report::{count, grouped};

/// Trains the model on the tables that `args` name, and writes it.
pub(crate) fn train(args: &TrainArgs, hub: &Hub, printer: &Printer) -> anyhow::Result<Outcome> {
    check_output(&args.output)?;
    check(args)?;
    if args.config.is_none() {
        hub.here(&args.model)?;
    }
    args.teacher
        .iter()
        .filter(|teacher| !teachers::is_table(teacher))
        .try_for_each(|teacher| hub.here(teacher).map(drop))?;
    discard_output_on_interrupt(*printer)?;
    let tables = tables::open(args, printer)?;
    let (name, base) = base::base(args, hub, printer)?;
    let kernels = kernels(args)?;
    if args.pretrain {
        return pretrain(args, tables, name, base, kernels, printer);
    }
    let has_models = args.teacher.iter().any(|teacher| !teachers::is_table(teacher));
    let teachers = (!args.teacher.is_empty()).then_some(has_models);
    let training = tables::read(&base, tables.training, teachers, args, printer)?;
    let read = |table| tables::read(&base, table, None, args, printer);
    let validation = match tables.validation.map(read).transpose()? {
        Some(texts) => Validation::Texts(Box::new(texts)),
        None if args.validation_split > 0.0 => Validation::Split(args.validation_split),
        None => Validation::None,
    };
    let test = tables.test.map(read).transpose()?;
    let has_test = test.is_some();
    let teachers = teachers::open(args, hub, printer)?;

    let output = create_output(&args.output)?;
    set_unfinished_folder(Some(output.path().to_owned()));
    let settings = settings(args);
    let mut progress = TrainProgress::new(printer, &settings, &base, Some(args.problem_type));
    let execution = execution(args, kernels, cancel_first());
    let started = Instant::now();
    let datasets = Datasets { training, validation, test, teachers };
    let model = fine_tune(base, datasets, &settings, &execution, &mut |event| progress.hear(event));
    progress.finish();
    let model = match model {
        Err(error) => return stopped(error, printer),
        Ok(model) => model,
    };
    let FineTuned { epoch, epochs, steps, interrupted, diverged, .. } = model;
    if interrupted && has_test && model.test.is_none() {
        printer.warn("stopped before the model was evaluated on the test set");
    }
    let metrics = model.metrics().cloned();
    model.save(output, &provenance(args, name))?;
    end(args, printer, &Ended { epoch, epochs, steps, interrupted, diverged, started }, metrics.as_ref())
}

/// Pre-trains a masked language model on the tables, and writes it.
fn pretrain(
    args: &TrainArgs,
    tables: Tables,
    name: String,
    base: BaseModel,
    kernels: Kernels,
    printer: &Printer,
) -> anyhow::Result<Outcome> {
    let read = |table| tables::read_plain(&base, table, args, printer);
    let corpus = Corpus {
        training: read(tables.training)?,
        validation: tables.validation.map(read).transpose()?,
        validation_split: args.validation_split,
        mlm_probability: args.mlm_probability,
    };
    let output = create_output(&args.output)?;
    set_unfinished_folder(Some(output.path().to_owned()));
    let settings = settings(args);
    let mut progress = TrainProgress::new(printer, &settings, &base, None);
    let execution = execution(args, kernels, cancel_first());
    let started = Instant::now();
    let model = albertine_train::pretrain(base, corpus, &settings, &execution, &mut |event| progress.hear(event));
    progress.finish();
    let model = match model {
        Err(error) => return stopped(error, printer),
        Ok(model) => model,
    };
    let Pretrained { epoch, epochs, steps, interrupted, diverged, .. } = model;
    let metrics = model.validation.clone();
    model.save(output, &provenance(args, name))?;
    end(args, printer, &Ended { epoch, epochs, steps, interrupted, diverged, started }, metrics.as_ref())
}

/// Says why there is no model, where that is no error.
fn stopped(error: TrainError, printer: &Printer) -> anyhow::Result<Outcome> {
    match error {
        TrainError::Cancelled => printer.note("stopped before training began"),
        TrainError::Interrupted { step, folder } => printer.note(format_args!(
            "stopped after step {}; the same command with `--resume` goes on from the checkpoint in {}",
            grouped(step),
            folder.display()
        )),
        error => return Err(error.into()),
    }
    Ok(Outcome::Interrupted)
}

/// How a training ended.
struct Ended {
    epoch: u32,
    epochs: u32,
    steps: u64,
    interrupted: bool,
    diverged: Option<u64>,
    started: Instant,
}

/// Says how it ended, and prints the result.
fn end(args: &TrainArgs, printer: &Printer, ended: &Ended, metrics: Option<&TaskMetrics>) -> anyhow::Result<Outcome> {
    let Ended { epoch, epochs, steps, interrupted, diverged, started } = *ended;
    set_unfinished_folder(None);
    if let Some(step) = diverged {
        printer.warn(format_args!("training diverged at step {step}; the model of epoch {epoch} is kept"));
    }
    let epochs = match (interrupted, epochs) {
        (true, 0) => "stopped in the first epoch".to_owned(),
        (true, _) => format!("stopped after {}", count(u64::from(epochs), "epoch")),
        (false, _) => format!("trained for {}", count(u64::from(epochs), "epoch")),
    };
    printer.note(format_args!(
        "{epochs} ({}) in {:.1} s; the model of epoch {epoch} is in {}",
        count(steps, "step"),
        started.elapsed().as_secs_f64(),
        args.output.display()
    ));
    print(&args.output, epoch, metrics)?;
    Ok(if interrupted { Outcome::Interrupted } else { Outcome::Done })
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

/// A label on one line, whatever is in it.
fn plain(label: &str) -> String {
    label.escape_debug().take(60).collect()
}

/// The result as one line of JSON: where the model is, and its metrics.
fn print(output: &Path, epoch: u32, metrics: Option<&TaskMetrics>) -> anyhow::Result<()> {
    let mut line = format!("{{\"model\":{},\"epoch\":{epoch}", serde_json::to_string(output)?);
    for (name, value) in metrics.into_iter().flat_map(TaskMetrics::summary) {
        line += &format!(",\"eval_{name}\":{}", serde_json::to_string(&value)?);
    }
    line += "}\n";
    Ok(WholeFile::create(&Target::Stdout)?.finish(line.as_bytes())?)
}

/// Nothing of this changes the result.
fn execution(args: &TrainArgs, kernels: Kernels, cancellation: CancellationToken) -> Execution {
    let checkpoints = args.checkpoint.as_ref().map(|folder| Checkpoints {
        folder: folder.clone(),
        save_steps: args.save_steps,
        save_total_limit: args.save_total_limit.get(),
        resume: args.resume,
    });
    Execution { kernels, cancellation, checkpoints, metrics: args.metrics.clone() }
}

fn kernels(args: &TrainArgs) -> anyhow::Result<Kernels> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Kernels::detect().map_err(albertine::Error::from)?.with_threads(args.threads.map_or_else(cores, Into::into)))
}

fn settings(args: &TrainArgs) -> TrainSettings {
    TrainSettings {
        epochs: args.epochs,
        batch_size: args.batch_size.get(),
        gradient_accumulation_steps: args.gradient_accumulation_steps.get(),
        learning_rate: args.learning_rate,
        lr_scheduler: args.lr_scheduler,
        warmup: args.warmup,
        weight_decay: args.weight_decay,
        clip: args.clip,
        label_smoothing: args.label_smoothing,
        class_weights: args.class_weights.clone(),
        dropout: args.dropout,
        teacher_temperature: args.teacher_temperature,
        teacher_weight: args.teacher_weight,
        add_labels: args.add_labels,
        freeze_encoder: args.freeze_encoder,
        best_metric: args.metric_for_best_model,
        patience: args.patience,
        ema_decay: args.ema_decay,
        precision: args.precision,
        seed: args.seed,
    }
}

/// Where the texts and the base model came from.
fn provenance(args: &TrainArgs, base_model: String) -> Provenance {
    let list = |inputs: &[OsString]| if inputs.is_empty() { "none".to_owned() } else { crate::settings::names(inputs) };
    Provenance {
        base_model,
        input: crate::settings::names(&args.input.inputs),
        text_columns: args.input.text_columns.join(", "),
        label_column: args.label_column.clone(),
        validation: list(&args.validation),
        test: list(&args.test),
        teachers: if args.teacher.is_empty() { "none".to_owned() } else { args.teacher.join(", ") },
    }
}
