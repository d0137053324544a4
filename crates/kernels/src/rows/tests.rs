//! The row functions against the reference, and the independence of rows.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use crate::reference::{self, Numbers, all_kernels};
use crate::{AttentionScratch, LayerNorm, Rows};

const WIDTHS: [usize; 14] = [1, 2, 3, 4, 5, 15, 16, 17, 31, 63, 64, 65, 768, 771];

fn assert_close(found: &[f32], expected: &[f64], allowed: f64, what: &str) {
    assert_eq!(found.len(), expected.len());
    for (index, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        assert!((f64::from(found) - expected).abs() <= allowed, "{what} at {index}: {found} for {expected}");
    }
}

#[test]
fn layer_norm_agrees_with_the_reference() {
    for kernels in all_kernels() {
        for width in WIDTHS {
            let mut numbers = Numbers(width as u64);
            let (gamma, beta) = (numbers.take(width), numbers.take(width));
            // A large mean is what a careless variance gets wrong.
            for mean in [0.0, 30.0] {
                let rows: Vec<f32> = numbers.take(3 * width).iter().map(|x| x + mean).collect();
                let norm = LayerNorm { gamma: &gamma, beta: &beta, eps: 1e-12 };
                let mut found = rows.clone();
                kernels.layer_norm(&mut found, &norm);
                // In a row of one value, x - mean is 0.
                for (found, row) in found.chunks(width).zip(rows.chunks(width)) {
                    let expected = reference::layer_norm(row, &gamma, &beta, 1e-12);
                    let what = format!("{} width {width} mean {mean}", kernels.level());
                    assert_close(found, &expected, if mean == 0.0 { 1e-5 } else { 1e-3 }, &what);
                }
            }
        }
    }
}

#[test]
fn embed_is_a_sum_and_a_layer_norm() {
    for kernels in all_kernels() {
        for width in WIDTHS {
            let mut numbers = Numbers(width as u64);
            let (words, positions) = (numbers.take(11 * width), numbers.take(7 * width));
            let (gamma, beta) = (numbers.take(width), numbers.take(width));
            let norm = LayerNorm { gamma: &gamma, beta: &beta, eps: 1e-5 };
            let ids = [10, 0, 3, 3];
            let mut out = vec![f32::NAN; ids.len() * width];
            kernels.embed(&mut out, &ids, &words, &positions, &norm);
            for (position, (&id, found)) in ids.iter().zip(out.chunks(width)).enumerate() {
                let word = &words[id as usize * width..][..width];
                let sum: Vec<f32> = word.iter().zip(&positions[position * width..]).map(|(a, b)| a + b).collect();
                let expected = reference::layer_norm(&sum, &gamma, &beta, 1e-5);
                assert_close(found, &expected, 1e-4, &format!("{} width {width}", kernels.level()));
            }
        }
    }
}

#[test]
fn softmax_agrees_with_the_reference() {
    for kernels in all_kernels() {
        for width in WIDTHS {
            let rows: Vec<f32> = Numbers(width as u64).take(2 * width).iter().map(|x| x * 20.0).collect();
            let mut found = rows.clone();
            kernels.softmax(&mut found, width);
            for (found, row) in found.chunks(width).zip(rows.chunks(width)) {
                let row: Vec<f64> = row.iter().copied().map(f64::from).collect();
                assert_close(found, &reference::softmax(&row), 1e-6, &format!("{} width {width}", kernels.level()));
            }
        }
        let mut extremes = [f32::MAX, f32::MIN, f32::NEG_INFINITY, 1.0, f32::NAN, 2.0];
        kernels.softmax(&mut extremes, 3);
        assert_eq!(extremes[..3], [1.0, 0.0, 0.0]);
        assert!(extremes[3..].iter().all(|x| x.is_nan()));
    }
}

/// Attention in f64.
fn attention(query: Rows<'_>, key: Rows<'_>, value: Rows<'_>, heads: usize) -> Vec<f64> {
    let size = query.width() / heads;
    let mut out = vec![0.0; query.count() * query.width()];
    for row in 0..query.count() {
        for head in (0..query.width()).step_by(size) {
            let scores: Vec<f64> = (0..key.count())
                .map(|j| reference::dot(&query.row(row)[head..head + size], &key.row(j)[head..head + size]).0)
                .collect();
            for (j, probability) in reference::softmax(&scores).into_iter().enumerate() {
                for column in head..head + size {
                    out[row * query.width() + column] += probability * f64::from(value.row(j)[column]);
                }
            }
        }
    }
    out
}

#[test]
fn attention_agrees_with_the_reference() {
    for kernels in all_kernels() {
        let mut scratch = AttentionScratch::default();
        for (queries, keys, heads, size) in
            [(1, 1, 1, 1), (1, 9, 3, 5), (13, 13, 2, 7), (1, 70, 2, 64), (100, 100, 2, 33), (97, 200, 1, 16)]
        {
            let width = heads * size;
            let mut numbers = Numbers(keys as u64);
            let (query, both) = (numbers.take(queries * width), numbers.take(keys * 2 * width));
            let query = Rows::new(&query, queries, width, width);
            let key = Rows::new(&both, keys, width, 2 * width);
            let value = Rows::new(&both[width..], keys, width, 2 * width);
            let mut out = vec![f32::NAN; queries * width];
            kernels.attention(&mut out, query, key, value, heads, &mut scratch);
            let what = format!("{} {queries} x {keys}, {heads} heads of {size}", kernels.level());
            assert_close(&out, &attention(query, key, value, heads), 5e-6, &what);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_row_alone_is_the_same_row_in_a_batch(
        rows in 1_usize..40, heads in 1_usize..5, size in 1_usize..40, seed: u64, place: prop::sample::Index,
    ) {
        let (row, width) = (place.index(rows), heads * size);
        let mut numbers = Numbers(seed);
        let values = numbers.take(3 * rows * width);
        let (gamma, beta) = (numbers.take(width), numbers.take(width));
        let norm = LayerNorm { gamma: &gamma, beta: &beta, eps: 1e-12 };
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        for kernels in all_kernels() {
            let mut together = values[..rows * width].to_vec();
            let mut alone = together[row * width..][..width].to_vec();
            kernels.layer_norm(&mut together, &norm);
            kernels.layer_norm(&mut alone, &norm);
            prop_assert_eq!(bits(&alone), bits(&together[row * width..][..width]));

            kernels.softmax(&mut together, width);
            kernels.softmax(&mut alone, width);
            prop_assert_eq!(bits(&alone), bits(&together[row * width..][..width]));

            let part = |index: usize, count| Rows::new(&values[index * width..], count, width, 3 * width);
            let (key, value) = (part(1, rows), part(2, rows));
            let scratch = &mut AttentionScratch::default();
            kernels.attention(&mut together, part(0, rows), key, value, heads, scratch);
            kernels.attention(&mut alone, part(3 * row, 1), key, value, heads, scratch);
            prop_assert_eq!(bits(&alone), bits(&together[row * width..][..width]));
        }
    }
}
