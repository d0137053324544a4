//! Gradients held to those of PyTorch in f64 (`tools/golden_gradients`).
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use albertine_model::{Checkpoint, Kernels, ModelConfig, ProblemType, RaggedBatch};
use serde_json::Value;

use super::Network;
use crate::Tensors;
use crate::loss::{BatchLoss, Target};

const FREQUENCIES: [f64; 3] = [0.1, 0.37, 1.9];

/// How far sums over f32 may be from those over f64, for lengths around 1.
const TOLERANCE: f64 = 1e-4;

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name)
}

struct Golden {
    config: ModelConfig,
    weights: Tensors,
    batch: RaggedBatch,
    classes: Vec<usize>,
    cases: Value,
}

fn golden(name: &str) -> Golden {
    let checkpoint = Checkpoint::open(&testdata("golden").join(name)).unwrap();
    let text = std::fs::read(testdata("gradients").join(format!("{name}.json"))).unwrap();
    let mut json: Value = serde_json::from_slice(&text).unwrap();
    let mut batch = RaggedBatch::new();
    for document in json["documents"].as_array().unwrap() {
        let ids: Vec<u32> = serde_json::from_value(document.clone()).unwrap();
        batch.push(&ids);
    }
    let classes = serde_json::from_value(json["classes"].take()).unwrap();
    let config = checkpoint.config().clone();
    let weights = Tensors::read(&config, checkpoint.weights()).unwrap();
    Golden { config, weights, batch, classes, cases: json["cases"].take() }
}

fn names() -> Vec<String> {
    let files = std::fs::read_dir(testdata("gradients")).unwrap();
    let mut names: Vec<String> =
        files.map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    assert!(names.len() >= 20, "{names:?}");
    names
}

#[test]
fn gradients_are_those_of_pytorch_at_every_level() {
    for name in names() {
        let golden = golden(&name);
        for kernels in Kernels::available().into_iter().map(|level| Kernels::at(level).unwrap()) {
            let network = Network::new(&golden.config, &golden.weights, kernels).unwrap();
            for case in golden.cases.as_array().unwrap() {
                let weights: Option<Vec<f32>> = serde_json::from_value(case["weights"].clone()).unwrap();
                let weight = |&class: &usize| weights.as_ref().map_or(1.0, |weights| f64::from(weights[class]));
                let loss = BatchLoss {
                    problem: ProblemType::SingleLabel,
                    targets: golden.classes.iter().map(|&class| Target::Class(class)).collect(),
                    weights: weights.as_deref(),
                    smoothing: case["smoothing"].as_f64().unwrap() as f32,
                    total: golden.classes.iter().map(weight).sum(),
                    teacher: None,
                };
                let mut gradient = Tensors::zeros(&golden.config);
                let step = network.step(&golden.batch, &loss, None, &mut gradient);
                let expected = case["loss"].as_f64().unwrap();
                assert!((step.loss - expected).abs() < TOLERANCE, "{name}: a loss of {} for {expected}", step.loss);
                let mut seen = 0;
                for (spec, values) in gradient.iter() {
                    let expected = &case["gradients"][&spec.name];
                    let length = values.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
                    let truth = expected["length"].as_f64().expect(&spec.name);
                    let near = |found: f64, truth: f64, what: &str| {
                        let place = format!("{what} of {} in {name} at {}", spec.name, kernels.level());
                        assert!(
                            (found - truth).abs() < TOLERANCE * (1.0 + truth.abs()),
                            "{place}: {found} for {truth}"
                        );
                    };
                    near(length, truth, "length");
                    for (product, frequency) in FREQUENCIES.into_iter().enumerate() {
                        let found =
                            values.iter().enumerate().map(|(i, &x)| f64::from(x) * (frequency * i as f64).cos());
                        near(found.sum(), expected["products"][product].as_f64().unwrap(), "product");
                    }
                    seen += 1;
                }
                assert_eq!(seen, case["gradients"].as_object().unwrap().len(), "{name}");
            }
        }
    }
}

#[test]
fn a_gradient_does_not_depend_on_threads() {
    let golden = golden("groups_uneven");
    let loss = BatchLoss {
        problem: ProblemType::MultiLabel,
        targets: golden.classes.iter().map(|&class| Target::Class(class)).collect(),
        weights: None,
        smoothing: 0.0,
        total: 4.0,
        teacher: None,
    };
    let of = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let kernels = Kernels::detect().unwrap().with_threads(threads);
            let network = Network::new(&golden.config, &golden.weights, kernels).unwrap();
            let mut gradient = Tensors::zeros(&golden.config);
            let step = network.step(&golden.batch, &loss, None, &mut gradient);
            (step.loss.to_bits(), step.logits, gradient)
        })
    };
    let one = of(1);
    for threads in [2, 3, 5] {
        assert!(of(threads) == one, "{threads} threads");
    }
}
