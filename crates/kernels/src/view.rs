//! A read-only view of rows that stand at a constant distance in a larger matrix.

/// Rows of `width` values, `stride` apart: a matrix, or a band of columns of a wider one.
///
/// ```
/// use albertine_kernels::Rows;
///
/// let matrix = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]; // [2, 3]
/// let last_two_columns = Rows::new(&matrix[1..], 2, 2, 3);
/// assert_eq!(last_two_columns.row(1), [5.0, 6.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    data: &'a [f32],
    count: usize,
    width: usize,
    stride: usize,
}

impl<'a> Rows<'a> {
    /// `count` rows of `width` values; the first starts at `data[0]`, each next one `stride` values later.
    ///
    /// # Panics
    ///
    /// When the rows overlap (`stride < width`) or do not lie within `data`.
    #[must_use]
    pub fn new(data: &'a [f32], count: usize, width: usize, stride: usize) -> Self {
        assert!(stride >= width, "rows of {width} values cannot be {stride} apart");
        let needed = match count.checked_sub(1) {
            None => Some(0),
            Some(gaps) => gaps.checked_mul(stride).and_then(|end| end.checked_add(width)),
        };
        assert!(
            needed.is_some_and(|needed| needed <= data.len()),
            "{count} rows of {width} values, {stride} apart, do not lie within {} values",
            data.len()
        );
        Self { data, count, width, stride }
    }

    /// The number of rows.
    #[must_use]
    pub fn count(self) -> usize {
        self.count
    }

    /// The values in a row.
    #[must_use]
    pub fn width(self) -> usize {
        self.width
    }

    /// The row at `index`, `[width]`.
    ///
    /// # Panics
    ///
    /// When there is no such row.
    #[must_use]
    pub fn row(self, index: usize) -> &'a [f32] {
        assert!(index < self.count, "row {index} of {}", self.count);
        &self.data[index * self.stride..][..self.width]
    }

    /// The distance between the starts of two rows, in values.
    pub(crate) fn stride(self) -> usize {
        self.stride
    }

    /// The first value of the first row.
    pub(crate) fn as_ptr(self) -> *const f32 {
        self.data.as_ptr()
    }

    /// The same rows, cut to the columns `first..first + width`.
    pub(crate) fn columns(self, first: usize, width: usize) -> Self {
        assert!(first + width <= self.width, "columns {first} to {} of {}", first + width, self.width);
        if self.count == 0 {
            return Self { width, ..self };
        }
        Self { data: &self.data[first..], width, ..self }
    }

    /// `count` of the rows, from `first` on.
    pub(crate) fn slice(self, first: usize, count: usize) -> Self {
        assert!(first + count <= self.count, "rows {first} to {} of {}", first + count, self.count);
        if count == 0 {
            return Self { count, ..self };
        }
        Self { data: &self.data[first * self.stride..], count, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_and_slices_show_the_right_values() {
        let data: Vec<f32> = (0..12_u8).map(f32::from).collect();
        let rows = Rows::new(&data, 3, 4, 4);
        assert_eq!(rows.columns(1, 2).row(2), [9.0, 10.0]);
        assert_eq!(rows.slice(1, 2).columns(3, 1).row(1), [11.0]);
        assert_eq!(rows.slice(3, 0).count(), 0);
    }

    #[test]
    #[should_panic(expected = "2 rows of 3 values, 4 apart, do not lie within 6 values")]
    fn rows_beyond_the_data_are_caught() {
        let _ = Rows::new(&[0.0; 6], 2, 3, 4);
    }

    #[test]
    #[should_panic(expected = "do not lie within")]
    fn sizes_that_overflow_are_caught() {
        let _ = Rows::new(&[0.0; 6], usize::MAX, 1, usize::MAX);
    }
}
