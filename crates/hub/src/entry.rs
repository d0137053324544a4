//! A line of the index of published models.

use chrono::DateTime;
use serde::{Deserialize, Serialize};

use super::Version;
use super::archive_name::is_plain;
use super::checksum::Checksum;

/// The category of pipelines.
pub(super) const PIPELINE: &str = "pl";

/// A published model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Entry {
    /// The name that `--model` and `pretrained` take.
    pub name: String,
    /// The language of its texts; `None` for any.
    #[serde(default)]
    pub language: Option<String>,
    /// The version of Spark NLP that it was published for; `None` for any.
    #[serde(default)]
    pub lib_version: Option<Version>,
    /// The version of Spark that it was published for; `None` for any.
    #[serde(default)]
    pub spark_version: Option<Version>,
    /// Whether it may be used.
    pub ready_to_use: bool,
    /// When it was published: ISO 8601 with milliseconds.
    pub time: String,
    /// Whether it is an archive.
    #[serde(default)]
    pub is_zipped: bool,
    /// `ml` for a model, `pl` for a pipeline.
    #[serde(default)]
    pub category: Option<String>,
    /// The sum of its archive in hexadecimal digits, of MD5 or SHA-256 by their number; often empty.
    #[serde(default)]
    pub checksum: String,
    /// The annotator, without its package.
    #[serde(default)]
    pub annotator: Option<String>,
    /// One line on what it does. Only the index inside the program has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Its labels. Only the index inside the program has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// About the size of its archive in bytes. Only the index inside the program has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

impl Entry {
    /// Whether it is a whole pipeline, which may hold other stages beside the classifier.
    #[must_use]
    pub fn is_pipeline(&self) -> bool {
        self.category.as_deref() == Some(PIPELINE)
    }

    /// The name of its archive: `{name}_{language}_{library}_{spark}_{milliseconds}.zip`, without what it does not
    /// tell.
    ///
    /// ```
    /// use albertine_hub::Index;
    /// let index = Index::built_in()?;
    /// let names: Vec<String> = index.entries().iter().map(|entry| entry.file_name()).collect();
    /// assert_eq!(names[0], "albert_base_sequence_classifier_ag_news_en_3.4.0_3.0_1639648298937.zip");
    /// # Ok::<(), albertine_hub::HubError>(())
    /// ```
    #[must_use]
    pub fn file_name(&self) -> String {
        let versions = [&self.lib_version, &self.spark_version].into_iter().flatten().map(Version::to_string);
        let parts: Vec<String> = [self.name.clone()]
            .into_iter()
            .chain(self.language.clone())
            .chain(versions)
            .chain(self.milliseconds().map(|milliseconds| milliseconds.to_string()))
            .collect();
        parts.join("_") + ".zip"
    }

    /// When it was published, in milliseconds since 1970.
    pub(super) fn milliseconds(&self) -> Option<i64> {
        DateTime::parse_from_rfc3339(&self.time).ok().map(|time| time.timestamp_millis())
    }

    /// What is wrong with an entry that came from foreign hands.
    pub(super) fn fault(&self) -> Option<String> {
        if !is_plain(&self.name) {
            return Some(format!("`name` is {:?}", self.name));
        }
        if let Some(language) = self.language.as_ref().filter(|language| !is_plain(language)) {
            return Some(format!("`language` is {language:?}"));
        }
        let sum = self.checksum.trim();
        if !sum.is_empty() && Checksum::parse(sum).is_none() {
            // an archive that could not be checked must not pass for one that was
            return Some(format!("`checksum` is {sum:?}, neither MD5 nor SHA-256"));
        }
        self.milliseconds().is_none().then(|| format!("`time` is {:?}", self.time))
    }
}
