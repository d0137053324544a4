//! The model card of a fine-tuned model.

use std::path::Path;

use crate::Metrics;
use crate::error::plain;

/// What the model is (`noun`, with the article), its metrics, and how it was trained.
pub(super) fn model_card(
    noun: &str,
    output: &Path,
    facts: &[(&str, String)],
    labels: &[String],
    metrics: Option<&Metrics>,
) -> String {
    let noun = noun.replacen('a', "A", 1);
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    let labels: String = labels.iter().map(|label| format!("- {}\n", plain(label))).collect();
    let facts: String =
        facts.iter().map(|(name, value)| format!("| {name} | {} |\n", plain(value).replace('|', "\\|"))).collect();
    let numbers = metrics.map_or_else(
        || "The model was not evaluated.\n".to_owned(),
        |metrics| {
            format!(
                "On {} texts: loss {:.4}, accuracy {:.4}, macro F1 {:.4}; see metrics.json for more.\n",
                metrics.samples, metrics.loss, metrics.accuracy, metrics.macro_f1
            )
        },
    );
    format!(
        "---\npipeline_tag: text-classification\nlibrary_name: transformers\n---\n\n# {name}\n\n{noun} text classifier, \
         fine-tuned with `albertine train`.\n\n## Labels\n\n{labels}\n## Evaluation\n\n{numbers}\n## Training\n\n\
         | setting | value |\n| --- | --- |\n{facts}"
    )
}
