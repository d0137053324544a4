//! Tiles in the vector registers of AArch64: eight rows by eight columns.
//!
//! AArch64 multiplies a vector with one lane of another in one instruction, so that four words of a row are loaded at a
//! time and none is broadcast ([`by_lane`]). CPUs with I8MM and BF16 multiply two rows by two columns in one
//! instruction ([`by_matrix`]).

mod by_lane;
mod by_matrix;
mod instructions;
mod words;

use super::{MOST_COLUMNS, Multiplier, SPUN, Tile};
use crate::simd::{Neon, Simd};

pub(super) use by_lane::ByLane;
pub(super) use by_matrix::{BF16S, BYTES, ByMatrix};
pub(super) use words::{F32s, Shorts, SignedBytes};

/// The rows of the tallest tile.
const ROWS: usize = Neon::TILE_ROWS;
/// The columns of a panel.
const PANEL: usize = Neon::PANEL;
/// The words of a row that are loaded at a time.
const STEP: usize = 4;
/// The most words of a block of a panel: 16 KiB, half of the smallest first cache. Nobody has measured its neighbours.
const BLOCK: usize = 512;

/// The words of the rows and columns of [`spin`].
const SPUN_WORDS: usize = 64;

/// Multiplies a tile that stays in the first cache, again and again: [`Multiplier::spin`]. Its loads are a quarter of
/// its instructions and wait for nothing.
fn spin<M: Multiplier>(multiplier: M, rounds: usize) -> usize {
    let rounds = rounds.div_ceil(SPUN_WORDS / STEP);
    let words = [SPUN; ROWS * SPUN_WORDS];
    let mut sums = [0; ROWS * MOST_COLUMNS];
    for _ in 0..rounds {
        let tile = Tile {
            rows: words.as_ptr(),
            stride: SPUN_WORDS,
            height: ROWS,
            panel: words.as_ptr(),
            words: SPUN_WORDS,
            sums: sums.as_mut_ptr(),
            resumes: false,
            soon: words.as_ptr(),
        };
        // SAFETY: rows and panel are eight by `SPUN_WORDS` words each, and there is room for the sums of eight by eight.
        unsafe { multiplier.multiply(tile, ()) };
    }
    std::hint::black_box(&sums);
    rounds * ROWS * PANEL * SPUN_WORDS
}

const _: () = assert!(ROWS == PANEL, "`spin` reads the same words as rows and as a panel");
