//! Weights laid out in the order in which a tile reads them.
//!
//! A panel holds as many outputs (columns of the result) as a tile is wide, word by word: `[words, panel width]`, where
//! a word holds one or more inputs of an output. Panels follow one another, and the last one is filled up with zeros:
//! `[panels, words, panel width]`. Where rows and columns are multiplied two by two, words then lie in pairs ([`pairs`]).
//!
//! [`pairs`]: super::pairs

use rayon::prelude::*;

use super::pairs::pair_words;
use crate::aligned::Aligned;
use crate::cpu::{CpuLevel, Kernels};
use crate::dot::{MOST_COLUMNS, MOST_OF_TWO};
use crate::matrix::{Element, GROUP};
use crate::simd::{Operation, Simd, from_bf16, to_bf16};

/// The most inputs of a layer whose rows are quantized: sums of more products of 255 and 127 might not fit 32 bits.
pub const MOST_QUANTIZED_INPUTS: usize = i32::MAX as usize / (255 * 127);

/// The weights of a linear layer, packed for one CPU level and for rows of one kind of element.
///
/// For quantized rows an output's weights are whole numbers from -127 to 127 with a scale, the largest magnitude being
/// 127, or at AVX2 the largest sum of two beside each other 128. Packing costs about one pass over the weights.
#[derive(Clone)]
pub struct PackedWeights {
    panels: Aligned,
    element: Element,
    outputs: usize,
    inputs: usize,
    /// The words of an output in its panel.
    words: usize,
    level: CpuLevel,
    /// `[outputs]`, up to the end of the last panel: the scale of each output's whole numbers, and their sum.
    scales: Vec<f32>,
    sums: Vec<f32>,
}

impl PackedWeights {
    /// Packs `weight`, `[outputs, inputs]` row by row as PyTorch's `Linear` keeps it, for rows of that element.
    ///
    /// # Panics
    ///
    /// When `weight` is not `outputs * inputs` long, a dimension is 0, or the level does not multiply such rows.
    #[must_use]
    pub fn pack(kernels: Kernels, element: Element, weight: &[f32], outputs: usize, inputs: usize) -> Self {
        assert!(outputs > 0 && inputs > 0, "weights of [{outputs}, {inputs}]");
        assert!(!element.is_quantized() || inputs <= MOST_QUANTIZED_INPUTS, "{inputs} inputs of {element:?}");
        assert!(
            Some(weight.len()) == outputs.checked_mul(inputs),
            "{} weights for [{outputs}, {inputs}]",
            weight.len()
        );
        assert!(kernels.multiplies(element), "values of {element:?} are not multiplied at {}", kernels.level());
        let width = kernels.panel_width();
        let words = padded_words(kernels, element, inputs);
        let mut panels = Aligned::zeros(outputs.next_multiple_of(width) * words);
        let (mut scales, mut sums) = (Vec::new(), Vec::new());
        if element.is_quantized() {
            scales = vec![0.0; outputs.next_multiple_of(width)];
            sums = vec![0.0; outputs.next_multiple_of(width)];
            let mut numbers = vec![0_i32; inputs];
            for (output, weights) in weight.chunks_exact(inputs).enumerate() {
                let panel = &mut panels.as_mut_slice()[output / width * words * width..][..words * width];
                (scales[output], sums[output]) = quantize(weights, &mut numbers, kernels.adds_in_16_bits(element));
                let numbers = numbers.chunks(element.per_word()).map(|numbers| whole_word(numbers, element));
                panel[output % width..]
                    .iter_mut()
                    .step_by(width)
                    .zip(numbers)
                    .for_each(|(word, numbers)| *word = numbers);
            }
        } else {
            let used = &mut panels.as_mut_slice()[..outputs.div_ceil(width) * words * width];
            let pack = |(panel, weights): (&mut [u32], &[f32])| pack_panel(panel, element, width, weights, inputs);
            if kernels.threads() > 1 {
                used.par_chunks_mut(words * width).zip(weight.par_chunks(width * inputs)).for_each(pack);
            } else {
                used.chunks_mut(words * width).zip(weight.chunks(width * inputs)).for_each(pack);
            }
        }
        pair_words(kernels, element, panels.as_mut_slice());
        Self { panels, element, outputs, inputs, words, level: kernels.level(), scales, sums }
    }

    /// The same as [`PackedWeights::pack`] of `[outputs, inputs]`, from the weights of each input, `row(input)`:
    /// `[outputs]`. So the columns of activations or of other weights are multiplied without being made rows. Threads of
    /// the pool that it is called on share the work.
    ///
    /// # Panics
    ///
    /// When a row is shorter, a dimension is 0, the level does not multiply such rows, or they are quantized.
    #[must_use]
    pub fn pack_columns<'a>(
        kernels: Kernels,
        element: Element,
        outputs: usize,
        inputs: usize,
        row: impl Fn(usize) -> &'a [f32] + Sync,
    ) -> Self {
        assert!(outputs > 0 && inputs > 0, "weights of [{outputs}, {inputs}]");
        assert!(kernels.multiplies(element) && !element.is_quantized(), "columns as weights for {element:?}");
        let width = kernels.panel_width();
        let words = padded_words(kernels, element, inputs);
        let mut panels = Aligned::zeros(outputs.next_multiple_of(width) * words);
        let used = &mut panels.as_mut_slice()[..outputs.div_ceil(width) * words * width];
        used.par_chunks_mut(TOGETHER * words * width).enumerate().for_each(|(index, panels)| {
            let first = index * TOGETHER * width;
            kernels.run(PackColumns { panels, element, words, first, outputs, inputs, row: &row });
        });
        pair_words(kernels, element, panels.as_mut_slice());
        Self { panels, element, outputs, inputs, words, level: kernels.level(), scales: Vec::new(), sums: Vec::new() }
    }

    /// The columns of the result.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The columns of the rows that are multiplied.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// What the values of those rows are.
    #[must_use]
    pub fn element(&self) -> Element {
        self.element
    }

    /// The CPU level that the weights were packed for.
    #[must_use]
    pub fn level(&self) -> CpuLevel {
        self.level
    }

    /// The memory that the packed weights take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(self.panels.as_slice()) + size_of_val(&*self.scales) + size_of_val(&*self.sums)
    }

    /// `[panels, words, panel width]`
    pub(super) fn panels(&self) -> &[u32] {
        self.panels.as_slice()
    }

    pub(super) fn words(&self) -> usize {
        self.words
    }

    pub(super) fn scales(&self) -> &[f32] {
        &self.scales
    }

    pub(super) fn sums(&self) -> &[f32] {
        &self.sums
    }
}

impl std::fmt::Debug for PackedWeights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PackedWeights([{}, {}] of {:?} for {})", self.outputs, self.inputs, self.element, self.level)
    }
}

/// Packs the weights of a panel's outputs, `[outputs, inputs]`, which are not quantized.
fn pack_panel(panel: &mut [u32], element: Element, width: usize, weights: &[f32], inputs: usize) {
    for (output, weights) in weights.chunks_exact(inputs).enumerate() {
        let packed = panel[output..].iter_mut().step_by(width);
        match element {
            Element::Bf16 => packed.zip(weights.chunks(2)).for_each(|(word, values)| *word = bf16_word(values)),
            Element::Bf16x3 => {
                let words = weights.chunks(GROUP).flat_map(three_parts);
                packed.zip(words).for_each(|(word, parts)| *word = parts);
            }
            _ => packed.zip(weights).for_each(|(word, &value)| *word = value.to_bits()),
        }
    }
}

/// Panels that are packed together, so that more than a line or two of each row is read at a time.
const TOGETHER: usize = 4;

/// Some panels, of the outputs from `first` on.
struct PackColumns<'p, R> {
    panels: &'p mut [u32],
    element: Element,
    words: usize,
    first: usize,
    outputs: usize,
    inputs: usize,
    row: R,
}

impl<'a, R: Fn(usize) -> &'a [f32]> Operation for PackColumns<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { panels, element, words, first, outputs, inputs, row } = self;
        let width = S::PANEL;
        let columns = |panel: usize| first + panel * width..outputs.min(first + (panel + 1) * width);
        if element == Element::F32 {
            for input in 0..inputs {
                let row = row(input);
                for (panel, packed) in panels.chunks_exact_mut(words * width).enumerate() {
                    let values = &row[columns(panel)];
                    let packed = &mut packed[input * width..][..width];
                    packed.iter_mut().zip(values).for_each(|(word, value)| *word = value.to_bits());
                }
            }
            return;
        }
        // Two inputs are a word; of f32 in three parts, a group of inputs has the words of its first parts before others.
        let parts = if element == Element::Bf16x3 { 3 } else { 1 };
        let mut rest = [[0.0_f32; MOST_COLUMNS]; 2];
        for input in (0..inputs).step_by(2) {
            let rows = [row(input), if input + 1 < inputs { row(input + 1) } else { &[] }];
            let word = input / GROUP * parts * GROUP / 2 + input % GROUP / 2;
            for (panel, packed) in panels.chunks_exact_mut(words * width).enumerate() {
                for (rest, row) in rest.iter_mut().zip(rows) {
                    rest.fill(0.0);
                    let values = if row.is_empty() { row } else { &row[columns(panel)] };
                    rest[..values.len()].copy_from_slice(values);
                }
                let [upper, lower] = &mut rest;
                for part in 0..parts {
                    let packed = &mut packed[(word + part * GROUP / 2) * width..][..width];
                    for (word, (upper, lower)) in packed.iter_mut().zip(upper.iter_mut().zip(lower.iter_mut())) {
                        let (first, second) = (to_bf16(*upper), to_bf16(*lower));
                        *word = u32::from(first) | u32::from(second) << 16;
                        *upper -= from_bf16(first);
                        *lower -= from_bf16(second);
                    }
                }
            }
        }
    }
}

/// The words of a row or an output of so many values, as products at that level read them.
pub(crate) fn padded_words(kernels: Kernels, element: Element, values: usize) -> usize {
    element.words(values).next_multiple_of(kernels.word_step(element))
}

/// One or two values as bfloat16 in the order of memory.
fn bf16_word(values: &[f32]) -> u32 {
    let [a, b] = [0, 1].map(|index| to_bf16(values.get(index).copied().unwrap_or(0.0)).to_ne_bytes());
    u32::from_ne_bytes([a[0], a[1], b[0], b[1]])
}

/// Up to a group of values as the sums of three bfloat16: the words of all first parts, of the second, of the third.
fn three_parts(values: &[f32]) -> [u32; 3 * GROUP / 2] {
    let mut words = [0; 3 * GROUP / 2];
    let mut rest = [0.0; GROUP];
    rest[..values.len()].copy_from_slice(values);
    for words in words.chunks_exact_mut(GROUP / 2) {
        words.iter_mut().zip(rest.chunks(2)).for_each(|(word, pair)| *word = bf16_word(pair));
        rest.iter_mut().for_each(|value| *value -= from_bf16(to_bf16(*value)));
    }
    words
}

/// Whole numbers in the order of memory: up to four in bytes, or up to two in 16 bits.
fn whole_word(numbers: &[i32], element: Element) -> u32 {
    let number = |index: usize| numbers.get(index).copied().unwrap_or(0);
    if element == Element::U8 {
        u32::from_ne_bytes([0, 1, 2, 3].map(|index| (number(index) as i8).cast_unsigned()))
    } else {
        let [a, b] = [0, 1].map(|index| (number(index) as i16).to_ne_bytes());
        u32::from_ne_bytes([a[0], a[1], b[0], b[1]])
    }
}

/// The nearest whole numbers for an output's weights, up to 127; returns their scale and their sum. `in_pairs`: the
/// magnitudes of two beside each other add up to [`MOST_OF_TWO`] at the most, for which the scale may have to be larger.
pub(super) fn quantize(weights: &[f32], numbers: &mut [i32], in_pairs: bool) -> (f32, f32) {
    let (range, most) = quantized_range(weights, in_pairs);
    let scale = range / most;
    // Weights too small to divide by count as 0.
    let (scale, factor) = if scale < f32::MIN_POSITIVE { (0.0, 0.0) } else { (scale, most / range) };
    // `max` passes over NaN.
    let scale = if weights.iter().any(|weight| weight.is_nan()) { f32::NAN } else { scale };
    for (number, weight) in numbers.iter_mut().zip(weights) {
        // The largest magnitude gives 127 up to rounding, never more.
        *number = (weight * factor).round_ties_even().clamp(-127.0, 127.0) as i32;
    }
    if in_pairs {
        for pair in numbers.chunks_exact_mut(2).filter(|pair| pair[0].abs() + pair[1].abs() > MOST_OF_TWO) {
            // The products with `factor` were rounded, too.
            pair[0] -= pair[0].signum();
        }
    }
    let sum: i64 = numbers.iter().copied().map(i64::from).sum();
    (scale, sum as f32)
}

/// The magnitude that becomes a whole number, and which: the largest of a weight 127, or that of two weights
/// [`MOST_OF_TWO`].
pub(super) fn quantized_range(weights: &[f32], in_pairs: bool) -> (f32, f32) {
    let largest = weights.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
    if !in_pairs {
        return (largest, 127.0);
    }
    // Half of either: the sum of two large weights could be infinite.
    let most = MOST_OF_TWO as f32 / 2.0;
    let half = |weight: f32| 0.5 * weight.abs();
    let pairs = weights.chunks_exact(2).fold(0.0_f32, |largest, pair| largest.max(half(pair[0]) + half(pair[1])));
    // Two weights of the same size are exact then.
    if pairs / most > largest / 127.0 { (pairs, most) } else { (largest, 127.0) }
}
