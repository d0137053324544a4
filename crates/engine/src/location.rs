//! Where tables are: a path, a pattern, a folder, a URL or standard input becomes a list of files in order.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use url::Url;

use crate::format::{Compression, Format};
use crate::redacted::redacted;
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
    /// The columns that the folders below the one that was named stand for, as Hive and Spark write them: `year=2024`.
    /// No value for `__HIVE_DEFAULT_PARTITION__`, which stands for null.
    pub partitions: Vec<(String, Option<String>)>,
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
            Some(format) => Ok(Self { location, format, compression, partitions: Vec::new() }),
            None => Err(EngineError::UnknownFormat { path: location.to_string() }),
        }
    }

    /// The same, with the partitions in the folders of `below`.
    fn partitioned(self, below: &str) -> Self {
        let folders = below.rsplit_once('/').map_or("", |(folders, _)| folders);
        Self { partitions: folders.split('/').filter_map(partition).collect(), ..self }
    }

    /// The files that `inputs` name (paths, patterns, folders, URLs, `-`), in their order; the files of one pattern or
    /// folder are in the order of their names.
    ///
    /// # Errors
    /// When an input names nothing, or the format of a file is neither given nor told by its name.
    pub fn expand(inputs: &[impl AsRef<OsStr>], format: Option<Format>) -> Result<Vec<Self>, EngineError> {
        let mut files = Vec::new();
        for input in inputs {
            let input = input.as_ref();
            match input.to_str() {
                Some("-") => files.push(Self::new(Location::Stdin, format)?),
                Some(url) if url.contains("://") => expand_url(url, format, &mut files)?,
                // A name that is not UTF-8 is a path.
                _ => expand_path(Path::new(input), format, &mut files)?,
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
            expand_path(&path, format, files)
        }
        "http" | "https" => {
            files.push(InputFile::new(Location::Url(url), format)?);
            Ok(())
        }
        "s3" if input.ends_with('/') || input.contains(['*', '?', '[']) => {
            let root = input.split(['*', '?', '[']).next().unwrap_or_default();
            let root = root.rfind('/').map_or("", |end| &root[..=end]);
            let before = files.len();
            for (url, key) in remote::list(input)? {
                let below = key.strip_prefix(root).unwrap_or(&key);
                if is_hidden(below) || (input.ends_with('/') && !belongs(below, format)) {
                    continue;
                }
                files.push(InputFile::new(Location::Url(url), format)?.partitioned(below));
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

fn expand_path(path: &Path, format: Option<Format>, files: &mut Vec<InputFile>) -> Result<(), EngineError> {
    let input = path.to_string_lossy();
    // A name that exists is that file, whatever characters it has.
    let (root, found) = match path.metadata() {
        Ok(metadata) if metadata.is_dir() => (path.to_owned(), list_folder(path, format)?),
        Ok(_) => {
            files.push(InputFile::new(Location::File(path.to_owned()), format)?);
            return Ok(());
        }
        Err(_) if input.contains(['*', '?', '[']) => list_pattern(&input)?,
        Err(source) => return Err(EngineError::reading(&input, source)),
    };
    if found.is_empty() {
        return Err(EngineError::NoMatch { pattern: input.into_owned() });
    }
    for path in found {
        let below = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
        files.push(InputFile::new(Location::File(path), format)?.partitioned(&below));
    }
    Ok(())
}

/// The tables in a folder and below it.
///
/// # Errors
/// When there is a table that cannot be read, whose rows would be missed.
fn list_folder(folder: &Path, format: Option<Format>) -> Result<Vec<PathBuf>, EngineError> {
    let found = walk(folder, &|_| true, &|name| !is_hidden(name))?;
    let name = |path: &PathBuf| path.to_string_lossy().into_owned();
    if let Some(path) = found.iter().find(|path| is_other_table(&name(path), format)) {
        let found = "unpack it, or write it as CSV or parquet; or move it elsewhere, or name the tables with a pattern";
        return Err(EngineError::NotText { path: name(path), expected: "a table that can be read", found });
    }
    Ok(found.into_iter().filter(|path| belongs(&name(path), format)).collect())
}

/// Whether a name is that of a table, one of the format that was asked for, in a format or a compression that is not read.
fn is_other_table(name: &str, asked: Option<Format>) -> bool {
    let name = name.to_ascii_lowercase();
    let (stem, extension) = name.rsplit_once('.').unwrap_or_default();
    match extension {
        "xls" | "xlsx" | "ods" | "orc" | "avro" | "arrow" | "feather" => asked.is_none(),
        "bz2" | "xz" | "zip" | "7z" | "lz4" | "snappy" | "br" => {
            Format::of_name(stem).is_some_and(|(format, _)| asked.is_none_or(|asked| asked == format))
        }
        _ => false,
    }
}

/// The most folders within each other that are walked; links may lead in a circle.
const DEPTH: usize = 64;

/// The files below a folder whose paths from there `wanted` takes, in the order of their names, each folder's files
/// before its folders. Folders that `enter` refuses are not walked.
fn walk(root: &Path, enter: &dyn Fn(&str) -> bool, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<PathBuf>, EngineError> {
    let mut found = Vec::new();
    let mut folders = vec![(root.to_owned(), String::new(), 0)];
    while let Some((folder, below, depth)) = folders.pop() {
        let fault = |source| EngineError::reading(&folder.to_string_lossy(), source);
        let mut names = folder
            .read_dir()
            .map_err(fault)?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(fault)?;
        names.sort();
        let mut inner = Vec::new();
        for name in names {
            let path = folder.join(&name);
            // Of a name that is not UTF-8, what is not shows as a sign that matches a pattern's `?` and `*`.
            let below = format!("{below}{}", name.to_string_lossy());
            if path.is_file() {
                if wanted(&below) {
                    found.push(path);
                }
            } else if path.is_dir() && depth < DEPTH && !is_hidden(&below) && enter(&below) {
                inner.push((path, format!("{below}/"), depth + 1));
            }
        }
        folders.extend(inner.into_iter().rev());
    }
    Ok(found)
}

/// Whether a path below a folder is hidden, in whole or in part: names that begin with a dot, and those with an
/// underscore, which Spark and Hive give to what is no data (`_SUCCESS`, `_temporary`), unless they name a partition.
fn is_hidden(below: &str) -> bool {
    below.split('/').any(|name| name.starts_with('.') || (name.starts_with('_') && !name.contains('=')))
}

/// What the name of a folder such as `year=2024` says, with its escapes (`%2F`) resolved.
fn partition(folder: &str) -> Option<(String, Option<String>)> {
    let (name, value) = folder.split_once('=')?;
    let plain = |text: &str| {
        percent_decode_str(text).decode_utf8().map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
    };
    let value = (value != "__HIVE_DEFAULT_PARTITION__").then(|| plain(value));
    (!name.is_empty()).then(|| (plain(name), value))
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

/// The files that match a pattern, and the folder before its first special character. Hidden names match only where
/// the pattern begins them with their own first character.
fn list_pattern(pattern: &str) -> Result<(PathBuf, Vec<PathBuf>), EngineError> {
    let plain = pattern.split(['*', '?', '[']).next().unwrap_or_default();
    let start = plain.rfind('/').map_or(0, |end| end + 1);
    let (root, rest) = (Path::new(if start == 0 { "." } else { &plain[..start] }), &pattern[start..]);
    let compiled = Pattern::new(rest, pattern)?;
    if !root.is_dir() {
        return Ok((root.to_owned(), Vec::new()));
    }
    let found = walk(root, &|below| compiled.may_contain(below), &|below| compiled.matches(below))?;
    let shown =
        |path: PathBuf| if start == 0 { path.strip_prefix(".").map(Path::to_owned).unwrap_or(path) } else { path };
    Ok((if start == 0 { PathBuf::new() } else { root.to_owned() }, found.into_iter().map(shown).collect()))
}

/// A pattern of paths: `*`, `?` and `[..]` within a name, `**` for any number of folders.
struct Pattern {
    whole: glob::Pattern,
    /// The number of names in a path that matches, unless `**` leaves it open.
    depth: Option<usize>,
    /// Whether hidden names match.
    hidden: bool,
}

const MATCHING: glob::MatchOptions =
    glob::MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

impl Pattern {
    /// The pattern `text`, a part of `whole`, which errors name.
    fn new(text: &str, whole: &str) -> Result<Self, EngineError> {
        let compiled = glob::Pattern::new(text)
            .map_err(|error| EngineError::BadPattern { pattern: whole.to_owned(), reason: error.msg.to_owned() })?;
        let names: Vec<&str> = text.split('/').collect();
        let depth = (!names.contains(&"**")).then_some(names.len());
        let hidden = names.iter().any(|name| name.starts_with(['.', '_']));
        Ok(Self { whole: compiled, depth, hidden })
    }

    fn matches(&self, below: &str) -> bool {
        self.whole.matches_with(below, MATCHING) && (self.hidden || !is_hidden(below))
    }

    /// Whether files below a folder can match.
    fn may_contain(&self, folder: &str) -> bool {
        self.depth.is_none_or(|depth| folder.split('/').count() < depth)
    }
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
        assert_eq!(names(&input, None), ["a.jsonl", "b.csv", "e.csv"]);
        assert_eq!(names(&input, Some(Format::Csv)), ["b.csv", "part-0", "e.csv"]);
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
    fn secrets_of_urls_are_not_in_names() {
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
        assert!(matches!(InputFile::expand(&[] as &[&str], None), Err(EngineError::NoInput)));
    }
}
