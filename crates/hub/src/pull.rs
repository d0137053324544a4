//! Fetching what is not on this machine.

use std::path::{Path, PathBuf};

use url::Url;

use super::cache::Cache;
use super::checksum::Checksum;
use super::download::{Kind, Wanted, fetch};
use super::find::{Remote, Resolved};
use super::http::Client;
use super::record::Record;
use super::reference::Location;
use super::{Entry, Hub, HubError, ModelSource, Program, repository};

impl<P: Program> Hub<P> {
    /// Fetches a model into the cache, unless another process does so first.
    pub(super) fn pull(&self, name: &str, remote: Remote) -> Result<ModelSource, HubError> {
        let cache = self.cache()?;
        let (key, folder) = match &remote {
            Remote::Published(entry) => (entry.file_name(), cache.archives()),
            Remote::Repository(repository) => {
                (repository.folder(), cache.repositories().join(repository.folder()).join("snapshots"))
            }
            Remote::Address(url) => {
                let folder = cache.address_folder(url);
                (folder.file_name().unwrap_or_default().to_string_lossy().into_owned(), folder)
            }
        };
        let called = remote.called(name);
        let _lock = cache.lock(&key, &called, self.progress.as_ref())?;
        let language = match &remote {
            Remote::Published(entry) => entry.language.as_deref(),
            Remote::Repository(_) | Remote::Address(_) => None,
        };
        if let Resolved::Local(source) = self.find(name, language)? {
            return Ok(source);
        }
        let outcome = self.fetch(cache, &called, remote);
        if outcome.is_err() {
            cache.prune(&folder);
        }
        outcome
    }

    fn fetch(&self, cache: &Cache, name: &str, remote: Remote) -> Result<ModelSource, HubError> {
        let client = Client::new(self.limits, self.bound_token());
        match remote {
            Remote::Published(entry) => self.pull_published(&client, cache, name, &entry).map(ModelSource::Directory),
            Remote::Repository(repository) => {
                let endpoint = self.sound_endpoint()?;
                let repositories = cache.repositories();
                let progress = self.progress.as_ref();
                let snapshot = repository::pull(&client, endpoint, &repository, &repositories, progress)?;
                Ok(ModelSource::Directory(snapshot))
            }
            Remote::Address(url) => self.pull_address(&client, cache, name, &url),
        }
    }

    /// Fetches the archive of a published model from the first server that has it.
    fn pull_published(&self, client: &Client, cache: &Cache, name: &str, entry: &Entry) -> Result<PathBuf, HubError> {
        let file = entry.file_name();
        let target = cache.archives().join(&file);
        let places = self.sound_places()?;
        for place in places {
            // folders have been looked at
            let Location::Url(url) = place.file(&file)? else { continue };
            match self.pull_archive(client, name, &url, &target, Checksum::parse(&entry.checksum)) {
                // object stores say 403 of what they do not have
                Err(HubError::Status { status: 403 | 404 | 410, .. }) => {}
                outcome => return outcome.map(|()| target),
            }
        }
        let places = places.iter().map(Location::to_string).collect();
        Err(HubError::NotAtAnyPlace { name: file, places })
    }

    fn pull_address(&self, client: &Client, cache: &Cache, name: &str, url: &Url) -> Result<ModelSource, HubError> {
        let target = cache.address(url);
        if url.path().ends_with('/') {
            repository::pull_folder(client, url, &target, self.progress.as_ref())?;
            return Ok(ModelSource::Directory(target));
        }
        self.pull_archive(client, name, url, &target, None)?;
        Ok(ModelSource::Directory(target))
    }

    /// Fetches an archive beside its place, looks at its entries, moves it there, and writes its record.
    fn pull_archive(
        &self,
        client: &Client,
        name: &str,
        url: &Url,
        target: &Path,
        checksum: Option<Checksum>,
    ) -> Result<(), HubError> {
        let most = self.limits.largest_file;
        let wanted = Wanted { model: name, url, target, most, checksum, kind: Kind::Archive };
        fetch(client, &wanted, self.progress.as_ref())?;
        Record::of_file(url, target)?.write_beside(target)
    }
}
