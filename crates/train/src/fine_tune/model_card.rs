//! The model card of a fine-tuned model.

use std::path::Path;

use crate::TaskMetrics;
use crate::error::plain;

/// What the model is (`noun`, with the article), its metrics, and how it was trained.
pub(super) fn model_card(
    noun: &str,
    output: &Path,
    facts: &[(&str, String)],
    labels: &[String],
    metrics: Option<&TaskMetrics>,
) -> String {
    let noun = noun.replacen('a', "A", 1);
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    let labels: String = labels.iter().map(|label| format!("- {}\n", plain(label))).collect();
    let facts: String =
        facts.iter().map(|(name, value)| format!("| {name} | {} |\n", plain(value).replace('|', "\\|"))).collect();
    let numbers = metrics.map_or_else(
        || "The model was not evaluated.\n".to_owned(),
        |metrics| {
            let values = metrics.summary().into_iter().map(|(name, value)| format!("{} {value:.4}", words(name)));
            let values = values.collect::<Vec<_>>().join(", ");
            format!("On {} texts: {values}; see metrics.json for more.\n", metrics.samples())
        },
    );
    format!(
        "---\npipeline_tag: text-classification\nlibrary_name: transformers\n---\n\n# {name}\n\n{noun} text classifier, \
         fine-tuned with `albertine train`.\n\n## Labels\n\n{labels}\n## Evaluation\n\n{numbers}\n## Training\n\n\
         | setting | value |\n| --- | --- |\n{facts}"
    )
}

/// The name of a metric as a sentence has it.
fn words(name: &str) -> String {
    name.replace('_', " ").replace("f1", "F1")
}
