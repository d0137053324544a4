//! Packed matrix products and row-wise functions for ALBERT, chosen for the running CPU.
//!
//! Everything starts from a [`Kernels`] value. It exists only for a [`CpuLevel`] that the running CPU has, so
//! every function on it is safe to call:
//!
//! ```
//! use albertine_kernels::{Activation, Element, Epilogue, Kernels, Matrix, PackedWeights};
//!
//! let kernels = Kernels::detect()?;
//! // A linear layer of PyTorch: y = gelu(x Wᵀ + b), W is [outputs, inputs].
//! let weight = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
//! let packed = PackedWeights::pack(kernels, Element::F32, &weight, 2, 3);
//! let (mut x, mut y) = (Matrix::default(), Matrix::default());
//! x.reshape(Element::F32, 1, 3);
//! x.row_mut(0).copy_from_slice(&[1.0, 0.0, -1.0]);
//! y.reshape(Element::F32, 1, 2);
//! kernels.matmul(&mut y, &x, &packed, Epilogue::Bias(&[0.5, 0.5]));
//! assert_eq!(y.row(0), [-1.5, -1.5]);
//! kernels.matmul(&mut y, &x, &packed, Epilogue::BiasActivation(&[0.5, 0.5], Activation::Relu));
//! assert_eq!(y.row(0), [0.0, 0.0]);
//! # Ok::<(), albertine_kernels::CpuError>(())
//! ```
//!
//! # How it is built
//!
//! - `simd` is a small trait over the vectors of one level; each vectorized function is written once over it.
//! - `matrix` is the memory of rows: f32, bfloat16, or whole numbers with a scale and an offset for each row.
//! - `dot` multiplies words of such rows and weights, `gemm` makes products of it, with a closed list of epilogues.
//! - `rows` are the functions of one row at a time: embedding, layer normalization, conversion, softmax.
//! - `attention` is softmax(Q Kᵀ) V of each document.
//!
//! # Promises
//!
//! - **A row never depends on the rest of the batch.** The additions behind one output element happen in an order that
//!   depends on the length of the sum, on the CPU level and on the element alone: not on the number of rows, nor on the
//!   row's or the lane's place.
//! - **One thread**, unless [`Kernels::with_threads`] allows more: then a call shares its work with the pool that it is
//!   called on. For throughput, a caller spreads chunks of rows over threads of its own.
//! - **Sizes are the caller's responsibility.** A slice of the wrong length is an error in the calling code and panics
//!   with both lengths; data can never cause one.

// The vectors of a CPU are reached through intrinsics and raw pointers. This crate is the one place for them.
#![allow(unsafe_code)]

mod aligned;
mod attention;
mod cpu;
mod dot;
mod dropout;
mod gemm;
mod math;
mod matrix;
mod parallel;
mod peak;
mod precision;
mod rows;
mod simd;

#[cfg(test)]
mod reference;

pub use attention::{Attention, AttentionScratch, Queries};
pub use cpu::{CpuError, CpuLevel, Kernels};
pub use dropout::Dropout;
pub use gemm::{Epilogue, MOST_QUANTIZED_INPUTS, PackedWeights};
pub use math::Activation;
pub use matrix::{Element, Matrix};
pub use peak::{peak_gflops, product_gflops};
pub use precision::{Elements, Precision, UnknownPrecision};
pub use rows::LayerNorm;
