//! From parsed arguments to settings: sources, formats, columns, threads.
//!
//! Nothing is opened or loaded here, so that usage errors are reported at once.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::Path;

use albertine::hub::Hub;
use albertine::{ClassifierSettings, Columns, LongTexts, Words};
use albertine_engine::{EngineError, Format, OnError, Source, SourceOptions, Target, TextOptions, column_name};
use arrow_schema::Schema;

use crate::args::{ColumnArgs, Errors, InputArgs, ModelArgs, OutputArgs, RunArgs, TextArgs};
use crate::exit::Misuse;
use crate::printer::Printer;
use crate::timing;

/// The name that stands for standard input or standard output.
const STANDARD_STREAM: &str = "-";

/// What is classified.
#[derive(Debug)]
pub(crate) enum Input {
    /// Texts given as arguments.
    Texts(Vec<String>),
    /// Tables: files, URLs or standard input.
    Tables(SourceOptions),
}

/// Where results go, and as what.
#[derive(Debug)]
pub(crate) enum Output {
    /// A table for a person, on standard output.
    Table,
    /// A format for programs.
    Data(Data),
}

/// A format for programs, to a file or to standard output.
#[derive(Debug)]
pub(crate) struct Data {
    /// The file or standard output.
    pub(crate) target: Target,
    /// The format.
    pub(crate) format: Format,
}

impl Output {
    /// The file that is written, if it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Data(data) => data.file(),
            Self::Table => None,
        }
    }
}

impl Data {
    /// The file that is written, if it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.target {
            Target::File(path) => Some(path),
            Target::Stdout => None,
        }
    }
}

/// Which model, and how it runs.
#[derive(Debug)]
pub(crate) struct Model {
    /// What it is called; it is known, but may have to be fetched.
    pub(crate) name: String,
    /// Limits, case and threads.
    pub(crate) settings: ClassifierSettings,
}

/// What is read: `texts` when there are any, else the tables named, else standard input if something comes from there.
pub(crate) fn input(
    texts: Vec<String>,
    args: &InputArgs,
    errors: Errors,
    stdin_is_terminal: bool,
) -> Result<Input, Misuse> {
    if !texts.is_empty() {
        return Ok(Input::Texts(texts));
    }
    if args.inputs.is_empty() && stdin_is_terminal {
        return Err(Misuse::new(
            "nothing to classify",
            "give a text, as in `albertine classify \"Oil prices rose on Monday\"`, or a table, as in `--input news.csv`",
        ));
    }
    Ok(Input::Tables(tables(args, errors)))
}

/// The tables that are read; standard input when none is named.
pub(crate) fn tables(args: &InputArgs, errors: Errors) -> SourceOptions {
    tables_at(&args.inputs, args, errors)
}

/// The tables at `named`, read as `args` say; standard input when none is named.
pub(crate) fn tables_at(named: &[OsString], args: &InputArgs, errors: Errors) -> SourceOptions {
    let inputs = if named.is_empty() { vec![STANDARD_STREAM.into()] } else { named.to_vec() };
    // A stream has no extension: without a format it is what a person pipes, one text a line.
    let only_stdin = inputs.iter().all(|input| input == STANDARD_STREAM);
    let format = args.input_format.or_else(|| only_stdin.then_some(Format::Txt));
    let on_error = match errors {
        Errors::Fail => OnError::Fail,
        Errors::Null => OnError::Null,
    };
    SourceOptions { inputs, format, text: text(&args.text), on_error }
}

/// The names of tables, for a person to read.
pub(crate) fn names(inputs: &[OsString]) -> String {
    inputs.iter().map(|input| input.to_string_lossy()).collect::<Vec<_>>().join(", ")
}

/// How text files are written, as far as it is given.
fn text(args: &TextArgs) -> TextOptions {
    TextOptions {
        delimiter: args.delimiter,
        quote: args.quote,
        escape: args.escape,
        header: (args.no_header || args.header).then_some(args.header),
        comment: args.comment,
        nulls: args.nulls.clone(),
        encoding: args.input_encoding,
    }
}

/// Where a small result goes: without a file or a format to a person as a table, if one is looking.
pub(crate) fn output(args: &OutputArgs, stdout_is_terminal: bool) -> Result<Output, Misuse> {
    if stdout_is_terminal && is_stdout(args) && args.output_format.is_none() {
        return Ok(Output::Table);
    }
    data(args, stdout_is_terminal).map(Output::Data)
}

/// Where a result of any size goes: a format for programs, JSON Lines unless another one is given or told by the name.
pub(crate) fn data(args: &OutputArgs, stdout_is_terminal: bool) -> Result<Data, Misuse> {
    let given = args.output_format;
    if !is_stdout(args) {
        let format = given.map_or_else(|| format_of(&args.output), Ok)?;
        return Ok(Data { target: Target::File(args.output.clone()), format });
    }
    if given == Some(Format::Parquet) && stdout_is_terminal {
        return Err(Misuse::new(
            "cannot write parquet to a terminal",
            "name a file with `--output`, or choose another `--output-format`",
        ));
    }
    Ok(Data { target: Target::Stdout, format: given.unwrap_or(Format::Jsonl) })
}

/// What a small result without flags for its output is shown as: a table on a terminal, JSON Lines in a pipe.
pub(crate) fn shown(stdout_is_terminal: bool) -> Output {
    if stdout_is_terminal {
        Output::Table
    } else {
        Output::Data(Data { target: Target::Stdout, format: Format::Jsonl })
    }
}

/// Whether the output is standard output.
pub(crate) fn is_stdout(args: &OutputArgs) -> bool {
    args.output == Path::new(STANDARD_STREAM)
}

/// The format that the name of an output tells.
pub(crate) fn format_of(output: &Path) -> Result<Format, Misuse> {
    let (format, _) = Format::of_name(&output.to_string_lossy()).ok_or_else(|| {
        Misuse::new(
            format!("cannot tell the output format from the name {}", output.display()),
            "use the extension .csv, .tsv, .jsonl or .parquet, or give `--output-format`",
        )
    })?;
    Ok(format)
}

/// Which model is asked for, and how it shall run. It is not fetched before everything else is known to be right.
pub(crate) fn model(args: &ModelArgs, hub: &Hub) -> Result<Model, albertine::Error> {
    hub.here(&args.model)?;
    Ok(Model { name: args.model.clone(), settings: running(&args.run) })
}

/// How a model shall run.
pub(crate) fn running(args: &RunArgs) -> ClassifierSettings {
    let defaults = ClassifierSettings::default();
    ClassifierSettings {
        max_sentence_length: args.max_sentence_length,
        case_sensitive: args.case_sensitive,
        encoding: args.encoding,
        long_texts: args.windows.map_or(LongTexts::Truncate, |overlap| LongTexts::Windows { overlap }),
        precision: args.precision,
        batch_tokens: args.batch_tokens.map_or(defaults.batch_tokens, NonZeroUsize::get),
        threads: args.threads.map_or(defaults.threads, NonZeroUsize::get),
        measure_stages: timing::is_wanted(),
    }
}

/// The names of the columns that `given` name or number.
pub(crate) fn text_columns(schema: &Schema, given: &[String]) -> Vec<String> {
    given.iter().map(|given| column_name(schema, given)).collect()
}

/// Opens the tables, and says what was found of them.
pub(crate) fn open(options: SourceOptions, printer: &Printer) -> Result<Source, EngineError> {
    let source = Source::open(options)?;
    for note in source.notes() {
        printer.note(note);
    }
    Ok(source)
}

/// Which columns are read and added.
pub(crate) fn columns(text: &[String], args: &ColumnArgs) -> Columns {
    Columns {
        text: text.to_vec(),
        all_scores: args.all_scores,
        logits: args.logits,
        annotations: args.annotations,
        words: args.explain.map(|most| Words { most: most.get(), method: args.explain_method }),
        activation: args.activation,
        threshold: args.threshold,
        abstain: args.abstain,
        coverage: args.coverage,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use clap::Parser;

    use super::*;
    use crate::args::{ClassifyArgs, Cli, Command};

    /// The arguments of `albertine classify` with these flags.
    fn classify(flags: &[&str]) -> ClassifyArgs {
        match Cli::try_parse_from(["albertine", "classify"].iter().chain(flags)).expect("valid flags").command {
            Command::Classify(args) => *args,
            other => panic!("parsed as {other:?}"),
        }
    }

    fn source(flags: &[&str]) -> SourceOptions {
        let args = classify(flags);
        match input(args.texts, &args.input, args.failed_rows.policy(), false).expect("an input") {
            Input::Tables(options) => options,
            Input::Texts(texts) => panic!("texts: {texts:?}"),
        }
    }

    fn format(flags: &[&str], terminal: bool) -> Option<Format> {
        match output(&classify(flags).output, terminal).expect("an output") {
            Output::Table => None,
            Output::Data(data) => Some(data.format),
        }
    }

    #[test]
    fn standard_input_is_text_unless_a_format_is_given() {
        assert_eq!(source(&[]).inputs, ["-"]);
        assert_eq!(source(&[]).format, Some(Format::Txt));
        assert_eq!(source(&["--input", "-"]).format, Some(Format::Txt));
        assert_eq!(source(&["--input-format", "csv"]).format, Some(Format::Csv));
        assert_eq!(source(&["--input", "a.csv"]).format, None);
    }

    #[test]
    fn a_terminal_without_an_input_is_a_mistake() {
        let args = classify(&[]);
        assert!(input(args.texts, &args.input, args.failed_rows.policy(), true).is_err());
        let args = classify(&["a text"]);
        assert!(
            matches!(input(args.texts, &args.input, args.failed_rows.policy(), true), Ok(Input::Texts(texts)) if texts == ["a text"])
        );
    }

    #[test]
    fn the_output_format_is_given_or_told_by_the_name_or_fits_the_reader() {
        assert_eq!(format(&["--output", "a.csv.gz"], true), Some(Format::Csv));
        assert_eq!(format(&["--output", "a.csv", "--output-format", "jsonl"], true), Some(Format::Jsonl));
        assert_eq!(format(&[], true), None);
        assert_eq!(format(&[], false), Some(Format::Jsonl));
        assert_eq!(format(&["--output-format", "tsv"], true), Some(Format::Tsv));
        assert_eq!(format(&["--output-format", "parquet"], false), Some(Format::Parquet));
    }

    #[test]
    fn outputs_that_make_no_sense_are_mistakes() {
        for flags in [&["--output", "a.xlsx"][..], &["--output-format", "parquet"]] {
            assert!(output(&classify(flags).output, true).is_err(), "{flags:?}");
        }
    }

    #[test]
    fn threads_and_budgets_are_the_librarys_unless_given() {
        let defaults = ClassifierSettings::default();
        let hub = Hub::new("");
        let settings = |flags: &[&str]| model(&classify(flags).model, &hub).expect("a model").settings;
        let given = settings(&["x", "--threads", "3", "--batch-tokens", "99"]);
        let not_given = settings(&["x"]);
        assert_eq!((given.threads, given.batch_tokens), (3, 99));
        assert_eq!((not_given.threads, not_given.batch_tokens), (defaults.threads, defaults.batch_tokens));
    }
}
