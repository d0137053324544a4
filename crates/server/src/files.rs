//! Files that are sent to be labeled: kept on disk, run window by window through the queue, and fetched when they are
//! done.

mod job;
mod names;
mod queued;
mod unpacked;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;

pub(crate) use self::job::{Job, Stage};
pub(crate) use self::names::FileName;
use crate::context::random_id;
use crate::error::ApiError;
use crate::models::Served;
use crate::queue::Queue;
use crate::settings::Limits;

/// Files that are kept at a time.
const MOST_FILES: usize = 16;

/// How long a file is kept after it was last asked for.
const KEPT: Duration = Duration::from_secs(30 * 60);

/// How long it is kept when others need its place: who fetches it asks for its progress until then.
const KEPT_AT_LEAST: Duration = Duration::from_secs(2 * 60);

/// How often files are removed that nobody asks for.
pub(crate) const SWEEP: Duration = Duration::from_secs(60);

/// The files of a service. They are in one folder, which goes when the service ends.
#[derive(Debug)]
pub(crate) struct Files {
    // the files go before the folder that they are in
    jobs: Mutex<Vec<Arc<Job>>>,
    folder: TempDir,
}

impl Files {
    /// No files, in a new folder.
    ///
    /// # Errors
    /// When it cannot be created.
    pub(crate) fn new() -> std::io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("albertine-files-").tempdir()?;
        Ok(Self { folder, jobs: Mutex::default() })
    }

    /// A place for a new file, after those that nobody has asked for lately are removed.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] when as many are kept as may be, all of them running or lately asked for.
    pub(crate) fn add(&self, name: FileName) -> Result<Arc<Job>, ApiError> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.len() >= MOST_FILES {
            // the oldest that nobody waits for makes room
            let oldest = jobs.iter().position(|job| job.is_stale(KEPT_AT_LEAST));
            jobs.remove(oldest.ok_or(ApiError::Overloaded { retry_after: 30 })?);
        }
        let id = random_id();
        let folder = self.folder.path().join(&id);
        let job = Arc::new(Job::new(id, name, folder).map_err(|error| {
            tracing::error!("cannot create a folder for a file: {error}");
            ApiError::Internal
        })?);
        jobs.push(Arc::clone(&job));
        Ok(job)
    }

    /// The file with an id.
    ///
    /// # Errors
    /// [`ApiError::NotFound`].
    pub(crate) fn get(&self, id: &str) -> Result<Arc<Job>, ApiError> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let job = jobs.iter().find(|job| job.id() == id).cloned().ok_or_else(|| not_found(id))?;
        job.touch();
        Ok(job)
    }

    /// Stops and removes a file.
    ///
    /// # Errors
    /// [`ApiError::NotFound`].
    pub(crate) fn remove(&self, id: &str) -> Result<(), ApiError> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let index = jobs.iter().position(|job| job.id() == id).ok_or_else(|| not_found(id))?;
        jobs.remove(index).cancel();
        Ok(())
    }

    /// Removes those that nobody has asked for lately.
    pub(crate) fn sweep(&self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).retain(|job| !job.is_stale(KEPT));
    }

    /// Stops all that run, and tells how many did.
    pub(crate) fn cancel_all(&self) -> usize {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let running = jobs.iter().filter(|job| !job.is_ended());
        running.map(|job| job.cancel()).count()
    }

    /// Labels a file that has arrived, on a thread of its own.
    pub(crate) fn start(
        job: Arc<Job>,
        served: Arc<Served>,
        queue: Arc<Queue>,
        text_columns: Vec<String>,
        limits: Limits,
    ) {
        tokio::task::spawn_blocking(move || job.run(&served, &queue, &text_columns, &limits));
    }
}

/// An id is repeated only as far as it could be one.
fn not_found(id: &str) -> ApiError {
    ApiError::NotFound { what: "file", name: id.chars().take(32).collect() }
}

/// Where the bytes of a file are, and where its labels go.
#[derive(Debug)]
struct Paths {
    folder: PathBuf,
    input: PathBuf,
    output: PathBuf,
}

impl Drop for Paths {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!("cannot remove a file that was labeled: {error}");
        }
    }
}
