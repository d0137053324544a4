//! A report's files in a folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::Report;
use crate::TrainError;

/// The folder of a report, made before the work so that one that cannot be written is told then. Without a report it is
/// removed again, unless it was there before.
#[derive(Debug)]
pub struct ReportFolder {
    path: PathBuf,
    /// The folders that were made, the innermost first.
    made: Vec<PathBuf>,
}

impl ReportFolder {
    /// The name of the page in the folder.
    pub const PAGE: &'static str = "report.html";

    /// The name of the metrics in the folder.
    pub const METRICS: &'static str = "metrics.json";

    /// Makes the folder if it is not there, and checks that files can be written into it.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn create(path: &Path) -> Result<Self, TrainError> {
        let made = path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        let folder = Self { path: path.to_owned(), made: made.map(Path::to_owned).collect() };
        fs::create_dir_all(path).map_err(TrainError::io("create", path))?;
        let probe = folder.partial(Self::METRICS);
        fs::write(&probe, "").map_err(TrainError::io("write", &path.join(Self::METRICS)))?;
        let _ = fs::remove_file(probe);
        Ok(folder)
    }

    /// Writes the files, each beside its place first.
    ///
    /// # Errors
    /// [`TrainError::Io`] and [`TrainError::Json`].
    pub fn finish(self, report: &Report<'_>) -> Result<(), TrainError> {
        self.write(&[(Self::METRICS, report.json()?), (Self::PAGE, report.page())])
    }

    /// Writes files of these names and texts, each beside its place first.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn write(mut self, files: &[(&str, String)]) -> Result<(), TrainError> {
        for (name, text) in files {
            let (partial, path) = (self.partial(name), self.path.join(name));
            let written = fs::write(&partial, text).and_then(|()| fs::rename(&partial, &path));
            if written.is_err() {
                let _ = fs::remove_file(&partial);
            }
            written.map_err(TrainError::io("write", &path))?;
        }
        self.made.clear();
        Ok(())
    }

    fn partial(&self, name: &str) -> PathBuf {
        self.path.join(format!(".{name}.partial-{}", std::process::id()))
    }
}

impl Drop for ReportFolder {
    fn drop(&mut self) {
        // A folder that something is in stays.
        for folder in &self.made {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Evaluation, Loss, Run};

    #[test]
    fn a_folder_stays_with_its_report_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        drop(ReportFolder::create(&path).unwrap());
        assert!(!folder.path().join("a").exists());
        let mut evaluation = Evaluation::new(["no", "yes"].map(str::to_owned).to_vec(), Loss::CrossEntropy).unwrap();
        evaluation.add(1, &[0.0, 1.0]).unwrap();
        let metrics = evaluation.metrics(Run::default()).unwrap();
        let report = Report { facts: &[("model", "mine".into())], metrics: &metrics, errors: &[], curves: None };
        ReportFolder::create(&path).unwrap().finish(&report).unwrap();
        let mut names: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [ReportFolder::METRICS, ReportFolder::PAGE]);
        drop(ReportFolder::create(&path).unwrap());
        assert!(path.join(ReportFolder::PAGE).exists(), "what was there stays");
        fs::create_dir(folder.path().join("empty")).unwrap();
        drop(ReportFolder::create(&folder.path().join("empty")).unwrap());
        assert!(folder.path().join("empty").exists());
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(matches!(ReportFolder::create(&folder.path().join("file")), Err(TrainError::Io { .. })));
    }
}
