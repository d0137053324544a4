//! A folder to work in, and a way to run the command there and to write down what it said.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::Schema;
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

/// The binary under test.
pub(crate) const ALBERTINE: &str = env!("CARGO_BIN_EXE_albertine");

/// What differs from machine to machine and from run to run, and what stands for it in snapshots.
const FILTERS: [(&str, &str); 5] = [
    (r"(; |in )[0-9]+\.[0-9] s\b", "$1[TIME]"),
    (r"in [0-9.]+ s \([0-9,]+ rows/s\)", "in [TIME]"),
    (r#"("[a-z_.]+\.(?:json|model|safetensors)":)[0-9]+"#, "$1[SIZE]"),
    // The last digits of a score depend on the CPU level.
    (r#"("score":)[0-9][-.0-9e]*"#, "$1[SCORE]"),
    (r"\b[01]\.[0-9]{4,}\b", "[SCORE]"),
];

/// A headline that every usable news model calls Business, and one of each other class.
pub(crate) const BUSINESS: &str = "Stocks fell on Wall Street as oil prices rose and investors feared inflation.";
pub(crate) const SPORTS: &str = "The striker scored twice as the team won the cup final after extra time.";

/// A folder of its own for one test; every command runs inside it, so that messages show relative paths.
pub(crate) struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and the folders on its way.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a writable sandbox");
        fs::write(path, bytes).expect("a writable sandbox");
        self
    }

    /// Writes a Parquet file.
    pub(crate) fn parquet(&self, name: &str, columns: Vec<(&str, ArrayRef)>) -> &Self {
        self.parquet_with(name, columns, HashMap::new())
    }

    /// Writes a Parquet file with metadata of its schema.
    pub(crate) fn parquet_with(
        &self,
        name: &str,
        columns: Vec<(&str, ArrayRef)>,
        metadata: HashMap<String, String>,
    ) -> &Self {
        let columns = columns.into_iter().map(|(name, column)| (name, column, true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
        let schema = Schema::clone(&batch.schema()).with_metadata(metadata);
        let batch = batch.with_schema(Arc::new(schema)).expect("the same columns");
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).expect("a schema that parquet knows");
        writer.write(&batch).expect("a vector takes everything");
        self.file(name, writer.into_inner().expect("a vector takes everything"))
    }

    /// Copies a model directory of this repository to `name`.
    pub(crate) fn model(&self, name: &str, from: &Path) -> &Self {
        for entry in fs::read_dir(from).expect("a model of this repository") {
            let entry = entry.expect("a readable folder");
            if entry.path().is_file() {
                let file = format!("{name}/{}", entry.file_name().to_string_lossy());
                self.file(&file, fs::read(entry.path()).expect("a readable file"));
            }
        }
        self
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a text file that the command wrote")
    }

    /// Names of the files in a folder of the sandbox, sorted.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).expect("a readable folder");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("a readable folder").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The command with these arguments, not yet run; nothing of the environment changes what it says.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(ALBERTINE);
        command.args(arguments);
        self.prepare(&mut command);
        command
    }

    /// Puts any command into this folder and cleans its environment.
    pub(crate) fn prepare(&self, command: &mut Command) {
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env_remove("ALBERTINE_CPU").env_remove("NO_COLOR").env("TERM", "xterm").env("COLUMNS", "100");
        for variable in ["ALBERTINE_HUB", "ALBERTINE_OFFLINE", "HF_HUB_OFFLINE", "HF_ENDPOINT", "HF_TOKEN"] {
            command.env_remove(variable);
        }
        for variable in ["ALBERTINE_HOST", "ALBERTINE_PORT", "ALBERTINE_API_KEY", "ALBERTINE_LOG"] {
            command.env_remove(variable);
        }
        for variable in ["HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME"] {
            command.env_remove(variable);
        }
        command.env("HOME", self.folder.path()).env("ALBERTINE_CACHE", "cache");
    }

    /// Runs the command, with nothing on standard input, and writes the conversation down.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        conversation(&self.command(arguments).output().expect("the binary starts"))
    }

    /// Runs the command with `input` on standard input, and writes the conversation down.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().expect("the binary starts");
        let mut stdin = child.stdin.take().expect("a piped standard input");
        let input = input.to_vec();
        // On a thread: the command may answer before it has read everything.
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().expect("the binary ends");
        // A command that fails early closes the pipe: that is its right.
        let _ = writer.join().expect("the writer ends");
        conversation(&output)
    }
}

/// A tiny model with random weights.
pub(crate) fn golden_model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden").join(name)
}

/// Exit code, standard output and standard error as one text.
pub(crate) fn conversation(output: &Output) -> String {
    let code = output.status.code().map_or_else(|| "none".to_owned(), |code| code.to_string());
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    format!("exit code: {code}\n----- stdout -----\n{stdout}----- stderr -----\n{stderr}")
}

/// A column of a table.
pub(crate) fn column<A: arrow_array::Array + 'static>(array: A) -> ArrayRef {
    Arc::new(array)
}

/// Holds a conversation against its snapshot, without what differs from run to run.
macro_rules! assert_conversation {
    ($said:expr, @$snapshot:literal) => {
        insta::with_settings!({ filters => $crate::support::filters() }, {
            insta::assert_snapshot!($said, @$snapshot);
        });
    };
}
pub(crate) use assert_conversation;

pub(crate) fn filters() -> Vec<(&'static str, &'static str)> {
    FILTERS.to_vec()
}
