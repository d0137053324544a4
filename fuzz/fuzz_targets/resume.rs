//! A run that was stopped, and files of it that are changed behind its back: it goes on and completes its table, or says what is
//! wrong with them.
#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use albertine::{CancellationToken, OutputSchema, Transform, Transformed, WindowSettings};
use albertine_engine::{
    EngineError, FailedRows, Format, OnError, ResumableOutput, ResumableRun, ResumeOptions, Source, SourceOptions,
};
use arbitrary::Arbitrary;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

/// Adds nothing.
struct Keep;

impl Transform for Keep {
    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, albertine::Error> {
        Ok(OutputSchema::unchanged(input))
    }

    fn run(&self, batch: &RecordBatch, _: &CancellationToken) -> Result<Transformed, albertine::Error> {
        Ok((batch.clone(), Vec::new()))
    }
}

/// A run over a table of four rows that was stopped after two.
struct Stopped {
    folder: tempfile::TempDir,
    parts: PathBuf,
    manifest: Vec<u8>,
    /// The name of its part, and its bytes.
    part: (String, Vec<u8>),
}

static STOPPED: LazyLock<Stopped> = LazyLock::new(|| {
    // in memory, where there is such a folder: most of the time goes into files
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.expect("a folder");
    fs::write(folder.path().join("in.csv"), "a,b\n1,x\n2,\"y\nz\"\n3\n4,é\n").expect("a table");
    assert!(run(folder.path(), true).is_err());
    let entries = || fs::read_dir(folder.path()).expect("files").map(|entry| entry.expect("a file").path());
    let parts = entries().find(|path| path.is_dir()).expect("a folder of parts");
    let names = fs::read_dir(&parts).expect("parts").map(|entry| entry.expect("a part").file_name());
    let name = names.filter_map(|name| name.into_string().ok()).find(|name| name.ends_with(".part")).expect("a part");
    let manifest = fs::read(parts.join("manifest.json")).expect("a manifest");
    let part = (name.clone(), fs::read(parts.join(&name)).expect("a part"));
    Stopped { folder, parts, manifest, part }
});

/// Begins the run or goes on with it; it may be stopped after its first window.
fn run(folder: &Path, stop: bool) -> Result<u64, EngineError> {
    let inputs = vec![folder.join("in.csv").into_os_string()];
    let mut source = Source::open(SourceOptions { inputs, on_error: OnError::Null, ..Default::default() })?;
    let mut options = ResumeOptions::new(ResumableOutput::File(folder.join("out.jsonl")), Format::Jsonl);
    options.error_column = Some(source.add_error_column());
    options.failed_rows = FailedRows::Keep;
    let (token, windows) = (CancellationToken::default(), WindowSettings { rows: 2, time: None, ..Default::default() });
    let summary = ResumableRun::open(source, &Keep, options)?.run(&Keep, windows, &token, &mut |_| {
        if stop {
            token.cancel();
        }
    })?;
    Ok(summary.rows)
}

#[derive(Debug, Arbitrary)]
enum Change<'a> {
    None,
    /// Other bytes from here on, in place of so many.
    Part {
        at: u16,
        removed: u8,
        bytes: &'a [u8],
    },
    /// Bits that differ.
    Bits(Vec<(u16, u8)>),
    All(&'a [u8]),
}

impl Change<'_> {
    fn of(&self, bytes: &[u8]) -> Vec<u8> {
        let mut changed = bytes.to_vec();
        match self {
            Self::None => {}
            Self::Part { at, removed, bytes } => {
                let start = usize::from(*at) % (changed.len() + 1);
                let end = changed.len().min(start + usize::from(*removed));
                changed.splice(start..end, bytes.iter().copied());
            }
            Self::Bits(bits) => {
                for (at, mask) in bits {
                    let at = usize::from(*at) % changed.len();
                    changed[at] ^= mask;
                }
            }
            Self::All(all) => changed = all.to_vec(),
        }
        changed
    }
}

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    manifest: Change<'a>,
    part: Change<'a>,
    /// Whether the checksum in the part is made that of its rows, if it still has one.
    sealed: bool,
    /// Another name of the part: its input, its first row, and the row after its last one.
    range: Option<(u8, u64, u64)>,
}

/// Puts the checksum of the rows into the first line of a part.
fn seal(part: &mut [u8]) -> Option<()> {
    const KEY: &[u8] = b"\"sha256\":\"";
    let end = part.iter().position(|byte| *byte == b'\n')?;
    let sum: String = Sha256::digest(&part[end + 1..]).iter().map(|byte| format!("{byte:02x}")).collect();
    let at = part[..end].windows(KEY.len()).position(|window| window == KEY)? + KEY.len();
    part[..end].get_mut(at..at + sum.len())?.copy_from_slice(sum.as_bytes());
    Some(())
}

fuzz_target!(|input: Input<'_>| {
    let Stopped { folder, parts, manifest, part: (name, part) } = &*STOPPED;
    let output = folder.path().join("out.jsonl");
    let _ = fs::remove_file(&output);
    let _ = fs::remove_dir_all(parts);
    fs::create_dir(parts).expect("a folder");
    fs::write(parts.join("manifest.json"), input.manifest.of(manifest)).expect("a manifest");
    let mut part = input.part.of(part);
    if input.sealed {
        let _ = seal(&mut part);
    }
    let name =
        input.range.map_or_else(|| name.clone(), |(of, start, end)| format!("{of:06}-{start:012}-{end:012}.part"));
    fs::write(parts.join(name), part).expect("a part");
    match run(folder.path(), false) {
        Ok(_) => assert!(output.is_file()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
