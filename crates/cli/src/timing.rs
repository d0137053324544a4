//! What each stage of a run cost, and how near it came to what the machine can do.

use std::thread;
use std::time::Duration;

use albertine::model::{CpuError, Kernels, Phase, Precision};
use albertine::{Classifier, Counts, StageCost};

use crate::printer::Printer;

/// The environment variable that asks for the stages of any run.
const VARIABLE: &str = "ALBERTINE_TIMING";

/// Whether the stages of this run are to be told.
pub(crate) fn is_wanted() -> bool {
    std::env::var_os(VARIABLE).is_some_and(|value| !value.is_empty() && value != "0")
}

/// Says what the stages of a run cost, if they are wanted, among them others that are not the classifier's.
pub(crate) fn tell(
    printer: &Printer,
    classifier: &Classifier,
    counts: &Counts,
    elapsed: Duration,
    before: &[(&'static str, Duration)],
    after: &[(&'static str, Duration)],
) -> Result<(), CpuError> {
    if !is_wanted() {
        return Ok(());
    }
    let cost = |&(name, time): &(&'static str, Duration)| StageCost { name, time, flops: 0 };
    let threads = threads_at_once(classifier.threads());
    let own = counts.stages.iter().copied();
    let stages = before.iter().map(cost).chain(own).chain(after.iter().map(cost)).collect::<Vec<_>>();
    let peak = peak_gflops(classifier.model().precision(), threads)?;
    printer.note(format_args!(
        "timing: {:.3} s on the clock, {} threads for the model, peak {peak:.0} GFLOP/s in {}\n{}",
        elapsed.as_secs_f64(),
        classifier.threads(),
        classifier.model().precision(),
        lines(&stages, peak / threads as f64)
    ));
    Ok(())
}

/// The stages that are products in the precision of the run; the others are less exact or more, and no measure of its
/// peak.
const PRODUCTS: [Phase; 3] = [Phase::Qkv, Phase::Projection, Phase::FeedForward];

/// How many of so many threads can run at once on this machine.
pub(crate) fn threads_at_once(threads: usize) -> usize {
    threads.min(thread::available_parallelism().map_or(1, usize::from))
}

/// A line for each stage: its part of the time of all threads, and for products the share of the peak (GFLOP/s of one
/// thread) at which they did their useful work.
pub(crate) fn lines(stages: &[StageCost], peak: f64) -> String {
    let total: f64 = stages.iter().map(|stage| stage.time.as_secs_f64()).sum();
    let line = |&StageCost { name, time, flops }: &StageCost| {
        let seconds = time.as_secs_f64();
        let share = 100.0 * seconds / total.max(1e-9);
        let line = format!("{share:5.1} %  {seconds:8.3} s  {name}");
        if !PRODUCTS.iter().any(|product| product.name() == name) {
            return line;
        }
        let of_peak = 100.0 * flops as f64 / 1e9 / seconds.max(1e-9) / peak;
        format!("{line:34}{of_peak:5.1} % of the peak")
    };
    stages.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The multiply-adds that `threads` threads do at once and out of registers at that precision, in GFLOP/s: what no
/// program can exceed.
pub(crate) fn peak_gflops(precision: Precision, threads: usize) -> Result<f64, CpuError> {
    let kernels = Kernels::detect()?;
    thread::scope(|scope| {
        let workers: Vec<_> =
            (0..threads).map(|_| scope.spawn(move || albertine::model::peak_gflops(kernels, precision))).collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_time_and_of_the_peak() {
        let stage = |name, seconds, flops| StageCost { name, time: Duration::from_secs(seconds), flops };
        let stages = [stage("read", 1, 0), stage("qkv", 2, 40_000_000_000), stage("attention", 1, 40_000_000_000)];
        insta::assert_snapshot!(lines(&stages, 80.0), @r"
         25.0 %     1.000 s  read
         50.0 %     2.000 s  qkv           25.0 % of the peak
         25.0 %     1.000 s  attention
        ");
    }
}
