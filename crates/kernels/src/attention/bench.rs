//! How fast attention is, at every level or at the one that `ALBERTINE_CPU` names. Run with
//! `cargo test --release -p albertine-kernels -- --ignored --nocapture bench_attention`.

#![allow(clippy::print_stdout)]

use std::time::Instant;

use super::{Attention, AttentionScratch, Queries};
use crate::reference::{Numbers, all_kernels, betweens, converted, matrix, used};

#[test]
#[ignore = "a measurement"]
fn bench_attention() {
    let one = std::env::var("ALBERTINE_CPU").unwrap_or_default();
    for kernels in all_kernels().into_iter().filter(|kernels| one.is_empty() || kernels.level().name() == one) {
        for element in betweens(kernels) {
            for (tokens, documents, heads, size) in
                [(60, 4, 12, 64), (42, 6, 6, 32), (256, 1, 12, 64), (512, 1, 12, 64)]
            {
                let (rows, width) = (tokens * documents, heads * size);
                let values = Numbers(1).take(rows * 3 * width);
                let qkv = converted(kernels, &matrix(&values, rows, 3 * width), element);
                let mut out = used(element, rows, width);
                let starts: Vec<usize> = (0..=documents).map(|document| document * tokens).collect();
                let scratch = AttentionScratch::default();
                let attention = Attention {
                    query: &qkv,
                    queries: Queries::OfTokens,
                    key_value: &qkv,
                    key: width,
                    value: 2 * width,
                    starts: &starts,
                    heads,
                    size,
                    dropout: None,
                };
                kernels.attention(&mut out, attention, &scratch);
                let start = Instant::now();
                let mut runs = 0;
                while start.elapsed().as_millis() < 300 {
                    kernels.attention(&mut out, attention, &scratch);
                    runs += 1;
                }
                let seconds = start.elapsed().as_secs_f64() / f64::from(runs);
                println!(
                    "{} {element:?} {documents} documents of {tokens}, {heads} heads of {size}: {:.1} us, {:.0} GFLOP/s",
                    kernels.level(),
                    seconds * 1e6,
                    (4 * documents * tokens * tokens * width) as f64 / seconds / 1e9
                );
            }
        }
    }
}
