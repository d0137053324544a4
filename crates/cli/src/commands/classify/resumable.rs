//! Tables, by a run that keeps what it has done and goes on from there.

use std::path::{MAIN_SEPARATOR, Path};

use albertine::hub::{Hub, ModelSource};
use albertine::{CancellationToken, Columns, Transform, WindowSettings};
use albertine_engine::{
    FailedRows, Format, ModelFile, ResumableOutput, ResumableRun, ResumeOptions, SourceOptions, Target,
};

use super::tables::{add_error_column, rejected, tell};
use super::{load, say_renamed};
use crate::args::{ClassifyArgs, Errors};
use crate::exit::{Misuse, Outcome};
use crate::interrupt::{discard_output_on_interrupt, keep_what_is_done};
use crate::printer::Printer;
use crate::progress::Progress;
use crate::report::{count, grouped};
use crate::settings;

mod facts;

/// Classifies tables. Every error that can be found before a row is read is found then.
pub(super) fn classify(
    args: &ClassifyArgs,
    options: SourceOptions,
    columns: Columns,
    hub: &Hub,
    printer: &Printer,
) -> anyhow::Result<Outcome> {
    let (output, format) = output(args)?;
    let model = settings::model(&args.model, hub)?;
    discard_output_on_interrupt(*printer)?;
    let read = options.clone();
    let mut source = settings::open(options, printer)?;
    let columns = Columns { text: settings::text_columns(source.schema(), &columns.text), ..columns };
    source.read_bytes_as_text(&columns.text);
    if let ResumableOutput::File(path) = &output {
        Target::File(path.clone()).check(&source)?;
    }
    let input_schema = source.schema().clone();
    // Parts always have the column of errors, so that a run that stopped at a row can go on and keep it.
    let error_column = match args.failed_rows.policy() {
        Errors::Null => add_error_column(&mut source, printer),
        Errors::Fail => source.add_error_column(),
    };
    let failed_rows = match (args.failed_rows.policy(), rejected(args, &source, Some(error_column.clone()))?) {
        (_, Some(rejected)) => FailedRows::PutAside(rejected),
        (Errors::Null, None) => FailedRows::Keep,
        (Errors::Fail, None) => FailedRows::Stop,
    };
    let classify = load(&model, columns.clone(), hub)?;
    // The column of errors is none of the input's.
    classify.output_schema(&input_schema)?;
    say_renamed(&classify, source.schema(), printer);
    let (rows_total, bytes_total) = (source.rows_total(), source.bytes_total());
    let mut facts = facts::of(&classify, &columns, &args.model.run, &read);
    if let ResumableOutput::Folder(_) = output {
        facts.push(("output format".to_owned(), format.name().to_owned()));
        facts.push(("failed rows".to_owned(), facts::policy(&failed_rows).to_owned()));
    }
    let options = ResumeOptions {
        settings: facts,
        model: model_files(&classify.classifier().source(), &args.output.output)?,
        error_column: Some(error_column),
        failed_rows,
        restart: args.resume.restart,
        ..ResumeOptions::new(output.clone(), format)
    };
    // Before its first file appears.
    keep_what_is_done();
    let run = ResumableRun::open(source, &classify, options)?;
    let (ResumableOutput::File(path) | ResumableOutput::Folder(path)) = &output;
    say_what_is_done(&run, path, printer);

    let mut progress = Progress::new(printer.may_draw_progress(), rows_total, bytes_total);
    let before = run.rows_done();
    progress.begin_at(before);
    let result = run.run(&classify, WindowSettings::default(), &CancellationToken::default(), &mut |now| {
        progress.update(now.rows, now.bytes_read);
    });
    progress.finish();
    tell(&result?, before, Some(path), &classify, args.failed_rows.rejects.as_deref(), printer)
}

/// The file of a model card.
const CARD: &str = "README.md";

/// Where the run writes, and as what: a folder gets Parquet unless another format is given.
fn output(args: &ClassifyArgs) -> Result<(ResumableOutput, Format), Misuse> {
    let (path, given) = (&args.output.output, args.output.output_format);
    if settings::is_stdout(&args.output) || (path.exists() && !path.is_file() && !path.is_dir()) {
        return Err(Misuse::new(
            "a run can be resumed only if its output is a file or a folder",
            "name one with `--output`, or omit `--resume`",
        ));
    }
    if path.is_dir() || path.to_string_lossy().ends_with(['/', MAIN_SEPARATOR]) {
        return Ok((ResumableOutput::Folder(path.clone()), given.unwrap_or(Format::Parquet)));
    }
    let format = given.map_or_else(|| settings::format_of(path), Ok)?;
    Ok((ResumableOutput::File(path.clone()), format))
}

fn say_what_is_done(run: &ResumableRun, path: &Path, printer: &Printer) {
    if run.is_finished() {
        printer.note(format_args!("{} is complete already", path.display()));
        return;
    }
    if run.inputs_done() > 0 {
        let inputs = grouped(run.inputs() as u64);
        printer.note(format_args!("{} of {inputs} inputs done before", grouped(run.inputs_done() as u64)));
    }
    if run.rows_done() > 0 {
        printer.note(format_args!("going on after {}", count(run.rows_done(), "row")));
    }
}

/// The files of a model, by their names within it. What does not change an answer is left out: hidden files, the model
/// card, and the output, where that is in the same folder.
fn model_files(source: &ModelSource, output: &Path) -> anyhow::Result<Vec<(String, ModelFile)>> {
    let output = output.canonicalize().ok();
    let is_part = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_output = output.is_some() && path.canonicalize().ok() == output;
        !name.starts_with('.') && name != CARD && !is_output
    };
    let root = match source {
        ModelSource::BuiltIn(model) => {
            let files = model.files().into_iter();
            let files = files.filter(|(name, _)| *name != CARD);
            return Ok(files.map(|(name, bytes)| (name.to_owned(), ModelFile::Bytes(bytes))).collect());
        }
        ModelSource::Directory(path) if path.is_file() => {
            return Ok(vec![("archive".to_owned(), ModelFile::Path(path.clone()))]);
        }
        ModelSource::Directory(path) => path,
    };
    let (mut files, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        let entries = folder.read_dir().and_then(Iterator::collect::<Result<Vec<_>, _>>);
        for entry in
            entries.map_err(|source| albertine_engine::EngineError::reading(&folder.display().to_string(), source))?
        {
            let path = entry.path();
            if !is_part(&path) {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if path.is_file() {
                let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                files.push((name, ModelFile::Path(path)));
            }
        }
    }
    Ok(files)
}
