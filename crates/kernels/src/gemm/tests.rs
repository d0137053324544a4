//! Every level, epilogue and tile height against the reference, and the independence of rows.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use crate::reference::{Numbers, activation, all_kernels, dot, tolerance};
use crate::{Activation, Epilogue, Kernels, PackedWeights};

/// A product of all sizes with every epilogue.
struct Case {
    rows: usize,
    outputs: usize,
    inputs: usize,
    a: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    residual: Vec<f32>,
}

impl Case {
    fn new(rows: usize, outputs: usize, inputs: usize, seed: u64) -> Self {
        let mut numbers = Numbers(seed);
        Self {
            rows,
            outputs,
            inputs,
            a: numbers.take(rows * inputs),
            weight: numbers.take(outputs * inputs),
            bias: numbers.take(outputs),
            residual: numbers.take(rows * outputs),
        }
    }

    fn epilogues(&self) -> Vec<Epilogue<'_>> {
        let mut all =
            vec![Epilogue::Bias(&self.bias), Epilogue::BiasResidual { bias: &self.bias, residual: &self.residual }];
        all.extend(Activation::ALL.map(|activation| Epilogue::BiasActivation(&self.bias, activation)));
        all
    }

    fn run(&self, kernels: Kernels, packed: &PackedWeights, epilogue: Epilogue<'_>) -> Vec<f32> {
        let mut out = vec![f32::NAN; self.rows * self.outputs];
        kernels.matmul(&mut out, &self.a, packed, epilogue);
        out
    }

    fn check(&self, kernels: Kernels) {
        let packed = PackedWeights::pack(kernels, &self.weight, self.outputs, self.inputs);
        for epilogue in self.epilogues() {
            let out = self.run(kernels, &packed, epilogue);
            for (index, &found) in out.iter().enumerate() {
                let (row, output) = (index / self.outputs, index % self.outputs);
                let a = &self.a[row * self.inputs..][..self.inputs];
                let (sum, size) = dot(a, &self.weight[output * self.inputs..][..self.inputs]);
                let sum = sum + f64::from(self.bias[output]);
                let expected = match epilogue {
                    Epilogue::Bias(_) => sum,
                    Epilogue::BiasActivation(_, function) => activation(sum, function),
                    Epilogue::BiasResidual { .. } => sum + f64::from(self.residual[index]),
                };
                let error = (f64::from(found) - expected).abs();
                // No activation is steeper than 1.13 or has values larger than its argument; bias and residual are
                // at most 1 each.
                let allowed = 1.2 * tolerance(self.inputs, size + 2.0);
                assert!(
                    error <= allowed,
                    "{} [{}, {}, {}] {epilogue:?} at [{row}, {output}]: {found} for {expected}",
                    kernels.level(),
                    self.rows,
                    self.outputs,
                    self.inputs
                );
            }
        }
    }
}

#[test]
fn every_tile_height_and_edge_agrees_with_the_reference() {
    for kernels in all_kernels() {
        for rows in 1..=25 {
            for (outputs, inputs) in [(1, 1), (7, 5), (32, 16), (33, 19), (50, 3)] {
                Case::new(rows, outputs, inputs, rows as u64).check(kernels);
            }
        }
    }
}

#[test]
fn blocks_of_rows_inputs_and_columns_agree_with_the_reference() {
    for kernels in all_kernels() {
        for (rows, outputs, inputs) in
            [(3, 70, 383), (5, 31, 384), (13, 17, 385), (2, 9, 1000), (241, 5, 769), (2, 256, 7), (3, 600, 400)]
        {
            Case::new(rows, outputs, inputs, 7).check(kernels);
        }
    }
}

#[test]
fn no_rows_are_no_work() {
    for kernels in all_kernels() {
        let packed = PackedWeights::pack(kernels, &[1.0; 6], 2, 3);
        kernels.matmul(&mut [], &[], &packed, Epilogue::Bias(&[0.0; 2]));
    }
}

#[test]
fn nan_and_infinity_stay_in_their_row() {
    for kernels in all_kernels() {
        let packed = PackedWeights::pack(kernels, &[1.0; 9], 3, 3);
        let mut out = [0.0; 9];
        let a = [f32::NAN, 0.0, 0.0, 1.0, 1.0, 1.0, f32::INFINITY, 0.0, 0.0];
        kernels.matmul(&mut out, &a, &packed, Epilogue::Bias(&[0.0; 3]));
        assert!(out[..3].iter().all(|x| x.is_nan()));
        assert_eq!(out[3..6], [3.0; 3]);
        assert_eq!(out[6..], [f32::INFINITY; 3]);
    }
}

#[test]
fn weights_of_another_level_are_caught() {
    for packed_for in all_kernels() {
        let packed = PackedWeights::pack(packed_for, &[1.0], 1, 1);
        for kernels in all_kernels() {
            let run = || kernels.matmul(&mut [0.0], &[1.0], &packed, Epilogue::Bias(&[0.0]));
            let caught = std::panic::catch_unwind(run).err().map(|panic| *panic.downcast::<String>().unwrap());
            let expected = (kernels != packed_for).then(|| {
                format!("weights packed for {} used with the kernels of {}", packed_for.level(), kernels.level())
            });
            assert_eq!(caught, expected);
        }
    }
}

#[test]
#[should_panic(expected = "7 values for [2, 4]")]
fn a_result_of_another_size_is_caught() {
    let kernels = Kernels::detect().unwrap();
    let packed = PackedWeights::pack(kernels, &[1.0; 12], 4, 3);
    kernels.matmul(&mut [0.0; 7], &[1.0; 6], &packed, Epilogue::Bias(&[0.0; 4]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_row_alone_is_the_same_row_in_a_batch(
        rows in 1_usize..60, outputs in 1_usize..300, inputs in 1_usize..600, seed: u64, place: prop::sample::Index,
    ) {
        let case = Case::new(rows, outputs, inputs, seed);
        let row = place.index(rows);
        for kernels in all_kernels() {
            let packed = PackedWeights::pack(kernels, &case.weight, outputs, inputs);
            for epilogue in case.epilogues() {
                let together = case.run(kernels, &packed, epilogue);
                let mut alone = vec![f32::NAN; outputs];
                let epilogue = match epilogue {
                    Epilogue::BiasResidual { bias, residual } => {
                        Epilogue::BiasResidual { bias, residual: &residual[row * outputs..][..outputs] }
                    }
                    other => other,
                };
                kernels.matmul(&mut alone, &case.a[row * inputs..][..inputs], &packed, epilogue);
                let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(bits(&alone), bits(&together[row * outputs..][..outputs]));
            }
        }
    }
}
