//! The progress bar: rows, rows a second and the time left, on a terminal only.

use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// How often the bar is drawn; faster is not seen, and a terminal over a network is slow.
const REFRESH: Duration = Duration::from_millis(200);

/// A progress bar, or nothing where no person is looking.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    measure: Measure,
    started: Instant,
    /// Rows that were done before.
    first: u64,
}

/// What tells how much is done: rows where their number is known beforehand, else bytes, else nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Rows,
    Bytes,
    Unknown,
}

impl Progress {
    /// A bar over `rows` or else over `bytes` of input; `shown` is false where nobody is looking.
    pub(crate) fn new(shown: bool, rows: Option<u64>, bytes: Option<u64>) -> Self {
        let (measure, length) = match (rows, bytes) {
            (Some(rows), _) => (Measure::Rows, Some(rows)),
            (None, Some(bytes)) => (Measure::Bytes, Some(bytes)),
            (None, None) => (Measure::Unknown, None),
        };
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(length, target).with_style(style(measure, 0, 0));
        if shown {
            bar.enable_steady_tick(REFRESH);
        }
        Self { bar, measure, started: Instant::now(), first: 0 }
    }

    /// Says something beside the bar.
    pub(crate) fn suspend(&self, say: impl FnOnce()) {
        self.bar.suspend(say);
    }

    /// Begins after so many rows, which were done before.
    pub(crate) fn begin_at(&mut self, rows: u64) {
        self.first = rows;
        self.bar.set_position(rows);
        self.bar.reset_eta();
    }

    /// Shows a few words behind the bar.
    pub(crate) fn tell(&self, words: String) {
        self.bar.set_message(words);
    }

    /// Tells how far the work is: rows done and bytes read.
    pub(crate) fn update(&self, rows: u64, bytes: u64) {
        if self.bar.is_hidden() {
            return;
        }
        let rate = rows.saturating_sub(self.first) as f64 / self.started.elapsed().as_secs_f64().max(1e-3);
        self.bar.set_style(style(self.measure, rows, rate as u64));
        self.bar.set_position(if self.measure == Measure::Bytes { bytes } else { rows });
    }

    /// Takes the bar away, so that what is said next starts on a clean line.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// The look of the bar when `rows` rows are done, `rate` a second.
fn style(measure: Measure, rows: u64, rate: u64) -> ProgressStyle {
    ProgressStyle::with_template(template(measure))
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸ ")
        .with_key("rows", move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = write!(out, "{}", HumanCount(rows));
        })
        .with_key("rate", move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = write!(out, "{}", HumanCount(rate));
        })
        .with_key("left", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            // Before the first window is through nobody knows.
            if state.pos() > 0 {
                let _ = write!(out, "{:#} left", HumanDuration(state.eta()));
            }
        })
}

fn template(measure: Measure) -> &'static str {
    match measure {
        Measure::Unknown => "{spinner} {rows} rows  {rate} rows/s  {elapsed}",
        Measure::Rows | Measure::Bytes => "{percent:>3}% {bar:30} {rows} rows  {rate} rows/s  {left}  {msg}",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_better_measure() {
        assert_eq!(Progress::new(false, Some(5), Some(100)).measure, Measure::Rows);
        assert_eq!(Progress::new(false, None, Some(100)).measure, Measure::Bytes);
        assert_eq!(Progress::new(false, None, None).measure, Measure::Unknown);
    }

    #[test]
    fn every_look_of_the_bar_is_a_valid_template() {
        for measure in [Measure::Rows, Measure::Bytes, Measure::Unknown] {
            assert!(ProgressStyle::with_template(template(measure)).is_ok(), "{measure:?}");
        }
    }
}
