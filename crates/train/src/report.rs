//! A folder with what was measured: `metrics.json` for programs and `report.html` for people.

mod chart;
mod html;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::{Metrics, Mistake, TrainError};

/// What a report shows.
///
/// ```
/// # use albertine_train::{Evaluation, Loss, Report, Run};
/// # let mut evaluation = Evaluation::new(vec!["no".into(), "yes".into()], Loss::CrossEntropy)?;
/// # evaluation.add(1, &[0.0, 1.0])?;
/// # let folder = tempfile::tempdir()?;
/// let metrics = evaluation.metrics(Run::default())?;
/// Report { model: "mine", facts: &[("precision", "f32".into())], metrics: &metrics, mistakes: &[] }.write(folder.path())?;
/// assert!(std::fs::read_to_string(folder.path().join("report.html"))?.contains("<title>mine</title>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// What the model is called.
    pub model: &'a str,
    /// How it was measured: names and values.
    pub facts: &'a [(&'a str, String)],
    /// The numbers.
    pub metrics: &'a Metrics,
    /// The mistakes that it is surest of.
    pub mistakes: &'a [Mistake],
}

impl Report<'_> {
    /// Writes both files into `folder`, which is made if it is not there; each is moved into place when it is whole.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn write(&self, folder: &Path) -> Result<PathBuf, TrainError> {
        Self::prepare(folder)?;
        let metrics = folder.join("metrics.json");
        let json = serde_json::to_string_pretty(self.metrics).map_err(|error| write_error(&metrics, error.into()))?;
        write_whole(&metrics, &(json + "\n"))?;
        let page = folder.join("report.html");
        write_whole(&page, &html::page(self))?;
        Ok(page)
    }

    /// Makes the folder, so that one that cannot be made is told before there is something to lose.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn prepare(folder: &Path) -> Result<(), TrainError> {
        fs::create_dir_all(folder).map_err(|source| TrainError::Io { action: "make", path: folder.to_owned(), source })
    }
}

fn write_whole(path: &Path, text: &str) -> Result<(), TrainError> {
    let part = path.with_extension("part");
    let written = fs::write(&part, text).and_then(|()| fs::rename(&part, path));
    written.map_err(|source| {
        // The error is what counts, not whether the rest of it could be removed.
        let _ = fs::remove_file(&part);
        write_error(path, source)
    })
}

fn write_error(path: &Path, source: io::Error) -> TrainError {
    TrainError::Io { action: "write", path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Evaluation, Loss, Run};

    fn metrics() -> Metrics {
        let mut evaluation = Evaluation::new(vec!["<no>".into(), "yes & no".into()], Loss::CrossEntropy).unwrap();
        evaluation.add(0, &[1.0, 0.0]).unwrap();
        evaluation.add(1, &[2.0, 0.0]).unwrap();
        evaluation.metrics(Run::default()).unwrap()
    }

    #[test]
    fn a_report_shows_what_it_was_given_and_runs_none_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a/b");
        let text = "<script>alert(1)</script>".to_owned();
        let mistakes = [Mistake { row: 2, text, expected: 1, predicted: 0, confidence: 0.88 }];
        let metrics = metrics();
        let facts = [("input", "\"a\".csv".to_owned())];
        let page =
            Report { model: "x<y", facts: &facts, metrics: &metrics, mistakes: &mistakes }.write(&place).unwrap();
        let page = fs::read_to_string(page).unwrap();
        for shown in [
            "<title>x&lt;y</title>",
            "&quot;a&quot;.csv",
            "&lt;script&gt;alert(1)",
            "&lt;no&gt;",
            "yes &amp; no",
            "0.5000",
        ] {
            assert!(page.contains(shown), "{shown} is missing in {page}");
        }
        assert!(!page.contains("<script") && !page.contains("http"), "nothing is run and nothing fetched");
        let json: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(place.join("metrics.json")).unwrap()).unwrap();
        assert_eq!(json["eval_accuracy"], 0.5);
        assert_eq!(fs::read_dir(&place).unwrap().count(), 2, "no part is left");
    }

    #[test]
    fn a_folder_that_is_a_file_is_an_error_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let said = Report::prepare(&file).unwrap_err().to_string();
        assert!(said.starts_with(&format!("cannot make {}: ", file.display())), "{said}");
    }
}
