//! The metrics of an evaluation, as JSON and as an HTML page.

mod chart;
mod folder;
pub(crate) mod html;

use serde::ser::{Serialize, SerializeMap, Serializer};

pub use self::folder::ReportFolder;
use crate::{ConfidentError, Curves, Metrics, TaskMetrics, TrainError, json};

/// What a report shows.
///
/// As JSON it is the [`Metrics`] followed by `run`, an object of the facts.
///
/// ```
/// # use albertine_train::{Evaluation, Loss, Report, Run};
/// # let mut evaluation = Evaluation::new(vec!["no".into(), "yes".into()], Loss::CrossEntropy)?;
/// # evaluation.add(1, &[0.0, 1.0])?;
/// let metrics = evaluation.metrics(Run::default())?;
/// let facts = [("model", "mine".into()), ("precision", "f32".into())];
/// let report = Report { facts: &facts, metrics: &metrics, errors: &[], curves: None };
/// assert!(report.page().contains("<title>mine</title>"));
/// assert!(report.json()?.starts_with("{\n  \"eval_loss\": "));
/// # Ok::<(), albertine_train::TrainError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The settings of the run: names and values, the first of them the name of the model.
    pub facts: &'a [(&'a str, String)],
    /// The metrics.
    pub metrics: &'a Metrics,
    /// The most confident errors.
    pub errors: &'a [ConfidentError],
    /// The losses of the training that the model came from.
    pub curves: Option<&'a Curves>,
}

impl Report<'_> {
    /// Readable JSON: one line for each number, each class and each row of the confusion matrix.
    ///
    /// # Errors
    /// [`TrainError::Json`] when a number cannot be written.
    pub fn json(&self) -> Result<String, TrainError> {
        Ok(json::lines(self)?)
    }

    /// A self-contained HTML page without scripts.
    #[must_use]
    pub fn page(&self) -> String {
        html::page(self)
    }
}

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Both<'a> {
            #[serde(flatten)]
            metrics: &'a Metrics,
            run: Facts<'a>,
        }
        Both { metrics: self.metrics, run: Facts(self.facts) }.serialize(serializer)
    }
}

/// What a report of a training shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TaskReport<'a> {
    pub(crate) facts: &'a [(&'a str, String)],
    pub(crate) metrics: &'a TaskMetrics,
    pub(crate) curves: &'a Curves,
}

impl TaskReport<'_> {
    /// As [`Report::json`].
    pub(crate) fn json(&self) -> Result<String, TrainError> {
        #[derive(serde::Serialize)]
        struct Both<'a> {
            #[serde(flatten)]
            metrics: &'a TaskMetrics,
            run: Facts<'a>,
        }
        Ok(json::lines(&Both { metrics: self.metrics, run: Facts(self.facts) })?)
    }

    /// As [`Report::page`].
    pub(crate) fn page(&self) -> String {
        let Self { facts, metrics, curves } = *self;
        match metrics {
            TaskMetrics::Classes(metrics) => Report { facts, metrics, errors: &[], curves: Some(curves) }.page(),
            _ => html::task_page(self),
        }
    }
}

struct Facts<'a>(&'a [(&'a str, String)]);

impl Serialize for Facts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(&name.replace(' ', "_"), value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Evaluation, Loss, Run};

    fn metrics(labels: usize) -> Metrics {
        let mut names = vec!["<no>".to_owned(), "yes & no".to_owned()];
        names.extend((2..labels).map(|label| format!("L{label}")));
        let mut evaluation = Evaluation::new(names, Loss::CrossEntropy).unwrap();
        let mut logits = vec![0.0; labels];
        logits[0] = 1.0;
        evaluation.add(0, &logits).unwrap();
        evaluation.add(1, &logits).unwrap();
        evaluation.metrics(Run { left_out: 7, ..Run::default() }).unwrap()
    }

    #[test]
    fn a_report_shows_what_it_was_given_and_runs_none_of_it() {
        let text = "<script>alert(1)</script>".to_owned();
        let errors = [ConfidentError { row: 2, text, expected: 1, predicted: 0, confidence: 0.88 }];
        let metrics = metrics(2);
        let curves = Curves { training: vec![(1, 0.9), (2, 0.5)], validation: vec![(2, 0.7)] };
        let facts = [("model", "x<y".to_owned()), ("label column", "\"a\"".to_owned())];
        let report = Report { facts: &facts, metrics: &metrics, errors: &errors, curves: Some(&curves) };
        let page = report.page();
        for shown in [
            "<title>x&lt;y</title>",
            "&quot;a&quot;",
            "&lt;script&gt;alert(1)",
            "&lt;no&gt;",
            "yes &amp; no",
            "0.5000",
            "Learning curves",
            "7 rows without a text or a label were skipped",
        ] {
            assert!(page.contains(shown), "{shown} is missing in {page}");
        }
        assert!(!page.contains("<script") && !page.contains("http"), "nothing is run and nothing fetched");
        let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        assert_eq!(json["eval_accuracy"], 0.5);
        assert_eq!(json["eval_left_out"], 7);
        assert_eq!(json["run"]["label_column"], "\"a\"");
    }

    #[test]
    fn many_classes_are_shown_by_what_is_mistaken() {
        let metrics = metrics(3000);
        let report = Report { facts: &[], metrics: &metrics, errors: &[], curves: None };
        assert!(report.page().contains("Most frequent confusions"));
        assert!(report.page().len() < 100_000, "{}", report.page().len());
        assert!(report.json().unwrap().len() < 400_000);
        let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        assert_eq!(json["confusion_matrix"], serde_json::json!([[0, 0, 1], [1, 0, 1]]));
    }
}
