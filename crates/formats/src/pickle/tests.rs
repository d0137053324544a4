//! The machine on small pickles written by hand; whole files are tested in `tests/`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::element::Element;

/// `{"w": tensor}` as torch writes it, with the given text in place of the rebuilding function.
fn pickle(rebuild: &str) -> Vec<u8> {
    let mut bytes = b"\x80\x02}q\x00X\x01\x00\x00\x00w".to_vec();
    bytes.extend(format!("c{rebuild}\n").bytes());
    bytes.extend(b"((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x06tQ");
    bytes.extend(b"K\x01K\x02K\x01\x86K\x03K\x01\x86\x89}tRs.");
    bytes
}

fn state_dict(pickle: &[u8]) -> Result<Vec<(&str, TensorRef<'_>)>, PickleError> {
    let mut pickles = Pickles::new(pickle);
    let state = pickles.load()?;
    pickles.state_dict(state)
}

fn error(pickle: &[u8]) -> PickleError {
    state_dict(pickle).unwrap_err()
}

#[test]
fn a_tensor_is_rebuilt() {
    let pickle = pickle("torch._utils\n_rebuild_tensor_v2");
    let tensors = state_dict(&pickle).unwrap();
    let [(name, tensor)] = tensors.as_slice() else { panic!("{tensors:?}") };
    assert_eq!(*name, "w");
    assert_eq!((tensor.storage.key, tensor.storage.element, tensor.storage.elements), ("0", Element::F32, 6));
    assert_eq!((tensor.offset, &tensor.shape[..], &tensor.strides[..]), (1, &[2, 1][..], &[3, 1][..]));
}

#[test]
fn a_state_dictionary_may_be_inside_another() {
    // {"epoch": 3, "model": {"w": tensor}, "optimizer": {"state": {}}}, and the same with tensors in both.
    let whole = pickle("torch._utils\n_rebuild_tensor_v2");
    let inner = &whole[2..whole.len() - 1];
    let text = |text: &str| [b"X\x05\x00\x00\x00", text.as_bytes()].concat();
    let outer = |optimizer: &[u8]| {
        [b"\x80\x02}(", &text("epoch")[..], b"K\x03", &text("model"), inner, &text("optim"), optimizer, b"u."].concat()
    };
    let once = outer(b"}");
    let tensors = state_dict(&once).unwrap();
    assert!(matches!(&tensors[..], [("w", _)]), "{tensors:?}");
    assert_eq!(error(&outer(inner)), PickleError::Unexpected("one dictionary of tensors"));
}

#[test]
fn foreign_globals_are_named() {
    for name in ["posix\nsystem", "builtins\neval", "torch\nload", "torch._utils\n_rebuild_tensor_v3", "\n"] {
        assert_eq!(error(&pickle(name)), PickleError::ForeignGlobal(name.replacen('\n', ".", 1)));
    }
    // By the stack, as protocol 4 names globals.
    assert_eq!(error(b"\x80\x04\x8c\x02os\x8c\x06system\x93."), PickleError::ForeignGlobal("os.system".to_owned()));
}

#[test]
fn every_prefix_is_refused() {
    let pickle = pickle("torch._utils\n_rebuild_tensor_v2");
    for end in 0..pickle.len() {
        assert!(state_dict(&pickle[..end]).is_err(), "{end}");
    }
}

#[test]
fn malformed_programs_are_refused() {
    let cases: [(&[u8], PickleError); 18] = [
        (b"", PickleError::Truncated),
        (b".", PickleError::StackUnderflow),
        (b"\x80\x01", PickleError::Protocol(1)),
        (b"\x80\x02}i", PickleError::UnknownInstruction(b'i')),
        (b"\x80\x02K\x01.", PickleError::Unexpected("a state dictionary")),
        (b"}.", PickleError::Unexpected("a dictionary of tensors")),
        (b"h\x07", PickleError::MissingMemo(7)),
        (b"q\x07", PickleError::StackUnderflow),
        (b"t", PickleError::StackUnderflow),
        (b"K\x01(0", PickleError::StackUnderflow),
        (b"(K\x01\x86", PickleError::StackUnderflow),
        (b"}(K\x01u", PickleError::Unexpected("pairs of keys and values")),
        (b"K\x01(u", PickleError::Unexpected("a dictionary")),
        (b"K\x01(e", PickleError::Unexpected("a list")),
        (b"a", PickleError::StackUnderflow),
        (b"K\x01)R", PickleError::Unexpected("a call that rebuilds a tensor")),
        (b"X\xff\xff\xff\xff", PickleError::Truncated),
        (b"\x8c\x01\xff", PickleError::Text),
    ];
    for (pickle, expected) in cases {
        assert_eq!(error(pickle), expected, "{pickle:?}");
    }
}

#[test]
fn numbers_of_any_width_are_read() {
    let mut reader = reader::Reader::new(b"\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
    assert!(matches!(reader.long(0), Ok(Value::Int(0))));
    assert!(matches!(reader.long(2), Ok(Value::Int(256))));
    assert!(matches!(reader.long(1), Ok(Value::Int(-1))));
    assert!(matches!(reader.long(9), Ok(Value::Wide(bytes)) if bytes == [0xff; 9]));
    assert!(matches!(reader.long(1), Err(PickleError::Truncated)));
}

#[test]
fn nesting_does_not_exhaust_the_stack() {
    // Half a million tuples, each inside the next one, and a dictionary that holds itself.
    let mut deep = b")".to_vec();
    deep.resize(500_000, 0x85);
    deep.push(b'.');
    assert_eq!(error(&deep), PickleError::Unexpected("a state dictionary"));
    assert_eq!(error(b"}q\x00K\x01h\x00s."), PickleError::Unexpected("a dictionary of tensors"));
}

#[test]
fn values_are_counted() {
    let many = vec![b'N'; 2 << 20];
    assert!(matches!(error(&many), PickleError::TooManyValues(_)));
    let marks = vec![b'('; 2 << 20];
    assert!(matches!(error(&marks), PickleError::TooManyValues(_)));
}

/// A pickle that puts by the rebuilding function as 0, its arguments with `sizes` for shape and strides as 3, and then
/// has `times` times over what `repeated` says.
fn repeating(sizes: &[u8], repeated: &[u8], times: usize) -> Vec<u8> {
    let mut bytes = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nq\x000".to_vec();
    bytes.extend(b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQq\x010");
    bytes.extend(sizes);
    bytes.extend(b"q\x020(h\x01K\x00h\x02h\x02tq\x030");
    bytes.extend(repeated.repeat(times));
    bytes
}

/// A call of what [`repeating`] has put by.
const CALL: &[u8] = b"h\x00h\x03R";

#[test]
fn a_long_tuple_is_not_copied_for_every_tensor() {
    // A shape of 300,000 sizes, asked for by 600 tensors: 630 KB of file that would take 2.9 GB of memory.
    let mut sizes = b"(".to_vec();
    sizes.extend(b"K\x01".repeat(300_000));
    sizes.push(b't');
    let long = repeating(&sizes, CALL, 600);
    assert!(long.len() < 640_000);
    assert_eq!(error(&long), PickleError::TooManyDimensions { found: 300_000, limit: 8 });
    assert_eq!(
        error(&repeating(b"(K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01t", CALL, 1)),
        PickleError::TooManyDimensions { found: 9, limit: 8 }
    );

    let mut eight = repeating(b"(K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01t", b"", 0);
    eight.extend(b"}X\x01\x00\x00\x00wh\x00h\x03Rs.");
    assert_eq!(state_dict(&eight).unwrap()[0].1.shape, [1; 8]);
}

#[test]
fn tensors_are_counted() {
    let calls = repeating(b"K\x01\x85", CALL, 32_769);
    assert_eq!(error(&calls), PickleError::TooManyTensors(32_768));
    // One tensor, listed under one name again and again.
    let mut listed = repeating(b"K\x01\x85", CALL, 1);
    listed.extend(b"q\x04}X\x01\x00\x00\x00wq\x050");
    listed.extend(b"h\x05h\x04s".repeat(32_769));
    listed.push(b'.');
    assert_eq!(error(&listed), PickleError::TooManyTensors(32_768));
}

#[test]
fn pickles_follow_each_other() {
    // A number of ten bytes, a dictionary with a boolean, and a list of texts of Python 2 and 3; each pickle puts by a
    // value of its own as 0.
    let bytes = b"\x80\x02\x8a\x09\x01\x02\x03\x04\x05\x06\x07\x08\x09q\x00.\
        \x80\x02}q\x00U\x01aq\x01\x88s.\x80\x02]q\x00(U\x01bT\x01\x00\x00\x00cX\x01\x00\x00\x00de.rest";
    let mut pickles = Pickles::new(bytes);
    assert!(matches!(pickles.load(), Ok(Value::Wide([1, 2, 3, 4, 5, 6, 7, 8, 9]))));
    let dict = pickles.load().unwrap();
    assert!(matches!(pickles.field(dict, "a"), Some(Value::Bool(true))));
    assert!(pickles.field(dict, "b").is_none());
    assert!(matches!(pickles.texts(dict), Err(PickleError::Unexpected("a list"))));
    let list = pickles.load().unwrap();
    assert_eq!(pickles.texts(list).unwrap(), ["b", "c", "d"]);
    assert_eq!(pickles.offset(), bytes.len() - b"rest".len());
    // A pickle recalls nothing of the one before it.
    let mut pickles = Pickles::new(b"K\x01q\x00.h\x00.");
    assert!(pickles.load().is_ok());
    assert!(matches!(pickles.load(), Err(PickleError::MissingMemo(0))));
}
