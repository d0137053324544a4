//! How the command is called: help, and mistakes in flags.

use crate::support::{BUSINESS, Sandbox, assert_conversation};

#[test]
fn help_shows_examples_for_every_subcommand() {
    let sandbox = Sandbox::new();
    for arguments in
        [&["--help"][..], &["classify", "--help"], &["sql", "--help"], &["inspect", "--help"], &["bench", "--help"]]
    {
        let said = sandbox.run(arguments);
        assert!(said.starts_with("exit code: 0"), "{said}");
        assert!(said.contains("Examples:\n  albertine "), "{arguments:?} has no examples: {said}");
    }
}

#[test]
fn help_of_classify() {
    let said = Sandbox::new().run(&["classify", "--help"]);
    // The blanks that the help puts into empty lines say nothing.
    let said: Vec<&str> = said.lines().map(str::trim_end).collect();
    assert_conversation!(said.join("\n"), @r#"
    exit code: 0
    ----- stdout -----
    Classify texts

    Usage: albertine classify [OPTIONS] [TEXT]...

    Arguments:
      [TEXT]...
              Texts to classify; if none are given, --input or standard input is read

    Options:
          --quiet
              Print nothing but errors to standard error

          --offline
              Disable network access: use only models that are on this machine

      -h, --help
              Print help (see a summary with '-h')

    Input:
          --input <PATH|GLOB|URL|->
              File, folder, glob pattern, URL (https://, s3://), or - for standard input; may be
              repeated

          --input-format <FORMAT>
              Format of the input [default: from the extension, including .gz and .zst; txt for standard
              input]

              Possible values:
              - csv:     Comma-separated values with a header
              - tsv:     Tab-separated values with a header
              - jsonl:   One JSON object per line
              - parquet: Apache Parquet
              - txt:     One text per line

          --delimiter <CHAR>
              Character between fields, such as ';' or '\t' [default: found from the file]

          --quote <CHAR|none>
              Character around fields, or `none` [default: found from the file, usually '"']

          --escape <CHAR>
              Character before a quote within quotes, such as '\' [default: found from the file, usually
              a doubled quote]

          --no-header
              Take the first row for data and name the columns column1, column2, ... [default: found
              from the file]

          --header
              Take the first row for the header [default: found from the file]

          --comment <CHAR>
              Character at the start of lines to skip, such as '#' [default: none]

          --null <WORD>
              Word that stands for a missing value where it is a whole field without quotes; may be
              repeated

          --input-encoding <NAME>
              Character encoding, such as windows-1252 or utf-16le [default: found from the file,
              usually UTF-8]

          --text-column <NAME>
              Column that contains the text, by name or by number from 1; if repeated, the columns are
              joined with a space

              [default: text]

          --errors <POLICY>
              How to handle a row that cannot be read: `fail` stops, `null` keeps what can be read of
              the row, with null for the rest and the reason in a column `error`, and continues

              Possible values:
              - fail: Stop at the first such row
              - null: Keep what can be read of the row, with null for the rest and the reason in a
                column `error`, continue, and exit with code 1

              [default: fail]

          --rejects <PATH>
              File for rows that cannot be read, with the reason in a column `error`; the run continues,
              and its output is without them

    Output:
          --output <PATH|->
              File to write (moved into place once it is complete), or - for standard output

              [default: -]

          --output-format <FORMAT>
              Format of the output [default: from the extension; on standard output, a table or jsonl]

              Possible values:
              - csv:     Comma-separated values with a header
              - tsv:     Tab-separated values with a header
              - jsonl:   One JSON object per line
              - parquet: Apache Parquet

          --resume
              Keep what is done in a hidden folder beside the output, and go on from there if a run
              before was interrupted; a folder as the output (with a / at its end) gets a table for each
              input, and later runs do only inputs that are new

          --restart
              As --resume, but remove what a run before has done, and start again

    Columns:
          --activation <FUNCTION>
              Function that turns logits into scores [default: as the model was trained]

              Possible values:
              - softmax: One class per text: the scores of all classes sum to 1
              - sigmoid: Any number of classes per text: each class is scored independently

          --threshold <P>
              Score that a class must exceed to be predicted under sigmoid, from 0 to 1 [default: 0.5,
              or the value that Spark NLP saved]

          --abstain <P>
              Give no label where the model is not sure enough: of the labels that are given, at least
              the fraction P is right (for a model that `albertine calibrate` has calibrated)

          --coverage <P>
              Add a column `prediction_set`: the likeliest labels, so that the fraction P of the sets
              contains the true one (for a model that `albertine calibrate` has calibrated)

          --all-scores
              Add a column `scores`: the score of every label

          --logits
              Add a column `logits`: the model's outputs before the activation

          --annotations
              Add a column `class`: annotations in Spark NLP's schema

          --explain <N>
              Add a column `words`: the N words that speak most for the label, with their positions and
              weights

          --explain-method <METHOD>
              How the words of --explain are credited: leave-one-out evaluates the model once for each
              word of a text, shap about 500 times

              Possible values:
              - shap:          Partition SHAP, as the shap package computes it for texts
              - leave-one-out: The change of the score when a word alone is hidden: faster

              [default: leave-one-out]

    Model:
          --model <NAME|PATH|ORG/REPO|URL>
              Model name, model directory or archive, Hugging Face hub repository, or URL

              [default: ag_news]

          --precision <PRECISION>
              Numeric precision of the encoder

              Possible values:
              - f32:  32-bit floating point: exact
              - bf16: bfloat16 matrix products, on CPUs that support them
              - int8: 8-bit integer matrix products

              [default: f32]

          --max-sentence-length <N>
              Maximum sequence length in subword pieces, `[CLS]` and `[SEP]` included; longer texts are
              truncated and counted [default: the model's limit]

          --encoding <ENCODING>
              How texts are split into pieces [default: token for a model saved by Spark NLP, otherwise
              document]

              Possible values:
              - document: The whole text at once, as models are trained
              - token:    Each token separately, as Spark NLP does it

          --windows[=<N>]
              Instead of truncating long texts, read them in windows that overlap by N pieces, and
              average the windows [N: 32 if omitted]

          --case-sensitive[=<BOOL>]
              Distinguish upper and lower case [default: as the model was trained]

              [possible values: true, false]

          --threads <N>
              Number of threads, at most 1024 [default: all cores]

          --batch-tokens <N>
              Batch size of a thread, in pieces [default: chosen for the CPU's caches]

    Results for texts given as arguments are printed as a table on a terminal and as JSON Lines in a
    pipe. A table read with --input or from standard input keeps all its rows and columns and gains the
    columns `label` and `score`; it is written to --output in the format of its extension, or to
    standard output as JSON Lines.

    Examples:
      albertine classify "Oil prices rose on Monday" "The final was decided on penalties"
      albertine classify --input news.parquet --output labeled.parquet
      albertine classify --input news.parquet --output labeled.parquet --resume
      albertine classify --input news/ --output labeled/ --resume
      albertine classify --input 'news/*.csv.gz' --text-column title --text-column body > news.jsonl
      head -100 headlines.txt | albertine classify
      zcat news.jsonl.gz | albertine classify --input-format jsonl --output labeled.csv
    ----- stderr -----
    "#);
}

#[test]
fn an_unknown_subcommand_offers_the_nearest() {
    assert_conversation!(Sandbox::new().run(&["clasify", BUSINESS]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: unrecognized subcommand 'clasify'

      tip: a similar subcommand exists: 'classify'

    Usage: albertine [OPTIONS] <COMMAND>

    For more information, try '--help'.
    "#);
}

#[test]
fn an_unknown_value_of_a_flag_lists_the_known_ones() {
    assert_conversation!(Sandbox::new().run(&["classify", BUSINESS, "--output-format", "xlsx"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value 'xlsx' for '--output-format <FORMAT>'
      [possible values: csv, tsv, jsonl, parquet]

    For more information, try '--help'.
    "#);
    assert_conversation!(Sandbox::new().run(&["classify", BUSINESS, "--precision", "f64"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value 'f64' for '--precision <PRECISION>'
      [possible values: f32, bf16, int8]

    For more information, try '--help'.
    "#);
    assert_conversation!(Sandbox::new().run(&["classify", BUSINESS, "--activation", "relu"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value 'relu' for '--activation <FUNCTION>'
      [possible values: softmax, sigmoid]

    For more information, try '--help'.
    "#);
}

#[test]
fn a_number_out_of_range_is_told() {
    assert_conversation!(Sandbox::new().run(&["classify", BUSINESS, "--threshold", "1.5"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value '1.5' for '--threshold <P>': not a number from 0 to 1

    For more information, try '--help'.
    "#);
    assert_conversation!(Sandbox::new().run(&["classify", BUSINESS, "--threads", "0"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value '0' for '--threads <N>': not a whole number from 1 to 1024

    For more information, try '--help'.
    "#);
}

#[test]
fn texts_and_tables_cannot_be_given_together() {
    assert_conversation!(Sandbox::new().run(&["classify", BUSINESS, "--input", "news.csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the argument '[TEXT]...' cannot be used with '--input <PATH|GLOB|URL|->'

    Usage: albertine classify <TEXT>...

    For more information, try '--help'.
    "#);
}

#[test]
fn a_precision_that_the_cpu_lacks_is_told() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["classify", BUSINESS, "--precision", "bf16"]);
    let output = command.env("ALBERTINE_CPU", "portable").output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    let expected =
        "error: the CPU level portable does not support bfloat16: use f32, which every CPU supports, or int8";
    assert!(stderr.starts_with(expected), "{stderr}");
}

#[test]
fn an_unknown_cpu_level_is_told() {
    let sandbox = Sandbox::new();
    let output =
        sandbox.command(&["classify", BUSINESS]).env("ALBERTINE_CPU", "avx9").output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.starts_with("error: unknown CPU level \"avx9\" (ALBERTINE_CPU), this CPU has portable"), "{stderr}");
}
