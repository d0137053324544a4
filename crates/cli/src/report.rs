//! Messages at the end of a run: the number of rows, the speed, and warnings.

use std::path::Path;
use std::time::Duration;

use albertine::model::{CpuError, Precision, product_gflops};
use albertine::{Classifier, Classify, Counts};
use albertine_engine::Summary;

use crate::printer::Printer;

/// A run at least this long is worth a hint at a faster precision.
const LONG: Duration = Duration::from_secs(30);

/// Reports how many rows were processed, how fast, and the file that they were written to, if any. The first `before` of
/// them were processed by an earlier run.
pub(crate) fn rows(printer: &Printer, rows: u64, before: u64, elapsed: Duration, file: Option<&Path>) {
    let seconds = elapsed.as_secs_f64();
    let rate = (rows.saturating_sub(before) as f64 / seconds.max(1e-3)) as u64;
    let destination = file.map_or_else(String::new, |path| format!(", written to {}", path.display()));
    printer.note(format_args!("{} in {seconds:.2} s ({} rows/s){destination}", count(rows, "row"), grouped(rate)));
}

/// Warns about texts that were truncated or got no label.
pub(crate) fn texts(printer: &Printer, classifier: &Classifier, counts: &Counts) {
    truncated(printer, classifier, counts);
    match counts.blank {
        0 => {}
        1 => printer.warn("1 text was null or blank and got no label"),
        many => printer.warn(format_args!("{} texts were null or blank and got no label", grouped(many))),
    }
}

/// Says how many texts got no label because the model is not sure enough of them.
pub(crate) fn abstained(printer: &Printer, classify: &Classify, counts: &Counts) {
    let Some(threshold) = classify.abstention_threshold() else { return };
    let texts = counts.documents - counts.blank;
    printer.note(format_args!(
        "{} of {} got no label: their scores are below {threshold:.4}",
        grouped(counts.abstained),
        count(texts, "text")
    ));
}

/// Warns about texts that were truncated.
pub(crate) fn truncated(printer: &Printer, classifier: &Classifier, counts: &Counts) {
    let limit = classifier.max_sentence_length();
    match counts.truncated {
        0 => {}
        1 => printer.warn(format_args!("1 text was longer than {limit} pieces and was truncated")),
        many => {
            printer.warn(format_args!("{} texts were longer than {limit} pieces and were truncated", grouped(many)))
        }
    }
}

/// What becomes of a row that cannot be read whole.
const REST: &str = "what is missing or damaged is null, and fields and keys without a column are left out";

/// Warns about rows that could not be read whole, with the errors of the first of them; `rejects` is the file that they
/// were put aside in, if they were.
pub(crate) fn failed_rows(printer: &Printer, summary: &Summary, rejects: Option<&Path>) {
    for fault in &summary.failures {
        printer.warn(fault);
    }
    match (summary.failed_rows, rejects) {
        (0, _) => {}
        (many, Some(rejects)) => {
            printer.warn(format_args!("{} could not be read whole: see {}", count(many, "row"), rejects.display()));
        }
        (many, None) => printer.warn(format_args!("{} could not be read whole; {REST}", count(many, "row"))),
    }
}

/// After a long run, reports how much faster matrix products are in a faster precision on this CPU.
pub(crate) fn faster(printer: &Printer, classifier: &Classifier, elapsed: Duration) -> Result<(), CpuError> {
    if printer.is_quiet() || elapsed < LONG {
        return Ok(());
    }
    let kernels = classifier.model().kernels();
    // A layer of the model, or a part of one that is as telling: the user is waiting.
    let architecture = classifier.config().architecture();
    let (inputs, outputs) = (architecture.hidden_size().min(768), architecture.intermediate_size().min(768));
    let own = classifier.model().precision();
    let before = product_gflops(kernels, own, inputs, outputs)?;
    let mut best = (own, 1.0);
    for precision in Precision::ALL.into_iter().filter(|&precision| precision != own) {
        // A CPU level without bfloat16 supports two precisions only.
        let Ok(speed) = product_gflops(kernels, precision, inputs, outputs) else { continue };
        // A few percent are not worth the loss of exactness.
        if speed / before > best.1 * 1.3 {
            best = (precision, speed / before);
        }
    }
    if best.0 != own {
        printer.note(format_args!(
            "matrix products with `--precision {}` are {:.1} times as fast as with {own} on this CPU; compare labels on a sample of your texts first",
            best.0, best.1
        ));
    }
    Ok(())
}

/// A number of bytes, such as `44.9 MB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let mut value = bytes as f64 / 1e3;
    let mut unit = 0;
    // what would be rounded to 1000 belongs to the next unit
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1e3;
        unit += 1;
    }
    if bytes < 1000 { count(bytes, "byte") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// A number of things, such as `1 row` or `2,000 rows`.
pub(crate) fn count(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A number with a comma after every third digit from the right.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_unit_that_fits() {
        let cases = [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (44_900_000, "44.9 MB"),
            (999_950, "1.0 MB"),
            (1 << 60, "1152921.5 TB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn numbers_are_grouped_and_things_counted() {
        let cases =
            [(0, "0 rows"), (1, "1 row"), (999, "999 rows"), (1_000, "1,000 rows"), (1_234_567, "1,234,567 rows")];
        for (number, text) in cases {
            assert_eq!(count(number, "row"), text);
        }
    }
}
