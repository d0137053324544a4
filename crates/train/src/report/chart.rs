//! Pictures of a report, as SVG.

use std::fmt::Write;

use crate::Bin;

/// The side of the plot, and the room around it for its scales.
const SIDE: f64 = 300.0;
const ROOM: f64 = 40.0;

/// Bars of accuracy over confidence; how dark a bar is tells how many answers it stands for.
pub(super) fn reliability(bins: &[Bin]) -> String {
    let most = bins.iter().map(|bin| bin.rows).max().unwrap_or(0).max(1) as f64;
    let (all, far) = (SIDE + 2.0 * ROOM, ROOM + SIDE);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {all} {all}\" width=\"{all}\" role=\"img\" aria-label=\"accuracy by confidence\" \
         font-size=\"12\" fill=\"currentColor\">\n\
         <rect x=\"{ROOM}\" y=\"{ROOM}\" width=\"{SIDE}\" height=\"{SIDE}\" fill=\"none\" stroke=\"currentColor\" stroke-opacity=\".3\"/>\n"
    );
    let width = SIDE / bins.len().max(1) as f64;
    for (place, bin) in bins.iter().enumerate() {
        let Some(accuracy) = bin.accuracy() else { continue };
        let (left, height) = (ROOM + place as f64 * width, SIDE * accuracy);
        let shade = 0.25 + 0.75 * bin.rows as f64 / most;
        let _ = writeln!(
            svg,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"rgb(37,99,235)\" fill-opacity=\"{shade:.2}\">\
             <title>{} of {} right</title></rect>",
            left + 1.0,
            far - height,
            width - 2.0,
            bin.right,
            bin.rows
        );
    }
    let _ = write!(
        svg,
        "<path d=\"M{ROOM} {far}L{far} {ROOM}\" stroke=\"currentColor\" stroke-dasharray=\"2 4\"/>\n\
         <text x=\"{ROOM}\" y=\"{0}\" text-anchor=\"middle\">0</text><text x=\"{far}\" y=\"{0}\" text-anchor=\"middle\">1</text>\
         <text x=\"{1}\" y=\"{0}\" text-anchor=\"middle\">confidence</text>\n\
         <text x=\"{2}\" y=\"{far}\" text-anchor=\"end\">0</text><text x=\"{2}\" y=\"{ROOM}\" text-anchor=\"end\">1</text>\
         <text x=\"{2}\" y=\"{1}\" text-anchor=\"middle\" transform=\"rotate(-90 {2} {1})\">accuracy</text>\n</svg>\n",
        far + 18.0,
        ROOM + SIDE / 2.0,
        ROOM - 8.0
    );
    svg
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Calibration;

    #[test]
    fn a_bar_is_as_high_as_its_accuracy() {
        let mut calibration = Calibration::default();
        for right in [true, true, true, false] {
            calibration.add(0.99, right);
        }
        let svg = reliability(calibration.bins());
        assert_eq!(svg.matches("<title>").count(), 1);
        assert!(svg.contains("height=\"225.0\"") && svg.contains("3 of 4 right"), "{svg}");
    }
}
