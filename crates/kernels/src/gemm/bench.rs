//! How fast a product is, as a share of the measured peak. Run with
//! `cargo test --release -p albertine-kernels -- --ignored --nocapture bench`.

#![allow(clippy::print_stdout)]

use std::time::Instant;

use crate::reference::{Numbers, all_kernels};
use crate::{Activation, Epilogue, PackedWeights, peak_gflops};

/// The seconds that this thread has been on a CPU, so that other programs count less. Linux counts them in ticks of a
/// few milliseconds, which is why a measurement takes half a second.
fn seconds() -> f64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    schedstat.split(' ').next().and_then(|first| first.parse::<f64>().ok()).map_or(f64::NAN, |ns| ns / 1e9)
}

#[test]
#[ignore = "a measurement"]
fn bench_matmul() {
    for kernels in all_kernels() {
        let peak = peak_gflops(kernels);
        println!("{}: peak {peak:.1} GFLOP/s", kernels.level());
        for (rows, inputs, outputs) in
            [(512, 768, 3072), (512, 3072, 768), (512, 768, 768), (512, 128, 768), (60, 768, 3072), (1, 768, 768)]
        {
            let mut numbers = Numbers(1);
            let packed = PackedWeights::pack(kernels, &numbers.take(outputs * inputs), outputs, inputs);
            let (a, bias) = (numbers.take(rows * inputs), numbers.take(outputs));
            let mut out = vec![0.0; rows * outputs];
            let operations = (2 * rows * inputs * outputs) as f64;
            for epilogue in [Epilogue::Bias(&bias), Epilogue::BiasActivation(&bias, Activation::GeluTanh)] {
                let (start, before) = (Instant::now(), seconds());
                let mut runs = 0;
                while start.elapsed().as_millis() < 500 {
                    kernels.matmul(&mut out, &a, &packed, epilogue);
                    runs += 1;
                }
                let speed = operations * f64::from(runs) / (seconds() - before) / 1e9;
                let name = if matches!(epilogue, Epilogue::Bias(_)) { "bias" } else { "gelu" };
                println!(
                    "  [{rows}, {inputs}] x [{inputs}, {outputs}] {name}: {speed:.1} GFLOP/s, {:.0} %",
                    100.0 * speed / peak
                );
            }
        }
    }
}
