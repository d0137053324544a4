//! `albertine clean`: what is wrong with a labeled table.

mod table;

use std::time::Instant;

use albertine::hub::Hub;
use albertine::model::Kernels;
use albertine_engine::{Target, WholeFile};
use albertine_train::clean::{
    CleanReport, CleanSummary, ConfidentLearning, Findings, FoldEvent, LabeledRows, OutOfFold, label_issues,
    out_of_fold,
};
use albertine_train::{BaseModel, Event, Execution, LabeledTexts, ReportFolder, TrainSettings};
use serde::Serialize;

use self::table::Table;
use crate::args::CleanArgs;
use crate::exit::Outcome;
use crate::interrupt::discard_output_on_interrupt;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::report::{count, grouped};
use crate::settings;

/// Looks through the table that `args` name, and writes the report.
pub(crate) fn clean(args: &CleanArgs, hub: &Hub, printer: &Printer) -> anyhow::Result<Outcome> {
    let trains = args.probabilities.is_none() && !args.duplicates_only;
    if trains {
        hub.here(&args.model)?;
    }
    discard_output_on_interrupt(*printer)?;
    let table = Table::open(args, printer)?;
    let test = table::open_test(args, printer)?;
    let folder = ReportFolder::create(&args.output)?;
    for name in [CleanReport::REVIEW, ReportFolder::PAGE] {
        Target::File(args.output.join(name)).check(table.source())?;
    }
    let base = trains.then(|| base_model(args, hub)).transpose()?;

    let started = Instant::now();
    let read = table.read()?;
    match read.rows.skipped() {
        0 => {}
        1 => printer.warn("1 row has no text or no label and was skipped"),
        many => printer.warn(format_args!("{} rows have no text or no label and were skipped", grouped(many))),
    }
    let judged = match &base {
        Some(base) => Some(fine_tuned(base, &read.rows, args, printer)?),
        None => read.judged,
    };
    let (labels, learning) =
        judged.map_or((Vec::new(), None), |OutOfFold { labels, learning }| (labels, Some(learning)));
    let issues = learning.as_ref().map(|learning| label_issues(learning, &labels, args.filter_by, args.rank_by));
    let mut findings = Findings::new(read.rows).with_label_issues(issues.unwrap_or_default());
    let test = test.map(table::texts).transpose()?.unwrap_or_default();
    findings.find_near_duplicates(&test, args.similarity);

    let facts = facts(args, read.input, base.as_ref());
    let report = CleanReport { facts: &facts, findings: &findings, learning: learning.as_ref(), labels: &labels };
    let summary = report.summary();
    tell(&summary, learning.as_ref(), !args.test.is_empty(), printer);
    report.save(folder)?;
    printer.note(format_args!(
        "{} in {:.1} s; the report is {}, the table to correct {}",
        count(summary.rows as u64, "row"),
        started.elapsed().as_secs_f64(),
        args.output.join(ReportFolder::PAGE).display(),
        args.output.join(CleanReport::REVIEW).display()
    ));
    print(args, summary)?;
    Ok(Outcome::Done)
}

fn base_model(args: &CleanArgs, hub: &Hub) -> anyhow::Result<BaseModel> {
    Ok(BaseModel::new(hub.resolve(&args.model)?.checkpoint()?, args.max_sentence_length)?)
}

/// What models that were fine-tuned on the other folds say of each row.
fn fine_tuned(base: &BaseModel, rows: &LabeledRows, args: &CleanArgs, printer: &Printer) -> anyhow::Result<OutOfFold> {
    let mut texts = LabeledTexts::new("the table");
    for (text, label) in rows.texts().iter().zip(rows.labels()) {
        texts.push(base, Some(text), Some(label))?;
    }
    if texts.truncated() > 0 {
        let truncated = grouped(texts.truncated());
        printer.warn(format_args!("{truncated} texts were longer than {} pieces and were truncated", base.limit()));
    }
    let settings = TrainSettings {
        epochs: args.epochs,
        batch_size: args.batch_size.get(),
        learning_rate: args.learning_rate,
        freeze_encoder: args.freeze_encoder,
        seed: args.seed,
        ..TrainSettings::default()
    };
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = args.threads.map_or_else(cores, Into::into);
    let kernels = Kernels::detect().map_err(albertine::Error::from)?.with_threads(threads);
    // Each text is in the training set of all folds but one.
    let steps = (rows.len() * (usize::from(args.folds) - 1) * args.epochs as usize) as u64;
    let progress = Progress::new(printer.may_draw_progress(), Some(steps), None);
    let mut listen = |FoldEvent { fold, folds, event }: FoldEvent<'_>| match *event {
        Event::Step { step, steps: of_fold, .. } => {
            let done = (fold as u64 - 1) * of_fold + step;
            progress.update(steps * done / (folds as u64 * of_fold).max(1), 0);
        }
        Event::Epoch { epoch, loss, accuracy: Some(accuracy), elapsed, .. } if epoch == args.epochs => progress
            .suspend(|| {
                let seconds = elapsed.as_secs_f64();
                printer
                    .note(format_args!("fold {fold}/{folds}: loss {loss:.4}, accuracy {accuracy:.4}; {seconds:.1} s"));
            }),
        _ => {}
    };
    let folds = usize::from(args.folds);
    let found = out_of_fold(base, texts, folds, &settings, &Execution::new(kernels), &mut listen);
    progress.finish();
    Ok(found?)
}

/// What was found, for a person.
fn tell(summary: &CleanSummary, learning: Option<&ConfidentLearning>, has_test: bool, printer: &Printer) {
    if let Some(learning) = learning {
        let right = (0..learning.rows()).filter(|&row| learning.likeliest(row) == learning.given()[row]).count();
        printer.note(format_args!(
            "{} of {} are probably wrong; the out-of-fold accuracy is {:.4}",
            grouped(summary.label_issues as u64),
            count(summary.rows as u64, "label"),
            right as f64 / learning.rows() as f64
        ));
    }
    printer.note(format_args!(
        "{} nearly the same as an earlier one; {} of such texts {} different labels",
        match summary.near_duplicates {
            1 => "1 text is".to_owned(),
            many => format!("{} texts are", grouped(many as u64)),
        },
        count(summary.conflicting_groups as u64, "group"),
        if summary.conflicting_groups == 1 { "has" } else { "have" }
    ));
    if has_test {
        let verb = if summary.in_test == 1 { "is" } else { "are" };
        printer.note(format_args!("{} {verb} in the test set too", count(summary.in_test as u64, "text")));
    }
}

/// How it was found, in the order of the report.
fn facts(args: &CleanArgs, input: String, base: Option<&BaseModel>) -> Vec<(&'static str, String)> {
    let list = |inputs: &[std::ffi::OsString]| match inputs {
        [] => "none".to_owned(),
        inputs => settings::names(inputs),
    };
    let mut facts = vec![
        ("input", input),
        ("text columns", args.input.text_columns.join(", ")),
        ("label column", args.label_column.clone()),
        ("test set", list(&args.test)),
        ("similarity", args.similarity.to_string()),
    ];
    if !args.duplicates_only {
        let probabilities = args.probabilities.clone().unwrap_or_else(|| "from fine-tuning".to_owned());
        facts.extend([
            ("probabilities", probabilities),
            ("filter by", args.filter_by.name().to_owned()),
            ("rank by", args.rank_by.name().to_owned()),
        ]);
    }
    if let Some(base) = base {
        facts.extend([
            ("base model", args.model.clone()),
            ("folds", args.folds.to_string()),
            ("epochs", args.epochs.to_string()),
            ("batch size", args.batch_size.to_string()),
            ("learning rate", args.learning_rate.to_string()),
            ("encoder frozen", args.freeze_encoder.to_string()),
            ("max sentence length", base.limit().to_string()),
            ("seed", args.seed.to_string()),
        ]);
    }
    facts.push(("albertine", env!("CARGO_PKG_VERSION").to_owned()));
    facts
}

/// The numbers as one line of JSON.
fn print(args: &CleanArgs, summary: CleanSummary) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Line {
        report: String,
        #[serde(flatten)]
        summary: CleanSummary,
    }
    let report = args.output.display().to_string();
    let line = serde_json::to_string(&Line { report, summary })? + "\n";
    Ok(WholeFile::create(&Target::Stdout)?.finish(line.as_bytes())?)
}
