//! The index of published models: one JSON object a line, in the form of Spark NLP's `metadata.json`.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::io::{BufRead, Read, Write};

use serde::Deserialize;

use super::entry::PIPELINE;
use super::{Entry, HubError, Version};

/// The published models that the program knows by itself.
const BUILT_IN_INDEX: &str = include_str!("index.jsonl");

/// The annotators whose models are kept of an index.
pub(super) const ANNOTATORS: [&str; 2] = ["AlbertForSequenceClassification", "BertForSequenceClassification"];

/// A part of the names of all models of this kind, by which pipelines are kept that might hold one.
const FAMILY: &str = "albert";

/// The longest line that is read: the real ones have some hundred bytes.
const LONGEST_LINE: u64 = 1 << 16;

/// The most entries that are kept: the real index has some hundred of this kind.
const MOST_ENTRIES: usize = 100_000;

/// Faults that are told one by one.
const MOST_FAULTS: usize = 8;

/// The newest versions of Spark NLP and of Spark whose models are looked for.
const LIBRARY: [u32; 3] = [7, 0, 0];
const SPARK: [u32; 3] = [4, 1, 0];

/// What is looked for in an index.
///
/// ```
/// use albertine_hub::{Index, Request, Version};
/// let index = Index::built_in()?;
/// let request = Request::new("albert_base_sequence_classifier_imdb", Some("en"));
/// assert!(index.find(&request).is_some());
/// let old = Request { library: Version::from([3, 3, 9]), ..request };
/// assert!(index.find(&old).is_none());
/// # Ok::<(), albertine_hub::HubError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The name of the model.
    pub name: &'a str,
    /// The language; `None` for any.
    pub language: Option<&'a str>,
    /// The version of Spark NLP that must be able to read it.
    pub library: Version,
    /// The version of Spark that must be able to read it.
    pub spark: Version,
}

impl<'a> Request<'a> {
    /// A model for the newest versions of Spark NLP and Spark, whose models this library reads as well as older ones.
    #[must_use]
    pub fn new(name: &'a str, language: Option<&'a str>) -> Self {
        Self { name, language, library: Version::from(LIBRARY), spark: Version::from(SPARK) }
    }

    /// Whether a language, of a model of the right name, is the one that is asked for.
    pub(super) fn takes_language(&self, language: Option<&str>) -> bool {
        self.language.is_none() || language.is_none() || self.language == language
    }

    fn takes(&self, entry: &Entry) -> bool {
        let reads = |ours: &Version, found: &Option<Version>| found.as_ref().is_none_or(|found| ours.reads(found));
        entry.ready_to_use
            && entry.name == self.name
            && self.takes_language(entry.language.as_deref())
            && reads(&self.library, &entry.lib_version)
            && reads(&self.spark, &entry.spark_version)
    }
}

/// What was found while an index was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reading {
    /// Lines that hold something.
    pub lines: usize,
    /// Lines about models or pipelines that may be of use here.
    pub kept: usize,
    /// Lines that could not be read.
    pub damaged: usize,
    /// What was wrong with the first of those.
    pub faults: Vec<String>,
}

/// Published models.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    entries: Vec<Entry>,
}

/// So much of a line as tells whether it is worth reading.
#[derive(Deserialize)]
struct Probe {
    name: Option<String>,
    annotator: Option<String>,
    category: Option<String>,
}

impl Probe {
    fn is_of_use(&self) -> bool {
        let pipeline = self.category.as_deref() == Some(PIPELINE);
        let named = self.name.as_ref().is_some_and(|name| name.to_ascii_lowercase().contains(FAMILY));
        (pipeline && named)
            || self
                .annotator
                .as_ref()
                .is_some_and(|annotator| ANNOTATORS.iter().any(|known| annotator.eq_ignore_ascii_case(known)))
    }
}

impl Index {
    /// The published models that the program knows by itself.
    ///
    /// # Errors
    /// Never with a sound build: the index is part of the program.
    pub fn built_in() -> Result<Self, HubError> {
        Self::read(BUILT_IN_INDEX.as_bytes(), "the built-in index").map(|(index, _)| index)
    }

    /// Reads an index line by line, in memory that does not depend on its length, and keeps the models of
    /// `AlbertForSequenceClassification` and `BertForSequenceClassification`, and pipelines that by their name might hold one. Lines of other annotators are
    /// not looked into; lines that cannot be read are counted and told. `origin` is the name for errors.
    ///
    /// # Errors
    /// [`HubError::NotAnIndex`] when no line is a JSON object, when a line is longer than 64 KiB, or for more than
    /// 100,000 entries; [`HubError::Unreachable`] when the reader fails.
    pub fn read(mut reader: impl BufRead, origin: &str) -> Result<(Self, Reading), HubError> {
        let none = |reason: String| HubError::NotAnIndex { origin: origin.to_owned(), reason };
        let (mut index, mut reading, mut number) = (Self::default(), Reading::default(), 0);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
            let read =
                read.map_err(|error| HubError::Unreachable { url: origin.to_owned(), reason: error.to_string() })?;
            if read == 0 {
                break;
            }
            number += 1;
            if read as u64 == LONGEST_LINE && line.last() != Some(&b'\n') {
                return Err(none(format!("line {number} is longer than {LONGEST_LINE} bytes")));
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            reading.lines += 1;
            match entry(&line) {
                Ok(None) => {}
                Ok(Some(entry)) => {
                    reading.kept += 1;
                    index.entries.push(entry);
                }
                Err(fault) => {
                    reading.damaged += 1;
                    if reading.faults.len() < MOST_FAULTS {
                        reading.faults.push(format!("line {number} of {origin}: {fault}"));
                    }
                }
            }
            if index.entries.len() > MOST_ENTRIES {
                return Err(none(format!("it has more than {MOST_ENTRIES} models of {}", ANNOTATORS.join(" and "))));
            }
        }
        if reading.damaged == reading.lines {
            return Err(none(reading.faults.into_iter().next().unwrap_or_else(|| "it is empty".to_owned())));
        }
        Ok((index, reading))
    }

    /// Writes the index as it is read.
    pub(super) fn write(&self, mut out: impl Write) -> std::io::Result<()> {
        for entry in &self.entries {
            serde_json::to_writer(&mut out, entry)?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }

    /// The entries, in the order of the index.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The models of a language that are ready for a version of Spark NLP; of all where neither is said.
    pub fn published<'a>(
        &'a self,
        language: Option<&'a str>,
        library: Option<&'a Version>,
    ) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| {
            let speaks = language.is_none() || entry.language.is_none() || entry.language.as_deref() == language;
            let reads = library.zip(entry.lib_version.as_ref()).is_none_or(|(ours, found)| ours.reads(found));
            entry.ready_to_use && speaks && reads
        })
    }

    /// Adds the entries of another index; of two for the same archive the earlier one stays, and learns its sum of the
    /// other.
    pub(super) fn add(&mut self, other: Self) {
        let places = self.entries.iter().enumerate();
        let mut known: HashMap<String, usize> = places.map(|(place, entry)| (entry.file_name(), place)).collect();
        for entry in other.entries {
            match known.entry(entry.file_name()) {
                Slot::Vacant(slot) => {
                    slot.insert(self.entries.len());
                    self.entries.push(entry);
                }
                Slot::Occupied(slot) => {
                    let own = &mut self.entries[*slot.get()];
                    if own.checksum.is_empty() {
                        own.checksum = entry.checksum;
                    }
                }
            }
        }
    }

    /// The newest model that fits the request: ready to use, of that name, of that language unless either side leaves
    /// it open, and published for versions that those of the request read.
    #[must_use]
    pub fn find(&self, request: &Request<'_>) -> Option<&Entry> {
        self.entries.iter().filter(|entry| request.takes(entry)).max_by_key(|entry| entry.milliseconds())
    }
}

/// The entry in a line, if it is of use.
fn entry(line: &[u8]) -> Result<Option<Entry>, String> {
    let probe: Probe = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if !probe.is_of_use() {
        return Ok(None);
    }
    let entry: Entry = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    match entry.fault() {
        Some(fault) => Err(fault),
        None => Ok(Some(entry)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn line(name: &str, language: &str, library: &str, time: &str) -> String {
        format!(
            "{{\"name\":\"{name}\",\"language\":\"{language}\",\"libVersion\":{{\"parts\":[{library}]}},\
             \"sparkVersion\":{{\"parts\":[3,0]}},\"readyToUse\":true,\"time\":\"{time}\",\"isZipped\":true,\
             \"category\":\"ml\",\"checksum\":\"\",\"annotator\":\"AlbertForSequenceClassification\"}}\n"
        )
    }

    fn read(text: &str) -> (Index, Reading) {
        Index::read(text.as_bytes(), "metadata.json").unwrap()
    }

    #[test]
    fn the_built_in_index_is_sound() {
        let (index, reading) = read(BUILT_IN_INDEX);
        assert_eq!((reading.kept, reading.damaged), (2, 0), "{:?}", reading.faults);
        let names: Vec<String> = index.entries().iter().map(Entry::file_name).collect();
        assert_eq!(names[1], "albert_base_sequence_classifier_imdb_en_3.4.0_3.0_1639652560396.zip");
    }

    #[test]
    fn the_newest_that_fits_is_found() {
        let (index, _) = read(
            &[
                line("a", "en", "3,4,0", "2021-12-16T09:51:38.937Z"),
                line("a", "en", "5,0,0", "2023-01-01T00:00:00.000Z"),
                line("a", "en", "9,0,0", "2025-01-01T00:00:00.000Z"),
                line("a", "de", "3,4,0", "2024-01-01T00:00:00.000Z"),
                line("b", "en", "3,4,0", "2026-01-01T00:00:00.000Z"),
            ]
            .concat(),
        );
        let find = |request: &Request<'_>| index.find(request).map(|entry| entry.time[..4].to_owned());
        let request = Request::new("a", Some("en"));
        assert_eq!(find(&request).as_deref(), Some("2023"));
        assert_eq!(find(&Request { library: Version::from([4, 0, 0]), ..request.clone() }).as_deref(), Some("2021"));
        assert_eq!(find(&Request { library: Version::from([3, 3, 4]), ..request.clone() }), None);
        assert_eq!(find(&Request { library: Version::from([3, 4]), ..request.clone() }), None);
        assert_eq!(find(&Request { spark: Version::from([2, 4, 4]), ..request.clone() }), None);
        assert_eq!(find(&Request { language: None, ..request.clone() }).as_deref(), Some("2024"));
        assert_eq!(find(&Request { language: Some("fr"), ..request }), None);
        assert_eq!(find(&Request::new("c", None)), None);
    }

    #[test]
    fn what_an_entry_leaves_open_fits_everything() {
        let open = r#"{"name":"a","readyToUse":true,"time":"2021-12-16T09:51:38.937Z","annotator":"AlbertForSequenceClassification"}"#;
        let (index, _) = read(open);
        let request = Request { library: Version::from([1]), ..Request::new("a", Some("sv")) };
        assert_eq!(index.find(&request).unwrap().file_name(), "a_1639648298937.zip");
        let (index, _) = read(&open.replace("\"readyToUse\":true", "\"readyToUse\":false"));
        assert_eq!(index.find(&request), None);
    }

    #[test]
    fn only_lines_of_use_are_kept() {
        let of = |name: &str, annotator: &str| {
            line(name, "en", "3,4,0", "2021-12-16T09:51:38.937Z").replace("\"Albert", &format!("\"{annotator}"))
        };
        let (other, bert) = (of("roberta_en", "RoBerta"), of("bert_en", "Bert"));
        let pipeline = r#"{"name":"albert_news_pipeline","language":"en","readyToUse":true,"time":"2021-12-16T09:51:38.937Z","category":"pl","annotator":"PipelineModel"}"#;
        let foreign = pipeline.replace("albert_news", "ner_news");
        let spelled = line("c", "en", "3,4,0", "2021-12-16T09:51:38.937Z").replace("\"Albert", "\"AlBert");
        let (index, reading) = read(&format!("{other}{pipeline}\n\n{foreign}\n{spelled}{bert}"));
        let names: Vec<&str> = index.entries().iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["albert_news_pipeline", "c", "bert_en"]);
        assert_eq!((reading.lines, reading.kept, reading.damaged), (5, 3, 0));
        assert!(index.entries()[0].is_pipeline() && !index.entries()[1].is_pipeline());
    }

    #[test]
    fn what_is_published_depends_on_the_language_and_the_version() {
        let time = "2021-12-16T09:51:38.937Z";
        let not_ready = line("d", "en", "3,4,0", time).replace("\"readyToUse\":true", "\"readyToUse\":false");
        let (index, _) = read(&[line("a", "en", "3,4,0", time), line("b", "de", "5,1,0", time), not_ready].concat());
        let names = |language, version| {
            let library = Version::parse(version);
            index.published(language, library.as_ref()).map(|entry| entry.name.as_str()).collect::<String>()
        };
        assert_eq!([names(None, ""), names(Some("en"), ""), names(None, "4.2.0")], ["ab", "a", "a"]);
        assert_eq!([names(Some("de"), "5.1.0"), names(Some("de"), "4.2.0"), names(None, "3")], ["b", "", ""]);
    }

    #[test]
    fn damaged_lines_are_told_and_the_others_kept() {
        let good = line("a", "en", "3,4,0", "2021-12-16T09:51:38.937Z");
        let escaping = good.replace("\"a\"", "\"../../a\"");
        let timeless = good.replace("2021-12-16T09:51:38.937Z", "yesterday");
        let (index, reading) = read(&format!("not json\n{escaping}{timeless}{good}"));
        assert_eq!((index.entries().len(), reading.lines, reading.damaged), (1, 4, 3));
        assert_eq!(reading.faults[0], "line 1 of metadata.json: expected ident at line 1 column 2");
        assert_eq!(reading.faults[1], "line 2 of metadata.json: `name` is \"../../a\"");
        assert_eq!(reading.faults[2], "line 3 of metadata.json: `time` is \"yesterday\"");
    }

    #[test]
    fn a_sum_of_an_unknown_kind_is_a_fault_of_its_line() {
        let with = |sum: &str| {
            line("a", "en", "3,4,0", "2021-12-16T09:51:38.937Z")
                .replace("\"checksum\":\"\"", &format!("\"checksum\":\"{sum}\""))
        };
        let sums = ["", " ", &"0".repeat(32), &"aB".repeat(32), &"0".repeat(40), "crc32:1"].map(with);
        let (index, reading) = read(&sums.concat());
        assert_eq!((index.entries().len(), reading.damaged), (4, 2));
        assert!(
            reading.faults[1].ends_with("`checksum` is \"crc32:1\", neither MD5 nor SHA-256"),
            "{:?}",
            reading.faults
        );
    }

    #[test]
    fn what_is_no_index_is_refused() {
        for (text, told) in [("<html>\n<body>\n", "expected value"), ("", "it is empty"), ("\n\n", "it is empty")] {
            let error = Index::read(text.as_bytes(), "page").unwrap_err().to_string();
            assert!(error.starts_with("page is not an index of models: ") && error.contains(told), "{error}");
        }
        let long = vec![b'x'; 2 << 16];
        let error = Index::read(&long[..], "page").unwrap_err().to_string();
        assert_eq!(error, "page is not an index of models: line 1 is longer than 65536 bytes");
    }

    proptest::proptest! {
        #[test]
        fn hostile_bytes_give_no_name_that_leads_away(mut place in 0usize..700, byte: u8, cut in 0usize..1400) {
            let mut bytes = BUILT_IN_INDEX.as_bytes().to_vec();
            place %= bytes.len();
            bytes[place] = byte;
            bytes.truncate(cut.max(1));
            if let Ok((index, reading)) = Index::read(&bytes[..], "hostile") {
                proptest::prop_assert_eq!(index.entries().len(), reading.kept);
                for entry in index.entries() {
                    let name = entry.file_name();
                    proptest::prop_assert!(!name.contains(['/', '\\', '\0']) && !name.starts_with('.'), "{}", name);
                }
            }
        }
    }

    #[test]
    fn an_index_is_written_as_it_is_read() {
        let index = Index::built_in().unwrap();
        let mut bytes = Vec::new();
        index.write(&mut bytes).unwrap();
        assert_eq!(Index::read(&bytes[..], "copy").unwrap().0, index);
        let mut summed = index.clone();
        summed.entries[0].checksum = "ab".repeat(16);
        summed.entries[0].labels.clear();
        let mut both = index.clone();
        both.add(summed);
        assert_eq!(both.entries.len(), index.entries.len());
        assert_eq!((both.entries[0].checksum.len(), both.entries[0].labels.len()), (32, 4));
    }
}
