//! `albertine inspect`: what a model reads, what it is, and what the CPU offers.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use albertine::hub::{Hub, ModelSource};
use albertine::model::{CpuLevel, Kernels, Precision, ProblemType};
use albertine::{Classifier, ClassifierSettings};
use anyhow::Context;
use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt32Array, UInt64Array};
use serde_json::{Map, Value, json};

use crate::args::Subject;
use crate::exit::Outcome;
use crate::facts::Facts;
use crate::printer::Printer;
use crate::report::{count, grouped};
use crate::settings;
use crate::writer::Writer;

/// Shows one subject.
pub(crate) fn inspect(subject: Subject, hub: &Hub, printer: &Printer) -> anyhow::Result<Outcome> {
    match subject {
        Subject::Pieces { text, model } => pieces(&text, &model, hub, printer)?,
        Subject::Model { model } => describe(&model, hub, printer)?,
        Subject::Cpu => cpu(printer)?,
    }
    Ok(Outcome::Done)
}

/// The pieces of a text with their ids and their places in it, in characters.
fn pieces(text: &str, model: &str, hub: &Hub, printer: &Printer) -> anyhow::Result<()> {
    let classifier = Classifier::load(&hub.resolve(model)?, ClassifierSettings::default())?;
    let pieces = classifier.inspect(text)?;
    let columns: [(&str, ArrayRef); 4] = [
        ("piece", Arc::new(pieces.iter().map(|piece| Some(piece.text.as_str())).collect::<StringArray>())),
        ("id", Arc::new(pieces.iter().map(|piece| piece.id).collect::<UInt32Array>())),
        ("begin", Arc::new(pieces.iter().map(|piece| piece.begin as u64).collect::<UInt64Array>())),
        ("end", Arc::new(pieces.iter().map(|piece| piece.end as u64).collect::<UInt64Array>())),
    ];
    let batch = RecordBatch::try_from_iter(columns)?;
    let output = settings::shown(printer.stdout_is_terminal());
    let mut writer = Writer::create(output, batch.schema(), printer)?;
    writer.write(&batch)?;
    writer.finish()?;
    let limit = classifier.max_sentence_length();
    if pieces.len() > limit {
        printer.warn(format_args!(
            "the model reads only the first {limit} of these {} pieces",
            grouped(pieces.len() as u64)
        ));
    }
    Ok(())
}

/// What a model is made of; it is loaded completely, so that any error in it is reported.
fn describe(model: &str, hub: &Hub, printer: &Printer) -> anyhow::Result<()> {
    let source = hub.resolve(model)?;
    let classifier = Classifier::load(&source, ClassifierSettings::default())?;
    let config = classifier.config();
    let mut facts = Facts::default();
    facts.add("model", source.to_string(), source.to_string());
    if let ModelSource::BuiltIn(built_in) = &source {
        facts.add("summary", built_in.summary, built_in.summary);
    }
    facts.add("labels", config.labels(), config.labels().join(", "));
    let problem = config.problem_type().map(ProblemType::name);
    facts.add("problem_type", problem, problem.unwrap_or("not specified"));
    facts.add("parameters", config.parameters(), grouped(config.parameters() as u64));
    let architecture = config.architecture();
    let sizes = [
        ("hidden_layers", architecture.hidden_layers()),
        ("hidden_groups", architecture.hidden_groups()),
        ("inner_groups", architecture.inner_groups()),
        ("attention_heads", architecture.attention_heads()),
        ("hidden_size", architecture.hidden_size()),
        ("intermediate_size", architecture.intermediate_size()),
        ("embedding_size", architecture.embedding_size()),
        ("vocabulary", architecture.vocab_size()),
        ("positions", architecture.max_tokens()),
    ];
    for (name, size) in sizes {
        facts.add(name, size, grouped(size as u64));
    }
    let activation = architecture.activation().name();
    facts.add("activation", activation, activation);
    let limit = classifier.max_sentence_length();
    facts.add("max_sentence_length", limit, limit.to_string());
    facts.add("kind", classifier.kind().to_string(), classifier.kind().to_string());
    facts.add("encoding", classifier.encoding().name(), classifier.encoding().name());
    if let Some(held_out) = classifier.held_out() {
        let (temperature, texts) = (held_out.temperature(), held_out.len());
        let told = format!("temperature {temperature:.4}, fitted on {}", count(texts as u64, "text"));
        facts.add("calibration", json!({"temperature": temperature, "texts": texts}), told);
    }
    let files = files(&source)?;
    let lines: Vec<String> = files.iter().map(|(name, bytes)| format!("{name}, {} bytes", grouped(*bytes))).collect();
    let sizes: Map<String, Value> = files.into_iter().map(|(name, bytes)| (name, bytes.into())).collect();
    facts.add("files", sizes, lines.join("\n"));
    facts.print(printer)
}

/// The files of a model and their sizes in bytes, by name.
fn files(source: &ModelSource) -> anyhow::Result<BTreeMap<String, u64>> {
    match source {
        ModelSource::BuiltIn(model) => {
            Ok(model.files().into_iter().map(|(name, bytes)| (name.to_owned(), bytes.len() as u64)).collect())
        }
        ModelSource::Directory(path) if path.is_dir() => {
            listing(path).with_context(|| format!("cannot list the directory {}", path.display()))
        }
        ModelSource::Directory(path) => {
            let size = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok(BTreeMap::from([(name, size)]))
        }
    }
}

fn listing(directory: &Path) -> io::Result<BTreeMap<String, u64>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        // Model stores link to the files; the size is that of what is read.
        let metadata = std::fs::metadata(entry.path())?;
        if metadata.is_file() {
            files.insert(entry.file_name().to_string_lossy().into_owned(), metadata.len());
        }
    }
    Ok(files)
}

/// The levels of this CPU, the one in use, and the cores.
fn cpu(printer: &Printer) -> anyhow::Result<()> {
    let kernels = Kernels::detect()?;
    let level = kernels.level().name();
    let precisions: Vec<&str> = Precision::ALL
        .into_iter()
        .filter(|&precision| kernels.elements(precision).is_ok())
        .map(Precision::name)
        .collect();
    let available: Vec<&str> = Kernels::available().into_iter().map(CpuLevel::name).collect();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut facts = Facts::default();
    facts.add("architecture", std::env::consts::ARCH, std::env::consts::ARCH);
    facts.add("cpu_level", level, format!("{level} (can be lowered with ALBERTINE_CPU)"));
    facts.add("available", json!(available), available.join(", "));
    facts.add("precisions", json!(precisions), precisions.join(", "));
    facts.add("cores", cores, cores.to_string());
    facts.print(printer)
}
