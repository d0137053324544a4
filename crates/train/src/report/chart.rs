//! Pictures of a report, as SVG.

use std::fmt::Write;

use crate::{Bin, Curves};

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

/// The points of a line of losses: each is the mean of as many steps.
const POINTS: usize = 200;

/// The width of the plot of learning curves.
const WIDTH: f64 = 640.0;

/// The loss by step: a line for training, dots for validation.
pub(super) fn learning_curves(curves: &Curves) -> String {
    let each = curves.training.len().div_ceil(POINTS).max(1);
    let line: Vec<(f64, f64)> = curves
        .training
        .chunks(each)
        .map(|steps| {
            let mean = |of: fn(&(u64, f64)) -> f64| steps.iter().map(of).sum::<f64>() / steps.len() as f64;
            (mean(|(step, _)| *step as f64), mean(|(_, loss)| *loss))
        })
        .collect();
    let dots: Vec<(f64, f64)> = curves.validation.iter().map(|(step, loss)| (*step as f64, *loss)).collect();
    let last = line.iter().chain(&dots).map(|(step, _)| *step).fold(1.0, f64::max);
    let most = line.iter().chain(&dots).map(|(_, loss)| *loss).fold(0.0, f64::max).max(1e-9);
    let place = |(step, loss): (f64, f64)| (MARGIN + WIDTH * step / last, MARGIN + SIDE * (1.0 - loss / most));
    let (wide, high, bottom) = (WIDTH + 2.0 * MARGIN, SIDE + 2.0 * MARGIN, MARGIN + SIDE);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {wide} {high}\" width=\"{wide}\" role=\"img\" aria-label=\"loss by step\" \
         font-size=\"12\" fill=\"currentColor\">\n\
         <rect x=\"{MARGIN}\" y=\"{MARGIN}\" width=\"{WIDTH}\" height=\"{SIDE}\" fill=\"none\" stroke=\"currentColor\" stroke-opacity=\".3\"/>\n"
    );
    let points: Vec<String> = line.into_iter().map(place).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"rgb(37,99,235)\" stroke-width=\"1.5\"/>",
        points.join(" ")
    );
    for (dot, (step, loss)) in dots.into_iter().map(|dot| (place(dot), dot)) {
        let _ = writeln!(
            svg,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"rgb(217,119,6)\"><title>{loss:.4} after step {step}</title></circle>",
            dot.0, dot.1
        );
    }
    for tick in 0..=TICKS {
        let share = tick as f64 / TICKS as f64;
        let (x, y) = (MARGIN + WIDTH * share, bottom - SIDE * share);
        let _ = writeln!(
            svg,
            "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{:.0}</text><text x=\"{}\" y=\"{y}\" text-anchor=\"end\">{:.2}</text>",
            bottom + 15.0,
            last * share,
            MARGIN - 6.0,
            most * share
        );
    }
    let _ = write!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">step</text>\n</svg>\n",
        MARGIN + WIDTH / 2.0,
        bottom + 32.0
    );
    svg
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Calibration;

    #[test]
    fn a_curve_begins_and_ends_where_its_steps_do() {
        let training: Vec<(u64, f64)> = (1..=1000).map(|step| (step, 2.0 - step as f64 / 1000.0)).collect();
        let svg = learning_curves(&Curves { training, validation: vec![(500, 0.0), (1000, 1.0)] });
        assert_eq!(svg.matches("<circle").count(), 2);
        assert!(svg.contains("cx=\"360.0\" cy=\"340.0\""), "{svg}");
        // 200 points, each the mean of five steps
        assert!(svg.contains("points=\"41.9,40.0 "), "{svg}");
        assert_eq!(svg.matches(',').count(), 200 + 2 + 2 * 2, "{svg}");
    }

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
