//! Directories and archives seen the same way, and archives that are refused.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;
use crate::archive::tar;

fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        archive
            .start_file(*name, SimpleFileOptions::default().compression_method(CompressionMethod::Deflated))
            .unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn open(bytes: Vec<u8>) -> Result<Folder, String> {
    Folder::from_archive(bytes, Path::new("a.zip")).map_err(|error| error.to_string())
}

#[test]
fn a_directory_and_an_archive_of_it_are_the_same() {
    let files: [(&str, &[u8]); 4] = [("a/b/c.txt", b"c"), ("a/d.txt", b"d"), ("e", b"e"), ("empty", b"")];
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path().join("a/b")).unwrap();
    for (name, bytes) in files {
        fs::write(directory.path().join(name), bytes).unwrap();
    }
    // An archive is known by its bytes, whatever its name is.
    let zipped = tempfile::tempdir().unwrap();
    let path = zipped.path().join("model");
    fs::write(&path, archive(&files)).unwrap();
    let tars = [tar::tests::tar(&files), tar::tests::gz(&tar::tests::tar(&files))].into_iter().enumerate();
    let tars = tars.map(|(number, bytes)| {
        let path = zipped.path().join(format!("model-{number}"));
        fs::write(&path, bytes).unwrap();
        path
    });
    for folder in [directory.path().to_owned(), path].into_iter().chain(tars).map(|path| Folder::open(&path).unwrap()) {
        assert_eq!(folder.names().unwrap(), ["a/", "e", "empty"]);
        assert_eq!(folder.sub("a").names().unwrap(), ["b/", "d.txt"]);
        assert_eq!(folder.sub("a").sub("b/").read("c.txt", 10).unwrap().unwrap(), b"c");
        assert_eq!(folder.read("a/b/c.txt", 1).unwrap().unwrap(), b"c");
        let error = folder.read("a/b/c.txt", 0).unwrap_err().to_string();
        assert_eq!(error, format!("{}/a/b/c.txt holds 1 bytes, over the limit of 0", folder.path().display()));
        assert!(matches!(folder.read("empty", 1), Err(FormatError::EmptyFile { .. })));
        assert!(folder.has("e") && !folder.has("a") && folder.has_folder("a/b") && !folder.has_folder("e"));
        for name in ["../e", "a/../e", "/e", "a//d.txt", "", ".", "nothing", "a\\d.txt"] {
            assert_eq!(folder.read(name, 10).unwrap(), None, "{name}");
        }
        assert_eq!(folder.listing().unwrap(), "a/, e, empty");
        assert_eq!(folder.sub("a").path_of("x"), folder.path().join("a/x"));
        let (mut reader, size) = folder.reader("e", 10).unwrap().unwrap();
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        assert_eq!((bytes.as_slice(), size), (&b"e"[..], 1));
    }
}

#[test]
fn one_top_folder_is_looked_through() {
    let folder = open(archive(&[("m/a", b"a"), ("m/b/c", b"c"), ("__MACOSX/m/._a", b"x")])).unwrap();
    assert_eq!(folder.names().unwrap(), ["a", "b/"]);
    assert_eq!(folder.path_of("a"), Path::new("a.zip/m/a"));
    assert_eq!(open(archive(&[("m/a", b"a"), ("n", b"n")])).unwrap().names().unwrap(), ["m/", "n"]);
}

#[test]
fn what_file_managers_add_and_folders_in_folders_are_no_obstacle() {
    let seen = |names: &[&str]| {
        let entries: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, b"x".as_slice())).collect();
        open(archive(&entries)).unwrap().path().display().to_string()
    };
    assert_eq!(seen(&["m/a", "m/b/c", ".DS_Store", "m/.DS_Store", ".git/x/y"]), "a.zip/m");
    assert_eq!(seen(&["o/m/a", "o/m/b/c", "o/.DS_Store", "o/__MACOSX/._a"]), "a.zip/o/m");
    assert_eq!(seen(&["o/m/a", "o/mm/a"]), "a.zip/o");
    assert_eq!(seen(&["o/m/a", "p/m/a"]), "a.zip");
    assert_eq!(seen(&["m/a", "mm"]), "a.zip");
    assert_eq!(seen(&[".hidden/a"]), "a.zip");
    // a stage that is nothing but its settings
    assert_eq!(seen(&["metadata/part-00000", "metadata/.part-00000.crc"]), "a.zip");
    assert_eq!(seen(&["o/m/metadata/part-00000", "o/m/metadata/_SUCCESS"]), "a.zip/o/m");
}

#[test]
fn hostile_archives_are_refused() {
    let names = ["../a", "a/../../b", "/a", "a\\b", "C:a", "a//b", "./a"];
    for name in names {
        let error = open(archive(&[(name, b"x")])).unwrap_err();
        let fault = "has a name that leads out of the archive or that is no name";
        assert_eq!(error, format!("the entry {name:?} of a.zip {fault}"));
    }
    let bomb = archive(&[("config.json", &vec![b' '; 4 << 20])]);
    assert!(bomb.len() < 5000);
    assert_eq!(
        open(bomb).unwrap_err(),
        "the entry \"config.json\" of a.zip would unpack to over 200 times its packed size"
    );

    let mut link = ZipWriter::new(Cursor::new(Vec::new()));
    link.add_symlink("link", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    let link = link.finish().unwrap().into_inner();
    assert_eq!(open(link).unwrap_err(), "the entry \"link\" of a.zip is a link");

    // Two entries of one name, and one that is marked as encrypted, made from sound ones byte by byte.
    let mut twice = archive(&[("aa", b"1"), ("ab", b"2")]);
    let mut encrypted = archive(&[("aa", b"1")]);
    for place in 0..twice.len() - 1 {
        if &twice[place..place + 2] == b"ab" {
            twice[place + 1] = b'a';
        }
    }
    assert_eq!(
        open(twice).unwrap_err(),
        "a.zip is not a valid zip archive: invalid Zip archive: two entries have the same name"
    );
    let central = encrypted.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    encrypted[central + 8] |= 1;
    assert_eq!(open(encrypted).unwrap_err(), "the entry \"aa\" of a.zip is encrypted");

    assert!(open(b"PK\x03\x04 and no more".to_vec()).unwrap_err().starts_with("a.zip is not a valid zip archive: "));
}

#[test]
fn archives_cut_short_or_with_a_changed_bit_never_panic() {
    let whole = archive(&[("m/config.json", b"{\"a\": 1}"), ("m/b", b"b")]);
    let look = |bytes: Vec<u8>| {
        if let Ok(folder) = open(bytes) {
            for name in folder.names().unwrap() {
                let _ = folder.read(&name, 100);
            }
        }
    };
    for end in 0..whole.len() {
        look(whole[..end].to_vec());
        for bit in 0..8 {
            let mut changed = whole.clone();
            changed[end] ^= 1 << bit;
            look(changed);
        }
    }
}

#[test]
fn other_files_are_no_folders() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let compressed = tar::tests::gz(b"a table, not an archive");
    for bytes in [&b""[..], b"PK", b"{}", b"PK\x03\x05 no zip", b"\x1f\x8b", &compressed] {
        fs::write(file.path(), bytes).unwrap();
        assert!(matches!(Folder::open(file.path()), Err(FormatError::NotADirectory { .. })));
    }
    assert!(matches!(Folder::open(Path::new("no/such/place")), Err(FormatError::Io { .. })));
}

#[test]
fn pointers_of_git_lfs_are_told() {
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 46750064\n";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("spiece.model");
    fs::write(&path, pointer).unwrap();
    let zipped = open(archive(&[("spiece.model", pointer), ("other", b"x")])).unwrap();
    for folder in [Folder::open(directory.path()).unwrap(), zipped] {
        let told = |error: Option<FormatError>| {
            let path = folder.path().join("spiece.model");
            let expected = format!(
                "{} is a Git LFS pointer, not the file itself: run `git lfs pull` in its repository",
                path.display()
            );
            assert_eq!(error.unwrap().to_string(), expected);
        };
        told(folder.read("spiece.model", 1000).err());
        told(folder.reader("spiece.model", 1000).err());
    }
    // An archive that is one.
    assert!(matches!(Folder::open(&path), Err(FormatError::LfsPointer { .. })));
    assert!(matches!(Folder::check(&path), Err(FormatError::LfsPointer { .. })));
}
