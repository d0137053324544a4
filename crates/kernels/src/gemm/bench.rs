//! How fast a product is, at every level or at the one that `ALBERTINE_CPU` names. Run with
//! `cargo test --release -p albertine-kernels -- --ignored --nocapture bench_matmul`.

#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use crate::matrix::Element;
use crate::reference::{Numbers, all_kernels, converted, matrix, operands, used};
use crate::{Activation, Epilogue, PackedWeights, Precision, peak_gflops};

/// How long each case is measured, and about how long each of its parts takes.
const DURATION: Duration = Duration::from_millis(400);
const PART: f64 = 5e-4;

/// The seconds that `work` takes: what a tenth of the parts of a measurement fall below, and half of them. On a machine
/// with neighbours the first is the steadier.
fn seconds(mut work: impl FnMut()) -> [f64; 2] {
    let mut timed = |runs: u32| {
        let start = Instant::now();
        (0..runs).for_each(|_| work());
        start.elapsed().as_secs_f64() / f64::from(runs)
    };
    let runs = (PART / timed(1)).max(1.0) as u32;
    let (start, mut times) = (Instant::now(), Vec::new());
    while start.elapsed() < DURATION {
        times.push(timed(runs));
    }
    times.sort_by(f64::total_cmp);
    [times[times.len() / 10], times[times.len() / 2]]
}

#[test]
#[ignore = "a measurement"]
fn bench_matmul() {
    let one = std::env::var("ALBERTINE_CPU").unwrap_or_default();
    for kernels in all_kernels().into_iter().filter(|kernels| one.is_empty() || kernels.level().name() == one) {
        for precision in Precision::ALL {
            let peak = peak_gflops(kernels, precision).map_or("none".to_owned(), |peak| format!("{peak:.0} GFLOP/s"));
            println!("{}: {precision} peak {peak}", kernels.level());
        }
        for element in operands(kernels) {
            for (rows, inputs, outputs) in [
                (128, 768, 768),
                (128, 768, 3072),
                (128, 3072, 768),
                (512, 768, 768),
                (512, 768, 3072),
                (512, 3072, 768),
            ] {
                let mut numbers = Numbers(1);
                let packed = PackedWeights::pack(kernels, element, &numbers.take(outputs * inputs), outputs, inputs);
                let a = converted(kernels, &matrix(&numbers.take(rows * inputs), rows, inputs), element);
                let bias = numbers.take(outputs);
                let operations = (2 * rows * inputs * outputs) as f64;
                let between = if element.is_quantized() { Element::Bf16 } else { element };
                let cases = [
                    ("bias to f32", Element::F32, Epilogue::Bias(&bias)),
                    ("gelu", between, Epilogue::BiasActivation(&bias, Activation::GeluTanh)),
                ];
                for (name, result, epilogue) in cases {
                    let mut out = used(result, rows, outputs);
                    let [best, median] = seconds(|| kernels.matmul(&mut out, &a, &packed, epilogue))
                        .map(|seconds| operations / seconds / 1e9);
                    println!(
                        "  {element:?} [{rows}, {inputs}] x [{inputs}, {outputs}] {name}, {result:?}: {best:.0} GOP/s, median {median:.0}"
                    );
                }
            }
        }
    }
}
