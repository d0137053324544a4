//! Models that must be refused, and the words they are refused with.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use albertine_model::{Checkpoint, ModelConfig, ModelError, Weights};
use safetensors::{Dtype, serialize, tensor::TensorView};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A directory with the given files.
fn directory(files: &[(&str, &[u8])]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(directory.path().join(name), bytes).unwrap();
    }
    directory
}

/// The message of opening a directory's weights, with the directory itself called `DIR`.
fn refusal(directory: &TempDir) -> String {
    let error = Weights::open(directory.path()).err().expect("the weights were read");
    plain(&error, directory.path())
}

fn plain(error: &ModelError, directory: &Path) -> String {
    error.to_string().replace(directory.to_str().unwrap(), "DIR")
}

/// The message of reading one file's bytes as `model.safetensors`.
fn safetensors(bytes: &[u8]) -> String {
    refusal(&directory(&[("model.safetensors", bytes)]))
}

/// A safetensors file of a header and so many bytes of data.
fn with_header(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

/// A zip archive of entries with their methods.
fn archive(entries: &[(&str, &[u8], CompressionMethod)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes, method) in entries {
        archive.start_file(*name, SimpleFileOptions::default().compression_method(*method)).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn pickle(bytes: &[u8]) -> String {
    refusal(&directory(&[("pytorch_model.bin", bytes)]))
}

fn fixture(name: &str) -> Vec<u8> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/torch").join(name);
    fs::read(path).unwrap()
}

const STORED: CompressionMethod = CompressionMethod::Stored;

#[test]
fn directories_without_a_model() {
    let empty = directory(&[]);
    assert_eq!(
        plain(&ModelConfig::open(empty.path()).unwrap_err(), empty.path()),
        "no config.json in DIR: a model directory holds config.json, model.safetensors or pytorch_model.bin, and \
         tokenizer.json, spiece.model or vocab.txt, and this one holds nothing"
    );
    let names: Vec<String> = (0..11).map(|number| format!("part-{number:02}.csv")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    let tables = directory(&files);
    assert!(plain(&ModelConfig::open(tables.path()).unwrap_err(), tables.path()).ends_with(
        "this one holds part-00.csv, part-01.csv, part-02.csv, part-03.csv, part-04.csv, part-05.csv, part-06.csv, \
         part-07.csv and 3 more"
    ));
    assert_eq!(
        refusal(&directory(&[("config.json", b"{}"), ("tf_model.h5", b"x")])),
        "no weights in DIR: they are read from model.safetensors, model.safetensors.index.json, pytorch_model.bin or \
         pytorch_model.bin.index.json, and this directory holds config.json, tf_model.h5"
    );
    let file = directory(&[("config.json", b"{}")]);
    let path = file.path().join("config.json");
    assert_eq!(
        plain(&ModelConfig::open(&path).unwrap_err(), file.path()),
        "DIR/config.json is neither a model directory nor a zip or tar archive of one"
    );
    assert_eq!(
        plain(&ModelConfig::open(&path.join("x")).unwrap_err(), file.path()),
        "cannot read DIR/config.json/x: Not a directory (os error 20)"
    );
}

#[test]
fn configurations_of_other_models() {
    let cases: [(&[u8], &str); 4] = [
        (b"", "DIR/config.json is empty"),
        (b"{", "cannot read DIR/config.json as JSON: EOF while parsing an object at line 1 column 1"),
        (
            b"{\"model_type\": \"roberta\"}",
            "`model_type` in DIR/config.json is \"roberta\", expected \"albert\" or \"bert\"",
        ),
        (
            b"{\"hidden_act\": \"elu\"}",
            "`hidden_act` in DIR/config.json is \"elu\", expected one of gelu, gelu_10, gelu_accurate, gelu_fast, gelu_new, \
             gelu_python, gelu_python_tanh, gelu_pytorch_tanh, laplace, leaky_relu, linear, mish, quick_gelu, relu, relu2, \
             relu6, sigmoid, silu, swish, tanh",
        ),
    ];
    for (json, message) in cases {
        let directory = directory(&[("config.json", json)]);
        assert_eq!(plain(&ModelConfig::open(directory.path()).unwrap_err(), directory.path()), message);
    }
}

#[test]
fn hostile_safetensors() {
    let unsound = |what: &str| format!("DIR/model.safetensors is not a valid safetensors file: {what}");
    assert_eq!(safetensors(b""), "DIR/model.safetensors is empty");
    assert_eq!(safetensors(b"abc"), unsound("header too small"));
    assert_eq!(safetensors(&u64::MAX.to_le_bytes()), unsound("header too large"));
    assert_eq!(safetensors(&99_999_999_u64.to_le_bytes()), unsound("invalid header length"));
    assert_eq!(
        safetensors(&with_header("{", 0)),
        unsound("invalid JSON in header: EOF while parsing an object at line 1 column 1")
    );
    assert_eq!(
        safetensors(&with_header(r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,4]}}"#, 4)),
        unsound("overflow computing buffer size from shape and/or element type")
    );
    assert_eq!(
        safetensors(&with_header(
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
            12
        )),
        unsound("invalid offset for tensor `b`")
    );
    assert_eq!(
        safetensors(&with_header(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#, 12)),
        unsound("invalid offset for tensor `a`")
    );
    assert_eq!(
        safetensors(&with_header(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 9)),
        unsound("incomplete metadata, file not fully covered")
    );
    assert_eq!(
        safetensors(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 46750064\n"),
        "DIR/model.safetensors is a Git LFS pointer, not the file itself: run `git lfs pull` in its repository"
    );
}

#[test]
fn tensors_that_do_not_fit() {
    let data = [0; 24];
    let view = |dtype, shape: &[usize], size: usize| TensorView::new(dtype, shape.to_vec(), &data[..size]).unwrap();
    let bytes = serialize(
        [("albert.pooler.bias", view(Dtype::F32, &[2, 3], 24)), ("albert.pooler.weight", view(Dtype::I32, &[6], 24))],
        None,
    )
    .unwrap();
    let sound = directory(&[("model.safetensors", &bytes)]);
    let weights = Weights::open(sound.path()).unwrap();
    let refused = |name: &str, shape: &[usize]| plain(&weights.get(name, shape).unwrap_err(), sound.path());
    assert_eq!(
        refused("pooler.bias", &[3, 2]),
        "the tensor `pooler.bias` in DIR/model.safetensors has the shape [2, 3], but the configuration requires [3, 2]"
    );
    assert_eq!(
        refused("pooler.weight", &[6]),
        "the tensor `pooler.weight` in DIR/model.safetensors is stored as I32, but only F64, F32, F16 and BF16 are supported"
    );
    assert_eq!(
        refused("embeddings.LayerNorm.bias", &[6]),
        "the tensor `embeddings.LayerNorm.bias` is missing from DIR"
    );
    assert_eq!(
        refused("classifier.weight", &[2, 6]),
        "DIR is not a sequence classifier: the tensor `classifier.weight` of its head is missing"
    );
    // Cut by a byte, and cut before its last tensor begins.
    let (first, second) = ("albert.pooler.bias", "albert.pooler.weight");
    assert_eq!(
        safetensors(&bytes[..bytes.len() - 1]),
        format!("the tensor `{second}` in DIR/model.safetensors is truncated: it needs 24 bytes but has 23")
            .replace(second, if weights_order(&bytes) == [first, second] { second } else { first })
    );

    let twice = serialize(
        [("pooler.bias", view(Dtype::F32, &[2], 8)), ("albert.pooler.bias", view(Dtype::F32, &[2], 8))],
        None,
    )
    .unwrap();
    assert_eq!(
        safetensors(&twice),
        "DIR/model.safetensors holds the tensor `pooler.bias` twice, with and without a prefix or in an old spelling"
    );
}

#[test]
fn adapters_and_several_models_are_told() {
    let data = [0; 4];
    let with = |names: &[&str]| {
        let view = || TensorView::new(Dtype::F32, vec![1], &data).unwrap();
        safetensors(&serialize(names.iter().map(|name| (*name, view())), None).unwrap())
    };
    let word = "albert.embeddings.word_embeddings.weight";
    let lora = "base_model.model.albert.encoder.query.lora_A.default.weight";
    assert_eq!(
        with(&[word, lora]),
        format!(
            "DIR has the adapter tensor `{lora}`, and adapters are not applied: merge it with PEFT's `merge_and_unload()` \
             and save the model again"
        )
    );
    assert_eq!(
        with(&[&format!("student.{word}"), &format!("teacher.{word}")]),
        "DIR holds several models, called student. and teacher.: save one of them by itself"
    );
    let adapter = br#"{"base_model_name_or_path": "albert-base-v2", "peft_type": "LORA"}"#;
    for (config, base) in [(&adapter[..], "`albert-base-v2`"), (b"{}", "another model")] {
        let alone = directory(&[("adapter_config.json", config), ("adapter_model.safetensors", b"x")]);
        assert_eq!(
            plain(&Checkpoint::open(alone.path()).unwrap_err(), alone.path()),
            format!(
                "DIR holds a PEFT adapter of {base}, not a model: merge it into that model with PEFT's \
                 `merge_and_unload()` and save the result"
            )
        );
    }
}

#[test]
fn a_release_of_google_says_how_to_convert_it() {
    let release = directory(&[
        ("30k-clean.model", b"x"),
        ("30k-clean.vocab", b"x"),
        ("albert_config.json", b"{}"),
        ("model.ckpt-best.data-00000-of-00001", b"x"),
        ("model.ckpt-best.index", b"x"),
        ("model.ckpt-best.meta", b"x"),
    ]);
    assert_eq!(
        plain(&Checkpoint::open(release.path()).unwrap_err(), release.path()),
        "DIR/model.ckpt-best.data-00000-of-00001 is a training checkpoint, which does not say what it computes: convert it \
         with transformers, for example with its `convert_albert_original_tf_checkpoint_to_pytorch.py`, and save the model"
    );
}

/// Names of a file's tensors in the order of their bytes.
fn weights_order(bytes: &[u8]) -> Vec<String> {
    safetensors::SafeTensors::read_metadata(bytes).unwrap().1.offset_keys()
}

#[test]
fn shards_that_do_not_fit_their_index() {
    let data = [0; 4];
    let shard = serialize([("a", TensorView::new(Dtype::F32, vec![1], &data).unwrap())], None).unwrap();
    let index = |map: &str| {
        let json = format!(r#"{{"metadata": {{}}, "weight_map": {map}}}"#);
        refusal(&directory(&[("model.safetensors.index.json", json.as_bytes()), ("one.safetensors", &shard)]))
    };
    for name in ["../one.safetensors", "/one.safetensors", "x/one.safetensors", "..", ""] {
        assert_eq!(
            index(&format!(r#"{{"a": "{name}"}}"#)),
            format!("DIR/model.safetensors.index.json names the shard {name:?}, which is not a plain file name")
        );
    }
    assert_eq!(index(r#"{"a": "two.safetensors"}"#), "DIR/two.safetensors is missing");
    assert_eq!(
        index(r#"{"a": "one.safetensors", "b": "one.safetensors"}"#),
        "DIR/model.safetensors.index.json lists the tensor `b` in one.safetensors, which does not contain it"
    );
    assert_eq!(
        refusal(&directory(&[("model.safetensors.index.json", b"{}")])),
        "cannot read DIR/model.safetensors.index.json as JSON: missing field `weight_map` at line 1 column 2"
    );
}

#[test]
fn pickles_that_ask_for_more() {
    let foreign = |name: &str| format!("it names `{name}`, which is not among what a checkpoint may name");
    assert!(pickle(&fixture("command.bin")).ends_with(&foreign("posix.system")));
    assert!(pickle(&fixture("module.bin")).ends_with(&foreign("torch.nn.modules.linear.Linear")));
    assert!(
        pickle(&fixture("list.bin")).ends_with("an instruction found a value of another kind than a state dictionary")
    );
    assert_eq!(
        pickle(&fixture("expanded.bin")),
        "the tensor `pooler.bias` in DIR/pytorch_model.bin has the shape [1000], more elements than its storage"
    );
}

#[test]
fn archives_that_are_not_checkpoints() {
    assert_eq!(pickle(b""), "DIR/pytorch_model.bin is empty");
    assert!(pickle(b"PK\x03\x04 and no more").starts_with("DIR/pytorch_model.bin is not a valid PyTorch checkpoint: "));
    let whole = fixture("views_2.bin");
    assert!(pickle(&whole[..whole.len() / 2]).starts_with("DIR/pytorch_model.bin is not a valid PyTorch checkpoint: "));
    assert_eq!(
        pickle(&archive(&[("a.txt", b"x", STORED)])),
        "DIR/pytorch_model.bin has no entry `data.pkl`, which a PyTorch checkpoint needs"
    );
    assert_eq!(
        pickle(&archive(&[("m/data.pkl", b".", STORED), ("m/byteorder", b"big", STORED)])),
        "DIR/pytorch_model.bin has big byte order, but only little is supported"
    );
    // A bomb: eight megabytes that pack into a few kilobytes. Nothing of it is unpacked.
    assert_eq!(
        pickle(&archive(&[("m/data.pkl", &vec![0; 8 << 20], CompressionMethod::Deflated)])),
        "the entry `m/data.pkl` of DIR/pytorch_model.bin is compressed or encrypted, but PyTorch stores entries as they are"
    );
    assert_eq!(
        pickle(&archive(&[("m/data.pkl", &vec![b'N'; 5 << 20], STORED)])),
        "DIR/pytorch_model.bin/m/data.pkl holds 5242880 bytes, over the limit of 4194304"
    );
}

#[test]
fn storages_that_are_not_what_the_pickle_says() {
    // {"w": one tensor of six f32 from the storage "0"}
    let mut program = b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n(".to_vec();
    program.extend(b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x06tQ");
    program.extend(b"K\x00K\x06\x85K\x01\x85\x89}tRs.");
    let with_storage =
        |bytes: &[u8]| pickle(&archive(&[("m/data.pkl", &program, STORED), ("m/data/0", bytes, STORED)]));
    assert_eq!(
        with_storage(&[0; 20]),
        "the tensor `w` in DIR/pytorch_model.bin is truncated: it needs 24 bytes but has 20"
    );
    assert_eq!(
        pickle(&archive(&[("m/data.pkl", &program, STORED)])),
        "DIR/pytorch_model.bin has no entry `m/data/0`, which a PyTorch checkpoint needs"
    );
    // A changed byte in a storage is found by its checksum.
    let storage = 6.5_f32.to_le_bytes().repeat(6);
    let mut changed = archive(&[("m/data.pkl", &program, STORED), ("m/data/0", &storage, STORED)]);
    let place = changed.windows(storage.len()).position(|window| window == storage).unwrap();
    changed[place] ^= 1;
    assert_eq!(pickle(&changed), "cannot read DIR/pytorch_model.bin/m/data/0: Invalid checksum");
}

/// A checkpoint in PyTorch's old format: what stands before the state dictionary, which is `{"w": …}` of six f32 in the
/// storage "0", the keys of its storages, and these.
fn legacy(head: &[u8], keys: &[u8], storages: &[u8]) -> Vec<u8> {
    let mut bytes = head.to_vec();
    bytes.extend(b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n(");
    bytes.extend(b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x06NtQ");
    bytes.extend(b"K\x00K\x06\x85K\x01\x85\x89}tRs.");
    bytes.extend(keys);
    bytes.extend(storages);
    bytes
}

/// The magic number, the version and the system of a checkpoint in the old format.
const HEAD: &[u8] =
    b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}X\x0d\x00\x00\x00little_endian\x88s.";

/// The list of the one storage "0".
const KEYS: &[u8] = b"\x80\x02]X\x01\x00\x00\x000a.";

/// The storage "0": its number of elements, and these.
fn storage(count: u64) -> Vec<u8> {
    [count.to_le_bytes().to_vec(), 6.5_f32.to_le_bytes().repeat(6)].concat()
}

#[test]
fn checkpoints_in_the_old_format_that_are_unsound() {
    let sound = legacy(HEAD, KEYS, &storage(6));
    let weights = Weights::from_torch(&sound, Path::new("sound")).unwrap();
    assert_eq!(weights.get("w", &[6]).unwrap(), [6.5; 6]);
    for end in 1..sound.len() {
        assert!(Weights::from_torch(&sound[..end], Path::new("cut")).is_err(), "{end}");
    }
    let wrong = |fault: &str| format!("DIR/pytorch_model.bin is not a valid PyTorch checkpoint: {fault}");
    assert_eq!(
        pickle(&sound[..sound.len() - 1]),
        "the tensor `w` in DIR/pytorch_model.bin is truncated: it needs 24 bytes but has 23"
    );
    assert_eq!(pickle(b"\x80\x02K\x01."), wrong("it is a pickle of another kind"));
    let changed = |from: &[u8], to: &[u8]| {
        let place = sound.windows(from.len()).position(|window| window == from).unwrap();
        pickle(&[&sound[..place], to, &sound[place + from.len()..]].concat())
    };
    assert_eq!(changed(b"M\xe9\x03", b"M\xe8\x03"), wrong("its format is not of version 1001"));
    assert_eq!(
        changed(b"little_endian\x88", b"little_endian\x89"),
        "DIR/pytorch_model.bin has big byte order, but only little is supported"
    );
    assert_eq!(changed(b"little_endian\x88", b"little_endian\x4e"), wrong("it does not say its byte order"));
    assert_eq!(
        pickle(&legacy(HEAD, KEYS, &storage(u64::MAX))),
        wrong("the storage 0 has 18446744073709551615 elements instead of 6")
    );
    let (twice, other) = (b"\x80\x02](X\x01\x00\x00\x000X\x01\x00\x00\x000e.", b"\x80\x02]X\x01\x00\x00\x001a.");
    assert_eq!(pickle(&legacy(HEAD, twice, &storage(6).repeat(2))), wrong("the storage 0 is listed twice"));
    assert_eq!(pickle(&legacy(HEAD, other, &storage(6))), wrong("the storage 1 is listed, and nothing refers to it"));
    assert_eq!(
        pickle(&legacy(HEAD, b"\x80\x02].", &storage(6))),
        wrong("the tensor `w` is in the storage 0, which is not listed")
    );
    assert!(
        pickle(&legacy(HEAD, b"\x80\x02cos\nsystem\n.", &[]))
            .ends_with("it names `os.system`, which is not among what a checkpoint may name")
    );
    // A storage that claims to be larger than any memory.
    assert_eq!(
        changed(b"K\x06NtQ", b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7fNtQ"),
        wrong("the storage 0 has 6 elements instead of 9223372036854775807")
    );
    // One that is a part of another, which PyTorch has not written since 0.4.
    assert!(changed(b"K\x06NtQ", b"K\x06(X\x01\x00\x00\x001K\x00K\x06ttQ").ends_with("a reference to a storage"));
}

#[test]
fn storages_that_are_shared_too_often() {
    // As many names as asked for, each for the same tensor: the whole of one storage of 64 f32.
    let with_names = |names: u8| {
        let mut program = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(".to_vec();
        program.extend(b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x40tQ");
        program.extend(b"K\x00K\x40\x85K\x01\x85\x89}tRq\x000}(");
        for name in 0..names {
            program.extend([0x8c, 1, b'A' + name]);
            program.extend(b"h\x00");
        }
        program.extend(b"u.");
        archive(&[("m/data.pkl", &program, STORED), ("m/data/0", &[0; 256], STORED)])
    };
    let tied = with_names(8);
    assert_eq!(Weights::from_torch(&tied, Path::new("tied")).unwrap().tensors().len(), 8);
    assert_eq!(
        pickle(&with_names(9)),
        "the tensors in DIR/pytorch_model.bin hold 2304 bytes by reading 256 stored ones over and over, more than \
         sharing weights explains"
    );
}

#[test]
fn sizes_that_overflow_beside_a_zero() {
    // A tensor of the shape [0, 2^40, 2^40]: it has no elements, and its sizes cannot be multiplied from the right.
    let mut program = b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n(".to_vec();
    program.extend(b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQ");
    let large = b"\x8a\x06\x00\x00\x00\x00\x00\x01";
    program.extend([b"K\x00K\x00", &large[..], large, b"\x87", large, large, b"K\x01\x87\x89}tRs."].concat());
    let bytes = archive(&[("m/data.pkl", &program, STORED), ("m/data/0", &[0; 4], STORED)]);
    let weights = Weights::from_torch(&bytes, Path::new("empty")).unwrap();
    assert!(weights.get("w", &[0, 1 << 40, 1 << 40]).unwrap().is_empty());
}

#[test]
fn numbers_that_are_not_finite() {
    // In the first block of numbers, in a later one, and a number of 64 bits that f32 cannot hold.
    let cases: [(usize, f64, Dtype, &str); 5] = [
        (0, f64::NAN, Dtype::F32, "NaN"),
        (2000, f64::INFINITY, Dtype::F32, "inf"),
        (2999, f64::NEG_INFINITY, Dtype::F16, "-inf"),
        (1023, f64::NAN, Dtype::BF16, "NaN"),
        (1024, -1e300, Dtype::F64, "-inf"),
    ];
    for (place, value, dtype, shown) in cases {
        let stored = |value: f64| match dtype {
            Dtype::F64 => value.to_le_bytes().to_vec(),
            Dtype::F16 => half::f16::from_f64(value).to_le_bytes().to_vec(),
            Dtype::BF16 => half::bf16::from_f64(value).to_le_bytes().to_vec(),
            _ => (value as f32).to_le_bytes().to_vec(),
        };
        let data: Vec<u8> = (0..3000).flat_map(|index| stored(if index == place { value } else { 0.5 })).collect();
        let tensor = TensorView::new(dtype, vec![3, 1000], &data).unwrap();
        let directory =
            directory(&[("model.safetensors", &serialize([("albert.pooler.weight", tensor)], None).unwrap())]);
        let weights = Weights::open(directory.path()).unwrap();
        assert_eq!(
            plain(&weights.get("pooler.weight", &[3, 1000]).unwrap_err(), directory.path()),
            format!(
                "the tensor `pooler.weight` in DIR/model.safetensors holds {shown} at element {place}, not a finite number"
            )
        );
    }
}
