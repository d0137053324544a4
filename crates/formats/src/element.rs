//! Element types of stored tensors, and their values as f32.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

/// The type of a stored tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// 64-bit floating point.
    F64,
    /// 32-bit floating point.
    F32,
    /// 16-bit floating point of IEEE 754.
    F16,
    /// The upper half of a 32-bit floating-point number.
    Bf16,
    /// Whole numbers from -128 to 127, which another tensor has the scales of.
    I8,
    /// A type that no weight has, by its name and the bytes of an element. Such tensors are carried along, because
    /// checkpoints hold buffers beside weights (old ones have `position_ids` in 64-bit integers).
    Other(&'static str, usize),
}

impl Element {
    /// The name, in safetensors' spelling.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F64 => "F64",
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::I8 => "I8",
            Self::Other(name, _) => name,
        }
    }

    /// Bytes of one element.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::I8 => 1,
            Self::Other(_, size) => size,
        }
    }

    /// All elements of `bytes` as f32 (whole numbers without their scale), or `None` for a type that no weight has. A
    /// rest shorter than an element is left out.
    #[must_use]
    pub fn to_f32(self, bytes: &[u8]) -> Option<Vec<f32>> {
        Some(match self {
            Self::F64 => map(bytes, |value| f64::from_le_bytes(value) as f32),
            Self::F32 => map(bytes, f32::from_le_bytes),
            Self::F16 => halves(bytes),
            Self::Bf16 => map(bytes, |value| bf16::from_le_bytes(value).to_f32()),
            Self::I8 => map(bytes, |value| f32::from(i8::from_le_bytes(value))),
            Self::Other(..) => return None,
        })
    }
}

fn map<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| value(*chunk)).collect()
}

/// Half-precision numbers by blocks: the CPU's own conversion, where there is one, works on slices.
fn halves(bytes: &[u8]) -> Vec<f32> {
    const BLOCK: usize = 256;
    let numbers = bytes.as_chunks::<2>().0;
    let mut values = vec![0.0; numbers.len()];
    let mut block = [f16::ZERO; BLOCK];
    for (numbers, values) in numbers.chunks(BLOCK).zip(values.chunks_mut(BLOCK)) {
        for (half, number) in block.iter_mut().zip(numbers) {
            *half = f16::from_le_bytes(*number);
        }
        block[..values.len()].convert_to_f32_slice(values);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_float_type_gives_the_number_it_stands_for() {
        for value in [0.0_f32, -0.0, 1.0, -2.5, 65504.0, f32::INFINITY] {
            let cases = [
                (Element::F64, f64::from(value).to_le_bytes().to_vec()),
                (Element::F32, value.to_le_bytes().to_vec()),
                (Element::F16, f16::from_f32(value).to_le_bytes().to_vec()),
            ];
            for (element, bytes) in cases {
                assert_eq!(bytes.len(), element.size());
                assert_eq!(element.to_f32(&bytes), Some(vec![value]), "{}", element.name());
            }
        }
        // More than a block, and a rest.
        let bytes: Vec<u8> = (0..600_u16).flat_map(|number| f16::from_f32(number.into()).to_le_bytes()).collect();
        assert_eq!(Element::F16.to_f32(&bytes), Some((0..600_u16).map(f32::from).collect()));
        assert_eq!(Element::Bf16.to_f32(&[0x80, 0x3f, 0x00, 0xc0]), Some(vec![1.0, -2.0]));
        assert_eq!(Element::I8.to_f32(&[1, 0x7f, 0x81, 0x80]), Some(vec![1.0, 127.0, -127.0, -128.0]));
        assert_eq!(Element::Other("I64", 8).to_f32(&[0; 8]), None);
    }
}
