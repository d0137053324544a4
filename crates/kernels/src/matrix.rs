//! Rows of activations in one of the forms that a product reads or writes.

use rayon::prelude::*;

use crate::aligned::Aligned;
use crate::dot::MOST_ROWS;

/// What the values of a [`Matrix`] are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Element {
    /// 32-bit floating point.
    #[default]
    F32,
    /// bfloat16.
    Bf16,
    /// f32 as the sum of three bfloat16, which together hold all of its 24 bits: what is multiplied in place of f32
    /// where products of bfloat16 are more than six times as fast. Magnitudes below 1e-30 become 0; infinities, and
    /// what bfloat16 would round to one (from 3.396e38 on), become NaN.
    Bf16x3,
    /// Whole numbers from 0 to 255 in bytes, with a scale and an offset for each row.
    U8,
    /// The same numbers in 16 bits, for CPUs that multiply no bytes.
    U16,
}

impl Element {
    /// The values, or parts of values, in a word of 32 bits, which is what products multiply at a time.
    pub(crate) fn per_word(self) -> usize {
        match self {
            Self::F32 => 1,
            Self::Bf16 | Self::Bf16x3 | Self::U16 => 2,
            Self::U8 => 4,
        }
    }

    /// The words that so many values take, up to the end of the last group of [`Element::Bf16x3`].
    pub(crate) fn words(self, values: usize) -> usize {
        match self {
            Self::Bf16x3 => values.div_ceil(GROUP) * 3 * GROUP / 2,
            _ => values.div_ceil(self.per_word()),
        }
    }

    /// The words that so many values fill whole.
    fn whole_words(self, values: usize) -> usize {
        match self {
            Self::Bf16x3 => values / GROUP * 3 * GROUP / 2,
            _ => values / self.per_word(),
        }
    }

    /// Whether rows have a scale and an offset.
    pub(crate) fn is_quantized(self) -> bool {
        matches!(self, Self::U8 | Self::U16)
    }
}

/// How the whole numbers of a quantized row become real: `number * scale + offset`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct RowScale {
    pub(crate) scale: f32,
    pub(crate) offset: f32,
}

/// The words of a cache line.
pub(crate) const LINE: usize = 16;

/// Values of [`Element::Bf16x3`] that stand together: a cache line of their first parts, one of the second, one of the
/// third.
pub(crate) const GROUP: usize = 2 * LINE;

/// The rows that a product may read past the last one, and attention: the height of the tallest tile.
const SPARE_ROWS: usize = MOST_ROWS;

/// A matrix of activations whose memory is used again and again.
///
/// Rows start on cache lines, and an odd number of lines apart: rows whose distance is a large power of two would all
/// want the same few places of the first cache. Behind the last value of a row there are zeros up to the end of a line.
///
/// ```
/// use albertine_kernels::{Element, Matrix};
///
/// let mut matrix = Matrix::default();
/// matrix.reshape(Element::F32, 2, 3);
/// matrix.row_mut(1).copy_from_slice(&[1.0, 2.0, 3.0]);
/// assert_eq!(matrix.row(1), [1.0, 2.0, 3.0]);
/// ```
#[derive(Default)]
pub struct Matrix {
    words: Aligned,
    element: Element,
    rows: usize,
    columns: usize,
    /// The distance of two rows in words.
    stride: usize,
    /// One for each row of a quantized matrix.
    scales: Vec<RowScale>,
}

impl Matrix {
    /// Makes it a matrix of that shape. The values are whatever the memory held: the next step writes them all.
    #[expect(clippy::panic, reason = "as of a vector of more values than there are addresses")]
    pub fn reshape(&mut self, element: Element, rows: usize, columns: usize) {
        let used = element.words(columns);
        let lines = used.div_ceil(LINE).max(1);
        self.element = element;
        self.rows = rows;
        self.columns = columns;
        self.stride = (lines | 1) * LINE;
        let words = rows.checked_add(SPARE_ROWS).and_then(|rows| rows.checked_mul(self.stride));
        let words = self.words.grown_to(words.unwrap_or_else(|| panic!("a matrix of [{rows}, {columns}]")));
        let last = element.whole_words(columns);
        if last < lines * LINE {
            words.chunks_exact_mut(self.stride).for_each(|row| row[last..lines * LINE].fill(0));
        }
        if element.is_quantized() && self.scales.len() < rows {
            self.scales.resize(rows, RowScale::default());
        }
    }

    /// The memory that it has, in bytes, used or not.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(self.words.as_slice())
    }

    /// What the values are.
    #[must_use]
    pub fn element(&self) -> Element {
        self.element
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The values in a row.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// A row of f32, `[columns]`.
    ///
    /// # Panics
    ///
    /// When the matrix is not one of f32 or has no such row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        assert!(self.element == Element::F32, "values of {:?} read as f32", self.element);
        let words = self.row_words(row);
        // SAFETY: every 32 bits are an f32, and the slice has `columns` words at least.
        unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), self.columns) }
    }

    /// A row of f32, `[columns]`.
    ///
    /// # Panics
    ///
    /// As [`Matrix::row`].
    #[must_use]
    pub fn row_mut(&mut self, row: usize) -> &mut [f32] {
        assert!(self.element == Element::F32, "values of {:?} written as f32", self.element);
        let columns = self.columns;
        let words = self.row_words_mut(row);
        // SAFETY: as in `row`; the borrow of `self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), columns) }
    }

    /// All rows of f32 in turn, each `[columns]`, for the threads of a pool.
    ///
    /// # Panics
    ///
    /// When the matrix is not one of f32.
    pub fn par_rows_mut(&mut self) -> impl IndexedParallelIterator<Item = &mut [f32]> {
        assert!(self.element == Element::F32, "values of {:?} written as f32", self.element);
        let columns = self.columns;
        let words = &mut self.words.as_mut_slice()[..self.rows * self.stride];
        words.par_chunks_exact_mut(self.stride.max(1)).map(move |row| {
            // SAFETY: every 32 bits are an f32, a row has `columns` words at least, and no other has them.
            unsafe { std::slice::from_raw_parts_mut(row.as_mut_ptr().cast(), columns) }
        })
    }

    /// Makes it the rows `rows` of another matrix, in that order.
    ///
    /// # Panics
    ///
    /// When the other has no such row.
    pub fn copy_rows(&mut self, from: &Self, rows: &[usize]) {
        self.reshape(from.element, rows.len(), from.columns);
        for (to, &row) in rows.iter().enumerate() {
            self.row_words_mut(to).copy_from_slice(from.row_words(row));
            if from.element.is_quantized() {
                self.scales[to] = from.scales[row];
            }
        }
    }

    /// The distance of two rows in words.
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// All words of a row, the spare ones at its end too.
    pub(crate) fn row_words(&self, row: usize) -> &[u32] {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        &self.words.as_slice()[row * self.stride..][..self.stride]
    }

    fn row_words_mut(&mut self, row: usize) -> &mut [u32] {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        &mut self.words.as_mut_slice()[row * self.stride..][..self.stride]
    }

    /// A row of bfloat16, `[columns]`.
    pub(crate) fn row_bf16(&self, row: usize) -> &[u16] {
        assert!(self.element == Element::Bf16, "values of {:?} read as bfloat16", self.element);
        // SAFETY: a word is two values of 16 bits, and the row has enough of them for its columns.
        unsafe { std::slice::from_raw_parts(self.row_words(row).as_ptr().cast(), self.columns) }
    }

    /// A row of bfloat16, `[columns]`.
    pub(crate) fn row_bf16_mut(&mut self, row: usize) -> &mut [u16] {
        assert!(self.element == Element::Bf16, "values of {:?} written as bfloat16", self.element);
        let columns = self.columns;
        // SAFETY: as in `row_bf16`; the borrow of `self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.row_words_mut(row).as_mut_ptr().cast(), columns) }
    }

    /// The scales of the rows; empty for a matrix that is not quantized.
    pub(crate) fn scales(&self) -> &[RowScale] {
        if self.element.is_quantized() { &self.scales[..self.rows] } else { &[] }
    }

    /// The first word of the first row, for [`SPARE_ROWS`] more rows than there are.
    pub(crate) fn as_ptr(&self) -> *const u32 {
        self.words.as_slice().as_ptr()
    }

    /// Where to write: this matrix for several threads, each with rows or columns of its own.
    pub(crate) fn target(&mut self) -> Target {
        Target {
            words: self.words.as_mut_slice().as_mut_ptr(),
            scales: self.scales.as_mut_ptr(),
            element: self.element,
            rows: self.rows,
            columns: self.columns,
            stride: self.stride,
        }
    }
}

impl std::fmt::Debug for Matrix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Matrix([{}, {}] of {:?})", self.rows, self.columns, self.element)
    }
}

/// A matrix that is being written, perhaps by several threads in different places.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    words: *mut u32,
    scales: *mut RowScale,
    element: Element,
    rows: usize,
    columns: usize,
    stride: usize,
}

// SAFETY: it is a place, not a borrow; writing through it is unsafe, and whoever does promises that nobody else
// accesses the same values meanwhile.
unsafe impl Send for Target {}
// SAFETY: as above.
unsafe impl Sync for Target {}

impl Target {
    pub(crate) fn element(self) -> Element {
        self.element
    }

    pub(crate) fn rows(self) -> usize {
        self.rows
    }

    pub(crate) fn columns(self) -> usize {
        self.columns
    }

    /// The distance of two rows in values.
    pub(crate) fn stride(self) -> usize {
        self.stride * self.element.per_word()
    }

    /// The value in a row and column as f32.
    pub(crate) fn f32_at(self, row: usize, column: usize) -> *mut f32 {
        debug_assert!(self.element == Element::F32 && row < self.rows && column <= self.columns);
        // A place within the matrix, or one past a row, by the shape that `reshape` gave it.
        self.words.cast::<f32>().wrapping_add(row * self.stride() + column)
    }

    /// The value in a row and column as 16 bits.
    pub(crate) fn u16_at(self, row: usize, column: usize) -> *mut u16 {
        debug_assert!(
            matches!(self.element, Element::Bf16 | Element::U16) && row < self.rows && column <= self.columns
        );
        self.words.cast::<u16>().wrapping_add(row * self.stride() + column)
    }

    /// The three parts of the value in a row and column.
    pub(crate) fn parts_at(self, row: usize, column: usize) -> [*mut u16; 3] {
        debug_assert!(self.element == Element::Bf16x3 && row < self.rows && column <= self.columns);
        let first = row * self.stride() + column / GROUP * 3 * GROUP + column % GROUP;
        [0, 1, 2].map(|part| self.words.cast::<u16>().wrapping_add(first + part * GROUP))
    }

    /// The value in a row and column as a byte.
    pub(crate) fn u8_at(self, row: usize, column: usize) -> *mut u8 {
        debug_assert!(self.element == Element::U8 && row < self.rows && column <= self.columns);
        self.words.cast::<u8>().wrapping_add(row * self.stride() + column)
    }

    /// The scale of a row.
    pub(crate) fn scale_of(self, row: usize) -> *mut RowScale {
        debug_assert!(self.element.is_quantized() && row < self.rows);
        self.scales.wrapping_add(row)
    }
}
