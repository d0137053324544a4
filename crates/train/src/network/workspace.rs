//! Matrices whose memory the next step uses again.
//!
//! Memory that is fresh from the operating system costs a page fault every 4 KB, which took a fifth of a step's time.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use albertine_kernels::{Element, Matrix};

/// The matrices that nobody uses at the moment.
#[derive(Default)]
pub(crate) struct Workspace {
    free: Mutex<Vec<Matrix>>,
}

impl Workspace {
    /// A matrix of that shape; its values are whatever the memory held.
    pub(super) fn matrix(&self, element: Element, rows: usize, columns: usize) -> Lent<'_> {
        let mut lent = self.memory(rows * columns * size_of::<f32>());
        lent.reshape(element, rows, columns);
        lent
    }

    /// A matrix of any shape, best with so many bytes: the smallest that has them, else the largest.
    pub(super) fn memory(&self, bytes: usize) -> Lent<'_> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |index: &usize| free[*index].bytes() >= bytes;
        let of = |index: &usize| free[*index].bytes();
        let smallest = (0..free.len()).filter(fits).min_by_key(of);
        let matrix = smallest.or_else(|| (0..free.len()).max_by_key(of)).map(|index| free.swap_remove(index));
        Lent { matrix: matrix.unwrap_or_default(), home: self }
    }
}

impl fmt::Debug for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Workspace")
    }
}

/// A matrix that goes back to its workspace when it is dropped.
#[derive(Debug)]
pub(crate) struct Lent<'m> {
    matrix: Matrix,
    home: &'m Workspace,
}

impl Deref for Lent<'_> {
    type Target = Matrix;

    fn deref(&self) -> &Matrix {
        &self.matrix
    }
}

impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut Matrix {
        &mut self.matrix
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let matrix = std::mem::take(&mut self.matrix);
        self.home.free.lock().unwrap_or_else(PoisonError::into_inner).push(matrix);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_and_fits_what_it_is_used_for() {
        let workspace = Workspace::default();
        let (large, small) = (workspace.matrix(Element::F32, 40, 64), workspace.matrix(Element::F32, 2, 64));
        let sizes = [large.bytes(), small.bytes()];
        drop((large, small));
        let again = [workspace.matrix(Element::F32, 2, 32), workspace.matrix(Element::F32, 30, 64)];
        assert_eq!(again.map(|matrix| matrix.bytes()), [sizes[1], sizes[0]]);
    }
}
