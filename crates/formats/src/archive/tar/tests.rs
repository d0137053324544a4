//! Tar archives of other programs, and those that are refused.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use crate::{Folder, FormatError};

/// An archive of files.
pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for (name, bytes) in files {
        add(&mut archive, EntryType::Regular, name, bytes);
    }
    archive.into_inner().unwrap()
}

/// Adds an entry, whatever its name is.
fn add(archive: &mut Builder<Vec<u8>>, kind: EntryType, name: &str, bytes: &[u8]) {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_cksum();
    archive.append(&header, bytes).unwrap();
}

/// One entry of a kind.
fn entry(kind: EntryType, name: &str) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    add(&mut archive, kind, name, b"");
    archive.into_inner().unwrap()
}

/// Bytes as a gzip stream.
pub(crate) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn open(bytes: &[u8]) -> Result<Folder, String> {
    Folder::from_archive(bytes.to_vec(), Path::new("a.tar.gz")).map_err(|error| error.to_string())
}

#[test]
fn archives_of_other_programs_are_read() {
    // `tar -czf a.tar.gz .`, with what macOS adds, in a folder of its own, and over several gzip streams.
    let mut inside = Builder::new(Vec::new());
    add(&mut inside, EntryType::Directory, "./", b"");
    add(&mut inside, EntryType::Regular, "./config.json", b"{}");
    add(&mut inside, EntryType::Regular, "./._config.json", b"x");
    add(&mut inside, EntryType::Regular, "./assets/a", b"a");
    let inside = inside.into_inner().unwrap();
    let mut folders = Builder::new(Vec::new());
    add(&mut folders, EntryType::Directory, "./", b"");
    add(&mut folders, EntryType::Directory, "m/", b"");
    add(&mut folders, EntryType::Regular, "m/config.json", b"{}");
    add(&mut folders, EntryType::Regular, "m/assets/a", b"a");
    let folders = folders.into_inner().unwrap();
    let halves = inside.split_at(700);
    let cases = [gz(&inside), gz(&folders), inside.clone(), [gz(halves.0), gz(halves.1)].concat()];
    for bytes in cases {
        let folder = open(&bytes).unwrap();
        assert_eq!(folder.read("config.json", 10).unwrap().unwrap(), b"{}");
        assert_eq!(folder.read("assets/a", 10).unwrap().unwrap(), b"a");
        assert_eq!(folder.sub("assets").names().unwrap(), ["a"]);
    }
}

#[test]
fn long_names_are_read_in_both_spellings() {
    let long = format!("{}/config.json", "folder/".repeat(30).trim_end_matches('/'));
    let mut gnu = Builder::new(Vec::new());
    add(&mut gnu, EntryType::GNULongName, "././@LongLink", format!("{long}\0").as_bytes());
    add(&mut gnu, EntryType::Regular, "folder/cut", b"{}");
    add(&mut gnu, EntryType::Regular, "b", b"b");
    let record = format!(" path={long}\n");
    let pax = format!("30 mtime=1700000000.123456789\n{}{record}", record.len() + 3);
    let mut posix = Builder::new(Vec::new());
    add(&mut posix, EntryType::XGlobalHeader, "pax_global_header", b"20 comment=unknown\n");
    add(&mut posix, EntryType::XHeader, "PaxHeaders/cut", pax.as_bytes());
    add(&mut posix, EntryType::Regular, "folder/cut", b"{}");
    add(&mut posix, EntryType::Regular, "b", b"b");
    for archive in [gnu, posix] {
        let folder = open(&gz(&archive.into_inner().unwrap())).unwrap();
        assert_eq!(folder.read(&long, 10).unwrap().unwrap(), b"{}");
        assert_eq!(folder.names().unwrap(), ["b", "folder/"]);
    }
}

#[test]
fn a_large_file_is_unpacked_when_it_is_read() {
    // Numbers that do not shrink, more of them than are kept.
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let large: Vec<u8> = (0..5 << 20).map(|_| next()).collect();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.tgz");
    fs::write(&path, gz(&tar(&[("a", b"1"), ("weights", &large), ("b", b"2")]))).unwrap();
    let folder = Folder::open(&path).unwrap();
    for _ in 0..2 {
        assert!(folder.read("weights", 1 << 30).unwrap().unwrap() == large);
        assert_eq!(folder.read("b", 1).unwrap().unwrap(), b"2");
    }
    assert!(matches!(folder.read("weights", 1 << 20), Err(FormatError::TooLarge { .. })));
}

#[test]
fn hostile_archives_are_refused() {
    for name in ["../a", "a/../../b", "/a", "a\\b", "C:a", "a//b", "./../b"] {
        let error = open(&gz(&tar(&[("b", b"b"), (name, b"x")]))).unwrap_err();
        let (shown, fault) =
            (name.trim_start_matches("./"), "has a name that leads out of the archive or that is no name");
        assert_eq!(error, format!("the entry {shown:?} of a.tar.gz {fault}"));
    }
    for (kind, fault) in [
        (EntryType::Symlink, "is a link"),
        (EntryType::Link, "is a link"),
        (EntryType::Char, "is neither a file nor a folder"),
        (EntryType::Fifo, "is neither a file nor a folder"),
        (EntryType::GNUSparse, "is neither a file nor a folder"),
    ] {
        let error = open(&gz(&entry(kind, "config.json"))).unwrap_err();
        assert_eq!(error, format!("the entry \"config.json\" of a.tar.gz {fault}"));
    }
    let wrong = |fault: &str| format!("a.tar.gz is not a valid tar archive: {fault}");
    assert_eq!(open(&gz(&tar(&[("a", b"1"), ("./a", b"2")]))).unwrap_err(), wrong("two entries have the same name"));
    let bomb = gz(&tar(&[("config.json", &vec![b' '; 32 << 20])]));
    assert!(bomb.len() < 100_000);
    assert_eq!(open(&bomb).unwrap_err(), wrong("it would unpack to over 200 times its packed size"));
    // A name of two megabytes, and a size that is a claim.
    let mut name = Builder::new(Vec::new());
    add(&mut name, EntryType::GNULongName, "././@LongLink", &vec![b'a'; 2 << 20]);
    assert_eq!(
        open(&name.into_inner().unwrap()).unwrap_err(),
        "a.tar.gz holds 2097152 bytes, over the limit of 1048576"
    );
    let mut claim = tar(&[("weights", b"x")]);
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..7].copy_from_slice(b"weights");
    header.set_size(7 << 30);
    header.set_cksum();
    claim[..512].copy_from_slice(header.as_bytes());
    assert!(open(&gz(&claim)).unwrap_err().starts_with("a.tar.gz is not a valid tar archive: "));
    let sparse = b"22 GNU.sparse.major=1\n";
    let mut posix = Builder::new(Vec::new());
    add(&mut posix, EntryType::XHeader, "x", sparse);
    add(&mut posix, EntryType::Regular, "a", b"a");
    assert_eq!(open(&posix.into_inner().unwrap()).unwrap_err(), wrong("an entry is sparse"));
}

#[test]
fn archives_cut_short_or_with_a_changed_byte_never_panic() {
    let whole = tar(&[("m/config.json", b"{\"a\": 1}"), ("m/b", b"b")]);
    let packed = gz(&whole);
    let look = |bytes: &[u8]| {
        let Ok(folder) = open(bytes) else { return false };
        for name in folder.names().unwrap() {
            let _ = folder.read(&name, 100);
        }
        true
    };
    for end in 0..packed.len() {
        assert!(!look(&packed[..end]), "{end}");
        let mut changed = packed.clone();
        changed[end] ^= 0x55;
        look(&changed);
    }
    for place in 0..whole.len() {
        let mut changed = whole.clone();
        changed[place] ^= 0x55;
        look(&changed);
        look(&whole[..place]);
    }
}

#[test]
fn a_path_is_checked_without_a_look_inside() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    Folder::check(directory.path()).unwrap();
    fs::write(&path, gz(&tar(&[("../a", b"x")]))).unwrap();
    Folder::check(&path).unwrap();
    fs::write(&path, "no archive").unwrap();
    assert!(matches!(Folder::check(&path), Err(FormatError::NotADirectory { .. })));
    assert!(matches!(Folder::check(Path::new("no/such/file")), Err(FormatError::Io { .. })));
}
