//! Parity with PyTorch on ALBERT-base, for which `tools/parity/base.py` writes the checkpoint and what is expected of it.
//!
//! The checkpoint is too large for the repository: `ALBERTINE_BASE_MODEL` names its directory. Without it the test says
//! that nothing was compared: straight to standard error, because what a passing test prints is not shown.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::{Write, stderr};
use std::path::PathBuf;
use std::time::Instant;

use albertine_model::{Kernels, Weights};

use crate::common::{TOLERANCE, expected, largest_difference};

#[test]
fn logits_of_albert_base_are_those_of_pytorch() {
    let Some(directory) = std::env::var_os("ALBERTINE_BASE_MODEL").map(PathBuf::from) else {
        let _ = writeln!(stderr(), "skipped: ALBERTINE_BASE_MODEL is not set (tools/parity/README.md)");
        return;
    };
    let started = Instant::now();
    let tensors = Weights::open(&directory).unwrap().tensors().len();
    let _ = writeln!(stderr(), "{tensors} tensors opened in {:.1?}", started.elapsed());

    let expected = expected(&directory, "expected.json");
    assert!(expected.len() >= 256);
    let kernels = Kernels::detect().unwrap();
    let largest = largest_difference(&directory, kernels, &expected);
    let (rows, level) = (expected.len(), kernels.level());
    let _ = writeln!(stderr(), "{rows} rows at {level}: largest difference {largest:.1e}");
    assert!(largest <= TOLERANCE, "{largest:e}");
}
