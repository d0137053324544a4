//! How long a step of fine-tuning takes: `steps MODEL_DIRECTORY [DOCUMENTS] [PIECES] [STEPS] [THREADS] [PRECISION]`.
//!
//! Documents are of random pieces, all as long. `bench/train/steps.py` does the same with PyTorch.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::time::Instant;

use albertine_model::{Checkpoint, Kernels, Precision};
use albertine_train::{Event, Examples, Tensors, TrainSettings, train_weights};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize, usual: usize| arguments.get(place).map_or(Ok(usual), |text| text.parse());
    let (documents, pieces, steps, threads) = (number(1, 32)?, number(2, 64)?, number(3, 5)?, number(4, 2)?);
    let precision = arguments.get(5).map_or(Ok(Precision::F32), |name| name.parse())?;
    let checkpoint = Checkpoint::open(Path::new(arguments.first().ok_or("name a model directory")?))?;
    let config = checkpoint.config().clone();
    let weights = Tensors::read(&config, checkpoint.weights())?;
    let mut examples = Examples::new();
    for document in 0..documents * steps {
        let ids: Vec<u32> = (0..pieces)
            .map(|piece| ((document * 7919 + piece * 104_729) % config.architecture().vocab_size()) as u32)
            .collect();
        examples.push(&ids, document % config.labels().len());
    }
    let settings =
        TrainSettings { epochs: 1, batch_size: documents, warmup: 0.0, precision, ..TrainSettings::default() };
    let mut last = Instant::now();
    let mut times = Vec::new();
    let kernels = Kernels::detect()?.with_threads(threads);
    train_weights(&config, weights, &examples, &settings, kernels, &mut |event| {
        if let Event::Step { loss, .. } = event {
            times.push(last.elapsed().as_secs_f64());
            println!("{:.3} s, loss {loss:.4}", last.elapsed().as_secs_f64());
            last = Instant::now();
        }
    })?;
    times.sort_by(f64::total_cmp);
    println!("median {:.3} s a step of {documents} documents of {pieces} pieces", times[times.len() / 2]);
    Ok(())
}
