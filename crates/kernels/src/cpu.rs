//! What the running CPU can do, found once, and the proof of it that every kernel asks for.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

#[cfg(target_arch = "aarch64")]
use crate::simd::Neon;
#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512, BASE, BF16};
use crate::simd::{Operation, Portable, Simd};

/// The environment variable that lowers the CPU level.
const VARIABLE: &str = "ALBERTINE_CPU";

/// An instruction set that has kernels of its own: those of x86-64, then those of AArch64. They are ordered by what they
/// are worth: the last one that a CPU has is its best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CpuLevel {
    /// Plain Rust, on every CPU.
    Portable,
    /// AVX2 and FMA (x86-64-v3).
    Avx2,
    /// AVX2 with AVX-VNNI: products of bytes. CPUs with AVX-512 need not have it.
    Avx2Vnni,
    /// AVX-512 F, BW, DQ and VL (x86-64-v4).
    Avx512,
    /// AVX-512 with VNNI: products of bytes.
    Avx512Vnni,
    /// AVX-512 with VNNI and BF16: products of bfloat16. Every CPU with the second has the first.
    Avx512Bf16,
    /// The same with AMX: products of bytes and of bfloat16 by tiles.
    Amx,
    /// NEON, which every AArch64 CPU has.
    Neon,
    /// NEON with the dot product instructions (Armv8.4, and many CPUs before): products of bytes.
    NeonDotprod,
    /// The same with I8MM (Armv8.6): products of bytes, two rows by two columns.
    NeonI8mm,
    /// The same with BF16 (Armv8.6): products of bfloat16, two rows by two columns.
    NeonBf16,
}

impl CpuLevel {
    /// All levels, lowest first, those of x86-64 before those of AArch64.
    pub const ALL: [Self; 11] = [
        Self::Portable,
        Self::Avx2,
        Self::Avx2Vnni,
        Self::Avx512,
        Self::Avx512Vnni,
        Self::Avx512Bf16,
        Self::Amx,
        Self::Neon,
        Self::NeonDotprod,
        Self::NeonI8mm,
        Self::NeonBf16,
    ];

    /// The name that `ALBERTINE_CPU` and [`FromStr`] read: `portable`, `avx2`, `avx2_vnni`, `avx512`, `avx512_vnni`,
    /// `avx512_bf16`, `amx`, `neon`, `neon_dotprod`, `neon_i8mm`, `neon_bf16`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx2Vnni => "avx2_vnni",
            Self::Avx512 => "avx512",
            Self::Avx512Vnni => "avx512_vnni",
            Self::Avx512Bf16 => "avx512_bf16",
            Self::Amx => "amx",
            Self::Neon => "neon",
            Self::NeonDotprod => "neon_dotprod",
            Self::NeonI8mm => "neon_i8mm",
            Self::NeonBf16 => "neon_bf16",
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
            .ok_or_else(|| CpuError::Unknown { name: name.to_owned(), available: list(available()) })
    }
}

/// Why there are no kernels for the level that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CpuError {
    /// No level has this name.
    #[error("unknown CPU level {name:?} (ALBERTINE_CPU), this CPU has {available}")]
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
    /// The level multiplies no bfloat16.
    #[error("the CPU level {level} does not support bfloat16: use f32, which every CPU supports, or int8")]
    NoBf16 {
        /// The level that was asked for, or found.
        level: CpuLevel,
    },
}

fn list(levels: &[CpuLevel]) -> String {
    levels.iter().map(|level| level.name()).collect::<Vec<_>>().join(", ")
}

/// The levels of the running CPU, whatever the environment says, lowest first.
fn available() -> &'static [CpuLevel] {
    static AVAILABLE: OnceLock<Vec<CpuLevel>> = OnceLock::new();
    AVAILABLE.get_or_init(|| CpuLevel::ALL.into_iter().filter(|&level| has(level)).collect())
}

#[cfg(target_arch = "x86_64")]
fn has(level: CpuLevel) -> bool {
    use std::arch::is_x86_feature_detected as has;

    match level {
        CpuLevel::Portable => true,
        CpuLevel::Avx2 => has!("avx2") && has!("fma"),
        CpuLevel::Avx2Vnni => self::has(CpuLevel::Avx2) && has!("avxvnni"),
        CpuLevel::Avx512 => {
            self::has(CpuLevel::Avx2) && has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl")
        }
        CpuLevel::Avx512Vnni => self::has(CpuLevel::Avx512) && has!("avx512vnni"),
        CpuLevel::Avx512Bf16 => self::has(CpuLevel::Avx512Vnni) && has!("avx512bf16"),
        CpuLevel::Amx => self::has(CpuLevel::Avx512Bf16) && crate::dot::amx_is_allowed(),
        CpuLevel::Neon | CpuLevel::NeonDotprod | CpuLevel::NeonI8mm | CpuLevel::NeonBf16 => false,
    }
}

#[cfg(target_arch = "aarch64")]
fn has(level: CpuLevel) -> bool {
    use std::arch::is_aarch64_feature_detected as has;

    match level {
        CpuLevel::Portable => true,
        // Packed words are in the order of memory, which the instructions take to be little-endian.
        CpuLevel::Neon => cfg!(target_endian = "little") && has!("neon"),
        CpuLevel::NeonDotprod => self::has(CpuLevel::Neon) && has!("dotprod"),
        CpuLevel::NeonI8mm => self::has(CpuLevel::NeonDotprod) && has!("i8mm"),
        CpuLevel::NeonBf16 => self::has(CpuLevel::NeonI8mm) && has!("bf16"),
        CpuLevel::Avx2
        | CpuLevel::Avx2Vnni
        | CpuLevel::Avx512
        | CpuLevel::Avx512Vnni
        | CpuLevel::Avx512Bf16
        | CpuLevel::Amx => false,
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn has(level: CpuLevel) -> bool {
    level == CpuLevel::Portable
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
    threads: usize,
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
            _ => Self::at(available().last().copied().unwrap_or(CpuLevel::Portable)),
        }
    }

    /// The kernels of a given level, whatever the environment says.
    ///
    /// # Errors
    ///
    /// [`CpuError::Unavailable`] when the running CPU lacks the level.
    pub fn at(level: CpuLevel) -> Result<Self, CpuError> {
        // Only the level that is wanted is looked for: to have AMX a process must ask for it.
        if has(level) {
            Ok(Self { level, threads: 1 })
        } else {
            Err(CpuError::Unavailable { level, available: list(available()) })
        }
    }

    /// The levels of the running CPU, lowest first.
    #[must_use]
    pub fn available() -> Vec<CpuLevel> {
        available().to_vec()
    }

    /// The level of these kernels.
    #[must_use]
    pub fn level(self) -> CpuLevel {
        self.level
    }

    /// The same kernels, each call of which may use `threads` threads of the pool that it is called on: for a piece of
    /// work that is alone. Results are the same bit for bit.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Self { threads: threads.max(1), ..self }
    }

    /// The threads that a call may use, 1 unless more were asked for.
    #[must_use]
    pub fn threads(self) -> usize {
        self.threads
    }

    /// Runs a vectorized operation with the f32 vectors of this level.
    pub(crate) fn run<O: Operation>(self, operation: O) -> O::Output {
        match self.level {
            #[cfg(target_arch = "x86_64")]
            CpuLevel::Avx512Bf16 | CpuLevel::Amx => {
                // SAFETY: `at` found that this CPU has the level, and with it AVX-512 with VNNI and BF16.
                unsafe { Avx512::<BF16>::assume() }.call(operation)
            }
            #[cfg(target_arch = "x86_64")]
            CpuLevel::Avx512 | CpuLevel::Avx512Vnni => {
                // SAFETY: `at` found that this CPU has the level, and with it AVX-512 F, BW, DQ and VL.
                unsafe { Avx512::<BASE>::assume() }.call(operation)
            }
            #[cfg(target_arch = "x86_64")]
            CpuLevel::Avx2 | CpuLevel::Avx2Vnni => {
                // SAFETY: `at` found that this CPU has the level, and with it AVX2 and FMA.
                unsafe { Avx2::<false>::assume() }.call(operation)
            }
            #[cfg(target_arch = "aarch64")]
            CpuLevel::Neon | CpuLevel::NeonDotprod | CpuLevel::NeonI8mm | CpuLevel::NeonBf16 => {
                // SAFETY: `at` found that this CPU has the level, and with it NEON.
                unsafe { Neon::assume() }.call(operation)
            }
            _ => Portable.call(operation),
        }
    }

    /// The columns of a packed panel at this level, which is where a part of a product may start.
    #[must_use]
    pub fn panel_width(self) -> usize {
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
        assert!(message.starts_with("unknown CPU level \"avx9\" (ALBERTINE_CPU), this CPU has portable"), "{message}");
    }

    #[test]
    fn levels_are_those_of_the_architecture() {
        let others = Kernels::available().split_off(1);
        let neon = [CpuLevel::Neon, CpuLevel::NeonDotprod, CpuLevel::NeonI8mm, CpuLevel::NeonBf16];
        if cfg!(all(target_arch = "aarch64", target_endian = "little")) {
            assert_eq!(others, neon[..others.len()], "each has what the one before has, and every CPU has the first");
            assert!(!others.is_empty());
        } else {
            assert!(others.iter().all(|level| !neon.contains(level)), "{others:?}");
        }
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
