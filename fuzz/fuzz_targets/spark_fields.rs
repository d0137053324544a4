//! Any bytes as Java objects in a sequence file, beside a saved stage.
#![no_main]

use std::io::{Cursor, Write};
use std::path::Path;

use albertine_model::{Folder, SparkStage};
use libfuzzer_sys::fuzz_target;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A sequence file of one record.
fn sequence_file(record: &[u8]) -> Vec<u8> {
    let mut file = b"SEQ\x06".to_vec();
    for class in ["org.apache.hadoop.io.NullWritable", "org.apache.hadoop.io.BytesWritable"] {
        file.push(class.len() as u8);
        file.extend_from_slice(class.as_bytes());
    }
    file.extend([0; 22]);
    let size = record.len() as u32;
    file.extend([size + 4, 0, size].iter().flat_map(|number| number.to_be_bytes()));
    file.extend_from_slice(record);
    file
}

fn stage(part: &[u8]) -> Option<SparkStage> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [("metadata/part-00000", &b"{}"[..]), ("fields/rules/part-00000", part)] {
        archive.start_file(name, SimpleFileOptions::default().compression_method(CompressionMethod::Stored)).ok()?;
        archive.write_all(bytes).ok()?;
    }
    let bytes = archive.finish().ok()?.into_inner();
    SparkStage::read(&Folder::from_archive(bytes, Path::new("stage.zip")).ok()?).ok()
}

fuzz_target!(|bytes: &[u8]| {
    for part in [sequence_file(bytes), bytes.to_vec()] {
        if let Some(stage) = stage(&part) {
            let _ = stage.strings("rules");
            let _ = stage.patterns("rules");
        }
    }
});
