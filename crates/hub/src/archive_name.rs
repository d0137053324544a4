//! The names of Spark NLP's archives, `{name}_{language}_{library}_{spark}_{milliseconds}.zip`, which tell all that it
//! takes to choose among them.

use std::path::Path;

use super::Version;

/// The longest name of a model or a file that is taken from foreign hands.
const LONGEST: usize = 200;

/// What the name of an archive, or of the folder that Spark NLP unpacks it to, tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ArchiveName {
    pub(super) name: String,
    pub(super) language: String,
    pub(super) library: Version,
    pub(super) spark: Version,
    /// When the model was published, in milliseconds since 1970.
    pub(super) milliseconds: i64,
}

impl ArchiveName {
    /// Reads the name of a file or a folder; `None` for one that is called otherwise.
    pub(super) fn parse(file: &str) -> Option<Self> {
        let stem = file.strip_suffix(".zip").unwrap_or(file);
        let mut parts = stem.rsplitn(5, '_');
        let (milliseconds, spark, library) = (parts.next()?, parts.next()?, parts.next()?);
        let (language, name) = (parts.next()?, parts.next()?);
        let is_language = (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_lowercase());
        (is_language && is_plain(name)).then_some(())?;
        Some(Self {
            name: name.to_owned(),
            language: language.to_owned(),
            library: version(library)?,
            spark: version(spark)?,
            milliseconds: milliseconds.parse().ok()?,
        })
    }

    /// As [`ArchiveName::parse`], of the last part of a path.
    pub(super) fn of(path: &Path) -> Option<Self> {
        Self::parse(path.file_name()?.to_str()?)
    }
}

/// A version of which nothing is left out.
fn version(text: &str) -> Option<Version> {
    Version::parse(text).filter(|version| version.to_string() == text)
}

/// Whether a name is that of a file within a folder on any system, and nothing else: no path leads out of it or into
/// it, it is not hidden and does not look like a flag.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | '+' | '@');
    let odd = |character: char| matches!(character, '.' | '-' | '+' | '@');
    !name.is_empty()
        && name.len() <= LONGEST
        && name.chars().all(plain)
        && !name.starts_with(odd)
        && !name.ends_with('.')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_published_name_tells_all() {
        let name =
            ArchiveName::parse("albert_base_sequence_classifier_ag_news_en_3.4.0_3.0_1639648298937.zip").unwrap();
        assert_eq!(name.name, "albert_base_sequence_classifier_ag_news");
        assert_eq!(name.language, "en");
        assert_eq!((name.library, name.spark), (Version::from([3, 4, 0]), Version::from([3, 0])));
        assert_eq!(name.milliseconds, 1_639_648_298_937);
    }

    #[test]
    fn other_names_tell_nothing() {
        for other in [
            "model.zip",
            "a_en_3.4.0_3.0_now.zip",
            "a_english_3.4.0_3.0_1.zip",
            "a_en_3.x_3.0_1.zip",
            "_en_3.4.0_3.0_1.zip",
            "../a_en_3.4.0_3.0_1.zip",
        ] {
            assert_eq!(ArchiveName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_plain_name_leads_nowhere_else() {
        for plain in ["a", "my-model_2.1", "a@b", "modèle", "model-00001-of-00002.safetensors"] {
            assert!(is_plain(plain), "{plain}");
        }
        let long = "a".repeat(LONGEST + 1);
        for other in ["", ".", "..", ".hidden", "-flag", "a/b", "a\\b", "c:", "a b", "a\0", "a.", "nul\n", &long] {
            assert!(!is_plain(other), "{other:?}");
        }
    }
}
