//! `model.safetensors`: whatever is accepted can be read, tensor by tensor.
#![no_main]

use std::path::Path;

use albertine_model::Weights;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(weights) = Weights::from_safetensors(bytes, Path::new("model.safetensors")) {
        for (name, shape, _) in weights.tensors() {
            if let Ok(values) = weights.get(name, shape) {
                assert_eq!(values.len(), shape.iter().product::<usize>());
            }
        }
    }
});
