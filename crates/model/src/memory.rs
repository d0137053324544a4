//! Memory that is about to be needed.

use std::hint::black_box;

use crate::ModelError;

/// Asks for so many bytes and gives them back. Where a process may not have them, it would be ended by what asks next:
/// most of the standard library's containers take it for granted that there is memory.
pub(crate) fn check(bytes: usize) -> Result<(), ModelError> {
    let mut room = Vec::<u8>::new();
    // the compiler leaves out an allocation that nobody looks at
    let found = black_box(&mut room).try_reserve_exact(bytes);
    black_box(&room);
    found.map_err(|_| ModelError::OutOfMemory { bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_machine_has_is_refused() {
        assert!(check(1 << 20).is_ok());
        let error = check(1 << 60).map_err(|error| error.to_string());
        assert_eq!(
            error,
            Err("this process cannot have 1099511627776 MiB more memory, which the model needs".to_owned())
        );
    }
}
