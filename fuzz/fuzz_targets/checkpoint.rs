//! Any bytes as the files of an ONNX model, of a TensorFlow model and of a saved annotator: whatever is accepted can be
//! read, tensor by tensor.
#![no_main]

use std::io::{Cursor, Write};
use std::path::Path;

use albertine_model::{Checkpoint, Folder};
use libfuzzer_sys::fuzz_target;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Reads files as a model; an archive gives them their names and checksums.
fn read(files: &[(&str, &[u8])]) -> Option<()> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(*name, SimpleFileOptions::default().compression_method(CompressionMethod::Stored)).ok()?;
        archive.write_all(bytes).ok()?;
    }
    let bytes = archive.finish().ok()?.into_inner();
    let found = Checkpoint::read(&Folder::from_archive(bytes, Path::new("model.zip")).ok()?).ok()?;
    for (name, shape, _) in found.weights().tensors() {
        if let Ok(values) = found.weights().get(name, shape) {
            assert_eq!(values.len(), shape.iter().product::<usize>());
        }
    }
    Some(())
}

fuzz_target!(|input: (&[u8], &[u8], &[u8])| {
    let (first, second, third) = input;
    let _ = read(&[("model.onnx", first), ("data", second), ("assets/labels.txt", third)]);
    let _ = read(&[
        ("saved_model.pb", first),
        ("variables/variables.index", second),
        ("variables/variables.data-00000-of-00001", third),
    ]);
    let _ = read(&[
        ("metadata/part-00000", first),
        ("albert_classification_onnx", second),
        ("fields/labels/part-00000", third),
    ]);
});
