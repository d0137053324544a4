//! Folders with archives of published models.

use std::fs;
use std::path::{Path, PathBuf};

use super::Request;
use super::archive_name::ArchiveName;

/// The archives of a folder, and the folders that Spark NLP has unpacked such archives to, by what their names tell.
pub(super) fn archives(folder: &Path) -> Vec<(ArchiveName, PathBuf)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    let named = paths.filter_map(|path| {
        let archive = path.extension().is_some_and(|extension| extension == "zip") && path.is_file();
        (archive || path.is_dir()).then(|| Some((ArchiveName::of(&path)?, path))).flatten()
    });
    let mut archives: Vec<_> = named.collect();
    archives.sort_by(|a, b| (&a.0.name, a.0.milliseconds, &a.1).cmp(&(&b.0.name, b.0.milliseconds, &b.1)));
    archives
}

/// The newest archive of a folder that fits the request.
pub(super) fn newest(folder: &Path, request: &Request<'_>) -> Option<PathBuf> {
    let fits = |name: &ArchiveName| {
        name.name == request.name
            && request.takes_language(Some(&name.language))
            && request.library.reads(&name.library)
            && request.spark.reads(&name.spark)
    };
    archives(folder).into_iter().rev().find(|(name, _)| fits(name)).map(|(_, path)| path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_newest_archive_that_fits_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a_en_3.4.0_3.0_1.zip", "a_en_5.0.0_3.0_3.zip", "a_en_9.0.0_3.0_4.zip", "a_de_3.4.0_3.0_2.zip"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::create_dir(folder.path().join("b_en_3.4.0_3.0_1")).unwrap();
        fs::write(folder.path().join("b_en_3.4.0_3.0_2.zip.part"), "").unwrap();
        let newest = |name, language| {
            let path = super::newest(folder.path(), &Request::new(name, language))?;
            Some(path.file_name()?.to_string_lossy().into_owned())
        };
        assert_eq!(newest("a", Some("en")).as_deref(), Some("a_en_5.0.0_3.0_3.zip"));
        assert_eq!(newest("a", Some("de")).as_deref(), Some("a_de_3.4.0_3.0_2.zip"));
        assert_eq!(newest("b", None).as_deref(), Some("b_en_3.4.0_3.0_1"));
        assert_eq!(newest("c", None), None);
        assert_eq!(archives(&folder.path().join("none")), []);
    }
}
