//! How rows and packed weights are multiplied: a word of 32 bits at a time, whatever stands in it.
//!
//! A word is one f32, two bfloat16, two 16-bit numbers or four bytes. A row and a panel of packed weights are words in
//! the same order, so that one loop over tiles serves all of them: it broadcasts a word of a row and adds its products
//! with a panel's words to a vector of sums ([`Dot`], [`Lanes`]). AMX multiplies whole tiles of such words ([`amx`]),
//! AArch64 a vector with one lane of another, or two rows with two columns ([`neon`]).
//!
//! Sums of bytes and of 16-bit numbers are exact, so that every CPU level has the same ones, but for AVX2: there, weights
//! are rounded a little more coarsely, so that two products add up in 16 bits ([`Kernels::adds_in_16_bits`]).

#[cfg(target_arch = "x86_64")]
mod amx;
mod f32s;
mod lanes;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod x86;

mod shorts;

use crate::cpu::{CpuLevel, Kernels};
use crate::matrix::{Element, LINE};
#[cfg(target_arch = "aarch64")]
use crate::simd::Neon;
#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512, BASE, BF16, VNNI};
use crate::simd::{Portable, Simd};

#[cfg(target_arch = "x86_64")]
pub(crate) use amx::is_allowed as amx_is_allowed;
use f32s::F32s;
use lanes::Lanes;
use shorts::Shorts;

/// The most rows and columns of a tile at any level.
pub(crate) const MOST_ROWS: usize = 32;
/// The columns of the widest panel.
pub(crate) const MOST_COLUMNS: usize = 32;

/// The magnitudes of two weights whose products with bytes up to 255 add up to a number of 16 bits.
pub(crate) const MOST_OF_TWO: i32 = 128;
const _: () = assert!(255 * MOST_OF_TWO <= i16::MAX as i32);

/// What [`Multiplier::spin`] multiplies, an ordinary number in every meaning of a word: zeros might be cheaper.
const SPUN: u32 = 0x3f00_3f00;

/// A part of a tile's work: some words of a few rows by one panel.
#[derive(Clone, Copy)]
pub(crate) struct Tile {
    /// `[height, words]`, rows `stride` words apart
    pub(crate) rows: *const u32,
    pub(crate) stride: usize,
    /// At most [`Multiplier::ROWS`].
    pub(crate) height: usize,
    /// `[words, panel]`
    pub(crate) panel: *const u32,
    pub(crate) words: usize,
    /// `[height, panel]` of f32 or i32
    pub(crate) sums: *mut u32,
    /// The sums go on from what stands there; otherwise from 0.
    pub(crate) resumes: bool,
    /// Words that will be wanted soon: [`Multiplier::AHEAD`] cache lines of them are asked to come near in each step.
    /// Any address will do.
    pub(crate) soon: *const u32,
}

/// As few tiles as there can be, of nearly equal height: two of 7 and 6 keep more multiply-adds in flight than one of 12
/// and one of 1.
fn even_heights(rows: usize, most: usize) -> impl Iterator<Item = usize> {
    let tiles = rows.div_ceil(most).max(1);
    let (height, taller) = (rows / tiles, rows % tiles);
    (0..tiles).map(move |tile| height + usize::from(tile < taller))
}

/// Other work that is done while a tile is multiplied. It is no closure because all of it must be inlined into code for
/// the vectors of a level.
pub(crate) trait Beside {
    /// Does one of so many parts of it; each is asked for once, in turn.
    fn part(&mut self, part: usize, parts: usize);
}

/// Nothing.
impl Beside for () {
    #[inline(always)]
    fn part(&mut self, _: usize, _: usize) {}
}

/// What multiplies tiles of words. A value is a proof that the running CPU can.
pub(crate) trait Multiplier: Copy {
    /// The f32 vectors for what is done with the sums.
    type Simd: Simd;
    /// The rows of the tallest tile.
    const ROWS: usize;
    /// The columns of a panel.
    const PANEL: usize = Self::Simd::PANEL;
    /// The sums are i32, of quantized values.
    const INTEGER: bool;
    /// What is subtracted from each number of a row before it is multiplied: sums start from as many times the sum of
    /// the weights.
    const ROW_OFFSET: i32 = 0;
    /// The words that are multiplied at a time.
    const STEP: usize;
    /// Words are a multiple of [`Multiplier::STEP`]: packed weights and rows have zeros up to the next one.
    const PADDED: bool;
    /// The most words of a block of a panel, which every tile of a block of rows reads again. Chosen by `bench_matmul`
    /// among its neighbours.
    const BLOCK: usize;
    /// The cache lines that a tile asks for ahead of time in each of its steps.
    const AHEAD: usize;
    /// Sums wait to be finished until the next tile is multiplied.
    const WAITS: bool = false;

    fn simd(self) -> Self::Simd;

    /// `rows` cut into the heights of tiles.
    fn heights(rows: usize) -> impl Iterator<Item = usize>;

    /// Whether there is time for other work between the steps of a tile's multiplication, whose registers are not those of
    /// [`Simd`].
    #[inline(always)]
    fn overlaps(_height: usize) -> bool {
        false
    }

    /// Adds the products of a tile to its sums. Where it [`Multiplier::overlaps`], all of the other work is done before the
    /// new sums are stored; elsewhere there must be none.
    ///
    /// # Safety
    ///
    /// The pointers of `tile` are valid for the shapes beside them: for reads of rows and panel, for reads and writes
    /// of the sums, which nothing else accesses meanwhile. Where the multiplier is [`Multiplier::PADDED`], words are
    /// some and a multiple of [`Multiplier::STEP`]. At the levels with AMX, rows and sums are valid for [`MOST_ROWS`]
    /// rows, and the call is within [`Multiplier::prepared`].
    unsafe fn multiply(self, tile: Tile, beside: impl Beside);

    /// Multiplies what stands in registers, as many times as there are registers for sums in each of `rounds`; returns
    /// how many words were multiplied. Nothing multiplies faster on this CPU. The call is within
    /// [`Multiplier::prepared`].
    fn spin(self, rounds: usize) -> usize;

    /// Runs work that multiplies tiles, with the registers of this thread set up for it.
    #[inline(always)]
    fn prepared<R>(self, work: impl FnOnce() -> R) -> R {
        work()
    }
}

/// A computation written over any multiplier.
pub(crate) trait Multiplication {
    fn run<M: Multiplier>(self, multiplier: M);
}

impl Kernels {
    /// Runs a multiplication of rows of that element; nothing but f32 and one kind of whole numbers at most levels.
    #[expect(clippy::panic, reason = "which elements a level multiplies is checked when weights are packed")]
    pub(crate) fn multiply<O: Multiplication>(self, element: Element, operation: O) {
        // SAFETY (of every `assume` below): `Kernels::at` found that this CPU has the level, and with it what the
        // level's documentation names.
        match (self.level(), element) {
            (level, Element::F32) => match level {
                CpuLevel::Portable => operation.run(Lanes(F32s(Portable))),
                #[cfg(target_arch = "x86_64")]
                CpuLevel::Avx2 | CpuLevel::Avx2Vnni => {
                    // SAFETY: see above.
                    operation.run(Lanes(F32s(unsafe { Avx2::<false>::assume() })));
                }
                #[cfg(target_arch = "x86_64")]
                CpuLevel::Avx512 | CpuLevel::Avx512Vnni => {
                    // SAFETY: see above.
                    operation.run(Lanes(F32s(unsafe { Avx512::<BASE>::assume() })));
                }
                #[cfg(target_arch = "x86_64")]
                CpuLevel::Avx512Bf16 | CpuLevel::Amx => {
                    // SAFETY: see above.
                    operation.run(Lanes(F32s(unsafe { Avx512::<BF16>::assume() })));
                }
                #[cfg(target_arch = "aarch64")]
                CpuLevel::Neon | CpuLevel::NeonDotprod | CpuLevel::NeonI8mm | CpuLevel::NeonBf16 => {
                    // SAFETY: see above.
                    operation.run(neon::ByLane(neon::F32s(unsafe { Neon::assume() })));
                }
                _ => panic!("{level} on this architecture"),
            },
            (CpuLevel::Portable, Element::U16) => operation.run(Lanes(Shorts(Portable))),
            #[cfg(target_arch = "x86_64")]
            (CpuLevel::Avx2, Element::U8) => {
                // SAFETY: see above.
                operation.run(Lanes(x86::Bytes(unsafe { Avx2::<false>::assume() })));
            }
            #[cfg(target_arch = "x86_64")]
            (CpuLevel::Avx512, Element::U16) => {
                // SAFETY: see above.
                operation.run(Lanes(Shorts(unsafe { Avx512::<BASE>::assume() })));
            }
            #[cfg(target_arch = "x86_64")]
            (CpuLevel::Avx2Vnni, Element::U8) => {
                // SAFETY: see above.
                operation.run(Lanes(x86::Bytes(unsafe { Avx2::<true>::assume() })));
            }
            #[cfg(target_arch = "x86_64")]
            (CpuLevel::Avx512Vnni, Element::U8) => {
                // SAFETY: see above.
                operation.run(Lanes(x86::Bytes(unsafe { Avx512::<VNNI>::assume() })));
            }
            #[cfg(target_arch = "x86_64")]
            (CpuLevel::Avx512Bf16, Element::U8) => {
                // SAFETY: see above.
                operation.run(Lanes(x86::Bytes(unsafe { Avx512::<BF16>::assume() })));
            }
            #[cfg(target_arch = "x86_64")]
            (CpuLevel::Avx512Bf16, Element::Bf16) => {
                // SAFETY: see above.
                operation.run(Lanes(x86::Bf16s(unsafe { Avx512::<BF16>::assume() })));
            }
            #[cfg(target_arch = "x86_64")]
            (CpuLevel::Amx, Element::U8) => {
                // SAFETY: see above.
                operation.run(amx::Amx::<{ amx::BYTES }>(unsafe { Avx512::<BF16>::assume() }));
            }
            #[cfg(target_arch = "x86_64")]
            (CpuLevel::Amx, Element::Bf16) => {
                // SAFETY: see above.
                operation.run(amx::Amx::<{ amx::BF16S }>(unsafe { Avx512::<BF16>::assume() }));
            }
            #[cfg(target_arch = "x86_64")]
            (CpuLevel::Amx, Element::Bf16x3) => {
                // SAFETY: see above.
                operation.run(amx::Amx::<{ amx::BF16X3 }>(unsafe { Avx512::<BF16>::assume() }));
            }
            #[cfg(target_arch = "aarch64")]
            (CpuLevel::Neon, Element::U16) => {
                // SAFETY: see above.
                operation.run(neon::ByLane(neon::Shorts(unsafe { Neon::assume() })));
            }
            #[cfg(target_arch = "aarch64")]
            (CpuLevel::NeonDotprod, Element::U8) => {
                // SAFETY: see above.
                operation.run(neon::ByLane(unsafe { neon::SignedBytes::assume(Neon::assume()) }));
            }
            #[cfg(target_arch = "aarch64")]
            (CpuLevel::NeonI8mm | CpuLevel::NeonBf16, Element::U8) => {
                // SAFETY: see above.
                operation.run(unsafe { neon::ByMatrix::<{ neon::BYTES }>::assume(Neon::assume()) });
            }
            #[cfg(target_arch = "aarch64")]
            (CpuLevel::NeonBf16, Element::Bf16) => {
                // SAFETY: see above.
                operation.run(unsafe { neon::ByMatrix::<{ neon::BF16S }>::assume(Neon::assume()) });
            }
            (level, element) => panic!("values of {element:?} are not multiplied at the level {level}"),
        }
    }

    /// Whether this level multiplies rows of that element.
    pub(crate) fn multiplies(self, element: Element) -> bool {
        match element {
            Element::F32 => true,
            Element::Bf16 => matches!(self.level(), CpuLevel::Avx512Bf16 | CpuLevel::Amx | CpuLevel::NeonBf16),
            Element::Bf16x3 => self.level() == CpuLevel::Amx,
            Element::U16 => {
                matches!(self.level(), CpuLevel::Portable | CpuLevel::Avx512 | CpuLevel::Neon)
            }
            Element::U8 => !self.multiplies(Element::U16),
        }
    }

    /// Whether two products of a row's bytes are added up in 16 bits, which saturate: the magnitudes of two weights beside
    /// each other must add up to no more than [`MOST_OF_TWO`].
    pub(crate) fn adds_in_16_bits(self, element: Element) -> bool {
        element == Element::U8 && self.level() == CpuLevel::Avx2
    }

    /// The words that rows and packed weights of that element are a multiple of, filled up with zeros:
    /// [`Multiplier::STEP`] where it is [`Multiplier::PADDED`].
    pub(crate) fn word_step(self, element: Element) -> usize {
        match (self.level(), element) {
            (_, Element::F32) => 1,
            (CpuLevel::Amx, _) => LINE,
            (CpuLevel::NeonI8mm | CpuLevel::NeonBf16, _) => 4,
            _ => 1,
        }
    }

    /// Whether the words of panels lie in pairs: two of a column, then two of the next.
    pub(crate) fn has_paired_words(self, element: Element) -> bool {
        element != Element::F32 && matches!(self.level(), CpuLevel::NeonI8mm | CpuLevel::NeonBf16)
    }
}
