//! Reads a model of any kind and writes it as a Hugging Face directory: `save MODEL DIRECTORY`.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::time::Instant;

use albertine_model::Checkpoint;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, directory] = arguments.as_slice() else {
        return Err("usage: save MODEL DIRECTORY".into());
    };
    let started = Instant::now();
    let checkpoint = Checkpoint::open(Path::new(model))?;
    println!("{} opened in {:.1?}: {:?}", checkpoint.kind(), started.elapsed(), checkpoint.config());
    checkpoint.save(Path::new(directory))?;
    println!("{directory} written after {:.1?}", started.elapsed());
    Ok(())
}
