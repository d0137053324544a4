//! Tiles in the tile registers of AMX, two by two: 32 rows by 32 columns.
//!
//! The compiler has no stable functions for tile registers and allocates none, so that they are used in assembly alone. Sums
//! stay in them from one block of assembly to the next, within one call of [`Multiplier::multiply`]: in between, the CPU's
//! vectors finish the tile before, which costs almost nothing while tiles are multiplied.

use std::arch::asm;

use super::{Beside, LINE, Multiplier, SPUN, Tile};
use crate::simd::{Avx512, BF16};

/// Words of two bfloat16, for [`Amx`].
pub(super) const BF16S: u8 = 0;
/// Words of four bytes.
pub(super) const BYTES: u8 = 1;
/// Groups of words of the three parts of [`Element::Bf16x3`](crate::Element::Bf16x3).
pub(super) const BF16X3: u8 = 2;

/// AMX for one kind of words.
#[derive(Clone, Copy)]
pub(super) struct Amx<const KIND: u8>(pub(super) Avx512<BF16>);

/// Whether this CPU has AMX for bytes and bfloat16, and the operating system lets this process use it.
///
/// Linux saves tile registers only for processes that asked for them, once for all threads
/// (Documentation/arch/x86/xstate.rst).
pub(crate) fn is_allowed() -> bool {
    cfg!(target_os = "linux") && is_there() && ask()
}

/// CPUID leaf 7: AMX-BF16, AMX-TILE and AMX-INT8 are the bits 22, 24 and 25 of EDX.
fn is_there() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};

    const BITS: u32 = 1 << 22 | 1 << 24 | 1 << 25;
    const OSXSAVE: u32 = 1 << 27;
    __cpuid(0).eax >= 7 && __cpuid(1).ecx & OSXSAVE != 0 && __cpuid_count(7, 0).edx & BITS == BITS
}

/// `arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)`
fn ask() -> bool {
    const ARCH_PRCTL: i64 = 158;
    const ARCH_REQ_XCOMP_PERM: u64 = 0x1023;
    const XFEATURE_XTILEDATA: u64 = 18;
    let outcome: i64;
    // SAFETY: a system call that reads and writes no memory of ours. It changes what the kernel saves for this process.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => outcome,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") XFEATURE_XTILEDATA,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    outcome == 0
}

/// The shapes of the tile registers: all of 16 rows of 64 bytes.
#[repr(C, align(64))]
struct Shapes {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

static SHAPES: Shapes = Shapes {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// Sets the shapes for a thread, and clears them at the end, whatever happens: the kernel then has less to save.
struct Configured;

impl Configured {
    fn new() -> Self {
        // SAFETY: an `Amx` exists only where the CPU has AMX and the process may use it. It reads 64 bytes.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const SHAPES, options(nostack, readonly, preserves_flags)) };
        Self
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        // SAFETY: as in `new`.
        unsafe { asm!("tilerelease", options(nostack, nomem, preserves_flags)) };
    }
}

/// The rows of a tile register.
const ROWS: usize = 16;
/// The words of a row of a tile register.
const STEP: usize = LINE;
/// The bytes of a row of sums, which is also that of a word of a panel: 32 words.
const ROW_BYTES: usize = 128;

/// A product of two tiles of rows by two of columns: sums, pointers, and a loop over steps, after each of which a part of
/// `$beside` is done. A step moves the pointers on by that many bytes of a row, of a panel, and of what is wanted soon.
macro_rules! tall {
    ($tile:expr, $beside:expr, $row:literal, $panel:literal, $soon:literal, $($step:expr,)+) => {{
        let Tile { sums, stride, words, resumes, .. } = $tile;
        let (mut upper, mut panel, mut soon) = ($tile.rows, $tile.panel, $tile.soon);
        if resumes {
            asm!(
                "tileloadd tmm0, [{sums} + {row}*1]",
                "tileloadd tmm1, [{sums} + {row}*1 + 64]",
                "tileloadd tmm2, [{sums} + {row}*1 + 2048]",
                "tileloadd tmm3, [{sums} + {row}*1 + 2112]",
                sums = in(reg) sums,
                row = in(reg) ROW_BYTES,
                options(nostack, readonly, preserves_flags),
            );
        } else {
            asm!(
                "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
                options(nostack, nomem, preserves_flags),
            );
        }
        let steps = words / ($row / 4);
        for step in 0..steps {
            asm!(
                $($step,)+
                panel = in(reg) panel,
                soon = in(reg) soon,
                upper = in(reg) upper,
                lower = in(reg) upper.wrapping_add(ROWS * stride),
                row = in(reg) ROW_BYTES,
                stride = in(reg) stride * 4,
                options(nostack, readonly, preserves_flags),
            );
            upper = upper.wrapping_byte_add($row);
            panel = panel.wrapping_byte_add($panel);
            soon = soon.wrapping_byte_add($soon);
            $beside.part(step, steps);
        }
        asm!(
            "tilestored [{sums} + {row}*1], tmm0",
            "tilestored [{sums} + {row}*1 + 64], tmm1",
            "tilestored [{sums} + {row}*1 + 2048], tmm2",
            "tilestored [{sums} + {row}*1 + 2112], tmm3",
            sums = in(reg) sums,
            row = in(reg) ROW_BYTES,
            options(nostack, preserves_flags),
        );
    }};
}

/// The same for one tile of rows, with nothing beside it and so in one block. Each sum is added up in the same order.
macro_rules! short {
    ($tile:expr, $row:literal, $panel:literal, $soon:literal, $($step:expr,)+) => {
        asm!(
            "tilezero tmm0", "tilezero tmm1",
            "test {resumes}, {resumes}",
            "jz 2f",
            "tileloadd tmm0, [{sums} + {row}*1]",
            "tileloadd tmm1, [{sums} + {row}*1 + 64]",
            "2:",
            $($step,)+
            concat!("add {soon}, ", $soon),
            concat!("add {panel}, ", $panel),
            concat!("add {upper}, ", $row),
            "dec {steps}",
            "jnz 2b",
            "tilestored [{sums} + {row}*1], tmm0",
            "tilestored [{sums} + {row}*1 + 64], tmm1",
            resumes = in(reg) u64::from($tile.resumes),
            sums = in(reg) $tile.sums,
            row = in(reg) ROW_BYTES,
            panel = inout(reg) $tile.panel => _,
            soon = inout(reg) $tile.soon => _,
            upper = inout(reg) $tile.rows => _,
            stride = in(reg) $tile.stride * 4,
            steps = inout(reg) $tile.words / ($row / 4) => _,
            options(nostack),
        )
    };
}

/// A product of one or two tiles of rows by two of columns, with `$multiply` as the instruction. Rows come from the second
/// cache and are not kept in the first (`t1`), where the panel stays for the next rows.
macro_rules! tiles {
    ($multiply:literal, $tile:expr, $beside:expr) => {{
        let tile: Tile = $tile;
        if tile.height > ROWS {
            tall!(
                tile,
                $beside,
                64,
                2048,
                256,
                "tileloadd tmm6, [{panel} + {row}*1]",
                "tileloaddt1 tmm4, [{upper} + {stride}*1]",
                concat!($multiply, " tmm0, tmm4, tmm6"),
                "tileloadd tmm7, [{panel} + {row}*1 + 64]",
                concat!($multiply, " tmm1, tmm4, tmm7"),
                "tileloaddt1 tmm5, [{lower} + {stride}*1]",
                concat!($multiply, " tmm2, tmm5, tmm6"),
                concat!($multiply, " tmm3, tmm5, tmm7"),
                "prefetcht1 [{soon}]",
                "prefetcht1 [{soon} + 64]",
                "prefetcht1 [{soon} + 128]",
                "prefetcht1 [{soon} + 192]",
            );
        } else {
            short!(
                tile,
                64,
                2048,
                256,
                "tileloaddt1 tmm4, [{upper} + {stride}*1]",
                "tileloadd tmm6, [{panel} + {row}*1]",
                "tileloadd tmm7, [{panel} + {row}*1 + 64]",
                concat!($multiply, " tmm0, tmm4, tmm6"),
                concat!($multiply, " tmm1, tmm4, tmm7"),
                "prefetcht1 [{soon}]",
                "prefetcht1 [{soon} + 64]",
                "prefetcht1 [{soon} + 128]",
                "prefetcht1 [{soon} + 192]",
            );
        }
    }};
}

/// Asks for six cache lines, from the one with that number on. A step of three parts does it six times.
macro_rules! prefetch_6 {
    ($first:literal) => {
        concat!(".irp line, 0, 64, 128, 192, 256, 320\n", "prefetcht1 [{soon} + 64*", $first, " + \\line]\n", ".endr")
    };
}

/// A product in three parts, of one or two tiles of rows by two of columns. Of the nine products of parts
/// the three smallest are left out: together they are below half a unit in the last place of an f32 product. The others
/// are added up from about the smallest to the largest, in an order in which each tile of parts is loaded once but one.
macro_rules! tiles_of_parts {
    ($tile:expr, $beside:expr) => {{
        let tile: Tile = $tile;
        if tile.height > ROWS {
            tall!(
                tile,
                $beside,
                192,
                6144,
                2304,
                // first part of the rows, third of the weights
                "tileloadd tmm6, [{panel} + {row}*1 + 4096]",
                "tileloadd tmm4, [{upper} + {stride}*1]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{panel} + {row}*1 + 4160]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{lower} + {stride}*1]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                prefetch_6!(0),
                // first, second
                "tileloadd tmm6, [{panel} + {row}*1 + 2048]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{panel} + {row}*1 + 2112]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                prefetch_6!(6),
                // second, second
                "tileloadd tmm4, [{upper} + {stride}*1 + 64]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{lower} + {stride}*1 + 64]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                prefetch_6!(12),
                // second, first
                "tileloadd tmm6, [{panel} + {row}*1]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{panel} + {row}*1 + 64]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                prefetch_6!(18),
                // third, first
                "tileloadd tmm4, [{upper} + {stride}*1 + 128]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{lower} + {stride}*1 + 128]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                prefetch_6!(24),
                // first, first
                "tileloadd tmm4, [{upper} + {stride}*1]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{lower} + {stride}*1]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                prefetch_6!(30),
            );
        } else {
            short!(
                tile,
                192,
                6144,
                2304,
                "tileloadd tmm4, [{upper} + {stride}*1]",
                "tileloadd tmm6, [{panel} + {row}*1 + 4096]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{panel} + {row}*1 + 4160]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                prefetch_6!(0),
                "tileloadd tmm2, [{panel} + {row}*1 + 2048]",
                "tdpbf16ps tmm0, tmm4, tmm2",
                "tileloadd tmm3, [{panel} + {row}*1 + 2112]",
                "tdpbf16ps tmm1, tmm4, tmm3",
                prefetch_6!(6),
                "tileloadd tmm5, [{upper} + {stride}*1 + 64]",
                "tdpbf16ps tmm0, tmm5, tmm2",
                "tdpbf16ps tmm1, tmm5, tmm3",
                prefetch_6!(12),
                "tileloadd tmm6, [{panel} + {row}*1]",
                "tdpbf16ps tmm0, tmm5, tmm6",
                "tileloadd tmm7, [{panel} + {row}*1 + 64]",
                "tdpbf16ps tmm1, tmm5, tmm7",
                prefetch_6!(18),
                "tileloadd tmm5, [{upper} + {stride}*1 + 128]",
                "tdpbf16ps tmm0, tmm5, tmm6",
                "tdpbf16ps tmm1, tmm5, tmm7",
                prefetch_6!(24),
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tdpbf16ps tmm1, tmm4, tmm7",
                prefetch_6!(30),
            );
        }
    }};
}

impl<const KIND: u8> Multiplier for Amx<KIND> {
    type Simd = Avx512<BF16>;
    const ROWS: usize = 2 * ROWS;
    const INTEGER: bool = KIND == BYTES;
    const PADDED: bool = true;
    const STEP: usize = if KIND == BF16X3 { 3 * STEP } else { STEP };
    /// In three parts each word of a tile is used six times, so that a panel may come from the second cache; its sums
    /// had better not go to and fro.
    const BLOCK: usize = if KIND == BF16X3 { 1152 } else { 256 };
    const AHEAD: usize = if KIND == BF16X3 { 36 } else { 4 };
    const WAITS: bool = true;

    #[inline(always)]
    fn simd(self) -> Avx512<BF16> {
        self.0
    }

    /// Not of one tile register of rows: there are few of them, and each would be code again for every activation.
    #[inline(always)]
    fn overlaps(height: usize) -> bool {
        height > ROWS
    }

    /// The tallest first: what is left at the end costs half if one tile register holds it.
    fn heights(rows: usize) -> impl Iterator<Item = usize> {
        (0..rows).step_by(Self::ROWS).map(move |row| Self::ROWS.min(rows - row))
    }

    #[inline(always)]
    unsafe fn multiply(self, tile: Tile, mut beside: impl Beside) {
        debug_assert!(tile.words.is_multiple_of(Self::STEP) && tile.words > 0);
        // SAFETY: an `Amx` exists only where the CPU has AMX and the process may use it; the caller promises that the
        // shapes are set and that the pointers are valid for 32 rows and for whole steps.
        unsafe {
            match KIND {
                BYTES => tiles!("tdpbusd", tile, beside),
                BF16X3 => tiles_of_parts!(tile, beside),
                _ => tiles!("tdpbf16ps", tile, beside),
            }
        }
    }

    fn spin(self, rounds: usize) -> usize {
        let words = [SPUN; ROWS * STEP];
        macro_rules! spin {
            ($multiply:literal) => {
                asm!(
                    "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
                    "tileloadd tmm4, [{words} + {row}*1]",
                    "tileloadd tmm5, [{words} + {row}*1]",
                    "tileloadd tmm6, [{words} + {row}*1]",
                    "tileloadd tmm7, [{words} + {row}*1]",
                    "2:",
                    concat!($multiply, " tmm0, tmm4, tmm6"),
                    concat!($multiply, " tmm1, tmm4, tmm7"),
                    concat!($multiply, " tmm2, tmm5, tmm6"),
                    concat!($multiply, " tmm3, tmm5, tmm7"),
                    "dec {rounds}",
                    "jnz 2b",
                    words = in(reg) words.as_ptr(),
                    row = in(reg) STEP * 4,
                    rounds = inout(reg) rounds.max(1) => _,
                    options(nostack, readonly),
                )
            };
        }
        // SAFETY: an `Amx` exists only where the CPU has AMX and the process may use it; the caller promises that the
        // shapes are set. A tile of words is read.
        unsafe {
            if KIND == BYTES {
                spin!("tdpbusd");
            } else {
                spin!("tdpbf16ps");
            }
        }
        // Four tiles of 16 by 16 sums, of 16 words each.
        rounds.max(1) * 4 * ROWS * ROWS * STEP
    }

    #[inline(always)]
    fn prepared<R>(self, work: impl FnOnce() -> R) -> R {
        let _configured = Configured::new();
        work()
    }
}
