//! Keys and values of one head as the weights of a product, and its queries as rows.

use std::ops::Range;

use crate::matrix::{Element, Matrix};
use crate::simd::{Operation, Simd};

/// Copies the columns of a head: rows of `queries` from the rows `first..` of `matrix`.
pub(super) fn copy_queries(queries: &mut Matrix, matrix: &Matrix, first: usize, column: usize) {
    let size = queries.columns();
    for row in 0..queries.rows() {
        match matrix.element() {
            Element::F32 => queries.row_mut(row).copy_from_slice(&matrix.row(first + row)[column..][..size]),
            _ => queries.row_bf16_mut(row).copy_from_slice(&matrix.row_bf16(first + row)[column..][..size]),
        }
    }
}

/// The columns of a head in the rows of a document, and where they are packed.
pub(super) struct Part<'a> {
    pub(super) panels: &'a mut [u32],
    pub(super) matrix: &'a Matrix,
    pub(super) rows: Range<usize>,
    pub(super) column: usize,
    pub(super) size: usize,
    /// The words of an output in its panel.
    pub(super) words: usize,
}

/// Packs keys, whose rows are the outputs of `Q Kᵀ`: `[panels of keys, words of a key, width]`. What is left of the
/// last panel holds whatever rows follow, or stays as it is: it makes columns that nobody reads.
pub(super) struct PackKeys<'a>(pub(super) Part<'a>);

impl Operation for PackKeys<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Part { panels, matrix, rows, column, size, words } = self.0;
        let width = S::PANEL;
        let per_word = matrix.element().per_word();
        let aligned = column.is_multiple_of(per_word) && size.is_multiple_of(per_word);
        let squares = if aligned { size / per_word / S::LANES } else { 0 };
        assert!(rows.end <= matrix.rows() && column + size <= matrix.columns() && squares * S::LANES <= words);
        for (panel, first) in panels.chunks_exact_mut(words * width).zip(rows.clone().step_by(width)) {
            for half in 0..2 {
                let first = first + half * S::LANES;
                if first >= rows.end {
                    break;
                }
                let from = matrix.as_ptr().wrapping_add(first * matrix.stride() + column / per_word);
                for square in 0..squares {
                    let word = square * S::LANES;
                    let to = panel[word * width + half * S::LANES..].as_mut_ptr();
                    // SAFETY: the first row is one of the matrix, which has spare ones behind its last for more than a
                    // square; its words are within the columns, and those of the panel within `words * width`.
                    unsafe { s.transpose(from.wrapping_add(word), matrix.stride(), to, width) };
                }
            }
            for row in first..rows.end.min(first + width) {
                let packed = panel[row - first..].iter_mut().step_by(width).skip(squares * S::LANES);
                if aligned {
                    let key = &matrix.row_words(row)[column / per_word..][..size / per_word];
                    packed.zip(&key[squares * S::LANES..]).for_each(|(word, &key)| *word = key);
                } else {
                    let key = matrix.row_bf16(row)[column..][..size].chunks(2);
                    packed.zip(key).for_each(|(word, key)| *word = pair(key[0], key.get(1).copied().unwrap_or(0)));
                }
            }
            panel[size.div_ceil(per_word) * width..].fill(0);
        }
    }
}

/// Packs values, whose rows are the inputs of the product with the probabilities: `[panels of columns, words of rows,
/// width]`.
pub(super) struct PackValues<'a>(pub(super) Part<'a>);

impl Operation for PackValues<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Part { panels, matrix, rows, column, size, words } = self.0;
        let width = S::PANEL;
        let per_word = matrix.element().per_word();
        for (panel, first) in panels.chunks_exact_mut(words * width).zip((0..size).step_by(width)) {
            let columns = column + first..column + size.min(first + width);
            for (packed, row) in panel.chunks_exact_mut(width).zip(rows.clone().step_by(per_word)) {
                match matrix.element() {
                    Element::F32 => packed[..columns.len()].copy_from_slice(&matrix.row_words(row)[columns.clone()]),
                    _ => {
                        let upper = &matrix.row_bf16(row)[columns.clone()];
                        if row + 1 < rows.end {
                            let lower = &matrix.row_bf16(row + 1)[columns.clone()];
                            let both = upper.iter().zip(lower);
                            packed.iter_mut().zip(both).for_each(|(word, (&upper, &lower))| *word = pair(upper, lower));
                        } else {
                            packed.iter_mut().zip(upper).for_each(|(word, &upper)| *word = pair(upper, 0));
                        }
                    }
                }
            }
            panel[rows.len().div_ceil(per_word) * width..].fill(0);
        }
    }
}

/// Two values of 16 bits in the order of memory, which is little-endian wherever bfloat16 is multiplied.
#[inline(always)]
fn pair(first: u16, second: u16) -> u32 {
    u32::from(first) | u32::from(second) << 16
}
