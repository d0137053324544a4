//! How exactly a model is computed, and what its values are then.

use std::fmt;
use std::str::FromStr;

use crate::cpu::{CpuError, Kernels};
use crate::matrix::Element;

/// How exactly a model is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// 32-bit floating point throughout. With AMX products are made of six products of bfloat16 ([`Element::Bf16x3`]),
    /// which is as exact as the vectors of f32 of the same CPU, and half as fast again.
    #[default]
    F32,
    /// Weights and activations rounded to bfloat16, sums, softmax and layer normalization in f32.
    Bf16,
    /// Weights in 8 bits with a scale for each output, activations in 8 bits with a scale and an offset for each row,
    /// found as they come. Attention, the projection of the embeddings and the values of the activation are bfloat16
    /// where the CPU multiplies it and else f32; the rest is f32. At AVX2 without VNNI weights are rounded more coarsely
    /// where two large ones lie beside each other.
    Int8,
}

impl Precision {
    /// All precisions, the most exact first.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::Int8];

    /// The name that [`FromStr`] reads: `f32`, `bf16`, `int8`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Precision {
    type Err = UnknownPrecision;

    fn from_str(name: &str) -> Result<Self, UnknownPrecision> {
        Self::ALL
            .into_iter()
            .find(|precision| precision.name() == name)
            .ok_or_else(|| UnknownPrecision(name.to_owned()))
    }
}

/// No precision has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown precision {0:?}, there are f32, bf16 and int8")]
pub struct UnknownPrecision(pub String);

/// What the values of a model are at a precision and a CPU level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elements {
    /// What the rows and weights of linear layers are.
    pub operand: Element,
    /// What passes from a product to whatever is no product, and what attention multiplies.
    pub between: Element,
}

impl Elements {
    /// The element of activations that go from one product directly to the next, and of operands that are too small to
    /// be worth quantizing: quantizing has to read a whole row first.
    #[must_use]
    pub fn unquantized(self) -> Element {
        if self.operand.is_quantized() { self.between } else { self.operand }
    }
}

impl Kernels {
    /// What the values of a model are at that precision.
    ///
    /// # Errors
    ///
    /// [`CpuError::NoBf16`] for bf16 at a level that does not multiply bfloat16: computing it in f32 would be slower
    /// than f32 and no more exact.
    pub fn elements(self, precision: Precision) -> Result<Elements, CpuError> {
        let between = if self.multiplies(Element::Bf16) { Element::Bf16 } else { Element::F32 };
        match precision {
            Precision::F32 if self.multiplies(Element::Bf16x3) => {
                Ok(Elements { operand: Element::Bf16x3, between: Element::F32 })
            }
            Precision::F32 => Ok(Elements { operand: Element::F32, between: Element::F32 }),
            Precision::Bf16 if between == Element::Bf16 => Ok(Elements { operand: between, between }),
            Precision::Bf16 => Err(CpuError::NoBf16 { level: self.level() }),
            Precision::Int8 if self.multiplies(Element::U8) => Ok(Elements { operand: Element::U8, between }),
            Precision::Int8 => Ok(Elements { operand: Element::U16, between }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::reference::all_kernels;

    #[test]
    fn names_round_trip() {
        for precision in Precision::ALL {
            assert_eq!(precision.to_string().parse::<Precision>().unwrap(), precision);
        }
        assert_eq!("f64".parse::<Precision>().unwrap_err(), UnknownPrecision("f64".into()));
    }

    #[test]
    fn every_level_multiplies_what_it_says() {
        for kernels in all_kernels() {
            for precision in Precision::ALL {
                match kernels.elements(precision) {
                    Ok(elements) => {
                        assert!(kernels.multiplies(elements.operand) && kernels.multiplies(elements.between));
                    }
                    Err(error) => {
                        assert_eq!(precision, Precision::Bf16);
                        assert_eq!(error, CpuError::NoBf16 { level: kernels.level() });
                    }
                }
            }
        }
    }
}
