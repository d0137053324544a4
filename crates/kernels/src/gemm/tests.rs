//! Every level, element, epilogue and tile height against the reference, and the independence of rows.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::pack;
use proptest::prelude::*;

use super::{Epilogue, PackedWeights};
use crate::cpu::Kernels;
use crate::math::Activation;
use crate::matrix::{Element, Matrix};
use crate::reference::{
    self, Numbers, activation, all_kernels, bits, cases, converted, numbers, operands, tolerance, used,
};
use crate::simd::{from_bf16, to_bf16};

const RESULTS: [Element; 3] = [Element::F32, Element::Bf16, Element::Bf16x3];

/// A product of some size, for any element and epilogue.
struct Case {
    rows: usize,
    outputs: usize,
    inputs: usize,
    a: Matrix,
    weight: Vec<f32>,
    bias: Vec<f32>,
    residual: Matrix,
}

impl Case {
    fn new(rows: usize, outputs: usize, inputs: usize, seed: u64) -> Self {
        let mut numbers = Numbers(seed);
        Self {
            rows,
            outputs,
            inputs,
            a: reference::matrix(&numbers.take(rows * inputs), rows, inputs),
            weight: numbers.take(outputs * inputs),
            bias: numbers.take(outputs),
            residual: reference::matrix(&numbers.take(rows * outputs), rows, outputs),
        }
    }

    fn epilogues(&self) -> Vec<Epilogue<'_>> {
        let mut all =
            vec![Epilogue::Bias(&self.bias), Epilogue::BiasResidual { bias: &self.bias, residual: &self.residual }];
        all.extend(Activation::ALL.map(|activation| Epilogue::BiasActivation(&self.bias, activation)));
        all
    }

    fn pack(&self, kernels: Kernels, element: Element) -> PackedWeights {
        PackedWeights::pack(kernels, element, &self.weight, self.outputs, self.inputs)
    }

    /// The weights as a product sees them.
    fn real_weights(&self, kernels: Kernels, element: Element) -> Vec<f64> {
        match element {
            Element::F32 | Element::Bf16x3 => self.weight.iter().copied().map(f64::from).collect(),
            Element::Bf16 => self.weight.iter().map(|&weight| f64::from(from_bf16(to_bf16(weight)))).collect(),
            Element::U8 | Element::U16 => {
                let in_pairs = kernels.adds_in_16_bits(element);
                let rows = self.weight.chunks(self.inputs).flat_map(|row| {
                    let (range, most) = pack::quantized_range(row, in_pairs);
                    row.iter().map(move |weight| {
                        f64::from((weight * (most / range)).round_ties_even()) * f64::from(range) / f64::from(most)
                    })
                });
                rows.collect()
            }
        }
    }

    /// The sums of the product of these rows, and the magnitudes that their rounding errors go with.
    fn sums(&self, kernels: Kernels, a: &Matrix) -> Vec<(f64, f64)> {
        let weight = self.real_weights(kernels, a.element());
        let mut sums = Vec::with_capacity(self.rows * self.outputs);
        for row in 0..self.rows {
            let values = reference::row(a, row);
            // A whole number's scale and offset are added up apart.
            let offset = a.scales().get(row).map_or(0.0, |scale| 2.0 * f64::from(scale.offset).abs());
            for weight in weight.chunks(self.inputs) {
                sums.push(
                    values
                        .iter()
                        .zip(weight)
                        .fold((0.0, 0.0), |(sum, size), (x, w)| (sum + x * w, size + (x.abs() + offset) * w.abs())),
                );
            }
        }
        sums
    }

    fn check(&self, kernels: Kernels) {
        for element in operands(kernels) {
            let a = converted(kernels, &self.a, element);
            let packed = self.pack(kernels, element);
            let sums = self.sums(kernels, &a);
            for result in RESULTS {
                for epilogue in self.epilogues() {
                    let mut out = used(result, self.rows, self.outputs);
                    kernels.matmul(&mut out, &a, &packed, epilogue);
                    self.compare(&out, &sums, epilogue, &format!("{} {element:?}", kernels.level()));
                }
            }
        }
    }

    fn compare(&self, out: &Matrix, sums: &[(f64, f64)], epilogue: Epilogue<'_>, what: &str) {
        for row in 0..self.rows {
            for (output, found) in reference::row(out, row).into_iter().enumerate() {
                let (sum, size) = sums[row * self.outputs + output];
                let sum = sum + f64::from(self.bias[output]);
                let expected = match epilogue {
                    Epilogue::Bias(_) => sum,
                    Epilogue::BiasActivation(_, function) => activation(sum, function),
                    Epilogue::BiasResidual { .. } => sum + f64::from(self.residual.row(row)[output]),
                };
                // No activation is steeper than 1.42 or has values larger than its argument, but the square; bias and
                // residual are at most 1 each.
                let steepest = match epilogue {
                    Epilogue::BiasActivation(_, Activation::ReluSquared) => 2.0 * sum.abs() + 1.0,
                    Epilogue::BiasActivation(_, Activation::Laplace) => 1.5,
                    _ => 1.2,
                };
                let mut allowed = steepest * tolerance(self.inputs, size + 2.0);
                if out.element() == Element::Bf16 {
                    allowed += expected.abs() / 256.0;
                    if let Epilogue::BiasActivation(_, Activation::GeluErf | Activation::GeluTanh) = epilogue {
                        allowed += 1e-3;
                    }
                }
                assert!(
                    (found - expected).abs() <= allowed,
                    "{what} [{}, {}, {}] {epilogue:?} to {out:?} at [{row}, {output}]: {found} for {expected}",
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
        for rows in 1..=35 {
            for (outputs, inputs) in [(1, 1), (7, 5), (32, 16), (33, 19), (50, 3), (31, 33), (70, 16)] {
                Case::new(rows, outputs, inputs, rows as u64).check(kernels);
            }
        }
    }
}

#[test]
fn blocks_of_rows_inputs_and_columns_agree_with_the_reference() {
    for kernels in all_kernels() {
        for (rows, outputs, inputs) in [
            (3, 70, 383),
            (5, 31, 384),
            (13, 17, 385),
            (2, 9, 1000),
            (241, 5, 769),
            (257, 33, 385),
            (300, 50, 1000),
            (300, 7, 1),
            (2, 256, 7),
            (3, 600, 400),
            (35, 600, 769),
            (257, 1, 1025),
            (67, 40, 3072),
            // one tile, whose sums wait in the same place that those of the next panel go to
            (20, 70, 1100),
            (32, 100, 3072),
        ] {
            Case::new(rows, outputs, inputs, 7).check(kernels);
        }
    }
}

#[test]
fn a_part_of_the_columns_leaves_the_others() {
    for kernels in all_kernels() {
        let case = Case::new(20, 150, 40, 3);
        let width = kernels.panel_width();
        for element in operands(kernels) {
            let (a, packed) = (converted(kernels, &case.a, element), case.pack(kernels, element));
            for result in RESULTS {
                for epilogue in case.epilogues() {
                    let mut whole = used(result, 20, 150);
                    kernels.matmul(&mut whole, &a, &packed, epilogue);
                    for columns in [0..width, width..2 * width + 3, 4 * width..150, width..width, 0..1] {
                        let mut part = used(result, 20, 150);
                        let before = (0..20).map(|row| bits(&part, row)).collect::<Vec<_>>();
                        kernels.matmul_columns(&mut part, &a, &packed, columns.clone(), epilogue);
                        for (row, before) in before.iter().enumerate() {
                            let mut expected = before.clone();
                            expected[columns.clone()].copy_from_slice(&bits(&whole, row)[columns.clone()]);
                            assert_eq!(bits(&part, row), expected, "{} {element:?} {columns:?}", kernels.level());
                        }
                    }
                }
            }
        }
    }
}

/// Results of whole numbers at two levels differ by the rounding of a few f32 operations.
#[test]
fn whole_numbers_are_exact_and_the_same_at_all_levels_but_avx2() {
    for (rows, outputs, inputs, extreme) in [(37, 70, 769, false), (5, 33, 1000, true)] {
        let mut case = Case::new(rows, outputs, inputs, 11);
        if extreme {
            // Nothing but 0 and 255 in the rows, -127 and 127 in the weights.
            for row in 0..rows {
                case.a.row_mut(row).iter_mut().for_each(|x| *x = if *x < -0.9 { 0.0 } else { 1.0 });
            }
            let signs = case.weight.iter().enumerate();
            case.weight = signs.map(|(i, &w)| if i % 2 == 0 && w < 0.0 { -1.0 } else { 1.0 }).collect();
        }
        let all: Vec<_> = all_kernels()
            .into_iter()
            .map(|kernels| {
                let element = kernels.elements(crate::Precision::Int8).unwrap().operand;
                let a = converted(kernels, &case.a, element);
                let mut out = used(Element::F32, rows, outputs);
                kernels.matmul(&mut out, &a, &case.pack(kernels, element), Epilogue::Bias(&case.bias));
                (kernels, a, out)
            })
            .collect();
        for (kernels, a, out) in &all {
            let (_, first_a, first) = &all[0];
            let (level, sums) = (kernels.level(), case.sums(*kernels, a));
            let is_coarser = kernels.adds_in_16_bits(a.element());
            for row in 0..rows {
                assert_eq!(numbers(a, row), numbers(first_a, row), "{level}");
                assert_eq!(a.scales()[row], first_a.scales()[row], "{level}");
                for (output, (x, y)) in out.row(row).iter().zip(first.row(row)).enumerate() {
                    let (exact, size) = sums[row * outputs + output];
                    let allowed = 2.0 * f64::from(f32::EPSILON) * (size + 1.0);
                    let exact = exact + f64::from(case.bias[output]);
                    assert!((f64::from(*x) - exact).abs() <= allowed, "{level} at [{row}, {output}]: {x} for {exact}");
                    if !is_coarser {
                        assert!(f64::from((x - y).abs()) <= allowed, "{level} at [{row}, {output}]: {x} and {y}");
                    }
                }
            }
        }
    }
}

/// The relative errors of single products, and of sums of products beside the sum of their magnitudes, root mean
/// square.
fn relative_errors(kernels: Kernels, element: Element, inputs: usize, scale: f32) -> (f64, f64) {
    let case = Case::new(32, 32, inputs, 5);
    let mut values = case.a.row(0).to_vec();
    let mut a = used(Element::F32, 32, inputs);
    for row in 0..32 {
        values.copy_from_slice(case.a.row(row));
        values.iter_mut().for_each(|value| *value *= scale);
        a.row_mut(row).copy_from_slice(&values);
    }
    let packed = case.pack(kernels, element);
    let mut out = used(Element::F32, 32, 32);
    kernels.matmul(&mut out, &converted(kernels, &a, element), &packed, Epilogue::Bias(&[0.0; 32]));
    let (mut largest, mut squares) = (0.0_f64, 0.0);
    for (index, (sum, size)) in case.sums(kernels, &a).into_iter().enumerate() {
        let error = (f64::from(out.row(index / 32)[index % 32]) - sum) / size;
        largest = largest.max(error.abs());
        squares += error * error;
    }
    (largest, (squares / 1024.0).sqrt())
}

#[test]
fn three_parts_are_as_exact_as_f32() {
    for kernels in all_kernels().into_iter().filter(|kernels| kernels.multiplies(Element::Bf16x3)) {
        for scale in [1e-18, 1e-6, 1.0, 1e6, 1e18] {
            let (largest, _) = relative_errors(kernels, Element::Bf16x3, 1, scale);
            assert!(largest <= 2.0_f64.powi(-23), "{largest:e} at {scale:e}");
            for inputs in [3, 32, 768, 3072] {
                let (_, parts) = relative_errors(kernels, Element::Bf16x3, inputs, scale);
                let (_, whole) = relative_errors(kernels, Element::F32, inputs, scale);
                assert!(parts <= 1.25 * whole, "{parts:e} for {whole:e} with {inputs} inputs at {scale:e}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "66312 inputs of U")]
fn sums_that_might_not_fit_are_refused() {
    let kernels = Kernels::detect().unwrap();
    let element = kernels.elements(crate::Precision::Int8).unwrap().operand;
    let inputs = crate::MOST_QUANTIZED_INPUTS + 1;
    let _ = PackedWeights::pack(kernels, element, &vec![1.0; inputs], 1, inputs);
}

#[test]
fn the_largest_sums_fit() {
    let inputs = crate::MOST_QUANTIZED_INPUTS;
    for kernels in all_kernels() {
        let element = kernels.elements(crate::Precision::Int8).unwrap().operand;
        let packed = PackedWeights::pack(kernels, element, &vec![1.0; inputs], 1, inputs);
        let mut values = vec![1.0; inputs];
        values[0] = 0.0;
        let a = converted(kernels, &reference::matrix(&values, 1, inputs), element);
        let mut out = used(Element::F32, 1, 1);
        kernels.matmul(&mut out, &a, &packed, Epilogue::Bias(&[0.0]));
        assert!((out.row(0)[0] / (inputs - 1) as f32 - 1.0).abs() < 1e-5, "{} {:?}", kernels.level(), out.row(0));
    }
}

#[test]
fn no_rows_are_no_work() {
    for kernels in all_kernels() {
        for element in operands(kernels) {
            let packed = PackedWeights::pack(kernels, element, &[1.0; 6], 2, 3);
            let (mut out, a) = (used(Element::F32, 0, 2), used(element, 0, 3));
            kernels.matmul(&mut out, &a, &packed, Epilogue::Bias(&[0.0; 2]));
        }
    }
}

#[test]
fn nan_and_infinity_stay_in_their_row() {
    for kernels in all_kernels() {
        for element in operands(kernels) {
            let packed = PackedWeights::pack(kernels, element, &[1.0; 9], 3, 3);
            let a = [f32::NAN, 0.0, 0.0, 1.0, 1.0, 1.0, f32::INFINITY, 0.0, 0.0];
            let a = converted(kernels, &reference::matrix(&a, 3, 3), element);
            for result in RESULTS {
                let mut out = used(result, 3, 3);
                kernels.matmul(&mut out, &a, &packed, Epilogue::Bias(&[0.0; 3]));
                let what = format!("{} {element:?} {result:?}", kernels.level());
                assert!(reference::row(&out, 0).iter().all(|x| x.is_nan()), "{what}");
                assert!(reference::row(&out, 1).iter().all(|x| (x - 3.0).abs() < 1e-5), "{what}");
                let lost = element.is_quantized() || [element, result].contains(&Element::Bf16x3);
                let infinite = |x: &f64| if lost { x.is_nan() } else { *x == f64::INFINITY };
                assert!(reference::row(&out, 2).iter().all(infinite), "{what}");
            }
        }
    }
}

#[test]
fn odd_weights_are_no_worse_than_what_they_are() {
    for kernels in all_kernels() {
        for element in operands(kernels) {
            // NaN, zeros and weights too small to divide by.
            let weight = [f32::NAN, 1.0, 0.0, 0.0, 1e-38, -1e-44, 1.0, -1.0];
            let packed = PackedWeights::pack(kernels, element, &weight, 4, 2);
            let a = converted(kernels, &reference::matrix(&[3.0, 2.0], 1, 2), element);
            let mut out = used(Element::F32, 1, 4);
            kernels.matmul(&mut out, &a, &packed, Epilogue::Bias(&[0.0; 4]));
            let out = out.row(0);
            assert!(out[0].is_nan() && out[1] == 0.0 && out[2].abs() < 1e-37, "{out:?}");
            assert!((out[3] - 1.0).abs() < 1e-5, "{out:?}");
        }
    }
}

#[test]
fn weights_of_another_level_are_caught() {
    for packed_for in all_kernels() {
        let packed = PackedWeights::pack(packed_for, Element::F32, &[1.0], 1, 1);
        for kernels in all_kernels() {
            let run = || {
                let a = reference::matrix(&[1.0], 1, 1);
                kernels.matmul(&mut used(Element::F32, 1, 1), &a, &packed, Epilogue::Bias(&[0.0]));
            };
            let caught = std::panic::catch_unwind(run).err().map(|panic| *panic.downcast::<String>().unwrap());
            let expected = (kernels != packed_for).then(|| {
                format!("weights packed for {} used with the kernels of {}", packed_for.level(), kernels.level())
            });
            assert_eq!(caught, expected);
        }
    }
}

#[test]
#[should_panic(expected = "Matrix([2, 3] of F32) for 4 outputs")]
fn a_result_of_another_size_is_caught() {
    let kernels = Kernels::detect().unwrap();
    let packed = PackedWeights::pack(kernels, Element::F32, &[1.0; 12], 4, 3);
    let a = reference::matrix(&[1.0; 6], 2, 3);
    kernels.matmul(&mut used(Element::F32, 2, 3), &a, &packed, Epilogue::Bias(&[0.0; 4]));
}

#[test]
#[should_panic(expected = "Matrix([2, 3] of U16) for weights of 3 inputs of F32")]
fn rows_of_another_element_are_caught() {
    let kernels = Kernels::detect().unwrap();
    let packed = PackedWeights::pack(kernels, Element::F32, &[1.0; 12], 4, 3);
    kernels.matmul(&mut used(Element::F32, 2, 4), &used(Element::U16, 2, 3), &packed, Epilogue::Bias(&[0.0; 4]));
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn a_row_alone_is_the_same_row_in_a_batch_and_with_threads(
        rows in 1_usize..300, outputs in 1_usize..200, inputs in 1_usize..1200, seed: u64, place: prop::sample::Index,
    ) {
        let case = Case::new(rows, outputs, inputs, seed);
        let row = place.index(rows);
        let one = reference::matrix(case.a.row(row), 1, inputs);
        let residual = reference::matrix(case.residual.row(row), 1, outputs);
        for kernels in all_kernels() {
            for element in operands(kernels) {
                let packed = case.pack(kernels, element);
                let a = converted(kernels, &case.a, element);
                let one = converted(kernels, &one, element);
                for (index, epilogue) in case.epilogues().into_iter().enumerate() {
                    let result = RESULTS[index % 3];
                    let mut together = used(result, rows, outputs);
                    kernels.matmul(&mut together, &a, &packed, epilogue);
                    let mut alone = used(result, 1, outputs);
                    let of_row = match epilogue {
                        Epilogue::BiasResidual { bias, .. } => Epilogue::BiasResidual { bias, residual: &residual },
                        other => other,
                    };
                    kernels.matmul(&mut alone, &one, &packed, of_row);
                    prop_assert_eq!(bits(&alone, 0), bits(&together, row));
                    let mut threaded = used(result, rows, outputs);
                    kernels.with_threads(3).matmul(&mut threaded, &a, &packed, epilogue);
                    for row in 0..rows {
                        prop_assert_eq!(bits(&threaded, row), bits(&together, row));
                    }
                }
            }
        }
    }
}

#[test]
fn columns_are_packed_as_the_transpose_is() {
    for kernels in all_kernels() {
        for element in operands(kernels).into_iter().filter(|element| !element.is_quantized()) {
            for (outputs, inputs) in [(1, 1), (5, 3), (64, 33), (200, 65), (17, 128)] {
                let case = Case::new(7, outputs, inputs, 9);
                let columns: Vec<Vec<f32>> = (0..inputs)
                    .map(|input| case.weight.iter().skip(input).step_by(inputs).copied().collect())
                    .collect();
                let packed = PackedWeights::pack_columns(kernels, element, outputs, inputs, |input| &columns[input]);
                let expected = case.pack(kernels, element);
                assert_eq!(packed.panels(), expected.panels(), "{} {element:?} [{outputs}, {inputs}]", kernels.level());
            }
        }
    }
}

#[test]
fn products_of_two_bytes_fit_16_bits() {
    // What is too much by a rounding error alone, two of a size, and one beside nothing.
    let mut numbers = Numbers(5);
    let mut weights = numbers.take(4096);
    weights.extend([64.500_01, 63.500_01, 1.0, 127.0, 127.0, 1.0, 64.0, -64.0, 0.0, 3.0]);
    for scale in [1.0, 1e-3, 0.7, 1e30] {
        for row in weights.chunks(128) {
            let row: Vec<f32> = row.iter().map(|weight| weight * scale).collect();
            let mut found = vec![0; row.len()];
            pack::quantize(&row, &mut found, true);
            assert!(found.chunks(2).all(|pair| pair[0].abs() + pair[1].abs() <= crate::dot::MOST_OF_TWO), "{found:?}");
        }
    }
    let mut found = [0; 4];
    let (scale, _) = pack::quantize(&[1.0, -1.0, 0.5, 0.0], &mut found, true);
    assert_eq!((found, scale), ([64, -64, 32, 0], 1.0 / 64.0));
    let (scale, _) = pack::quantize(&[3e38, 3e38, 0.0, 0.0], &mut found, true);
    assert_eq!((found, scale), ([64, 64, 0, 0], 3e38 / 64.0));
    let (scale, _) = pack::quantize(&[0.0, 2.0, 0.5, 0.5], &mut found, true);
    assert_eq!((found, scale), ([0, 127, 32, 32], 2.0 / 127.0));
}
