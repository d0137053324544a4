//! `albertine models`: what is known, what is here, and how it gets here and away again.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use albertine::hub::{Hub, HubError, Known, ModelSource, Origin};
use albertine::{Classifier, ClassifierSettings};
use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use serde_json::{Map, Value, json};

use crate::args::ModelsAction;
use crate::exit::Outcome;
use crate::facts::Facts;
use crate::printer::Printer;
use crate::report::{count, size};
use crate::settings;
use crate::writer::Writer;

/// The name of a model card in a model directory.
const CARD: &str = "README.md";

/// The largest model card that is shown.
const LARGEST_CARD: u64 = 1 << 20;

/// Does what is asked with models.
pub(crate) fn models(action: ModelsAction, hub: &Hub, printer: &Printer) -> anyhow::Result<Outcome> {
    match action {
        ModelsAction::List { refresh } => {
            if let Some(from) = refresh {
                self::refresh(from.as_deref(), hub, printer)?;
            }
            list(&hub.known()?, printer)?;
        }
        ModelsAction::Show { name } => show(&name, hub, printer)?,
        ModelsAction::Pull { name } => hub.resolve(&name)?.path().map_or(Ok(()), |path| print(path, printer))?,
        ModelsAction::Import { from, name } => print(&hub.import(&from, &name)?, printer)?,
        ModelsAction::Convert { from, to, weights } => {
            let checkpoint = hub.resolve(&from)?.checkpoint().map_err(albertine::Error::from)?;
            checkpoint.save_with(&to, weights).map_err(albertine::Error::from)?;
            print(&to, printer)?;
        }
        ModelsAction::Remove { name } => {
            for path in hub.remove(&name)? {
                printer.note(format_args!("removed {}", path.display()));
            }
        }
        ModelsAction::Path { name } => match hub.here(&name)? {
            Some(source) => print_path(&name, &source, printer)?,
            None => {
                let cache = hub.cache_folder()?.to_owned();
                return Err(HubError::NotCached { name, cache }.into());
            }
        },
    }
    Ok(Outcome::Done)
}

/// Prints where a model is; one that is part of the program is nowhere.
fn print_path(name: &str, source: &ModelSource, printer: &Printer) -> anyhow::Result<()> {
    match source.path() {
        Some(path) => print(path, printer),
        None => Err(HubError::BuiltIn { name: name.to_owned() }.into()),
    }
}

fn print(path: &Path, printer: &Printer) -> anyhow::Result<()> {
    let mut out = printer.data();
    writeln!(out, "{}", path.display())?;
    Ok(out.flush()?)
}

fn refresh(from: Option<&str>, hub: &Hub, printer: &Printer) -> anyhow::Result<()> {
    let reading = hub.refresh(from)?;
    printer.note(format_args!(
        "{} read from the index, {} kept",
        count(reading.lines as u64, "line"),
        count(reading.kept as u64, "model")
    ));
    for fault in &reading.faults {
        printer.warn(fault);
    }
    if reading.damaged > reading.faults.len() {
        printer.warn(format_args!("{} of the index could not be parsed", count(reading.damaged as u64, "line")));
    }
    Ok(())
}

/// A table of models: for a person what fits a line, for a program all of it.
fn list(known: &[Known], printer: &Printer) -> anyhow::Result<()> {
    let text =
        |of: &dyn Fn(&Known) -> Option<String>| -> ArrayRef { Arc::new(known.iter().map(of).collect::<StringArray>()) };
    let name = text(&|model| Some(model.name.clone()));
    let language = text(&|model| model.language.clone());
    let origin = text(&|model| Some(model.origin.name().to_owned()));
    let batch = if printer.stdout_is_terminal() {
        let sizes = text(&|model| model.size.map(size));
        let here = text(&|model| Some(if is_here(model) { "yes" } else { "no" }.to_owned()));
        let columns = [("name", name), ("language", language), ("from", origin), ("size", sizes), ("here", here)];
        RecordBatch::try_from_iter(columns)?
    } else {
        let mut labels = ListBuilder::new(StringBuilder::new());
        for model in known {
            model.labels.iter().for_each(|label| labels.values().append_value(label));
            labels.append(!model.labels.is_empty());
        }
        let sizes: ArrayRef = Arc::new(known.iter().map(|model| model.size).collect::<UInt64Array>());
        let paths = text(&|model| model.path.as_ref().map(|path| path.display().to_string()));
        let here: ArrayRef =
            Arc::new(known.iter().map(|model| Some(is_here(model))).collect::<arrow_array::BooleanArray>());
        let columns = [
            ("name", name),
            ("language", language),
            ("from", origin),
            ("summary", text(&|model| model.summary.clone())),
            ("labels", Arc::new(labels.finish()) as ArrayRef),
            ("size", sizes),
            ("here", here),
            ("path", paths),
        ];
        RecordBatch::try_from_iter(columns)?
    };
    let mut writer = Writer::create(settings::shown(printer.stdout_is_terminal()), batch.schema(), printer)?;
    writer.write(&batch)?;
    writer.finish()
}

fn is_here(model: &Known) -> bool {
    model.path.is_some() || model.origin == Origin::BuiltIn
}

/// What is known of a model, without the network.
fn show(name: &str, hub: &Hub, printer: &Printer) -> anyhow::Result<()> {
    let source = hub.here(name)?;
    let known = hub.known()?.into_iter().find(|model| model.name == name);
    let mut facts = Facts::default();
    facts.add("name", name, name);
    if let Some(known) = &known {
        facts.add("from", known.origin.name(), known.origin.name());
        if let Some(language) = &known.language {
            facts.add("language", language.clone(), language.clone());
        }
        if let Some(summary) = &known.summary {
            facts.add("summary", summary.clone(), summary.clone());
        }
        if let Some(bytes) = known.size {
            facts.add("size", bytes, size(bytes));
        }
    }
    let mut labels = known.map(|known| known.labels).unwrap_or_default();
    match source.as_ref().map(|source| (source, source.path())) {
        None => facts.add("path", Value::Null, "not on this machine"),
        Some((source, Some(path))) => {
            facts.add("path", path.display().to_string(), path.display().to_string());
            let classifier = Classifier::load(source, ClassifierSettings::default())?;
            facts.add("kind", classifier.kind().to_string(), classifier.kind().to_string());
            labels = classifier.labels().to_vec();
        }
        Some((ModelSource::BuiltIn(model), None)) => {
            facts.add("path", Value::Null, "built into the program");
            let checkpoint = albertine::model::ModelConfig::from_slice(model.config, Path::new("built-in/config.json"));
            labels = checkpoint.map_err(albertine::Error::from)?.labels().to_vec();
        }
        Some((_, None)) => {}
    }
    if !labels.is_empty() {
        let lines = labels.join(", ");
        facts.add("labels", labels, lines);
    }
    if let Some(record) = source.as_ref().and_then(|source| hub.record(source)) {
        facts.add("source", record.source.clone(), record.source);
        let lines: Vec<String> = record.files.iter().map(|(name, file)| format!("{}  {name}", file.sha256)).collect();
        let sums: Map<String, Value> = record
            .files
            .into_iter()
            .map(|(name, file)| (name, json!({"size": file.size, "sha256": file.sha256})))
            .collect();
        facts.add("files", sums, lines.join("\n"));
    }
    if let Some(card) = source.as_ref().and_then(card) {
        facts.add("card", card.clone(), format!("\n{card}"));
    }
    facts.print(printer)
}

/// The model card, if there is one.
fn card(source: &ModelSource) -> Option<String> {
    match source {
        ModelSource::BuiltIn(model) => Some(model.card.to_owned()),
        ModelSource::Directory(path) => {
            let folder = albertine::model::Folder::open(path).ok()?;
            let bytes = folder.read(CARD, LARGEST_CARD).ok().flatten()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        }
    }
}
