//! Packed matrix products and row-wise functions for ALBERT, chosen for the running CPU.
//!
//! Everything starts from a [`Kernels`] value. It exists only for a [`CpuLevel`] that the running CPU has, so whoever
//! holds one may call every function on it:
//!
//! ```
//! use albertine_kernels::{Activation, Epilogue, Kernels, PackedWeights};
//!
//! let kernels = Kernels::detect()?;
//! // A linear layer of PyTorch: y = gelu(x Wᵀ + b), W is [outputs, inputs].
//! let weight = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
//! let packed = PackedWeights::pack(kernels, &weight, 2, 3);
//! let mut y = [0.0; 2];
//! kernels.matmul(&mut y, &[1.0, 0.0, -1.0], &packed, Epilogue::Bias(&[0.5, 0.5]));
//! assert_eq!(y, [-1.5, -1.5]);
//! kernels.matmul(&mut y, &[1.0, 0.0, -1.0], &packed, Epilogue::BiasActivation(&[0.5, 0.5], Activation::Relu));
//! assert_eq!(y, [0.0, 0.0]);
//! # Ok::<(), albertine_kernels::CpuError>(())
//! ```
//!
//! # How it is built
//!
//! - `simd` is a small trait over the vectors of one level; each vectorised function is written once over it.
//! - `gemm` multiplies rows by weights that were packed once, with a closed list of epilogues.
//! - `rows` are the functions of one row at a time: embedding, layer normalisation, softmax, activations.
//! - `attention` is softmax(Q Kᵀ) V of one document.
//!
//! # Promises
//!
//! - **A row never depends on company.** The additions behind one output element happen in an order that depends on the
//!   length of the sum and on the CPU level alone: not on the number of rows, nor on the row's or the lane's place.
//! - **One thread.** No function starts or waits for threads; a caller spreads chunks of rows over its own.
//! - **Sizes are the programmer's.** A slice of the wrong length is an error in the calling code and panics with both
//!   lengths; data can never cause one.

// The vectors of a CPU are reached through intrinsics and raw pointers. This crate is the one place for them.
#![allow(unsafe_code)]

mod aligned;
mod attention;
mod cpu;
mod gemm;
mod math;
mod peak;
mod rows;
mod simd;
mod view;

#[cfg(test)]
mod reference;

pub use attention::AttentionScratch;
pub use cpu::{CpuError, CpuLevel, Kernels};
pub use gemm::{Epilogue, PackedWeights};
pub use math::Activation;
pub use peak::peak_gflops;
pub use rows::LayerNorm;
pub use view::Rows;
