//! What a resumable run is made of: its settings, its model and its inputs, to tell whether a run goes on with the same.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use arrow_schema::Schema;
use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::{ModelFile, ResumeOptions};
use crate::{EngineError, InputFile, Location, Source, Target, WholeFile};

/// The version of the folder's layout.
const VERSION: u32 = 1;

/// The largest manifest that is read, in bytes: that of a million inputs is smaller.
const LARGEST: u64 = 1 << 30;

/// What a run is made of. It is written before the first part, and again when inputs are added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    version: u32,
    settings: Vec<(String, String)>,
    model: BTreeMap<String, Fingerprint>,
    columns: Vec<(String, String)>,
    pub(super) inputs: Vec<Input>,
}

/// An input. Its place in the list is its number in the names of parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Input {
    /// Its name in messages.
    pub(super) name: String,
    path: String,
    fingerprint: Fingerprint,
    /// The name of its own table in an output folder.
    pub(super) output: Option<String>,
    /// Whether a run that was completed has told what was counted over it.
    pub(super) is_told: bool,
}

impl Input {
    /// Of the file at a path, which was `known` before, if it was.
    fn of(name: String, path: PathBuf, known: Option<&Self>) -> Result<Self, EngineError> {
        let fingerprint = Fingerprint::of(&path, known.map(|input| &input.fingerprint));
        let fingerprint = fingerprint.map_err(|source| EngineError::reading(&name, source))?;
        let output = known.and_then(|input| input.output.clone());
        let is_told = known.is_some_and(|input| input.is_told);
        Ok(Self { name, path: path.to_string_lossy().into_owned(), fingerprint, output, is_told })
    }

    /// Whether its content is still the one that the run began with.
    pub(super) fn is_as_it_was(&self) -> Result<bool, EngineError> {
        let now = Fingerprint::of(Path::new(&self.path), Some(&self.fingerprint));
        now.map(|now| now.is_same(&self.fingerprint)).map_err(|source| EngineError::reading(&self.name, source))
    }

    /// Its file name without the extensions of format and compression.
    pub(super) fn stem(&self) -> String {
        super::options::stem(Path::new(&self.path))
    }

    /// Its size in bytes.
    pub(super) fn size(&self) -> u64 {
        self.fingerprint.size()
    }

    /// Whether it is in a folder, which is named as `fs::canonicalize` names it.
    pub(super) fn is_in(&self, folder: &Path) -> bool {
        Path::new(&self.path).starts_with(folder)
    }

    /// A few digits that tell it from inputs of the same name in other folders.
    pub(super) fn digits(&self) -> Result<String, EngineError> {
        let digits = super::fingerprint::sha256(&mut self.path.as_bytes());
        digits.map(|digits| digits[..8].to_owned()).map_err(|source| EngineError::reading(&self.name, source))
    }
}

impl Manifest {
    /// Of a run over `source` to a table with the columns of `schema`, and which of its inputs each file of the source is.
    /// What was `known` of a run before this one keeps its place.
    pub(super) fn of(
        options: &ResumeOptions,
        source: &Source,
        schema: &Schema,
        known: Option<&Self>,
    ) -> Result<(Self, Vec<usize>), EngineError> {
        let mut inputs = known.map(|known| known.inputs.clone()).unwrap_or_default();
        // A file that is named twice is two inputs.
        let mut at_path: HashMap<String, VecDeque<usize>> = HashMap::new();
        for (at, input) in inputs.iter().enumerate() {
            at_path.entry(input.path.clone()).or_default().push_back(at);
        }
        let mut of_source = Vec::new();
        for file in source.files() {
            let (name, path) = (file.location.to_string(), path_of(file)?);
            let at = at_path.get_mut(path.to_string_lossy().as_ref()).and_then(VecDeque::pop_front);
            let input = Input::of(name, path, at.map(|at| &inputs[at]))?;
            match at {
                Some(at) => inputs[at] = input,
                None => inputs.push(input),
            }
            of_source.push(at.unwrap_or(inputs.len() - 1));
        }
        let of_model = |(name, file): &(String, ModelFile)| {
            let fingerprint = match file {
                ModelFile::Path(path) => Fingerprint::of(path, known.and_then(|known| known.model.get(name))),
                ModelFile::Bytes(bytes) => Fingerprint::of_bytes(bytes),
            };
            fingerprint
                .map(|fingerprint| (name.clone(), fingerprint))
                .map_err(|source| EngineError::reading(name, source))
        };
        // The column of errors comes and goes with what becomes of rows that fail.
        let columns = schema.fields().iter().filter(|field| Some(field.name()) != options.error_column.as_ref());
        let columns = columns.map(|field| (field.name().clone(), field.data_type().to_string()));
        let manifest = Self {
            version: VERSION,
            settings: options.settings.clone(),
            model: options.model.iter().map(of_model).collect::<Result<_, _>>()?,
            columns: columns.collect(),
            inputs,
        };
        Ok((manifest, of_source))
    }

    /// What differs between this run and the same one `now`, for a person to read; nothing if it can go on. Inputs that
    /// `now` adds are no difference, nor those that are gone and `may_be_gone`.
    pub(super) fn differences(
        &self,
        now: &Self,
        of_source: &[usize],
        may_be_gone: &dyn Fn(usize) -> bool,
    ) -> Vec<String> {
        if self.version != now.version {
            return vec![format!(
                "by another version of albertine (layout {} instead of {})",
                self.version, now.version
            )];
        }
        let mut differences = pairs(&self.settings, &now.settings, |name, value| format!("{name} {value}"));
        let sums = |files: &BTreeMap<String, Fingerprint>| -> Vec<_> {
            files.iter().map(|(name, fingerprint)| (name.clone(), fingerprint.sha256().to_owned())).collect()
        };
        if sums(&self.model) != sums(&now.model) {
            differences.push("another model".to_owned());
        }
        differences.extend(pairs(&self.columns, &now.columns, |name, kind| format!("column `{name}` of type {kind}")));
        let of_source: HashSet<usize> = of_source.iter().copied().collect();
        for (at, input) in self.inputs.iter().enumerate() {
            if !of_source.contains(&at) {
                if !may_be_gone(at) {
                    differences.push(format!("{} is no longer an input", input.name));
                }
            } else if !input.fingerprint.is_same(&now.inputs[at].fingerprint) {
                differences.push(format!("{} has changed", input.name));
            }
        }
        differences
    }

    /// Reads the manifest of a folder, if it has one.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, EngineError> {
        let name = path.display().to_string();
        let damaged = |reason: String| EngineError::Damaged { path: name.clone(), reason };
        match fs::metadata(path) {
            Ok(file) if file.len() > LARGEST => return Err(damaged("it is too large".to_owned())),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(EngineError::reading(&name, source)),
        }
        let bytes = fs::read(path).map_err(|source| EngineError::reading(&name, source))?;
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        // Tables are written under these names: none may lead out of the folder.
        let outside = manifest.inputs.iter().filter_map(|input| input.output.as_ref()).find(|table| !is_bare(table));
        match outside {
            Some(table) => Err(damaged(format!("{table:?} is not the name of a file"))),
            None => Ok(Some(manifest)),
        }
    }

    /// Gives inputs the tables that they had in a run before this one, which stay until new ones take their places.
    pub(super) fn take_tables_of(&mut self, before: Self) {
        let tables = before.inputs.into_iter().filter_map(|input| Some((input.path, input.output?)));
        let mut tables: HashMap<String, String> = tables.collect();
        for input in &mut self.inputs {
            input.output = tables.remove(&input.path);
        }
    }

    /// Writes it whole.
    pub(super) fn write(&self, path: &Path) -> Result<(), EngineError> {
        let name = path.display().to_string();
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| EngineError::writing(&name, error.into()))?;
        WholeFile::create(&Target::File(path.to_owned()))?.finish(&bytes)
    }
}

/// Whether it is the name of a file and nothing else.
fn is_bare(name: &str) -> bool {
    Path::new(name).file_name().is_some_and(|file| file == name)
}

/// The one path of a file that can be read again.
pub(super) fn path_of(file: &InputFile) -> Result<PathBuf, EngineError> {
    let name = || file.location.to_string();
    match &file.location {
        Location::File(path) if !file.location.is_stream() => {
            let path = fs::canonicalize(path).map_err(|source| EngineError::reading(&name(), source))?;
            // The manifest is text.
            if path.to_str().is_some() { Ok(path) } else { Err(EngineError::NameNotUtf8 { path: name() }) }
        }
        location => Err(EngineError::NotResumable { path: location.to_string() }),
    }
}

/// What differs in lists of names and values; `say` says a name and its value.
fn pairs(then: &[(String, String)], now: &[(String, String)], say: impl Fn(&str, &str) -> String) -> Vec<String> {
    let of = |list: &[(String, String)], name: &str| {
        list.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    let names = then.iter().chain(now.iter().filter(|(name, _)| of(then, name).is_none())).map(|(name, _)| name);
    let mut differences = Vec::new();
    for name in names {
        match (of(then, name), of(now, name)) {
            (Some(then), Some(now)) if then != now => {
                differences.push(format!("{} instead of {now}", say(name, &then)));
            }
            (Some(then), None) => differences.push(format!("with {}", say(name, &then))),
            (None, Some(now)) => differences.push(format!("without {}", say(name, &now))),
            _ => {}
        }
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named() {
        let list = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let then = list(&[("precision", "f32"), ("logits", "yes")]);
        let now = list(&[("precision", "int8"), ("threshold", "0.5")]);
        let say = |name: &str, value: &str| format!("{name} {value}");
        assert_eq!(pairs(&then, &then, say), [""; 0]);
        assert_eq!(
            pairs(&then, &now, say),
            ["precision f32 instead of int8", "with logits yes", "without threshold 0.5"]
        );
    }
}
