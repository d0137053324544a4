//! The folder of the trained model: found to be free and writable before the work, filled beside its place, and moved
//! there when it is complete.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::TempDir;

use crate::exit::Misuse;
use crate::interrupt::set_unfinished_folder;

pub(super) struct Place {
    output: PathBuf,
    folder: TempDir,
}

/// Checks that `output` is new, or an empty folder.
pub(super) fn must_be_free(output: &Path) -> Result<(), Misuse> {
    let hint = "name a new folder with `--output`";
    if output.file_name().is_none() {
        return Err(Misuse::new(format!("{} cannot be the name of a new folder", output.display()), hint));
    }
    let Ok(found) = fs::symlink_metadata(output) else { return Ok(()) };
    let is_empty_folder = found.is_dir() && fs::read_dir(output).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty_folder { Ok(()) } else { Err(Misuse::new(format!("{} already exists", output.display()), hint)) }
}

impl Place {
    /// Makes a folder beside `output`, and the folders on the way.
    pub(super) fn prepare(output: &Path) -> anyhow::Result<Self> {
        let parent = output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent).with_context(|| format!("cannot create the folder {}", parent.display()))?;
        let name = format!(".{}.", output.file_name().unwrap_or_default().to_string_lossy());
        let folder = tempfile::Builder::new().prefix(&name).suffix(".partial").tempdir_in(parent);
        let folder = folder.with_context(|| format!("cannot create a folder in {}", parent.display()))?;
        set_unfinished_folder(Some(folder.path().to_owned()));
        Ok(Self { output: output.to_owned(), folder })
    }

    /// Where the model is written; the folder is not there yet.
    pub(super) fn model(&self) -> PathBuf {
        self.folder.path().join("model")
    }

    /// Moves the model to its place. Where that cannot be done it stays where it is, and the error says where.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        let Self { output, folder } = self;
        set_unfinished_folder(None);
        let model = folder.path().join("model");
        // An empty folder in the way would keep the other one from being moved on some systems.
        let _ = fs::remove_dir(&output);
        if let Err(source) = fs::rename(&model, &output) {
            let kept = folder.keep().join("model");
            return Err(source).with_context(|| {
                format!("cannot move the model to {}; it was kept in {}", output.display(), kept.display())
            });
        }
        Ok(())
    }
}
