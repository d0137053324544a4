//! The row functions and attention against the reference, and the independence of rows and documents.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::Softmax;
use crate::attention::{Attention, AttentionScratch, Queries};
use crate::cpu::Kernels;
use crate::matrix::{Element, Matrix};
use crate::reference::{self, Numbers, all_kernels, betweens, bits, cases, converted, matrix, numbers, operands, used};
use crate::rows::LayerNorm;
use crate::simd::to_bf16;

const WIDTHS: [usize; 14] = [1, 2, 3, 4, 5, 15, 16, 17, 31, 63, 64, 65, 768, 771];
const ELEMENTS: [Element; 5] = [Element::F32, Element::Bf16, Element::Bf16x3, Element::U8, Element::U16];

fn assert_close(found: &[f64], expected: &[f64], allowed: f64, what: &str) {
    assert_eq!(found.len(), expected.len());
    for (index, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= allowed, "{what} at {index}: {found} for {expected}");
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
                let values: Vec<f32> = numbers.take(3 * width).iter().map(|x| x + mean).collect();
                let norm = LayerNorm { gamma: &gamma, beta: &beta, eps: 1e-12 };
                let mut found = matrix(&values, 3, width);
                kernels.layer_norm(&mut found, &norm, None);
                // In a row of one value, x - mean is 0.
                for (index, row) in values.chunks(width).enumerate() {
                    let expected = reference::layer_norm(row, &gamma, &beta, 1e-12);
                    let what = format!("{} width {width} mean {mean}", kernels.level());
                    let allowed = if mean == 0.0 { 1e-5 } else { 1e-3 };
                    assert_close(&reference::row(&found, index), &expected, allowed, &what);
                }
                for element in ELEMENTS {
                    let (mut both, mut operand) = (matrix(&values, 3, width), used(element, 3, width));
                    kernels.layer_norm(&mut both, &norm, Some(&mut operand));
                    let apart = converted(kernels, &found, element);
                    for row in 0..3 {
                        assert_eq!(bits(&both, row), bits(&found, row));
                        assert_eq!(bits(&operand, row), bits(&apart, row), "{} {element:?}", kernels.level());
                    }
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
            let position_ids = [0, 6, 2, 0];
            let mut out = used(Element::F32, ids.len(), width);
            kernels.embed(&mut out, &ids, &position_ids, &words, &positions, &norm);
            for (row, (id, place)) in ids.into_iter().zip(position_ids).enumerate() {
                let word = &words[id as usize * width..][..width];
                let sum: Vec<f32> = word.iter().zip(&positions[place as usize * width..]).map(|(a, b)| a + b).collect();
                let expected = reference::layer_norm(&sum, &gamma, &beta, 1e-5);
                let what = format!("{} width {width}", kernels.level());
                assert_close(&reference::row(&out, row), &expected, 1e-4, &what);
            }
        }
    }
}

fn softmax(kernels: Kernels, values: &[f32], rows: usize, columns: usize, element: Element) -> Matrix {
    let (mut scores, mut to) = (matrix(values, rows, columns), used(element, rows, columns));
    kernels.run(Softmax { scores: &mut scores, to: to.target() });
    to
}

#[test]
fn softmax_agrees_with_the_reference() {
    for kernels in all_kernels() {
        for (element, allowed) in [(Element::F32, 1e-6), (Element::Bf16, 1.0 / 512.0 + 1e-6)] {
            for width in WIDTHS {
                let values: Vec<f32> = Numbers(width as u64).take(2 * width).iter().map(|x| x * 20.0).collect();
                let found = softmax(kernels, &values, 2, width, element);
                for (index, row) in values.chunks(width).enumerate() {
                    let row: Vec<f64> = row.iter().copied().map(f64::from).collect();
                    let what = format!("{} {element:?} width {width}", kernels.level());
                    assert_close(&reference::row(&found, index), &reference::softmax(&row), allowed, &what);
                }
            }
            let extremes = [f32::MAX, f32::MIN, f32::NEG_INFINITY, 1.0, f32::NAN, 2.0];
            let found = softmax(kernels, &extremes, 2, 3, element);
            let first = reference::row(&found, 0);
            assert!(first[0] == 1.0 && first[1..].iter().all(|&x| (0.0..1.2e-38).contains(&x)), "{first:?}");
            assert!(reference::row(&found, 1).iter().all(|x| x.is_nan()));
        }
    }
}

#[test]
fn bf16_is_the_nearest_with_ties_to_even() {
    // Every bfloat16 that is no NaN, the values between it and the next, and their neighbours.
    let mut values = Vec::new();
    for upper in 0..=u16::MAX {
        for lower in [0_u32, 1, 0x7fff, 0x8000, 0x8001, 0xffff] {
            values.push(f32::from_bits(u32::from(upper) << 16 | lower));
        }
    }
    let width = 1023;
    values.resize(values.len().next_multiple_of(width), 0.0);
    let from = matrix(&values, values.len() / width, width);
    for kernels in all_kernels() {
        let to = converted(kernels, &from, Element::Bf16);
        let back = converted(kernels, &to, Element::F32);
        for (index, values) in values.chunks(width).enumerate() {
            for ((&x, &found), &back) in values.iter().zip(to.row_bf16(index)).zip(back.row(index)) {
                let real = crate::simd::from_bf16(found);
                assert!(real.to_bits() == back.to_bits() || real.is_nan(), "read back");
                if x.is_nan() {
                    assert!(real.is_nan() && back.is_nan(), "{} NaN", kernels.level());
                    continue;
                }
                if x != 0.0 && x.abs() < f32::MIN_POSITIVE {
                    // A level may take a subnormal number for 0.
                    assert!((real - x).abs() <= f32::MIN_POSITIVE, "{} {x:e}: {real:e}", kernels.level());
                    continue;
                }
                let (low, rest) = (x.to_bits() >> 16, x.to_bits() & 0xffff);
                let up = rest > 0x8000 || (rest == 0x8000 && low % 2 == 1);
                let expected = low as u16 + u16::from(up);
                assert_eq!(found, expected, "{} {x:e}", kernels.level());
                assert_eq!(to_bf16(x), expected);
            }
        }
    }
}

#[test]
fn quantized_values_are_within_half_a_step() {
    for kernels in all_kernels() {
        for element in [Element::U8, Element::U16] {
            for width in WIDTHS {
                for (scale, shift) in [(1.0, 0.0), (1e-3, 5.0), (1e30, 0.0), (1e-30, 0.0), (3.0, -100.0)] {
                    let values: Vec<f32> =
                        Numbers(width as u64).take(3 * width).iter().map(|x| x * scale + shift).collect();
                    let from = matrix(&values, 3, width);
                    for between in [Element::F32, Element::Bf16] {
                        let from = converted(kernels, &from, between);
                        let to = converted(kernels, &from, element);
                        for row in 0..3 {
                            let expected = reference::row(&from, row);
                            let largest = expected.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
                            let step = f64::from(to.scales()[row].scale);
                            let allowed = 0.5 * step * 1.0001 + 2.0 * f64::from(f32::EPSILON) * largest;
                            let what = format!("{} {element:?} {width} {scale} {shift}", kernels.level());
                            assert_close(&reference::row(&to, row), &expected, allowed, &what);
                            assert!(numbers(&to, row).iter().all(|&number| number <= 255));
                            if step > 0.0 {
                                let numbers = numbers(&to, row);
                                let (least, largest) = (numbers.iter().min(), numbers.iter().max());
                                assert_eq!((least, largest), (Some(&0), Some(&255)), "{what}");
                            }
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn odd_rows_are_quantized_to_what_they_are_or_nan() {
    for kernels in all_kernels() {
        for element in [Element::U8, Element::U16] {
            for width in WIDTHS {
                for value in [0.0, -0.0, 7.5, -3e38, 1e-40, f32::MIN_POSITIVE] {
                    let to = converted(kernels, &matrix(&vec![value; width], 1, width), element);
                    assert_eq!(reference::row(&to, 0), vec![f64::from(value); width], "{} {value}", kernels.level());
                }
                let tiny: Vec<f32> = (0..width).map(|i| if i % 2 == 0 { 1e-40 } else { -1e-38 }).collect();
                let to = converted(kernels, &matrix(&tiny, 1, width), element);
                assert!(reference::row(&to, 0).iter().all(|x| x.abs() < 1e-37), "{}", kernels.level());
                for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    for place in [0, width / 2, width - 1] {
                        let mut values = Numbers(1).take(2 * width);
                        values[place] = bad;
                        let to = converted(kernels, &matrix(&values, 2, width), element);
                        let what = format!("{} {element:?} {bad} at {place} of {width}", kernels.level());
                        assert!(to.scales()[0].scale.is_nan(), "{what}");
                        assert!(reference::row(&to, 1).iter().all(|x| x.is_finite()), "{what}");
                    }
                }
            }
        }
    }
}

/// Documents of random tokens, and what attends in them.
struct Documents {
    /// `[tokens, query, key and value]`
    all: Matrix,
    starts: Vec<usize>,
    heads: usize,
    size: usize,
}

impl Documents {
    fn new(lengths: &[usize], heads: usize, size: usize, seed: u64) -> Self {
        let mut starts = vec![0];
        for length in lengths {
            starts.push(starts.last().unwrap() + length);
        }
        let (tokens, width) = (*starts.last().unwrap(), 3 * heads * size);
        Self { all: matrix(&Numbers(seed).take(tokens * width), tokens, width), starts, heads, size }
    }

    /// The query of every token, or of each document's first token alone.
    fn query(&self, firsts: bool) -> Matrix {
        let mut query = Matrix::default();
        let all: Vec<usize> = (0..self.all.rows()).collect();
        query.copy_rows(&self.all, if firsts { &self.starts[..self.starts.len() - 1] } else { &all });
        query
    }

    fn one(&self, document: usize) -> Self {
        let rows = self.starts[document]..self.starts[document + 1];
        let values: Vec<f32> = rows.clone().flat_map(|row| self.all.row(row).to_vec()).collect();
        let all = matrix(&values, rows.len(), self.all.columns());
        Self { all, starts: vec![0, rows.len()], heads: self.heads, size: self.size }
    }

    fn attend(&self, kernels: Kernels, element: Element, firsts: bool, scratch: &AttentionScratch) -> Matrix {
        let width = self.heads * self.size;
        let query = converted(kernels, &self.query(firsts), element);
        let key_value = converted(kernels, &self.all, element);
        let mut out = used(element, query.rows(), width);
        let attention = Attention {
            query: &query,
            queries: if firsts { Queries::OfDocuments(1) } else { Queries::OfTokens },
            key_value: &key_value,
            key: width,
            value: 2 * width,
            starts: &self.starts,
            heads: self.heads,
            size: self.size,
            dropout: None,
        };
        kernels.attention(&mut out, attention, scratch);
        out
    }

    /// Attention in f64 for one token: its values, and how far they may be off for each unit in the last place of the
    /// probabilities.
    fn truth(&self, all: &Matrix, document: usize, token: usize) -> (Vec<f64>, Vec<f64>) {
        let width = self.heads * self.size;
        let (mut out, mut sizes) = (vec![0.0; width], vec![0.0; width]);
        let tokens: Vec<Vec<f64>> =
            (self.starts[document]..self.starts[document + 1]).map(|token| reference::row(all, token)).collect();
        let query = reference::row(all, token);
        for head in (0..width).step_by(self.size) {
            let part = head..head + self.size;
            let scores: Vec<f64> =
                tokens.iter().map(|key| reference::dot(&query[part.clone()], &key[width..][part.clone()])).collect();
            for (token, probability) in tokens.iter().zip(reference::softmax(&scores)) {
                for column in part.clone() {
                    out[column] += probability * token[2 * width + column];
                    sizes[column] += (probability * token[2 * width + column]).abs();
                }
            }
        }
        (out, sizes)
    }
}

#[test]
fn attention_agrees_with_the_reference() {
    for kernels in all_kernels() {
        let scratch = AttentionScratch::default();
        for element in betweens(kernels) {
            for (heads, size) in [(1, 1), (3, 5), (2, 16), (2, 26), (2, 64), (1, 33)] {
                let documents = Documents::new(&[1, 2, 130, 17, 60], heads, size, size as u64);
                let all = converted(kernels, &documents.all, element);
                for firsts in [false, true] {
                    let found = documents.attend(kernels, element, firsts, &scratch);
                    for document in 0..documents.starts.len() - 1 {
                        let tokens = documents.starts[document]..documents.starts[document + 1];
                        for token in tokens.take(if firsts { 1 } else { usize::MAX }) {
                            let (expected, sizes) = documents.truth(&all, document, token);
                            let row = if firsts { document } else { token };
                            let found = reference::row(&found, row);
                            for (column, ((found, expected), size)) in
                                found.iter().zip(&expected).zip(&sizes).enumerate()
                            {
                                let rounding =
                                    if element == Element::Bf16 { (size + expected.abs()) / 256.0 } else { 0.0 };
                                assert!(
                                    (found - expected).abs() <= 5e-6 + rounding,
                                    "{} {element:?} heads of {}, document {document} at [{token}, {column}]: {found} for {expected}",
                                    kernels.level(),
                                    documents.size
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn a_row_alone_is_the_same_row_in_a_batch_and_with_threads(
        rows in 1_usize..40, width in 1_usize..160, seed: u64, place: prop::sample::Index,
    ) {
        let row = place.index(rows);
        let mut numbers = Numbers(seed);
        let values = numbers.take(rows * width);
        let (gamma, beta) = (numbers.take(width), numbers.take(width));
        let norm = LayerNorm { gamma: &gamma, beta: &beta, eps: 1e-12 };
        let one = &values[row * width..][..width];
        for kernels in all_kernels() {
            for element in operands(kernels) {
                let run = |kernels: Kernels, values: &[f32]| {
                    let rows = values.len() / width;
                    let (mut normal, mut operand) = (matrix(values, rows, width), used(element, rows, width));
                    kernels.layer_norm(&mut normal, &norm, Some(&mut operand));
                    let direct = converted(kernels, &matrix(values, rows, width), element);
                    [normal, operand, direct]
                };
                let (together, threaded) = (run(kernels, &values), run(kernels.with_threads(3), &values));
                for ((alone, together), threaded) in run(kernels, one).iter().zip(&together).zip(&threaded) {
                    prop_assert_eq!(bits(alone, 0), bits(together, row));
                    for row in 0..rows {
                        prop_assert_eq!(bits(threaded, row), bits(together, row));
                    }
                }
            }
            for element in [Element::F32, Element::Bf16] {
                let together = softmax(kernels, &values, rows, width, element);
                prop_assert_eq!(bits(&softmax(kernels, one, 1, width, element), 0), bits(&together, row));
            }
        }
    }

    #[test]
    fn a_document_alone_is_the_same_among_others_and_with_threads(
        lengths in prop::collection::vec(1_usize..140, 1..6),
        heads in 1_usize..4, size in 1_usize..70, seed: u64, place: prop::sample::Index,
    ) {
        let documents = Documents::new(&lengths, heads, size, seed);
        let document = place.index(lengths.len());
        let (one, first) = (documents.one(document), documents.starts[document]);
        for kernels in all_kernels() {
            let (scratch, fresh) = (AttentionScratch::default(), AttentionScratch::default());
            for element in betweens(kernels) {
                let all = documents.attend(kernels, element, false, &scratch);
                let firsts = documents.attend(kernels, element, true, &scratch);
                let alone = one.attend(kernels, element, false, &fresh);
                for token in 0..lengths[document] {
                    prop_assert_eq!(bits(&alone, token), bits(&all, first + token));
                }
                prop_assert_eq!(bits(&alone, 0), bits(&firsts, document));
                let threaded = documents.attend(kernels.with_threads(3), element, false, &scratch);
                for token in 0..all.rows() {
                    prop_assert_eq!(bits(&threaded, token), bits(&all, token));
                }
            }
        }
    }
}

#[test]
fn columns_become_rows() {
    for kernels in all_kernels() {
        for (rows, columns) in [(1, 1), (5, 40), (16, 16), (33, 50), (64, 7)] {
            let values = Numbers(rows as u64).take(rows * columns);
            let from = matrix(&values, rows, columns);
            for range in [0..columns, columns / 3..columns] {
                let mut to = used(Element::F32, 3, 3);
                kernels.with_threads(2).transpose(&from, range.clone(), &mut to);
                assert_eq!((to.rows(), to.columns()), (range.len(), rows));
                for (index, column) in range.enumerate() {
                    let expected: Vec<f32> = values.iter().skip(column).step_by(columns).copied().collect();
                    assert_eq!(to.row(index), expected, "{} column {column}", kernels.level());
                }
            }
        }
    }
}

#[test]
fn a_layer_norm_that_is_kept_has_the_gradient_of_the_reference() {
    for kernels in all_kernels() {
        for width in WIDTHS {
            let mut numbers = Numbers(width as u64);
            let (gamma, beta) = (numbers.take(width), numbers.take(width));
            let (values, upstream) = (numbers.take(3 * width), numbers.take(3 * width));
            let norm = LayerNorm { gamma: &gamma, beta: &beta, eps: 1e-2 };
            let (mut rows, mut out, mut inverse) = (matrix(&values, 3, width), Matrix::default(), [0.0; 3]);
            kernels.layer_norm_kept(&mut rows, &norm, &mut out, &mut inverse);
            let mut gradient = matrix(&upstream, 3, width);
            kernels.layer_norm_gradient(&mut gradient, &rows, &inverse, &gamma);
            for index in 0..3 {
                let what = format!("{} width {width}", kernels.level());
                let row: Vec<f32> = values[index * width..][..width].to_vec();
                let expected = reference::layer_norm(&row, &gamma, &beta, 1e-2);
                assert_close(&reference::row(&out, index), &expected, 1e-5, &what);
                // the loss is Σ upstream · out, differentiated by small steps in f64
                let loss = |row: &[f64]| {
                    let mean = row.iter().sum::<f64>() / width as f64;
                    let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / width as f64;
                    let terms = row.iter().zip(&gamma).zip(&upstream[index * width..]);
                    terms.map(|((x, gamma), up)| f64::from(*gamma) * f64::from(*up) * (x - mean)).sum::<f64>()
                        / (variance + f64::from(1e-2_f32)).sqrt()
                };
                let row: Vec<f64> = row.into_iter().map(f64::from).collect();
                for column in (0..width).step_by(width.div_ceil(5)) {
                    let moved = |by: f64| {
                        let mut row = row.clone();
                        row[column] += by;
                        loss(&row)
                    };
                    let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                    let found = f64::from(gradient.row(index)[column]);
                    let allowed = 1e-4 * expected.abs().max(1.0);
                    assert!((found - expected).abs() < allowed, "{what} at {column}: {found} for {expected}");
                }
            }
        }
    }
}
