//! From what a person calls a model to where its files are.

use std::path::{Path, PathBuf};

use crate::Error;
use crate::builtin::{BUILT_IN, BuiltIn};

/// The model that is used when none is named.
pub const DEFAULT: &str = BUILT_IN[0].name;

/// Where the files of a model are.
#[derive(Debug, Clone)]
pub enum ModelSource {
    /// Inside the program.
    BuiltIn(&'static BuiltIn),
    /// A model directory, Hugging Face layout.
    Directory(PathBuf),
}

impl std::fmt::Display for ModelSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BuiltIn(model) => write!(f, "{}", model.name),
            Self::Directory(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Finds a model by name or by path. A built-in name wins over a folder of the same name, which can be reached as `./name`.
///
/// # Errors
/// [`Error::UnknownModel`] with the nearest names, or [`Error::NotAModelDirectory`] for a path that leads to no directory.
///
/// ```
/// use albertine::hub::{ModelSource, resolve};
/// assert!(matches!(resolve("ag_news")?, ModelSource::BuiltIn(_)));
/// assert!(resolve("ag_mews").unwrap_err().to_string().contains("ag_news"));
/// # Ok::<(), albertine::Error>(())
/// ```
pub fn resolve(name_or_path: &str) -> Result<ModelSource, Error> {
    if let Some(model) = BUILT_IN.iter().find(|model| model.name == name_or_path) {
        return Ok(ModelSource::BuiltIn(model));
    }
    let path = Path::new(name_or_path);
    if path.is_dir() {
        Ok(ModelSource::Directory(path.to_owned()))
    } else if path.exists() {
        Err(Error::NotAModelDirectory { path: path.to_owned(), reason: "it is a file" })
    } else if path.components().count() > 1 {
        Err(Error::NotAModelDirectory { path: path.to_owned(), reason: "nothing is there" })
    } else {
        Err(Error::UnknownModel { name: name_or_path.to_owned(), nearest: nearest(name_or_path) })
    }
}

/// As [`resolve`], for a model of the language `lang`; the models inside the program are English, a path may be of any language.
///
/// # Errors
/// As [`resolve`], and [`Error::UnknownModel`] when the named model is of another language.
pub fn resolve_language(name_or_path: &str, lang: &str) -> Result<ModelSource, Error> {
    match resolve(name_or_path)? {
        ModelSource::BuiltIn(model) if model.language != lang => Err(Error::UnknownModel {
            name: format!("{name_or_path} ({lang})"),
            nearest: vec![format!("{} ({})", model.name, model.language)],
        }),
        source => Ok(source),
    }
}

/// The known names, the most alike first. There are few, so all of them are worth naming.
fn nearest(name: &str) -> Vec<String> {
    let mut names: Vec<&str> = BUILT_IN.iter().map(|model| model.name).collect();
    names.sort_by(|a, b| strsim::jaro_winkler(b, name).total_cmp(&strsim::jaro_winkler(a, name)));
    names.into_iter().take(3).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_default_is_built_in() {
        assert_eq!(resolve(DEFAULT).unwrap().to_string(), DEFAULT);
    }

    #[test]
    fn a_path_to_nothing_and_a_file_are_told_apart() {
        let nothing = resolve("no/such/model").unwrap_err().to_string();
        assert_eq!(nothing, "no/such/model is not a model directory: nothing is there");
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = resolve(file.path().to_str().unwrap()).unwrap_err();
        assert!(matches!(error, Error::NotAModelDirectory { reason: "it is a file", .. }));
    }
}
