//! Labels that people say are right, appended to a table that `albertine train` reads.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A CSV file with the columns `text` and `label`.
#[derive(Debug)]
pub(crate) struct Corrections {
    path: PathBuf,
    writing: Mutex<()>,
}

impl Corrections {
    /// # Errors
    /// When the file cannot be opened for writing.
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { path: path.to_owned(), writing: Mutex::default() })
    }

    /// Appends a row, in one write.
    pub(crate) fn add(&self, text: &str, label: &str) -> std::io::Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        let length = file.metadata()?.len();
        let mut row = if length == 0 { "text,label\n".to_owned() } else { String::new() };
        quote(text, &mut row);
        row.push(',');
        quote(label, &mut row);
        row.push('\n');
        file.write_all(row.as_bytes()).inspect_err(|_| {
            // half a row would spoil the next one; the error is the first one's
            let _ = file.set_len(length);
        })
    }
}

/// A field in quotes, as RFC 4180 has them.
fn quote(field: &str, row: &mut String) {
    row.push('"');
    row.push_str(&field.replace('"', "\"\""));
    row.push('"');
}
