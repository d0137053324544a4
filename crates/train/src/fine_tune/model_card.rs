//! The model card of a fine-tuned model.

use std::path::Path;

use crate::TaskMetrics;
use crate::error::plain;

/// What the model is (`noun`, with the article), its metrics, and how it was trained.
pub(crate) fn model_card(
    noun: &str,
    output: &Path,
    facts: &[(&str, String)],
    labels: &[String],
    metrics: Option<&TaskMetrics>,
) -> String {
    let labels: String = labels.iter().map(|label| format!("- {}\n", plain(label))).collect();
    let what =
        format!("{} text classifier, fine-tuned with `albertine train`.\n\n## Labels\n\n{labels}", capital(noun));
    card("text-classification", output, &what, facts, metrics)
}

/// The same of a masked language model.
pub(crate) fn pretrained_card(
    noun: &str,
    output: &Path,
    facts: &[(&str, String)],
    metrics: Option<&TaskMetrics>,
) -> String {
    let what = format!(
        "{} masked language model, pre-trained with `albertine train --pretrain`. `albertine train --model` fine-tunes it.\n",
        capital(noun)
    );
    card("fill-mask", output, &what, facts, metrics)
}

fn capital(noun: &str) -> String {
    noun.replacen('a', "A", 1)
}

fn card(task: &str, output: &Path, what: &str, facts: &[(&str, String)], metrics: Option<&TaskMetrics>) -> String {
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    let facts: String =
        facts.iter().map(|(name, value)| format!("| {name} | {} |\n", plain(value).replace('|', "\\|"))).collect();
    let numbers = metrics.map_or_else(
        || "The model was not evaluated.\n".to_owned(),
        |metrics| {
            let values = metrics.summary().into_iter().map(|(name, value)| format!("{} {value:.4}", words(name)));
            let values = values.collect::<Vec<_>>().join(", ");
            let of = if matches!(metrics, TaskMetrics::Pieces(_)) { "hidden pieces" } else { "texts" };
            format!("On {} {of}: {values}; see metrics.json for more.\n", metrics.samples())
        },
    );
    format!(
        "---\npipeline_tag: {task}\nlibrary_name: transformers\n---\n\n# {name}\n\n{what}\n## Evaluation\n\n{numbers}\n\
         ## Training\n\n| setting | value |\n| --- | --- |\n{facts}"
    )
}

/// The name of a metric as a sentence has it.
fn words(name: &str) -> String {
    name.replace('_', " ").replace("f1", "F1")
}
