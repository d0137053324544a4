//! How fast a product is, at every level or at the one that `ALBERTINE_CPU` names. Run with
//! `cargo test --release -p albertine-kernels -- --ignored --nocapture bench`.

#![allow(clippy::print_stdout)]

use std::time::Instant;

use crate::matrix::Element;
use crate::reference::{Numbers, all_kernels, converted, matrix, operands, used};
use crate::{Activation, Epilogue, PackedWeights, Precision, peak_gflops};

/// The seconds that this thread has been on a CPU, so that other programs count less. Linux counts them in ticks of a
/// few milliseconds, which is why a measurement takes a third of a second.
fn seconds() -> f64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    schedstat.split(' ').next().and_then(|first| first.parse::<f64>().ok()).map_or(f64::NAN, |ns| ns / 1e9)
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
                    kernels.matmul(&mut out, &a, &packed, epilogue);
                    let (start, before) = (Instant::now(), seconds());
                    let mut runs = 0;
                    while start.elapsed().as_millis() < 300 {
                        kernels.matmul(&mut out, &a, &packed, epilogue);
                        runs += 1;
                    }
                    let speed = operations * f64::from(runs) / (seconds() - before) / 1e9;
                    println!(
                        "  {element:?} [{rows}, {inputs}] x [{inputs}, {outputs}] {name}, {result:?}: {speed:.0} GOP/s"
                    );
                }
            }
        }
    }
}
