//! `pytorch_model.bin` as PyTorch wrote it before 1.6, behind the pickles that tell the format: whatever is accepted can be
//! read, tensor by tensor.
#![no_main]

use std::path::Path;

use albertine_model::Weights;
use libfuzzer_sys::fuzz_target;

/// The magic number, the version, and the byte order.
const HEAD: &[u8] =
    b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}X\x0d\x00\x00\x00little_endian\x88s.";

fuzz_target!(|bytes: &[u8]| {
    let file = [HEAD, bytes].concat();
    if let Ok(weights) = Weights::from_torch(&file, Path::new("pytorch_model.bin")) {
        for (name, shape, _) in weights.tensors() {
            if let Ok(values) = weights.get(name, shape) {
                assert_eq!(values.len(), shape.iter().product::<usize>());
                assert!(values.len() <= file.len());
            }
        }
    }
});
