//! One file on its way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use albertine::{CancellationToken, Classify, Columns, WindowSettings};
use albertine_engine::{EngineError, Sink, Source, SourceOptions, Target, column_name};
use arrow_schema::Schema;

use super::Paths;
use super::names::FileName;
use super::queued::Queued;
use super::unpacked;
use crate::models::Served;
use crate::queue::Queue;
use crate::settings::Limits;

/// Rows of a window: what a request waits for at most, beside its own batch.
const WINDOW_ROWS: usize = 64;

/// Bytes of a window, about: its texts take many times that while they are tokenized.
const WINDOW_BYTES: usize = 4 << 20;

/// Columns that are read when a file has no column `text` and none is named.
const USUAL_COLUMNS: [&str; 9] =
    ["text", "title", "headline", "description", "sentence", "content", "body", "review", "message"];

/// How far a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its bytes arrive, or its rows are labeled.
    Running,
    /// It can be fetched.
    Done,
    /// Why it cannot.
    Failed(String),
}

/// One file.
#[derive(Debug)]
pub(crate) struct Job {
    id: String,
    name: FileName,
    paths: Paths,
    cancellation: CancellationToken,
    labels: Mutex<BTreeMap<String, u64>>,
    progress: Mutex<Progress>,
}

/// What people see of it.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    pub(crate) stage: Stage,
    pub(crate) rows: u64,
    pub(crate) rows_total: Option<u64>,
    pub(crate) bytes_read: u64,
    pub(crate) bytes_total: Option<u64>,
    /// Those that the file has.
    pub(crate) columns: Vec<String>,
    pub(crate) text_columns: Vec<String>,
    started: Instant,
    pub(crate) seconds: f64,
    asked: Instant,
}

impl Job {
    pub(super) fn new(id: String, name: FileName, folder: PathBuf) -> std::io::Result<Self> {
        std::fs::create_dir(&folder)?;
        let paths = Paths {
            input: folder.join(name.on_disk()),
            output: folder.join(format!("out.{}", name.output_format().name())),
            folder,
        };
        let now = Instant::now();
        let progress = Progress {
            stage: Stage::Running,
            rows: 0,
            rows_total: None,
            bytes_read: 0,
            bytes_total: None,
            columns: Vec::new(),
            text_columns: Vec::new(),
            started: now,
            seconds: 0.0,
            asked: now,
        };
        let (cancellation, labels) = (CancellationToken::default(), Mutex::default());
        Ok(Self { id, name, paths, cancellation, labels, progress: Mutex::new(progress) })
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn name(&self) -> &FileName {
        &self.name
    }

    /// Where its bytes go.
    pub(crate) fn input(&self) -> &Path {
        &self.paths.input
    }

    /// Where its labeled rows are, when it is done.
    pub(crate) fn output(&self) -> &Path {
        &self.paths.output
    }

    pub(crate) fn progress(&self) -> Progress {
        self.lock().clone()
    }

    /// Rows by label.
    pub(crate) fn labels(&self) -> BTreeMap<String, u64> {
        self.labels.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn cancel(&self) {
        self.cancellation.cancel();
    }

    pub(super) fn touch(&self) {
        self.lock().asked = Instant::now();
    }

    pub(super) fn is_ended(&self) -> bool {
        self.lock().stage != Stage::Running
    }

    pub(super) fn is_stale(&self, kept: Duration) -> bool {
        let progress = self.lock();
        progress.stage != Stage::Running && progress.asked.elapsed() > kept
    }

    /// Labels the rows. Files that have more than `limits` lets them when they are unpacked are refused.
    pub(super) fn run(&self, served: &Served, queue: &Queue, text_columns: &[String], limits: &Limits) {
        let refused = Mutex::default();
        let outcome = self.label(served, queue, text_columns, limits, &refused);
        let refused = refused.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut progress = self.lock();
        progress.seconds = progress.started.elapsed().as_secs_f64();
        progress.stage = match outcome {
            Ok(()) => Stage::Done,
            Err(error) => Stage::Failed(refused.unwrap_or_else(|| self.with_its_name(&error))),
        };
    }

    fn label(
        &self,
        served: &Served,
        queue: &Queue,
        text_columns: &[String],
        limits: &Limits,
        refused: &Mutex<Option<String>>,
    ) -> Result<(), EngineError> {
        if unpacked::is_larger(&self.paths.input, limits.file_bytes, &self.cancellation) {
            let reason = format!("the file has more than {} bytes when it is unpacked", limits.file_bytes);
            *refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
            return Err(albertine::Error::Cancelled.into());
        }
        let inputs = vec![self.paths.input.clone().into_os_string()];
        let source =
            Source::open(SourceOptions { inputs, format: Some(self.name.format()), ..SourceOptions::default() })?;
        let text = columns(source.schema(), text_columns);
        {
            let mut progress = self.lock();
            progress.rows_total = source.rows_total();
            progress.bytes_total = source.bytes_total();
            progress.columns = source.schema().fields().iter().map(|field| field.name().clone()).collect();
            progress.text_columns.clone_from(&text);
        }
        let columns = Columns { text: text.clone(), ..Columns::default() };
        let classify = Arc::new(Classify::new(Arc::clone(&served.classifier), columns)?);
        let (labels, longest) = (&self.labels, limits.body_bytes);
        let transform = Queued { classify, queue, labels, text: &text, longest, refused };
        let schema = albertine::Transform::output_schema(&transform, source.schema())?.into_schema();
        let sink = Sink::create(Target::File(self.paths.output.clone()), self.name.output_format(), schema)?;
        let windows = WindowSettings { rows: WINDOW_ROWS, bytes: WINDOW_BYTES, ..WindowSettings::default() };
        albertine_engine::run(source, &transform, sink, windows, &self.cancellation, &mut |now| {
            let mut progress = self.lock();
            progress.rows = now.rows;
            progress.bytes_read = now.bytes_read;
            progress.seconds = progress.started.elapsed().as_secs_f64();
        })?;
        Ok(())
    }

    /// An error with the name that people gave the file instead of the one that it has here.
    fn with_its_name(&self, error: &EngineError) -> String {
        error.to_string().replace(&*self.paths.input.to_string_lossy(), self.name.given())
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The columns to read: those that are named, by name or by number from 1, or the first of the usual ones.
fn columns(schema: &Schema, named: &[String]) -> Vec<String> {
    if !named.is_empty() {
        return named.iter().map(|given| column_name(schema, given)).collect();
    }
    let usual = |usual: &&str| schema.fields().iter().find(|field| field.name().eq_ignore_ascii_case(usual));
    let found = USUAL_COLUMNS.iter().find_map(usual);
    vec![found.map_or_else(|| USUAL_COLUMNS[0].to_owned(), |field| field.name().clone())]
}
