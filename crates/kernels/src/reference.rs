//! The slow truth that every kernel is tested against: plain loops that add in f64, and the tolerance.

use std::io::Write;
use std::sync::Once;

use proptest::prelude::ProptestConfig;

use crate::math::Activation;
use crate::matrix::{Element, GROUP, Matrix, RowScale};
use crate::precision::Precision;
use crate::simd::from_bf16;

/// The sum of the products of two vectors.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The elements that products multiply at a level.
pub(crate) fn operands(kernels: crate::Kernels) -> Vec<Element> {
    Precision::ALL.into_iter().filter_map(|p| kernels.elements(p).ok()).map(|elements| elements.operand).collect()
}

/// The elements that pass between products at a level.
pub(crate) fn betweens(kernels: crate::Kernels) -> Vec<Element> {
    if kernels.multiplies(Element::Bf16) { vec![Element::F32, Element::Bf16] } else { vec![Element::F32] }
}

/// A matrix in memory that was used before, and that holds NaN wherever nothing has been written since.
pub(crate) fn used(element: Element, rows: usize, columns: usize) -> Matrix {
    let mut matrix = Matrix::default();
    matrix.reshape(Element::F32, rows.next_multiple_of(32), columns.next_multiple_of(16) + 16);
    for row in 0..matrix.rows() {
        matrix.row_mut(row).fill(f32::from_bits(u32::MAX));
    }
    matrix.reshape(element, rows, columns);
    matrix
}

/// Rows of f32.
pub(crate) fn matrix(values: &[f32], rows: usize, columns: usize) -> Matrix {
    assert_eq!(values.len(), rows * columns);
    let mut matrix = used(Element::F32, rows, columns);
    for row in 0..rows {
        matrix.row_mut(row).copy_from_slice(&values[row * columns..][..columns]);
    }
    matrix
}

/// The same rows as another element.
pub(crate) fn converted(kernels: crate::Kernels, from: &Matrix, element: Element) -> Matrix {
    let mut to = used(element, from.rows(), from.columns());
    kernels.convert(from, &mut to);
    to
}

/// The whole numbers of a quantized row.
pub(crate) fn numbers(matrix: &Matrix, row: usize) -> Vec<u16> {
    let bytes = matrix.row_words(row).iter().flat_map(|word| word.to_ne_bytes());
    let numbers: Vec<u16> = match matrix.element() {
        Element::U8 => bytes.map(u16::from).collect(),
        Element::U16 => {
            let bytes: Vec<u8> = bytes.collect();
            bytes.chunks(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]])).collect()
        }
        other => panic!("{other:?} is not quantized"),
    };
    numbers[..matrix.columns()].to_vec()
}

/// What the values of a row stand for.
pub(crate) fn row(matrix: &Matrix, row: usize) -> Vec<f64> {
    match matrix.element() {
        Element::F32 => matrix.row(row).iter().copied().map(f64::from).collect(),
        Element::Bf16 => matrix.row_bf16(row).iter().map(|&x| f64::from(from_bf16(x))).collect(),
        Element::Bf16x3 => {
            let value = |column: usize| {
                let words = &matrix.row_words(row)[column / GROUP * 3 * GROUP / 2..];
                let part = |part: usize| {
                    let [a, b, c, d] = words[(part * GROUP + column % GROUP) / 2].to_ne_bytes();
                    f64::from(from_bf16(u16::from_ne_bytes(if column.is_multiple_of(2) { [a, b] } else { [c, d] })))
                };
                part(0) + part(1) + part(2)
            };
            (0..matrix.columns()).map(value).collect()
        }
        Element::U8 | Element::U16 => {
            let RowScale { scale, offset } = matrix.scales()[row];
            let real = |number: u16| f64::from(number) * f64::from(scale) + f64::from(offset);
            numbers(matrix, row).into_iter().map(real).collect()
        }
    }
}

/// The bits of a row's values, for comparisons.
pub(crate) fn bits(matrix: &Matrix, index: usize) -> Vec<u64> {
    row(matrix, index).into_iter().map(f64::to_bits).collect()
}

/// How far an f32 sum of `terms` terms, whose magnitudes add up to `size`, may be from the truth: rounding errors of
/// the narrowest type on the path, which add up like a random walk, four times over.
pub(crate) fn tolerance(terms: usize, size: f64) -> f64 {
    4.0 * f64::from(f32::EPSILON) * ((terms as f64).sqrt() + 2.0) * size.max(1e-30)
}

pub(crate) fn activation(x: f64, activation: Activation) -> f64 {
    match activation {
        Activation::GeluErf => 0.5 * x * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2)),
        Activation::GeluTanh => {
            let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
            0.5 * x * (1.0 + u.tanh())
        }
        Activation::Relu => x.max(0.0),
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Tanh => x.tanh(),
        Activation::GeluClipped => self::activation(x, Activation::GeluErf).min(10.0),
        Activation::QuickGelu => x / (1.0 + (-1.702 * x).exp()),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::ReluSquared => x.max(0.0) * x.max(0.0),
        Activation::LeakyRelu => {
            if x > 0.0 {
                x
            } else {
                0.01 * x
            }
        }
        Activation::Mish => x * x.exp().ln_1p().tanh(),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::Laplace => {
            #[allow(clippy::approx_constant)]
            let mean = 0.707_107;
            0.5 * (1.0 + erf((x - mean) / (0.282_095 * std::f64::consts::SQRT_2)))
        }
        Activation::Linear => x,
    }
}

/// erf to about 1e-15: the Maclaurin series of `erf(x) e^(x²)`, whose terms are all positive (DLMF 7.6.2).
pub(crate) fn erf(x: f64) -> f64 {
    if x.is_nan() || x.abs() > 6.0 {
        return if x.is_nan() { x } else { x.signum() };
    }
    let mut term = 1.0;
    let mut sum = 1.0;
    let mut n = 1.0;
    while term > sum * 1e-17 {
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
        n += 1.0;
    }
    x * 2.0 * std::f64::consts::FRAC_2_SQRT_PI / 2.0 * (-x * x).exp() * sum
}

pub(crate) fn layer_norm(row: &[f32], gamma: &[f32], beta: &[f32], eps: f32) -> Vec<f64> {
    let width = row.len() as f64;
    let mean = row.iter().copied().map(f64::from).sum::<f64>() / width;
    let variance = row.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / width;
    let scale = 1.0 / (variance + f64::from(eps)).sqrt();
    row.iter()
        .zip(gamma.iter().zip(beta))
        .map(|(&x, (&gamma, &beta))| (f64::from(x) - mean) * scale * f64::from(gamma) + f64::from(beta))
        .collect()
}

pub(crate) fn softmax(row: &[f64]) -> Vec<f64> {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = row.iter().map(|x| (x - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

/// Numbers in -1 to 1 that look random and are the same in every run (SplitMix64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = (z ^ (z >> 31)) >> 40;
        (bits as f32) / (1_u64 << 23) as f32 - 1.0
    }

    pub(crate) fn take(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// So many cases of a property, or fewer where `PROPTEST_CASES` says so: an emulated CPU is slow.
pub(crate) fn cases(most: u32) -> ProptestConfig {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig::with_cases(wanted.map_or(most, |cases: u32| cases.min(most)))
}

/// The kernels of every level that this CPU has. A run says once which ones it tests and which this CPU lacks: straight
/// to standard error, because what a passing test prints is not shown.
#[allow(clippy::unwrap_used)]
pub(crate) fn all_kernels() -> Vec<crate::Kernels> {
    let available = crate::Kernels::available();
    let (run, skipped): (Vec<_>, Vec<_>) =
        crate::CpuLevel::ALL.into_iter().partition(|level| available.contains(level));
    let names = |levels: &[crate::CpuLevel]| levels.iter().map(|level| level.name()).collect::<Vec<_>>().join(" ");
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let skipped = if skipped.is_empty() { "none".to_owned() } else { names(&skipped) };
        let _ = writeln!(std::io::stderr(), "levels run: {}; skipped: {skipped}", names(&run));
    });
    run.into_iter().map(|level| crate::Kernels::at(level).unwrap()).collect()
}
