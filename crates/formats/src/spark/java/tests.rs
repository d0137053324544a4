//! Streams written byte by byte, as Java writes them, and what is no stream.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn text(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u16).to_be_bytes().to_vec();
    bytes.extend(text.bytes());
    bytes
}

/// A class that is derived from none, with fields of a type and a name each.
fn class(name: &str, flags: u8, fields: &[(u8, &str)]) -> Vec<u8> {
    let mut bytes = vec![CLASS];
    bytes.extend(text(name));
    bytes.extend([9; 8]);
    bytes.push(flags);
    bytes.extend((fields.len() as u16).to_be_bytes());
    for (kind, name) in fields {
        bytes.push(*kind);
        bytes.extend(text(name));
        if *kind == b'L' {
            bytes.push(STRING);
            bytes.extend(text("Ljava/lang/Object;"));
        }
    }
    bytes.extend([END, NULL]);
    bytes
}

fn stream(parts: &[&[u8]]) -> Vec<u8> {
    [&MAGIC[..], &parts.concat()].concat()
}

/// `new Object[] { new P(7, "a"), null, the same P, "a" }`, where P writes a block and a text besides its fields.
fn sample() -> Vec<u8> {
    let mut bytes = vec![ARRAY];
    bytes.extend(class("[Ljava.lang.Object;", BY_FIELDS, &[]));
    bytes.extend(4_u32.to_be_bytes());
    bytes.push(OBJECT);
    // Handles: 0 the array's class, 1 the array, 2 P, 3 the type's name, 4 the object, 5 the text.
    bytes.extend(class("P", BY_FIELDS | WRITES_MORE, &[(b'I', "n"), (b'L', "t")]));
    bytes.extend(7_i32.to_be_bytes());
    bytes.push(STRING);
    bytes.extend(text("a"));
    bytes.extend([BLOCK, 2, 1, 2, STRING]);
    bytes.extend(text("more"));
    bytes.extend([END, NULL, REFERENCE, 0, 0x7E, 0, 4, REFERENCE, 0, 0x7E, 0, 5]);
    stream(&[&bytes])
}

#[test]
fn objects_arrays_and_references_are_read() {
    let stream = read(&sample()).unwrap();
    let array = stream.object(&stream.values[0]).unwrap();
    assert_eq!(&*array.class, "[Ljava.lang.Object;");
    let object = JavaValue::Object(1);
    assert_eq!(array.elements, [object.clone(), JavaValue::Null, object.clone(), JavaValue::Text("a".into())]);
    let object = stream.object(&object).unwrap();
    assert_eq!(object.field("n"), Some(&JavaValue::Number(7)));
    assert_eq!(object.field("t"), Some(&JavaValue::Text("a".into())));
    assert_eq!(object.elements, [JavaValue::Other, JavaValue::Text("more".into())]);
}

#[test]
fn texts_are_those_of_java() {
    let read = |bytes: &[u8]| {
        let size = (bytes.len() as u16).to_be_bytes();
        read(&stream(&[&[STRING], &size, bytes])).map(|stream| stream.values[0].clone())
    };
    let text = |text: &str| Ok(JavaValue::Text(text.into()));
    assert_eq!(read("héé€".as_bytes()), text("héé€"));
    // A zero, and a character beyond 16 bits.
    assert_eq!(read(b"\xC0\x80"), text("\0"));
    assert_eq!(read(b"\xED\xA0\xBD\xED\xB8\x80"), text("😀"));
    for wrong in [&b"\0"[..], b"\x80", b"\xC3", b"\xE2\x82", b"\xED\xA0\xBD", b"\xF0\x9F\x98\x80"] {
        assert_eq!(read(wrong), Err("the text at byte 7 is no text".to_owned()), "{wrong:?}");
    }
}

#[test]
fn what_is_no_stream_is_refused() {
    for (bytes, fault) in [
        (b"PK\x03\x04".to_vec(), "it does not begin as one"),
        (stream(&[&[0x7B]]), "byte 4 begins something of the kind 0x7b"),
        (stream(&[&[REFERENCE, 0, 0x7E, 0, 0]]), "it refers to 0x7e0000, which is not before"),
        (
            stream(&[&[LONG_STRING], &[0xFF; 8]]),
            "it is cut short: byte 13 begins 18446744073709551615 bytes and 0 are left",
        ),
        (
            stream(&[&[ARRAY], &class("[I", BY_FIELDS, &[]), &[0xFF; 4]]),
            "it is cut short: byte 27 begins 4 bytes and 0 are left",
        ),
        (stream(&[&[OBJECT], &class("E", BY_ITSELF, &[])]), "the class E writes itself in a way of its own"),
        (stream(&[&[OBJECT], &class("E", BY_FIELDS, &[(b'?', "x")])]), "a field is of the unknown type 0x3f"),
    ] {
        assert_eq!(read(&bytes).unwrap_err(), fault);
    }
    let nested = [&[ARRAY][..], &class("[[I", BY_FIELDS, &[]), &[0, 0, 0, 1]].concat();
    let error = read(&stream(&[&nested.repeat(100_000)])).unwrap_err();
    assert_eq!(error, DEEP);
    // A class that is derived from itself.
    let mut circle = class("C", BY_FIELDS, &[]);
    circle.pop();
    circle.extend([REFERENCE, 0, 0x7E, 0, 0]);
    let error = read(&stream(&[&[OBJECT], &circle])).unwrap_err();
    assert_eq!(error, DEEP);
}

#[test]
fn streams_cut_short_or_with_a_changed_byte_never_panic() {
    let whole = sample();
    for place in 0..whole.len() {
        assert!(place == 4 || read(&whole[..place]).is_err(), "{place}");
        for byte in 0..=255 {
            let mut changed = whole.clone();
            changed[place] = byte;
            let _ = read(&changed);
        }
    }
}
