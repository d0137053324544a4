//! Gradients held to those of PyTorch in f64 (`tools/golden_gradients`).
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use albertine_kernels::Precision;
use albertine_model::{Checkpoint, Kernels, ModelConfig, ProblemType, RaggedBatch};
use serde_json::Value;

use super::{Arithmetic, Network, Workspace};
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

fn exact(kernels: Kernels, workspace: &Workspace) -> Arithmetic<'_> {
    Arithmetic::new(kernels, Precision::F32, workspace).unwrap()
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
    let workspace = Workspace::default();
    for name in names() {
        let golden = golden(&name);
        for kernels in Kernels::available().into_iter().map(|level| Kernels::at(level).unwrap()) {
            let network = Network::new(&golden.config, &golden.weights, exact(kernels, &workspace)).unwrap();
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

/// A product of bfloat16 is off by up to 2^-8 of each factor, which is what PyTorch's autocast gives too.
#[test]
fn a_gradient_of_bfloat16_points_where_that_of_f32_does() {
    let workspace = Workspace::default();
    let mut compared = 0;
    for level in Kernels::available() {
        let kernels = Kernels::at(level).unwrap();
        let Ok(rounded) = Arithmetic::new(kernels, Precision::Bf16, &workspace) else { continue };
        for name in names() {
            let golden = golden(&name);
            let loss = BatchLoss {
                problem: ProblemType::SingleLabel,
                targets: golden.classes.iter().map(|&class| Target::Class(class)).collect(),
                weights: None,
                smoothing: 0.0,
                total: golden.classes.len() as f64,
                teacher: None,
            };
            let of = |arithmetic| {
                let network = Network::new(&golden.config, &golden.weights, arithmetic).unwrap();
                let mut gradient = Tensors::zeros(&golden.config);
                let step = network.step(&golden.batch, &loss, None, &mut gradient);
                (step.loss, gradient.iter().flat_map(|(_, values)| values.to_vec()).collect::<Vec<f32>>())
            };
            let ((loss, gradient), (expected_loss, expected)) = (of(rounded), of(exact(kernels, &workspace)));
            let product =
                |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
            let cosine =
                product(&gradient, &expected) / (product(&gradient, &gradient) * product(&expected, &expected)).sqrt();
            assert!(
                (loss / expected_loss - 1.0).abs() < 0.02,
                "{name} at {level}: a loss of {loss} for {expected_loss}"
            );
            // The slope of these jumps, where rounding may cross it.
            let least = if name.contains("relu") { 0.8 } else { 0.99 };
            assert!(cosine > least, "{name} at {level}: a cosine of {cosine}");
            assert!(gradient != expected, "{name} at {level}: nothing was rounded");
            compared += 1;
        }
    }
    let multiplies_bf16 = |level| Kernels::at(level).is_ok_and(|kernels| kernels.elements(Precision::Bf16).is_ok());
    let has_bf16 = Kernels::available().into_iter().any(multiplies_bf16);
    assert_eq!(compared > 0, has_bf16, "levels that multiply bfloat16");
}

#[test]
fn a_gradient_does_not_depend_on_threads() {
    let workspace = Workspace::default();
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
            let network = Network::new(&golden.config, &golden.weights, exact(kernels, &workspace)).unwrap();
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
