//! Pictures of a report, as SVG.

use std::fmt::Write;

use crate::Bin;

/// The side of the plot, and the margin around it for its axes.
const SIDE: f64 = 300.0;
const MARGIN: f64 = 40.0;

/// The least height of a bar, so that answers which are all wrong are seen.
const LEAST: f64 = 2.0;

/// The parts that a scale is marked in.
const TICKS: usize = 5;

/// Bars of accuracy over confidence, with a dot at the mean confidence; how dark a bar is tells how many answers it
/// stands for.
pub(super) fn reliability(bins: &[Bin]) -> String {
    let most = bins.iter().map(|bin| bin.rows).max().unwrap_or(0).max(1) as f64;
    let (all, far) = (SIDE + 2.0 * MARGIN, MARGIN + SIDE);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {all} {all}\" width=\"{all}\" role=\"img\" aria-label=\"accuracy by confidence\" \
         font-size=\"12\" fill=\"currentColor\">\n\
         <rect x=\"{MARGIN}\" y=\"{MARGIN}\" width=\"{SIDE}\" height=\"{SIDE}\" fill=\"none\" stroke=\"currentColor\" stroke-opacity=\".3\"/>\n"
    );
    let width = SIDE / bins.len().max(1) as f64;
    for (place, bin) in bins.iter().enumerate() {
        let (Some(accuracy), Some(confidence)) = (bin.accuracy(), bin.confidence()) else { continue };
        let (left, height) = (MARGIN + place as f64 * width, (SIDE * accuracy).max(LEAST));
        // Counts differ by powers of ten.
        let shade = 0.25 + 0.75 * (bin.rows as f64).ln_1p() / most.ln_1p();
        let _ = writeln!(
            svg,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"rgb(37,99,235)\" fill-opacity=\"{shade:.2}\">\
             <title>{} of {} correct</title></rect><circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\"/>",
            left + 1.0,
            far - height,
            width - 2.0,
            bin.right,
            bin.rows,
            MARGIN + SIDE * confidence,
            far - SIDE * confidence,
        );
    }
    for tick in 0..=TICKS {
        let share = tick as f64 / TICKS as f64;
        let (x, y) = (MARGIN + SIDE * share, far - SIDE * share);
        let _ = writeln!(
            svg,
            "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{share}</text><text x=\"{}\" y=\"{y}\" text-anchor=\"end\">{share}</text>",
            far + 15.0,
            MARGIN - 6.0
        );
    }
    let _ = write!(
        svg,
        "<path d=\"M{MARGIN} {far}L{far} {MARGIN}\" stroke=\"currentColor\" stroke-dasharray=\"2 4\"/>\n\
         <text x=\"{0}\" y=\"{1}\" text-anchor=\"middle\">confidence</text>\n\
         <text x=\"12\" y=\"{0}\" text-anchor=\"middle\" transform=\"rotate(-90 12 {0})\">accuracy</text>\n</svg>\n",
        MARGIN + SIDE / 2.0,
        far + 32.0,
    );
    svg
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Calibration;

    #[test]
    fn a_bar_is_as_high_as_its_accuracy_and_stands_where_its_scores_are() {
        let mut calibration = Calibration::default();
        for right in [true, true, true, false] {
            calibration.add(0.99, right);
        }
        calibration.add(0.03, false);
        let svg = reliability(calibration.bins());
        assert_eq!(svg.matches("<title>").count(), 2);
        assert!(svg.contains("x=\"321.0\" y=\"115.0\" width=\"18.0\" height=\"225.0\""), "{svg}");
        assert!(svg.contains("3 of 4 correct") && svg.contains("cx=\"337.0\" cy=\"43.0\""), "{svg}");
        assert!(svg.contains("x=\"41.0\" y=\"338.0\" width=\"18.0\" height=\"2.0\""), "all wrong is no gap: {svg}");
    }
}
