//! The files that say how text becomes pieces, whatever they are called.

use std::collections::BTreeMap;

use albertine_formats::Folder;

use crate::ModelError;

/// The SentencePiece model of every kind of checkpoint.
pub(super) const SPIECE: &str = "spiece.model";

/// The WordPiece vocabulary of every kind of checkpoint, one piece a line.
pub(super) const VOCAB: &str = "vocab.txt";

/// The files by their names in a Hugging Face directory.
pub(super) const FILES: [&str; 6] =
    ["tokenizer.json", SPIECE, VOCAB, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];

/// Those that hold pieces: one of them is enough.
const PIECES: [&str; 3] = ["tokenizer.json", SPIECE, VOCAB];

/// The largest of these files that is read, in bytes. ALBERT's take 0.8 and 1.3 MB.
pub(super) const MAX_BYTES: u64 = 64 << 20;

/// The files of a folder, or of the `assets` in it. Where none has pieces, a file under another name counts: that of
/// Google's releases and of TensorFlow Hub, `30k-clean.model` or `vocab_chinese.txt`.
pub(super) fn read(folder: &Folder) -> Result<BTreeMap<&'static str, Vec<u8>>, ModelError> {
    let assets = folder.has_folder("assets").then(|| folder.sub("assets"));
    let places: Vec<Folder> = [Some(folder.clone()), assets].into_iter().flatten().collect();
    let mut files = BTreeMap::new();
    for name in FILES {
        for place in &places {
            if !files.contains_key(name) {
                files.extend(place.read(name, MAX_BYTES)?.map(|bytes| (name, bytes)));
            }
        }
    }
    if PIECES.iter().any(|name| files.contains_key(name)) {
        return Ok(files);
    }
    for place in &places {
        let names = place.names()?;
        let ending = |ending: &str, start: &str| -> Vec<&String> {
            names.iter().filter(|name| name.ends_with(ending) && name.starts_with(start)).collect()
        };
        for (known, found) in [(SPIECE, ending(".model", "")), (VOCAB, ending(".txt", "vocab"))] {
            match found.as_slice() {
                [] => {}
                [name] => {
                    files.extend(place.read(name, MAX_BYTES)?.map(|bytes| (known, bytes)));
                    return Ok(files);
                }
                [..] => {
                    let found = found.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
                    return Err(ModelError::Vocabularies { directory: place.path().to_owned(), found, known });
                }
            }
        }
    }
    Ok(files)
}
