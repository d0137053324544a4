//! `albertine explain`: the words that speak for a class and against it.

mod json;
mod page;
mod terminal;

use std::io::Write;
use std::path::Path;

use albertine::explain::{Explanation, Settings};
use albertine::hub::Hub;
use albertine::{Activation, CancellationToken, Classifier, Counts};
use albertine_engine::{Target, WholeFile};

use crate::args::ExplainArgs;
use crate::exit::{Misuse, Outcome};
use crate::interrupt::discard_output_on_interrupt;
use crate::printer::Printer;
use crate::{report, settings};

/// A text with what its words contribute.
struct Explained<'t> {
    text: &'t str,
    explanation: Explanation,
    /// The class that is shown.
    label: usize,
}

/// Explains the texts that `args` name.
pub(crate) fn explain(args: &ExplainArgs, hub: &Hub, printer: &Printer) -> anyhow::Result<Outcome> {
    if args.texts.iter().any(|text| albertine::text::is_blank(text)) {
        return Err(Misuse::new(
            "nothing to explain: the text is empty",
            "give a text, as in `albertine explain \"Oil prices rose on Monday\"`",
        )
        .into());
    }
    if args.html.as_deref() == Some(Path::new("-")) {
        return Err(Misuse::new(
            "the page is written to a file, not to standard output",
            "give a name, as in `--html page.html`",
        )
        .into());
    }
    let model = settings::model(&args.model, hub)?;
    discard_output_on_interrupt(*printer)?;
    let page = args.html.as_ref().map(|path| WholeFile::create(&Target::File(path.clone()))).transpose()?;
    let classifier = Classifier::load(&hub.resolve(&model.name)?, model.settings)?;
    let class = args.label.as_deref().map(|label| class(&classifier, label)).transpose()?;

    let explained = explanations(args, &classifier, class)?;
    if let Some(page) = page {
        page.finish(page::page(&explained, classifier.labels()).as_bytes())?;
    }
    show(&explained, classifier.labels(), args.pieces, printer)?;
    let mut counts = Counts::default();
    counts.truncated = explained.iter().filter(|text| text.explanation.truncated).count() as u64;
    report::truncated(printer, &classifier, &counts);
    if let Some(path) = &args.html {
        printer.note(format_args!("written to {}", path.display()));
    }
    Ok(Outcome::Done)
}

/// Every text, with the class asked for or else the best one.
fn explanations<'t>(
    args: &'t ExplainArgs,
    classifier: &Classifier,
    class: Option<usize>,
) -> Result<Vec<Explained<'t>>, albertine::Error> {
    let settings = Settings {
        method: args.method,
        evaluations: args.evaluations.get(),
        activation: if args.logits { Some(Activation::Identity) } else { args.activation },
    };
    let texts: Vec<Option<&str>> = args.texts.iter().map(|text| Some(text.as_str())).collect();
    let found = albertine::explain::explain(classifier, &texts, &settings, &CancellationToken::default())?;
    let explained = args.texts.iter().zip(found).filter_map(|(text, explanation)| {
        let explanation = explanation?;
        Some(Explained { text, label: class.unwrap_or_else(|| explanation.best()), explanation })
    });
    Ok(explained.collect())
}

/// The class of this label.
fn class(classifier: &Classifier, label: &str) -> Result<usize, Misuse> {
    let labels = classifier.labels();
    labels.iter().position(|known| known == label).ok_or_else(|| {
        Misuse::new(
            format!("the model has no class `{label}`"),
            format!(
                "its classes are {}",
                labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ")
            ),
        )
    })
}

/// Colored words for a person, JSON Lines for a program.
fn show(explained: &[Explained<'_>], labels: &[String], pieces: bool, printer: &Printer) -> anyhow::Result<()> {
    let mut out = printer.data();
    for (index, text) in explained.iter().enumerate() {
        if printer.stdout_is_terminal() {
            let gap = if index > 0 { "\n" } else { "" };
            write!(out, "{gap}{}", terminal::lines(text, labels, printer.colors_stdout()))?;
        } else {
            serde_json::to_writer(&mut out, &json::Row::new(text, labels, pieces))?;
            writeln!(out)?;
        }
    }
    Ok(out.flush()?)
}
