//! Sound checkpoints: every view and protocol of PyTorch, every name and number type of safetensors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use albertine_model::{ModelConfig, Weights};
use safetensors::{Dtype, SafeTensors, serialize, tensor::TensorView};
use serde::Deserialize;

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata")
}

#[derive(Deserialize)]
struct Expected {
    shape: Vec<usize>,
    values: Vec<f32>,
}

#[test]
fn every_view_of_a_storage_is_read_in_every_protocol() {
    let expected = std::fs::read(testdata().join("torch/views.json")).unwrap();
    let expected: BTreeMap<String, Expected> = serde_json::from_slice(&expected).unwrap();
    assert_eq!(expected.len(), 12);
    for (form, protocol) in ["views", "legacy"].into_iter().flat_map(|form| (2..=5).map(move |number| (form, number))) {
        let path = testdata().join(format!("torch/{form}_{protocol}.bin"));
        let weights = Weights::from_torch(&std::fs::read(&path).unwrap(), &path).unwrap();
        for (name, Expected { shape, values }) in &expected {
            assert_eq!(&weights.get(name, shape).unwrap(), values, "{name} of {form} in protocol {protocol}");
        }
        let error = weights.get("position_ids", &[3]).unwrap_err().to_string();
        assert!(error.ends_with("is stored as I64, but only F64, F32, F16 and BF16 are supported"), "{error}");
        assert_eq!(weights.tensors().len(), 14);
    }
}

#[test]
fn names_and_number_types_of_safetensors_are_read() {
    let half: Vec<u8> = [0x3c00_u16, 0xc000].iter().flat_map(|bits| bits.to_le_bytes()).collect();
    let brain: Vec<u8> = [0x3f80_u16, 0xc000].iter().flat_map(|bits| bits.to_le_bytes()).collect();
    let single: Vec<u8> = [1.0_f32, -2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let double: Vec<u8> = [1.0_f64, -2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let view = |dtype, data| TensorView::new(dtype, vec![2], data).unwrap();
    let tensors = [
        ("albert.embeddings.LayerNorm.gamma", view(Dtype::F16, &half)),
        ("albert.embeddings.LayerNorm.beta", view(Dtype::BF16, &brain)),
        ("pooler.bias", view(Dtype::F32, &single)),
        ("classifier.bias", view(Dtype::F64, &double)),
    ];
    let bytes = serialize(tensors, None).unwrap();
    let weights = Weights::from_safetensors(&bytes, Path::new("m.safetensors")).unwrap();
    for name in ["embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias", "pooler.bias", "classifier.bias"] {
        assert_eq!(weights.get(name, &[2]).unwrap(), [1.0, -2.0], "{name}");
    }
    assert_eq!(weights.tensors()[0], ("classifier.bias", &[2][..], "F64"));
}

#[test]
fn safetensors_come_before_pickles() {
    let directory = tempfile::tempdir().unwrap();
    let data = 7.0_f32.to_le_bytes();
    let tensor = TensorView::new(Dtype::F32, vec![1], &data).unwrap();
    std::fs::write(directory.path().join("model.safetensors"), serialize([("x", tensor)], None).unwrap()).unwrap();
    std::fs::write(directory.path().join("pytorch_model.bin"), "not read").unwrap();
    assert_eq!(Weights::open(directory.path()).unwrap().get("x", &[1]).unwrap(), [7.0]);
}

/// The tensors of a golden model under other names.
fn renamed(rename: impl Fn(&str) -> String) -> Vec<u8> {
    let bytes = std::fs::read(testdata().join("golden/gelu/model.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    serialize(file.tensors().into_iter().map(|(name, view)| (rename(&name), view)), None).unwrap()
}

#[test]
fn the_names_that_wrappers_give_are_those_of_the_model() {
    let config = ModelConfig::open(&testdata().join("golden/gelu")).unwrap();
    let expected = Weights::open(&testdata().join("golden/gelu")).unwrap();
    let linear = ["query", "key", "value", "dense", "ffn", "ffn_output"];
    let inside = |name: &str, layers: &[&str], wrapper: &str| {
        let (layer, kind) = name.rsplit_once('.').unwrap();
        let wrapped = layers.iter().any(|last| layer.ends_with(&format!(".{last}")) || layer == *last);
        if wrapped { format!("{layer}.{wrapper}.{kind}") } else { name.to_owned() }
    };
    type Rename<'a> = (&'a str, &'a dyn Fn(&str) -> String);
    let renames: [Rename<'_>; 9] = [
        ("the encoder alone", &|name| name.trim_start_matches("albert.").to_owned()),
        ("DataParallel", &|name| format!("module.{name}")),
        ("torch.compile", &|name| format!("_orig_mod.{name}")),
        ("both", &|name| format!("_orig_mod.module.{name}")),
        ("Lightning", &|name| format!("model.{name}")),
        ("another training loop", &|name| format!("wrapped.net.{name}")),
        ("a compiled encoder", &|name| name.replace("albert.encoder.", "albert.encoder._orig_mod.")),
        ("PEFT, merged", &|name| format!("base_model.model.{}", inside(name, &linear, "base_layer"))),
        ("PEFT, the head trained whole", &|name| {
            format!("base_model.model.{}", inside(name, &["classifier"], "modules_to_save.default"))
        }),
    ];
    for (what, rename) in renames {
        let bytes = renamed(rename);
        let weights = Weights::from_safetensors(&bytes, Path::new("renamed")).unwrap();
        assert_eq!(weights.tensors().len(), expected.tensors().len(), "{what}");
        for spec in config.tensors().iter() {
            let found = weights.tensor(spec).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(found, expected.tensor(spec).unwrap(), "{} of {what}", spec.name);
        }
    }
}
