//! Runs that go on where they were interrupted.
//!
//! A [`ResumableRun`] writes what it has done as parts into a folder beside its output, each whole or not at all, next to
//! a manifest of what the run is made of: settings, model, inputs. When all rows of a table are done, its parts become the
//! table. A process that ends in between, however it ends, loses some seconds of work: the next one reads the manifest,
//! makes sure that it is the same run, and does what is missing. Rows are known by their position in their file.
//!
//! ```
//! # struct Keep;
//! # impl albertine::Transform for Keep {
//! #     fn output_schema(
//! #         &self,
//! #         input: &arrow_schema::SchemaRef,
//! #     ) -> Result<albertine::OutputSchema, albertine::Error> {
//! #         Ok(albertine::OutputSchema::unchanged(input))
//! #     }
//! #     fn run(
//! #         &self,
//! #         batch: &arrow_array::RecordBatch,
//! #         _: &albertine::CancellationToken,
//! #     ) -> Result<albertine::Transformed, albertine::Error> {
//! #         Ok((batch.clone(), Vec::new()))
//! #     }
//! # }
//! use albertine::{CancellationToken, WindowSettings};
//! use albertine_engine::{Format, ResumableOutput, ResumableRun, ResumeOptions, Source, SourceOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let (input, output) = (folder.path().join("news.csv"), folder.path().join("news.jsonl"));
//! std::fs::write(&input, "text\nOil rises\n")?;
//! let source = Source::open(SourceOptions { inputs: vec![input.into()], ..Default::default() })?;
//! let options = ResumeOptions::new(ResumableOutput::File(output.clone()), Format::Jsonl);
//! let run = ResumableRun::open(source, &Keep, options)?;
//! run.run(&Keep, WindowSettings::default(), &CancellationToken::default(), &mut |_| {})?;
//! assert_eq!(std::fs::read_to_string(output)?, "{\"text\":\"Oil rises\"}\n");
//! # Ok(())
//! # }
//! ```

mod fingerprint;
mod folder;
mod join;
mod manifest;
mod options;
mod part;
mod run;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use albertine::{Rows, Transform};
use arrow_schema::SchemaRef;

use self::folder::{Part, PartsFolder};
use self::manifest::Manifest;
pub use self::options::{FailedRows, ModelFile, ResumableOutput, ResumeOptions};
use self::part::Totals;
use crate::{EngineError, Source, Target};

/// A run that is known, and how far it has come.
#[derive(Debug)]
pub struct ResumableRun {
    source: Source,
    schema: SchemaRef,
    options: ResumeOptions,
    folder: PartsFolder,
    manifest: Manifest,
    /// Which input of the manifest each file of the source is.
    of_source: Vec<usize>,
    parts: BTreeMap<usize, Vec<Part>>,
    /// The inputs whose own tables are in their places.
    done: BTreeMap<usize, Totals>,
    /// What was counted, if the one table is in its place and only the parts were not removed.
    finished: Option<Totals>,
}

impl ResumableRun {
    /// Begins a run, or finds what one before has done of it. `source` is one of which no row was read.
    ///
    /// # Errors
    /// [`EngineError::NotResumable`] for an input that is no file; [`EngineError::BegunDifferently`] when the output was
    /// begun with other settings, another model or other inputs, unless the run is to start again;
    /// [`EngineError::InUse`] while another process writes it; [`EngineError::InputInOutput`] and
    /// [`EngineError::OutputExists`] for a folder that is not this run's own; [`EngineError::RowsMultiplied`] for a
    /// transform that multiplies rows.
    pub fn open(source: Source, transform: &dyn Transform, options: ResumeOptions) -> Result<Self, EngineError> {
        let output = transform.output_schema(source.schema())?;
        if output.rows() == Rows::Multiplied {
            return Err(EngineError::RowsMultiplied);
        }
        let schema = output.into_schema();
        source.files().iter().try_for_each(|file| manifest::path_of(file).map(drop))?;
        let folder = PartsFolder::open(&options.output.parts_folder(), &options.output.name())?;
        let of = |known: Option<&Manifest>| Manifest::of(&options, &source, &schema, known);
        let then = if options.restart { None } else { Manifest::read(&folder.manifest())? };
        let known = then.as_ref().map(|then| of(Some(then))).transpose()?;
        let goes_on = match (&then, &known) {
            (Some(then), Some((now, of_source))) => goes_on(then, now, of_source, &folder, &options.output)?,
            _ => false,
        };
        // What a run wrote that is not to go on. Of a manifest that cannot be read, nothing is known.
        let before = if goes_on { None } else { Manifest::read(&folder.manifest()).ok().flatten() };
        let (mut manifest, of_source) = match known.filter(|_| goes_on) {
            Some(known) => known,
            None => of(None)?,
        };
        if let ResumableOutput::Folder(path) = &options.output {
            check_folder(path, &manifest)?;
        }
        if !goes_on {
            folder.clear()?;
        }
        if let Some(before) = before {
            manifest.take_tables_of(before);
        }
        if let ResumableOutput::Folder(path) = &options.output {
            name_tables(path, options.format.name(), &mut manifest)?;
        }
        if !goes_on || then.as_ref() != Some(&manifest) {
            manifest.write(&folder.manifest())?;
        }
        let finished = folder.totals_of_finished()?;
        // Where rows with an error stop the run, parts with such rows are not done.
        let is_done = |part: &Part| part.head.totals.failed == 0 || !matches!(options.failed_rows, FailedRows::Stop);
        let (parts, mut done) = (folder.parts(&is_done)?, BTreeMap::new());
        for &input in &of_source {
            let totals = folder.totals_of_done(input)?;
            if let Some(totals) = totals.filter(|_| is_there(&options.output, manifest.inputs[input].output.as_deref()))
            {
                done.insert(input, totals);
                // A run that was killed may not have come to it.
                folder.remove_parts_of(input)?;
            }
        }
        Ok(Self { source, schema, options, folder, manifest, of_source, parts, done, finished })
    }

    /// The rows that are done already, of inputs whose table is not complete.
    #[must_use]
    pub fn rows_done(&self) -> u64 {
        let undone = self.of_source.iter().filter(|input| !self.done.contains_key(input));
        undone.filter_map(|input| self.parts.get(input)?.last()).fold(0, |rows, part| rows.saturating_add(part.end))
    }

    /// The number of inputs whose own tables are complete.
    #[must_use]
    pub fn inputs_done(&self) -> usize {
        self.done.len()
    }

    /// The number of inputs.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.of_source.len()
    }

    /// Whether the output is complete, and nothing is left to do.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished.is_some()
    }
}

/// Whether a run that was known `then` goes on as it is `now`; not if its one table is complete, and this is another.
fn goes_on(
    then: &Manifest,
    now: &Manifest,
    of_source: &[usize],
    folder: &PartsFolder,
    output: &ResumableOutput,
) -> Result<bool, EngineError> {
    let may_be_gone = |input| folder.totals_of_done(input).is_ok_and(|totals| totals.is_some());
    let differences = then.differences(now, of_source, &may_be_gone);
    if folder.totals_of_finished()?.is_some() {
        return Ok(differences.is_empty() && then.inputs.len() == now.inputs.len() && is_there(output, None));
    }
    match differences.as_slice() {
        [] => Ok(true),
        differences => Err(EngineError::BegunDifferently { path: output.name(), differences: differences.join("; ") }),
    }
}

/// Whether a table is in its place: one that was removed is made again.
fn is_there(output: &ResumableOutput, name: Option<&str>) -> bool {
    matches!(output.target(name), Target::File(path) if path.exists())
}

/// Makes sure that no input is in the output folder.
fn check_folder(path: &Path, manifest: &Manifest) -> Result<(), EngineError> {
    let name = path.display().to_string();
    let folder = fs::canonicalize(path).map_err(|source| EngineError::reading(&name, source))?;
    match manifest.inputs.iter().find(|input| input.is_in(&folder)) {
        Some(input) => Err(EngineError::InputInOutput { path: name, input: input.name.clone() }),
        None => Ok(()),
    }
}

/// Gives each input without one the name of its table: its own name with another extension, and where two have the same,
/// some digits that tell one from the other.
fn name_tables(path: &Path, extension: &str, manifest: &mut Manifest) -> Result<(), EngineError> {
    let taken =
        |manifest: &Manifest, name: &str| manifest.inputs.iter().any(|input| input.output.as_deref() == Some(name));
    for at in 0..manifest.inputs.len() {
        let input = &manifest.inputs[at];
        if input.output.is_some() {
            continue;
        }
        let stem = input.stem();
        let mut name = format!("{stem}.{extension}");
        let mut number = 1;
        while taken(manifest, &name) {
            let digits = if number == 1 { input.digits()? } else { format!("{}-{number}", input.digits()?) };
            name = format!("{stem}-{digits}.{extension}");
            number += 1;
        }
        if path.join(&name).exists() {
            return Err(EngineError::OutputExists { path: path.join(&name).display().to_string() });
        }
        manifest.inputs[at].output = Some(name);
    }
    Ok(())
}
