//! Parity with PyTorch on ALBERT-base, for which `tools/parity/base.py` writes the checkpoint and what is expected of it.
//!
//! The checkpoint is too large for the repository: `ALBERTINE_BASE_MODEL` names its directory. Without it the test says
//! that nothing was compared.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod common;

use std::path::PathBuf;
use std::time::Instant;

use albertine_model::{Kernels, Weights};

use crate::common::{TOLERANCE, expected, largest_difference};

#[test]
fn logits_of_albert_base_are_those_of_pytorch() {
    let Some(directory) = std::env::var_os("ALBERTINE_BASE_MODEL").map(PathBuf::from) else {
        println!("skipped: ALBERTINE_BASE_MODEL is not set (tools/parity/README.md)");
        return;
    };
    let started = Instant::now();
    let tensors = Weights::open(&directory).unwrap().tensors().len();
    println!("{tensors} tensors opened in {:.1?}", started.elapsed());

    let expected = expected(&directory);
    assert!(expected.len() >= 256);
    let kernels = Kernels::detect().unwrap();
    let largest = largest_difference(&directory, kernels, &expected);
    println!("{} rows at {}: largest difference {largest:.1e}", expected.len(), kernels.level());
    assert!(largest <= TOLERANCE, "{largest:e}");
}
