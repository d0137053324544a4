//! Where tables are: a path, a pattern, a folder, a URL or standard input becomes a list of files in order.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

use crate::format::{Compression, Format};
use crate::{EngineError, remote};

/// The name of standard input in messages.
pub(crate) const STDIN: &str = "standard input";

/// Where a file is. It shows itself as the name of the file in messages, without the secrets that a URL may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// Standard input.
    Stdin,
    /// A local path.
    File(PathBuf),
    /// An `s3://`, `https://` or `http://` URL.
    Url(Url),
}

impl Location {
    /// Whether the bytes can be read only once: standard input, and pipes and devices that have a name.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        match self {
            Self::Stdin => true,
            Self::File(path) => path.metadata().is_ok_and(|metadata| !metadata.is_file()),
            Self::Url(_) => false,
        }
    }
}

/// What may be shown of a name that may be a URL: not its user, its password or the values of its query, which are
/// often signatures.
pub(crate) fn redacted(name: &str) -> String {
    let Some((scheme, rest)) = name.split_once("://") else { return name.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or_else(|| authority.to_owned(), |(_, host)| format!("***@{host}"));
    let Some((path, query)) = path.split_once('?') else { return format!("{scheme}://{host}{path}") };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((key, _)) => format!("{key}=***"),
        None => pair.to_owned(),
    });
    format!("{scheme}://{host}{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

/// The name of a file in messages.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str(STDIN),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Url(url) => f.write_str(&redacted(url.as_str())),
        }
    }
}

/// One file of an input, with what its name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// Where it is.
    pub location: Location,
    /// The format that was given, or that its name tells.
    pub format: Format,
    /// The compression that the name tells; none for a name that tells none.
    pub compression: Compression,
}

impl InputFile {
    fn new(location: Location, format: Option<Format>) -> Result<Self, EngineError> {
        let name = match &location {
            Location::Stdin => String::new(),
            Location::File(path) => path.to_string_lossy().into_owned(),
            Location::Url(url) => url.path().to_owned(),
        };
        let (_, compression) = Compression::of_name(&name);
        match format.or_else(|| Format::of_name(&name).map(|(format, _)| format)) {
            Some(format) => Ok(Self { location, format, compression }),
            None => Err(EngineError::UnknownFormat { path: location.to_string() }),
        }
    }

    /// The files that `inputs` name (paths, patterns, folders, URLs, `-`), in their order; the files of one pattern or
    /// folder are in the order of their names.
    ///
    /// # Errors
    /// When an input names nothing, or the format of a file is neither given nor told by its name.
    pub fn expand(inputs: &[String], format: Option<Format>) -> Result<Vec<Self>, EngineError> {
        let mut files = Vec::new();
        for input in inputs {
            if input == "-" {
                files.push(Self::new(Location::Stdin, format)?);
            } else if input.contains("://") {
                expand_url(input, format, &mut files)?;
            } else {
                expand_path(input, format, &mut files)?;
            }
        }
        if files.is_empty() { Err(EngineError::NoInput) } else { Ok(files) }
    }
}

fn expand_url(input: &str, format: Option<Format>, files: &mut Vec<InputFile>) -> Result<(), EngineError> {
    let bad = |reason: String| EngineError::BadUrl { url: redacted(input), reason };
    let url = Url::parse(input).map_err(|error| bad(error.to_string()))?;
    match url.scheme() {
        "file" => {
            let path = url.to_file_path().map_err(|()| bad("it is not the path of a file".to_owned()))?;
            expand_path(&path.to_string_lossy(), format, files)
        }
        "http" | "https" => {
            files.push(InputFile::new(Location::Url(url), format)?);
            Ok(())
        }
        "s3" if input.ends_with('/') || input.contains(['*', '?', '[']) => {
            let found = remote::list(input)?;
            let before = files.len();
            for url in found {
                if input.ends_with('/') && !belongs(url.path(), format) {
                    continue;
                }
                files.push(InputFile::new(Location::Url(url), format)?);
            }
            if files.len() == before { Err(EngineError::NoMatch { pattern: redacted(input) }) } else { Ok(()) }
        }
        "s3" => {
            files.push(InputFile::new(Location::Url(url), format)?);
            Ok(())
        }
        scheme => Err(bad(format!("{scheme}:// is not one of s3://, https://, http:// and file://"))),
    }
}

fn expand_path(input: &str, format: Option<Format>, files: &mut Vec<InputFile>) -> Result<(), EngineError> {
    let path = Path::new(input);
    // A name that exists is that file, whatever characters it has.
    let found = match path.metadata() {
        Ok(metadata) if metadata.is_dir() => list_folder(path, format)?,
        Ok(_) => {
            files.push(InputFile::new(Location::File(path.to_owned()), format)?);
            return Ok(());
        }
        Err(_) if input.contains(['*', '?', '[']) => list_pattern(input)?,
        Err(source) => return Err(EngineError::reading(input, source)),
    };
    if found.is_empty() {
        return Err(EngineError::NoMatch { pattern: input.to_owned() });
    }
    for path in found {
        files.push(InputFile::new(Location::File(path), format)?);
    }
    Ok(())
}

/// The tables directly in a folder, in the order of their names.
fn list_folder(folder: &Path, format: Option<Format>) -> Result<Vec<PathBuf>, EngineError> {
    let fault = |source| EngineError::reading(&folder.to_string_lossy(), source);
    let mut found = Vec::new();
    for entry in folder.read_dir().map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        if path.is_file() && belongs(&path.to_string_lossy(), format) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a file found in a folder is one of its tables: not hidden, not a marker such as `_SUCCESS`, and of the
/// format asked for. With a format given, a name without any extension (`part-00000`) is taken for it.
fn belongs(name: &str, format: Option<Format>) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    if name.is_empty() || name.starts_with(['.', '_']) {
        return false;
    }
    match (Format::of_name(name), format) {
        (Some((own, _)), Some(asked)) => own == asked,
        (Some(_), None) => true,
        (None, Some(_)) => !name.contains('.'),
        (None, None) => false,
    }
}

/// The files that match a pattern, in the order of their names; hidden ones only if the pattern has the dot.
fn list_pattern(pattern: &str) -> Result<Vec<PathBuf>, EngineError> {
    let options =
        glob::MatchOptions { require_literal_leading_dot: true, require_literal_separator: true, ..Default::default() };
    let paths = glob::glob_with(pattern, options)
        .map_err(|error| EngineError::BadPattern { pattern: pattern.to_owned(), reason: error.msg.to_owned() })?;
    let mut found = Vec::new();
    for path in paths {
        let path = path.map_err(|error| EngineError::Read {
            path: error.path().to_string_lossy().into_owned(),
            source: error.into(),
        })?;
        if path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn names(inputs: &[String], format: Option<Format>) -> Vec<String> {
        InputFile::expand(inputs, format)
            .unwrap()
            .iter()
            .map(|file| match &file.location {
                Location::File(path) => path.file_name().unwrap().to_string_lossy().into_owned(),
                other => other.to_string(),
            })
            .collect()
    }

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "a\n1\n").unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_is_its_tables_in_order() {
        let folder = folder(&["b.csv", "a.jsonl", ".c.csv", "_SUCCESS", "README.md", "part-0", "d/e.csv"]);
        let input = [folder.path().to_string_lossy().into_owned()];
        assert_eq!(names(&input, None), ["a.jsonl", "b.csv"]);
        assert_eq!(names(&input, Some(Format::Csv)), ["b.csv", "part-0"]);
        assert_eq!(names(&input, Some(Format::Parquet)), ["part-0"]);
        std::fs::remove_file(folder.path().join("part-0")).unwrap();
        assert!(matches!(InputFile::expand(&input, Some(Format::Parquet)), Err(EngineError::NoMatch { .. })));
    }

    #[test]
    fn patterns_match_in_order_and_may_descend() {
        let folder = folder(&["b.csv", "a.csv", "a.txt", ".hidden.csv", "x/y/c.csv", "odd[1].csv"]);
        let at = |pattern: &str| [format!("{}/{pattern}", folder.path().display())];
        assert_eq!(names(&at("[ab].csv"), None), ["a.csv", "b.csv"]);
        assert_eq!(names(&at("?.*"), None), ["a.csv", "a.txt", "b.csv"]);
        assert_eq!(names(&at("**/c.csv"), None), ["c.csv"]);
        assert_eq!(names(&at("odd[1].csv"), None), ["odd[1].csv"], "a file that exists is no pattern");
        assert!(matches!(InputFile::expand(&at("z*.csv"), None), Err(EngineError::NoMatch { .. })));
        assert!(matches!(InputFile::expand(&at("a[.csv"), None), Err(EngineError::BadPattern { .. })));
    }

    #[test]
    fn secrets_of_urls_are_not_shown() {
        let cases = [
            ("https://user:pass@host/a.csv", "https://***@host/a.csv"),
            ("https://host/a.csv?sig=x&v=1&raw", "https://host/a.csv?sig=***&v=***&raw"),
            ("https://host?token=x@y/z", "https://host?token=***"),
            ("s3://bucket/a?.csv", "s3://bucket/a?.csv"),
            ("folder/a.csv?x=1", "folder/a.csv?x=1"),
        ];
        for (name, shown) in cases {
            assert_eq!(redacted(name), shown);
        }
        let url = Url::parse("https://user:pass@host/a.csv?sig=x").unwrap();
        assert_eq!(Location::Url(url).to_string(), "https://***@host/a.csv?sig=***");
        let message = InputFile::expand(&["ftp://user:pass@host/a.csv".to_owned()], None).unwrap_err().to_string();
        assert!(message.starts_with("cannot read ftp://***@host/a.csv"), "{message}");
    }

    #[test]
    fn what_names_nothing_is_said() {
        let message = |input: &str| InputFile::expand(&[input.to_owned()], None).unwrap_err().to_string();
        assert_eq!(message("no/such.csv"), "no/such.csv does not exist");
        assert!(message("-").starts_with("the format of standard input cannot be told"));
        assert!(message("ftp://host/a.csv").contains("ftp:// is not one of"));
        assert!(message("https://host/a").starts_with("the format of https://host/a cannot be told"));
        assert!(matches!(InputFile::expand(&[], None), Err(EngineError::NoInput)));
    }
}
