//! One measured round.

use std::time::{Duration, Instant};

use albertine::{CancellationToken, Classify, Counts, Transform};
use arrow_array::RecordBatch;
use serde_json::{Map, Value};

use crate::facts::Facts;
use crate::report::grouped;
use crate::timing;

/// Texts of the sample that tells how many a round needs.
pub(super) const SAMPLE: usize = 64;

/// Time that a round should take: far above what the clock and the scheduler disturb.
const ROUND: Duration = Duration::from_secs(2);

/// Texts of a round, at the most: they are kept in memory.
const MOST_TEXTS: usize = 1 << 16;

/// What one pass over all texts took.
#[derive(Debug)]
pub(super) struct Round {
    /// Time on the clock.
    pub(super) elapsed: Duration,
    /// What was done, equal texts once, with the cost of each stage.
    pub(super) counts: Counts,
}

impl Round {
    /// Classifies all batches once.
    pub(super) fn run(classify: &Classify, batches: &[RecordBatch]) -> Result<Self, albertine::Error> {
        let mut counts = Counts::default();
        let started = Instant::now();
        for batch in batches {
            let (_, counted) = classify.run(batch, &CancellationToken::default())?;
            counts += counted.into_iter().sum();
        }
        Ok(Self { elapsed: started.elapsed(), counts })
    }

    /// Adds what was measured to the facts; `peak` is that of as many threads on this machine, in GFLOP/s.
    pub(super) fn tell(&self, facts: &mut Facts, peak: f64, threads: usize) {
        let seconds = self.elapsed.as_secs_f64().max(1e-9);
        let per_second = |number: u64| number as f64 / seconds;
        let Counts { sequences, tokens, flops, stages, .. } = &self.counts;
        let gflops = per_second(*flops) / 1e9;
        facts.add(
            "tokens",
            *tokens,
            format!("{}, {:.1} per text", grouped(*tokens), *tokens as f64 / (*sequences).max(1) as f64),
        );
        facts.add("seconds", seconds, format!("{seconds:.3}, the median round"));
        facts.add("docs_per_second", per_second(*sequences), format!("{:.1}", per_second(*sequences)));
        facts.add("tokens_per_second", per_second(*tokens), grouped(per_second(*tokens) as u64));
        facts.add("gflops", gflops, format!("{gflops:.1} GFLOP/s of useful work"));
        facts.add(
            "peak_gflops",
            peak,
            format!("{peak:.1} GFLOP/s, measured on this machine with the same number of threads"),
        );
        facts.add("share_of_peak", gflops / peak, format!("{:.1} %", 100.0 * gflops / peak));
        let seconds: Map<String, Value> =
            stages.iter().map(|stage| (stage.name.to_owned(), stage.time.as_secs_f64().into())).collect();
        facts.add("stage_seconds", seconds, timing::lines(stages, peak / threads as f64));
    }
}

/// How many texts like those of `sample` make a round of [`ROUND`]: a power of two, so that runs can be compared.
pub(super) fn round_size(classify: &Classify, sample: &RecordBatch) -> Result<usize, albertine::Error> {
    // The first pass pays for what is set up once; the second one tells.
    Round::run(classify, std::slice::from_ref(sample))?;
    let pass = Round::run(classify, std::slice::from_ref(sample))?.elapsed;
    let passes = ROUND.as_secs_f64() / pass.as_secs_f64().max(1e-6);
    let texts = (sample.num_rows() as f64 * passes) as usize;
    Ok(texts.clamp(SAMPLE, MOST_TEXTS).next_power_of_two())
}
