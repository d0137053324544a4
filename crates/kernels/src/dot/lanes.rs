//! Tiles in vector registers.

#[cfg(target_arch = "x86_64")]
use std::arch::asm;
use std::hint::black_box;

use super::{Beside, LINE, Multiplier, SPUN, Tile, even_heights};
use crate::simd::{Operation, Simd};

/// How a vector of words is multiplied, for CPUs that multiply vector by vector.
pub(crate) trait Dot: Copy {
    type Simd: Simd;
    /// Words, [`Simd::LANES`] of them.
    type Words: Copy;
    /// As many sums.
    type Sums: Copy;
    const INTEGER: bool;
    /// [`Dot::multiply_add`] is one instruction.
    const FUSED: bool;

    fn simd(self) -> Self::Simd;

    fn zero(self) -> Self::Sums;

    /// # Safety
    ///
    /// `from` is valid for reads of [`Simd::LANES`] words.
    unsafe fn load(self, from: *const u32) -> Self::Words;

    /// The word at `from` in every lane.
    ///
    /// # Safety
    ///
    /// `from` is valid for reads of a word.
    unsafe fn splat(self, from: *const u32) -> Self::Words;

    /// `sums + a * b`, where `a` is of the rows and `b` of the weights.
    fn multiply_add(self, a: Self::Words, b: Self::Words, sums: Self::Sums) -> Self::Sums;

    /// # Safety
    ///
    /// `from` is valid for reads of [`Simd::LANES`] sums.
    unsafe fn load_sums(self, from: *const u32) -> Self::Sums;

    /// # Safety
    ///
    /// `to` is valid for writes of [`Simd::LANES`] sums.
    unsafe fn store_sums(self, to: *mut u32, sums: Self::Sums);
}

/// Words in one turn of the loop; those that are left over at the end are turns of their own.
const UNROLLED: usize = 4;

/// Tiles of as many rows as leave room in the registers for two vectors of weights.
#[derive(Clone, Copy)]
pub(super) struct Lanes<D>(pub(super) D);

impl<D: Dot> Multiplier for Lanes<D> {
    type Simd = D::Simd;
    const ROWS: usize = D::Simd::TILE_ROWS;
    const INTEGER: bool = D::INTEGER;
    const STEP: usize = UNROLLED;
    const PADDED: bool = false;
    /// With panels of 32 columns 32 KiB. With those of 16 (and of 8, in plain Rust), 48 KiB, which come from the second cache as fast as they are
    /// multiplied, and no sums go through memory in a product of 768 inputs.
    const BLOCK: usize = if D::Simd::PANEL > 16 { 256 } else { 768 };
    const AHEAD: usize = 1;

    #[inline(always)]
    fn simd(self) -> D::Simd {
        self.0.simd()
    }

    fn heights(rows: usize) -> impl Iterator<Item = usize> {
        even_heights(rows, Self::ROWS)
    }

    #[inline(always)]
    unsafe fn multiply(self, tile: Tile, _: impl Beside) {
        /// Chooses the code for a height. Heights above the level's tallest are never compiled.
        macro_rules! choose {
            ($($rows:literal)*) => {
                match tile.height {
                    $($rows if $rows <= Self::ROWS => self.simd().call(Fixed::<D, $rows>(self.0, tile)),)*
                    _ => {}
                }
            };
        }
        const { assert!(Self::ROWS <= 12) };
        choose!(1 2 3 4 5 6 7 8 9 10 11 12);
    }

    fn spin(self, rounds: usize) -> usize {
        self.simd().call(Chains(self.0, rounds));
        rounds * CHAINS * D::Simd::LANES
    }
}

/// Sums that do not wait for each other: two multiply-adds a cycle with a latency of five need ten, and more would not
/// fit the sixteen registers of the lower levels with room to move.
const CHAINS: usize = 10;

/// Room for a vector of words of each chain, and one more, that crosses no cache line.
#[repr(C, align(64))]
struct Words([[u32; 16]; CHAINS + 1]);

/// Adds products to each of [`CHAINS`] sums, again and again.
struct Chains<D>(D, usize);

impl<D: Dot> Operation for Chains<D> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        const { assert!(D::Simd::LANES <= 16) };
        // Sums that the compiler does not know to be equal: it would see that one chain is enough.
        let mut results = black_box([[0_u32; 16]; CHAINS]);
        let words = Words([[SPUN; 16]; CHAINS + 1]);
        // SAFETY: each array has room for the widest vectors.
        unsafe {
            let mut from = opaque((&raw const words).cast());
            let (a, b) = (self.0.load(from), self.0.load(from.add(CHAINS * 16)));
            let mut chains = [self.0.zero(); CHAINS];
            for (chain, start) in chains.iter_mut().zip(&results) {
                *chain = self.0.load_sums(start.as_ptr());
            }
            for _ in 0..self.1 {
                if D::FUSED {
                    chains.iter_mut().for_each(|chain| *chain = self.0.multiply_add(a, b, *chain));
                } else {
                    // The compiler would multiply once and add again and again, so that there must be news each time:
                    // a load more for each product, for which there is time beside two instructions.
                    from = opaque(from);
                    for (index, chain) in chains.iter_mut().enumerate() {
                        *chain = self.0.multiply_add(self.0.load(from.add(index * 16)), b, *chain);
                    }
                }
            }
            for (result, chain) in results.iter_mut().zip(chains) {
                self.0.store_sums(result.as_mut_ptr(), chain);
            }
        }
        black_box(&results);
    }
}

/// A tile whose height is known to the compiler, which keeps its sums in registers. Only [`Lanes`] makes one.
struct Fixed<D, const M: usize>(D, Tile);

impl<D: Dot, const M: usize> Operation for Fixed<D, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self(d, tile) = self;
        let (lanes, panel) = (D::Simd::LANES, D::Simd::PANEL);
        let mut sums = [[d.zero(); 2]; M];
        // SAFETY: the caller of `multiply` promises that all pointers are valid for their shapes: `M` rows of words at
        // their stride, `words` rows of the panel, `M` rows of sums.
        unsafe {
            if tile.resumes {
                for (row, sums) in sums.iter_mut().enumerate() {
                    let from = tile.sums.add(row * panel);
                    *sums = [d.load_sums(from), d.load_sums(from.add(lanes))];
                }
            }
            let mut rows = [tile.rows; M];
            for (row, from) in rows.iter_mut().enumerate() {
                *from = opaque(from.add(row * tile.stride));
            }
            let (mut from, mut soon) = (tile.panel, tile.soon);
            for _ in 0..tile.words / UNROLLED {
                for word in 0..UNROLLED {
                    add_word(d, &rows, from, word, &mut sums);
                }
                d.simd().prefetch(soon);
                soon = soon.wrapping_add(LINE);
                from = from.add(UNROLLED * panel);
                rows.iter_mut().for_each(|row| *row = row.add(UNROLLED));
            }
            for word in 0..tile.words % UNROLLED {
                add_word(d, &rows, from, word, &mut sums);
            }
            for (row, sums) in sums.iter().enumerate() {
                let to = tile.sums.add(row * panel);
                d.store_sums(to, sums[0]);
                d.store_sums(to.add(lanes), sums[1]);
            }
        }
    }
}

/// Adds the products of one word of each row with that of the panel.
///
/// # Safety
///
/// The rows and the panel have the word.
#[inline(always)]
unsafe fn add_word<D: Dot, const M: usize>(
    d: D,
    rows: &[*const u32; M],
    panel: *const u32,
    word: usize,
    sums: &mut [[D::Sums; 2]; M],
) {
    // SAFETY: the caller promises the words.
    unsafe {
        let panel = panel.add(word * D::Simd::PANEL);
        let (left, right) = (d.load(panel), d.load(panel.add(D::Simd::LANES)));
        for (row, sums) in rows.iter().zip(sums) {
            let a = d.splat(row.add(word));
            sums[0] = d.multiply_add(a, left, sums[0]);
            sums[1] = d.multiply_add(a, right, sums[1]);
        }
    }
}

/// The same pointer, of which the compiler does not know how it lies to others: a pointer for each row, moved on by one
/// addition in four words, leaves the ports to the multiplications. Left to itself it computes each row's address from
/// the one before, at every word.
#[inline(always)]
fn opaque(pointer: *const u32) -> *const u32 {
    #[cfg(target_arch = "x86_64")]
    {
        let mut pointer = pointer;
        // SAFETY: no instruction at all.
        unsafe { asm!("/* {} */", inout(reg) pointer, options(nostack, preserves_flags)) };
        pointer
    }
    #[cfg(not(target_arch = "x86_64"))]
    pointer
}
