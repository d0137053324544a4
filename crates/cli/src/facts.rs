//! A list of named facts: aligned lines for a person, one JSON object for a program.

use std::io::Write;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;

use crate::printer::Printer;

/// Named facts in the order in which they are told.
#[derive(Debug, Default)]
pub(crate) struct Facts(Vec<Fact>);

#[derive(Debug)]
struct Fact {
    name: &'static str,
    value: Value,
    text: String,
}

impl Facts {
    /// Adds a fact: its value for programs and the same as text for people.
    pub(crate) fn add(&mut self, name: &'static str, value: impl Into<Value>, text: impl Into<String>) {
        self.0.push(Fact { name, value: value.into(), text: text.into() });
    }

    /// Prints the facts: lines on a terminal, JSON in a pipe.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn print(&self, printer: &Printer) -> anyhow::Result<()> {
        let mut out = printer.data();
        if printer.stdout_is_terminal() {
            out.write_all(self.lines().as_bytes())?;
        } else {
            writeln!(out, "{}", serde_json::to_string(self)?)?;
        }
        Ok(out.flush()?)
    }

    /// One fact a line; further lines of a text are indented to its first.
    fn lines(&self) -> String {
        let width = self.0.iter().map(|fact| fact.name.len()).max().unwrap_or(0) + 2;
        let mut lines = String::new();
        for Fact { name, text, .. } in &self.0 {
            let text = text.replace('\n', &format!("\n{:width$}", ""));
            // A name is code, with underscores; a person reads words.
            lines.push_str(&format!("{:<width$}{text}\n", name.replace('_', " ")));
        }
        lines
    }
}

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for Fact { name, value, .. } in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use serde_json::json;

    use super::*;

    fn sample() -> Facts {
        let mut facts = Facts::default();
        facts.add("rows_per_second", 1200, "1,200");
        facts.add("labels", json!(["a", "b"]), "a\nb");
        facts
    }

    #[test]
    fn a_person_reads_aligned_lines() {
        insta::assert_snapshot!(sample().lines(), @r"
        rows per second  1,200
        labels           a
                         b
        ");
    }

    #[test]
    fn a_program_reads_one_object_in_the_same_order() {
        let json = serde_json::to_string(&sample()).expect("facts are JSON");
        assert_eq!(json, r#"{"rows_per_second":1200,"labels":["a","b"]}"#);
    }
}
