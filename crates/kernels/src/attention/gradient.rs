//! The gradient of attention, for training: of queries, keys and values, from that of the result.
//!
//! Probabilities are computed again from queries and keys, row by row, so that nothing of the size of the scores is
//! kept from the forward pass.

use std::sync::PoisonError;

use super::{Attention, AttentionScratch, HeadScratch};
use crate::cpu::Kernels;
use crate::math::exp;
use crate::matrix::{Element, Matrix, Target};
use crate::simd::{Operation, Simd};

impl Kernels {
    /// The gradient of [`Kernels::attention`] over f32 where every token has a query: `out` is `[tokens, columns of
    /// attention.key_value]`, and gets that of the queries in the columns from 0, that of keys and values in the
    /// columns of these. Other columns are left as they are. `gradient` is that of the result, `[tokens, heads *
    /// size]`.
    ///
    /// Each document and head is computed by one thread, so that the result does not depend on their number.
    ///
    /// # Panics
    ///
    /// When a matrix is not of f32, a shape does not fit the others, or a document is empty.
    pub fn attention_gradient(
        self,
        out: &mut Matrix,
        attention: Attention<'_>,
        gradient: &Matrix,
        scratch: &AttentionScratch,
    ) {
        let Attention { query, key_value, key, value, starts, heads, size, .. } = attention;
        let (width, tokens) = (heads.saturating_mul(size), starts.last().copied().unwrap_or(0));
        for matrix in [query, key_value, gradient, &*out] {
            assert!(matrix.element() == Element::F32 && matrix.rows() == tokens, "{matrix:?} for {tokens} tokens");
        }
        assert!(
            width > 0 && query.columns() >= width && gradient.columns() == width,
            "{gradient:?} and {query:?} for {heads} heads of {size}"
        );
        assert!(
            out.columns() == key_value.columns() && key.max(value).saturating_add(width) <= key_value.columns(),
            "keys at {key} and values at {value} of {width} in {key_value:?} for {out:?}"
        );
        // Documents that follow each other share no rows.
        assert!(starts.windows(2).all(|ends| ends[0] < ends[1]), "an empty document in {starts:?}");
        assert!(key >= width && value >= key + width, "keys at {key} and values at {value} overlap others of {width}");
        let out = out.target();
        let documents = starts.len().saturating_sub(1);
        self.split(documents * heads, 1, |range| {
            let pool = || scratch.heads.lock().unwrap_or_else(PoisonError::into_inner);
            let mut head_scratch = pool().pop().unwrap_or_default();
            for pair in range {
                let (document, head) = (pair / heads, pair % heads);
                self.run(HeadGradient { out, attention, gradient, document, head, scratch: &mut head_scratch });
            }
            pool().push(head_scratch);
        });
    }
}

/// One head of one document.
struct HeadGradient<'a> {
    out: Target,
    attention: Attention<'a>,
    gradient: &'a Matrix,
    document: usize,
    head: usize,
    scratch: &'a mut HeadScratch,
}

impl Operation for HeadGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { out, attention, gradient, document, head, scratch } = self;
        let Attention { query, key_value, key, value, starts, size, .. } = attention;
        let (first, tokens) = (starts[document], starts[document + 1] - starts[document]);
        let column = head * size;
        let part = |matrix, row: usize, column| slice(matrix, first + row, column, size);

        let wide = size.next_multiple_of(S::LANES);
        let padded = tokens.next_multiple_of(S::LANES);
        let HeadGradientScratch {
            keys,
            turned_keys,
            turned_values,
            queries,
            results,
            scores,
            score_gradients,
            query_gradients,
            key_gradients,
            value_gradients,
        } = &mut scratch.gradient;
        zeros(keys, tokens * wide);
        for (token, row) in keys.chunks_exact_mut(wide).enumerate() {
            row[..size].copy_from_slice(part(key_value, token, key + column));
        }
        for (turned, column) in [(&mut *turned_keys, key + column), (&mut *turned_values, value + column)] {
            zeros(turned, size * padded);
            for token in 0..tokens {
                for (place, &value) in part(key_value, token, column).iter().enumerate() {
                    turned[place * padded + token] = value;
                }
            }
        }
        zeros(key_gradients, tokens * wide);
        zeros(value_gradients, tokens * wide);

        for block in (0..tokens).step_by(QUERIES) {
            let rows = QUERIES.min(tokens - block);
            for (copies, matrix) in [(&mut *queries, query), (&mut *results, gradient)] {
                zeros(copies, rows * wide);
                for (row, copy) in copies.chunks_exact_mut(wide).enumerate() {
                    copy[..size].copy_from_slice(part(matrix, block + row, column));
                }
            }
            zeros(scores, rows * padded);
            zeros(score_gradients, rows * padded);
            let by_row = |values| Factors { values, of_term: 1, of_row: wide };
            add_products(s, scores, padded, by_row(queries), turned_keys);
            add_products(s, score_gradients, padded, by_row(results), turned_values);
            let pairs = scores.chunks_exact_mut(padded).zip(score_gradients.chunks_exact_mut(padded));
            for (row, (scores, score_gradients)) in pairs.enumerate() {
                let (scores, score_gradients) = (&mut scores[..tokens], &mut score_gradients[..tokens]);
                softmax(s, scores);
                // What was left out has no part in the result, and its probability still one in the others' sum.
                attention.drop(first + block + row, head, score_gradients);
                let mean = weighted(s, scores, score_gradients);
                for (score_gradient, score) in score_gradients.chunks_mut(S::LANES).zip(scores.chunks(S::LANES)) {
                    let difference = s.sub(s.load(score_gradient), s.splat(mean));
                    s.store(score_gradient, s.mul(s.load(score), difference));
                }
                attention.drop(first + block + row, head, scores);
            }
            let by_token = |values| Factors { values, of_term: padded, of_row: 1 };
            add_products(s, key_gradients, wide, by_token(score_gradients), queries);
            add_products(s, value_gradients, wide, by_token(scores), results);
            zeros(query_gradients, rows * wide);
            let by_query = Factors { values: score_gradients, of_term: 1, of_row: padded };
            add_products(s, query_gradients, wide, by_query, keys);
            // SAFETY: the rows lie within `out`, whose shape was checked; this document alone has them, and this head the
            // columns.
            unsafe { write(out, first + block, column, size, query_gradients.chunks_exact(wide)) };
        }
        for (sums, column) in [(key_gradients, key + column), (value_gradients, value + column)] {
            // SAFETY: as above.
            unsafe { write(out, first, column, size, sums.chunks_exact(wide)) };
        }
    }
}

/// The queries whose scores are at hand at a time.
const QUERIES: usize = 8;

/// A vector of so many zeros.
fn zeros(values: &mut Vec<f32>, count: usize) {
    values.clear();
    values.resize(count, 0.0);
}

/// Writes the first `size` values of each row from a column on.
///
/// # Safety
/// The rows from `first` on lie within `out`, with these columns, and nobody else uses these.
unsafe fn write<'a>(out: Target, first: usize, column: usize, size: usize, rows: impl Iterator<Item = &'a [f32]>) {
    for (row, values) in rows.enumerate() {
        // SAFETY: as the caller promises.
        let to = unsafe { std::slice::from_raw_parts_mut(out.f32_at(first + row, column), size) };
        to.copy_from_slice(&values[..size]);
    }
}

/// `[size]` values of a row.
#[inline(always)]
fn slice(matrix: &Matrix, row: usize, column: usize, size: usize) -> &[f32] {
    &matrix.row(row)[column..column + size]
}

/// What one head needs beside what is there already. `wide` is the size of a head and `padded` the number of tokens, each
/// filled up with zeros to whole vectors.
#[derive(Default)]
pub(super) struct HeadGradientScratch {
    /// `[tokens, wide]`
    keys: Vec<f32>,
    /// `[size, padded]`
    turned_keys: Vec<f32>,
    turned_values: Vec<f32>,
    /// `[QUERIES, wide]`, with the gradient of their results
    queries: Vec<f32>,
    results: Vec<f32>,
    /// `[QUERIES, padded]`: the scores, then their probabilities
    scores: Vec<f32>,
    /// `[QUERIES, padded]`: the gradient of the probabilities, then that of the scores
    score_gradients: Vec<f32>,
    /// `[QUERIES, wide]`
    query_gradients: Vec<f32>,
    /// `[tokens, wide]`
    key_gradients: Vec<f32>,
    value_gradients: Vec<f32>,
}

/// The factors of sums of rows: that of each term for each row of the result.
#[derive(Clone, Copy)]
struct Factors<'a> {
    values: &'a [f32],
    /// From one term to the next.
    of_term: usize,
    /// From one row of the result to the next.
    of_row: usize,
}

/// `out[row] += Σ factors[term, row] terms[term]`, the rows of both `width` values long, which are whole vectors.
#[inline(always)]
fn add_products<S: Simd>(s: S, out: &mut [f32], width: usize, factors: Factors<'_>, terms: &[f32]) {
    let rows = out.len() / width;
    let mut row = 0;
    while row < rows {
        let is_whole = row + 4 <= rows;
        let mut column = 0;
        while column < width {
            let is_pair = column + 2 * S::LANES <= width;
            match (is_whole, is_pair) {
                (true, true) => add_tile::<S, 4, 2>(s, out, width, [row, column], factors, terms),
                (true, false) => add_tile::<S, 4, 1>(s, out, width, [row, column], factors, terms),
                (false, true) => add_tile::<S, 1, 2>(s, out, width, [row, column], factors, terms),
                (false, false) => add_tile::<S, 1, 1>(s, out, width, [row, column], factors, terms),
            }
            column += if is_pair { 2 * S::LANES } else { S::LANES };
        }
        row += if is_whole { 4 } else { 1 };
    }
}

/// The same for `ROWS` rows and `VECTORS` vectors of each, whose sums stay in registers.
#[inline(always)]
fn add_tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
    s: S,
    out: &mut [f32],
    width: usize,
    [row, column]: [usize; 2],
    factors: Factors<'_>,
    terms: &[f32],
) {
    let place = |row: usize, vector: usize| row * width + column + vector * S::LANES;
    let mut sums = [[s.splat(0.0); VECTORS]; ROWS];
    for (index, sums) in sums.iter_mut().enumerate() {
        for (vector, sum) in sums.iter_mut().enumerate() {
            *sum = s.load(&out[place(row + index, vector)..][..S::LANES]);
        }
    }
    for (term, values) in terms.chunks_exact(width).enumerate() {
        let mut vectors = [s.splat(0.0); VECTORS];
        for (vector, to) in vectors.iter_mut().enumerate() {
            *to = s.load(&values[column + vector * S::LANES..][..S::LANES]);
        }
        for (index, sums) in sums.iter_mut().enumerate() {
            let factor = s.splat(factors.values[term * factors.of_term + (row + index) * factors.of_row]);
            for (sum, vector) in sums.iter_mut().zip(vectors) {
                *sum = s.mul_add(factor, vector, *sum);
            }
        }
    }
    for (index, sums) in sums.into_iter().enumerate() {
        for (vector, sum) in sums.into_iter().enumerate() {
            s.store(&mut out[place(row + index, vector)..][..S::LANES], sum);
        }
    }
}

#[inline(always)]
fn softmax<S: Simd>(s: S, row: &mut [f32]) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for chunk in row.chunks_mut(S::LANES) {
        let power = exp(s, s.sub(s.load(chunk), s.splat(largest)));
        s.store(chunk, power);
    }
    let sum: f32 = row.iter().sum();
    for chunk in row.chunks_mut(S::LANES) {
        let share = s.mul(s.load(chunk), s.splat(1.0 / sum));
        s.store(chunk, share);
    }
}

/// `Σ a[i] b[i]`
#[inline(always)]
fn weighted<S: Simd>(s: S, a: &[f32], b: &[f32]) -> f32 {
    let mut sum = s.splat(0.0);
    for (a, b) in a.chunks(S::LANES).zip(b.chunks(S::LANES)) {
        sum = s.mul_add(s.load(a), s.load(b), sum);
    }
    s.sum(sum)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::Queries;
    use super::*;
    use crate::dropout::Dropout;
    use crate::reference::{all_kernels, dot, matrix, used};

    /// Queries, keys and values beside each other with a gap between them, and the gradient of the result.
    struct Case {
        starts: Vec<usize>,
        heads: usize,
        size: usize,
        dropout: Option<Dropout>,
    }

    impl Case {
        fn part(&self) -> usize {
            (self.heads * self.size).next_multiple_of(32)
        }

        fn tokens(&self) -> usize {
            self.starts[self.starts.len() - 1]
        }

        fn values(count: usize, seed: f64) -> Vec<f32> {
            (0..count).map(|i| ((i as f64 * 0.7 + seed).sin() * 1.3) as f32).collect()
        }

        /// The gradient by the definition, in f64: `[tokens, 3 * part]`, the gaps 0.
        fn truth(&self, qkv: &[f32], gradient: &[f32]) -> Vec<f64> {
            let (part, size, width) = (self.part(), self.size, self.heads * self.size);
            let mut out = vec![0.0; self.tokens() * 3 * part];
            for ends in self.starts.windows(2) {
                for head in 0..self.heads {
                    let row = |token: usize, which: usize| -> Vec<f64> {
                        let first = token * 3 * part + which * part + head * size;
                        qkv[first..first + size].iter().map(|&x| f64::from(x)).collect()
                    };
                    for i in ends[0]..ends[1] {
                        let g: Vec<f64> =
                            gradient[i * width + head * size..][..size].iter().map(|&x| f64::from(x)).collect();
                        let powers: Vec<f64> = (ends[0]..ends[1]).map(|j| dot(&row(i, 0), &row(j, 1)).exp()).collect();
                        let sum: f64 = powers.iter().sum();
                        let p: Vec<f64> = powers.iter().map(|power| power / sum).collect();
                        let mut kept = vec![1.0; p.len()];
                        if let Some(dropout) = self.dropout {
                            dropout.apply((i * self.heads + head) as u64, &mut kept);
                        }
                        let kept: Vec<f64> = kept.into_iter().map(f64::from).collect();
                        let dp: Vec<f64> =
                            (ends[0]..ends[1]).map(|j| kept[j - ends[0]] * dot(&g, &row(j, 2))).collect();
                        let mean = dot(&p, &dp);
                        for (place, j) in (ends[0]..ends[1]).enumerate() {
                            let ds = p[place] * (dp[place] - mean);
                            for d in 0..size {
                                out[i * 3 * part + head * size + d] += ds * row(j, 1)[d];
                                out[j * 3 * part + part + head * size + d] += ds * row(i, 0)[d];
                                out[j * 3 * part + 2 * part + head * size + d] += kept[place] * p[place] * g[d];
                            }
                        }
                    }
                }
            }
            out
        }
    }

    #[test]
    #[should_panic(expected = "an empty document in [0, 5, 3, 8]")]
    fn documents_that_share_rows_are_refused() {
        let (qkv, gradient) = (matrix(&[0.0; 8 * 96], 8, 96), matrix(&[0.0; 16], 8, 2));
        let starts = [0, 5, 3, 8];
        let attention = Attention {
            query: &qkv,
            queries: Queries::OfTokens,
            key_value: &qkv,
            key: 32,
            value: 64,
            starts: &starts,
            heads: 1,
            size: 2,
            dropout: None,
        };
        let mut out = used(Element::F32, 8, 96);
        Kernels::detect().unwrap().attention_gradient(&mut out, attention, &gradient, &AttentionScratch::default());
    }

    #[test]
    fn gradients_are_those_of_the_definition_at_every_level_and_number_of_threads() {
        let cases = [
            Case { starts: vec![0, 1, 8, 45], heads: 2, size: 5, dropout: None },
            Case { starts: vec![0, 33, 66], heads: 3, size: 16, dropout: None },
            Case { starts: vec![0, 17], heads: 1, size: 64, dropout: None },
            Case { starts: vec![0, 33, 45], heads: 2, size: 16, dropout: Some(Dropout { rate: 0.3, seed: 5 }) },
        ];
        for case in cases {
            let (part, tokens, width) = (case.part(), case.tokens(), case.heads * case.size);
            let (qkv, gradient) = (Case::values(tokens * 3 * part, 0.0), Case::values(tokens * width, 2.0));
            let truth = case.truth(&qkv, &gradient);
            let (qkv, gradient) = (matrix(&qkv, tokens, 3 * part), matrix(&gradient, tokens, width));
            for kernels in all_kernels() {
                let mut results = Vec::new();
                for threads in [1, 3] {
                    let attention = Attention {
                        query: &qkv,
                        queries: Queries::OfTokens,
                        key_value: &qkv,
                        key: part,
                        value: 2 * part,
                        starts: &case.starts,
                        heads: case.heads,
                        size: case.size,
                        dropout: case.dropout,
                    };
                    let mut out = used(Element::F32, tokens, 3 * part);
                    let kernels = kernels.with_threads(threads);
                    kernels.attention_gradient(&mut out, attention, &gradient, &AttentionScratch::default());
                    let columns = (0..3).flat_map(|which| which * part..which * part + width);
                    let places: Vec<_> =
                        (0..tokens).flat_map(|row| columns.clone().map(move |column| (row, column))).collect();
                    for &(row, column) in &places {
                        let (found, expected) = (f64::from(out.row(row)[column]), truth[row * 3 * part + column]);
                        assert!(
                            // Scores are up to 50 here, and their rounding alone changes probabilities by 1e-5.
                            (found - expected).abs() < 5e-5 * expected.abs().max(1.0),
                            "{row}, {column}: {found} for {expected} at {}",
                            kernels.level()
                        );
                    }
                    results
                        .push(places.iter().map(|&(row, column)| out.row(row)[column].to_bits()).collect::<Vec<_>>());
                }
                assert_eq!(results[0], results[1], "threads at {}", kernels.level());
            }
        }
    }
}
