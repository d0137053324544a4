//! What the running CPU can do, found once, and the proof of it that every kernel asks for.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512};
use crate::simd::{Operation, Portable, Simd};

/// The environment variable that lowers the CPU level.
const VARIABLE: &str = "ALBERTINE_CPU";

/// A step on the ladder of instruction sets that have kernels of their own. Each contains the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CpuLevel {
    /// Plain Rust, on every CPU.
    Portable,
    /// AVX2 and FMA (x86-64-v3).
    Avx2,
    /// AVX-512 F, BW, DQ and VL (x86-64-v4).
    Avx512,
    /// AVX-512 with VNNI: products of bytes.
    Avx512Vnni,
    /// AVX-512 with VNNI and BF16: products of bfloat16. Every CPU with the second has the first.
    Avx512Bf16,
}

impl CpuLevel {
    /// All levels, lowest first.
    pub const ALL: [Self; 5] = [Self::Portable, Self::Avx2, Self::Avx512, Self::Avx512Vnni, Self::Avx512Bf16];

    /// The name that `ALBERTINE_CPU` and [`FromStr`] read: `portable`, `avx2`, `avx512`, `avx512_vnni`, `avx512_bf16`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Avx512Vnni => "avx512_vnni",
            Self::Avx512Bf16 => "avx512_bf16",
        }
    }
}

impl fmt::Display for CpuLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for CpuLevel {
    type Err = CpuError;

    fn from_str(name: &str) -> Result<Self, CpuError> {
        Self::ALL
            .into_iter()
            .find(|level| level.name() == name)
            .ok_or_else(|| CpuError::Unknown { name: name.to_owned(), available: list(&Kernels::available()) })
    }
}

/// Why there are no kernels for the level that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CpuError {
    /// No level has this name.
    #[error("unknown CPU level {name:?}, this CPU has {available}")]
    Unknown {
        /// The name as it was given.
        name: String,
        /// The names of the levels that the running CPU has, lowest first.
        available: String,
    },
    /// The running CPU lacks the instructions of this level.
    #[error("this CPU does not have the level {level}, it has {available}")]
    Unavailable {
        /// The level that was asked for.
        level: CpuLevel,
        /// The names of the levels that the running CPU has, lowest first.
        available: String,
    },
}

fn list(levels: &[CpuLevel]) -> String {
    levels.iter().map(|level| level.name()).collect::<Vec<_>>().join(", ")
}

/// The highest level of the running CPU, whatever the environment says.
fn highest() -> CpuLevel {
    static HIGHEST: OnceLock<CpuLevel> = OnceLock::new();
    *HIGHEST.get_or_init(probe)
}

#[cfg(target_arch = "x86_64")]
fn probe() -> CpuLevel {
    use std::arch::is_x86_feature_detected as has;

    if !(has!("avx2") && has!("fma")) {
        CpuLevel::Portable
    } else if !(has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl")) {
        CpuLevel::Avx2
    } else if !has!("avx512vnni") {
        CpuLevel::Avx512
    } else if !has!("avx512bf16") {
        CpuLevel::Avx512Vnni
    } else {
        CpuLevel::Avx512Bf16
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn probe() -> CpuLevel {
    CpuLevel::Portable
}

/// The kernels of one CPU level: the proof that the running CPU has it, and the door to every function of this crate.
///
/// ```
/// use albertine_kernels::{CpuLevel, Kernels};
///
/// let portable = Kernels::at(CpuLevel::Portable)?;
/// assert_eq!(portable.level(), CpuLevel::Portable);
/// assert!(Kernels::available().contains(&Kernels::detect()?.level()));
/// # Ok::<(), albertine_kernels::CpuError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernels {
    // Private, and set only by `at`, which checks it against the running CPU.
    level: CpuLevel,
}

impl Kernels {
    /// The highest level of the running CPU, or the lower one that the environment variable `ALBERTINE_CPU` names.
    /// An empty variable counts as none.
    ///
    /// # Errors
    ///
    /// [`CpuError`] when the variable names no level, or one that this CPU lacks.
    pub fn detect() -> Result<Self, CpuError> {
        match std::env::var_os(VARIABLE) {
            Some(name) if !name.is_empty() => Self::at(name.to_string_lossy().parse()?),
            _ => Self::at(highest()),
        }
    }

    /// The kernels of a given level, whatever the environment says.
    ///
    /// # Errors
    ///
    /// [`CpuError::Unavailable`] when the running CPU lacks the level.
    pub fn at(level: CpuLevel) -> Result<Self, CpuError> {
        if level <= highest() {
            Ok(Self { level })
        } else {
            Err(CpuError::Unavailable { level, available: list(&Self::available()) })
        }
    }

    /// The levels of the running CPU, lowest first.
    #[must_use]
    pub fn available() -> Vec<CpuLevel> {
        CpuLevel::ALL.into_iter().filter(|&level| level <= highest()).collect()
    }

    /// The level of these kernels.
    #[must_use]
    pub fn level(self) -> CpuLevel {
        self.level
    }

    /// Runs a vectorised operation with the f32 vectors of this level.
    pub(crate) fn run<O: Operation>(self, operation: O) -> O::Output {
        match self.level {
            #[cfg(target_arch = "x86_64")]
            CpuLevel::Avx512 | CpuLevel::Avx512Vnni | CpuLevel::Avx512Bf16 => {
                // SAFETY: `at` found that this CPU has the level, and with it AVX-512 F, BW, DQ and VL.
                unsafe { Avx512::assume() }.call(operation)
            }
            #[cfg(target_arch = "x86_64")]
            CpuLevel::Avx2 => {
                // SAFETY: `at` found that this CPU has the level, and with it AVX2 and FMA.
                unsafe { Avx2::assume() }.call(operation)
            }
            _ => Portable.call(operation),
        }
    }

    /// The columns of a packed panel at this level.
    pub(crate) fn panel_width(self) -> usize {
        struct PanelWidth;
        impl Operation for PanelWidth {
            type Output = usize;
            #[inline(always)]
            fn run<S: Simd>(self, _: S) -> usize {
                S::PANEL
            }
        }
        self.run(PanelWidth)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn names_round_trip() {
        for level in CpuLevel::ALL {
            assert_eq!(level.to_string().parse::<CpuLevel>().unwrap(), level);
        }
        assert_eq!(format!("[{:>10}]", CpuLevel::Avx2), "[      avx2]");
    }

    #[test]
    fn an_unknown_name_is_told_what_there_is() {
        let error = "avx9".parse::<CpuLevel>().unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with("unknown CPU level \"avx9\", this CPU has portable"), "{message}");
    }

    #[test]
    fn every_available_level_can_be_had_and_no_other() {
        let available = Kernels::available();
        assert_eq!(available[0], CpuLevel::Portable);
        for level in CpuLevel::ALL {
            match Kernels::at(level) {
                Ok(kernels) => assert!(available.contains(&level) && kernels.level() == level),
                Err(error) => {
                    assert!(!available.contains(&level));
                    assert_eq!(error, CpuError::Unavailable { level, available: list(&available) });
                }
            }
        }
    }
}
