//! Instructions that stable Rust has no functions for.
//!
//! Each names its extension to the assembler, since the functions that it ends up in are compiled for plain AArch64.

use std::arch::aarch64::*;
use std::arch::asm;

/// Adds to each sum the products of four signed bytes of its column with the four of one lane of `row`.
///
/// # Safety
///
/// The running CPU has the dot product instructions (FEAT_DotProd).
#[inline(always)]
pub(super) unsafe fn dot_lane<const LANE: i32>(sums: int32x4_t, columns: int8x16_t, row: int8x16_t) -> int32x4_t {
    let mut sums = sums;
    // SAFETY: the caller promises the instruction; it touches nothing but these registers.
    unsafe {
        asm!(
            ".arch_extension dotprod",
            "sdot {sums:v}.4s, {columns:v}.16b, {row:v}.4b[{lane}]",
            sums = inout(vreg) sums,
            columns = in(vreg) columns,
            row = in(vreg) row,
            lane = const LANE,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}

/// Adds the product of two rows of eight unsigned bytes and two columns of eight signed ones: `[2, 2]`.
///
/// # Safety
///
/// The running CPU has the instructions for matrices of bytes (FEAT_I8MM).
#[inline(always)]
pub(super) unsafe fn bytes_by_matrix(sums: uint32x4_t, rows: uint32x4_t, columns: uint32x4_t) -> uint32x4_t {
    let mut sums = sums;
    // SAFETY: the caller promises the instruction; it touches nothing but these registers.
    unsafe {
        asm!(
            ".arch_extension i8mm",
            "usmmla {sums:v}.4s, {rows:v}.16b, {columns:v}.16b",
            sums = inout(vreg) sums,
            rows = in(vreg) rows,
            columns = in(vreg) columns,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}

/// Adds the product of two rows of four bfloat16 and two columns of as many: `[2, 2]` of f32. The first two products
/// are added to a sum before the other two.
///
/// # Safety
///
/// The running CPU has the instructions for bfloat16 (FEAT_BF16).
#[inline(always)]
pub(super) unsafe fn bf16_by_matrix(sums: uint32x4_t, rows: uint32x4_t, columns: uint32x4_t) -> uint32x4_t {
    let mut sums = sums;
    // SAFETY: the caller promises the instruction; it touches nothing but these registers.
    unsafe {
        asm!(
            ".arch_extension bf16",
            "bfmmla {sums:v}.4s, {rows:v}.8h, {columns:v}.8h",
            sums = inout(vreg) sums,
            rows = in(vreg) rows,
            columns = in(vreg) columns,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}
