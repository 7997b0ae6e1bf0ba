//! Retrieval: registers remote files that others have created.

use std::sync::{Arc, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared as SharedFuture, WeakShared};
use rustc_hash::FxHashMap;
use serde_json::Map;

use super::file::Record;
use super::id::is_remote;
use super::manager::Shared;
use super::registry::{Entry, Place};
use super::slot::Slot;
use super::{File, FileError, FileManager, RemoteError, RemoteFiles, media_type};

type Fetch = BoxFuture<'static, Result<File, FileError>>;

/// The running retrievals by id. Each lives as long as a call waits for it.
#[derive(Default)]
pub(super) struct Flights {
    by_id: FxHashMap<String, (u64, WeakShared<Fetch>)>,
    /// The number of the next retrieval, which tells it from later ones of the same id.
    next: u64,
}

/// Drop guard of a retrieval: allows another one of the same id when it ends, in any case.
struct UnderWay {
    shared: Arc<Shared>,
    id: String,
    number: u64,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut flights = self.shared.flights();
        if flights.by_id.get(&self.id).is_some_and(|(number, _)| *number == self.number) {
            flights.by_id.remove(&self.id);
        }
    }
}

impl FileManager {
    /// Retrieves a file from the provider and registers it. It still belongs to the provider, and
    /// pruning does not delete it.
    ///
    /// Concurrent calls for one id share one request.
    ///
    /// # Errors
    /// If the file is already registered, possibly by a faster call; if there is no client for
    /// remote files; if the provider has no such file or cannot be reached; and if the manager is
    /// closed.
    pub async fn retrieve_remote(&self, id: &str) -> Result<File, FileError> {
        match self.0.find_or_fetch(id)? {
            Found::Here(file) => Err(FileError::Registered { id: file.id().to_owned() }),
            Found::Fetching { fetch, first } => match fetch.await {
                Ok(file) if !first => Err(FileError::Registered { id: file.id().to_owned() }),
                fetched => fetched,
            },
        }
    }

    /// The registered file with this id, else the [retrieved](Self::retrieve_remote) one.
    ///
    /// # Errors
    /// If the file is being removed; if there is no client for remote files; if the provider has no
    /// such file or cannot be reached; and if the manager is closed.
    pub async fn get_or_retrieve(&self, id: &str) -> Result<File, FileError> {
        match self.0.find_or_fetch(id)? {
            Found::Here(file) => Ok(file),
            Found::Fetching { fetch, .. } => fetch.await,
        }
    }
}

enum Found {
    Here(File),
    Fetching {
        fetch: SharedFuture<Fetch>,
        /// Whether this call has begun the retrieval.
        first: bool,
    },
}

impl Shared {
    fn flights(&self) -> MutexGuard<'_, Flights> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a file with `held` reserved bytes and, at the same moment, ends its retrieval if
    /// there is one. A later call finds the file, or that it has been removed since, but never the
    /// retrieval.
    pub(super) fn commit(&self, held: u64, entry: Entry) -> Result<(), FileError> {
        let mut flights = self.flights();
        let id = entry.file.id().to_owned();
        self.lock().commit(held, entry)?;
        flights.by_id.remove(&id);
        Ok(())
    }

    fn find_or_fetch(self: &Arc<Self>, id: &str) -> Result<Found, FileError> {
        // The lock is held until it is known whether there is a retrieval, so that nobody begins
        // another.
        let mut flights = self.flights();
        match self.lock().find(id) {
            Ok(entry) => return Ok(Found::Here(entry.file.clone())),
            Err(FileError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        if let Some(fetch) = flights.by_id.get(id).and_then(|(_, flight)| flight.upgrade()) {
            return Ok(Found::Fetching { fetch, first: false });
        }
        if !is_remote(id) {
            return Err(FileError::NotFound { id: id.to_owned() });
        }
        let remote = Arc::clone(self.remote(&format!("retrieve `{id}`"))?);
        let slot = Slot::begin(self, 0)?;
        flights.next += 1;
        let number = flights.next;
        let under_way = UnderWay { shared: Arc::clone(self), id: id.to_owned(), number };
        let fetch = async move {
            let fetched = fetch(&*remote, &under_way.id, slot).await;
            drop(under_way);
            fetched
        };
        let fetch = fetch.boxed().shared();
        let flight = fetch.downgrade().expect("it has not been polled yet");
        flights.by_id.insert(id.to_owned(), (number, flight));
        Ok(Found::Fetching { fetch, first: true })
    }
}

async fn fetch(remote: &dyn RemoteFiles, id: &str, mut slot: Slot) -> Result<File, FileError> {
    let failed = |source| FileError::Remote { action: format!("retrieve `{id}`"), source };
    let found = remote.retrieve(id).await.map_err(failed)?;
    if found.id != id {
        let message = format!("asked for `{id}`, it gave `{}`", found.id);
        return Err(failed(RemoteError::Malformed { message }));
    }
    slot.grow(found.bytes)?;
    let file = File::new(Record {
        media_type: media_type::of_filename(&found.filename).to_owned(),
        id: found.id,
        filename: found.filename,
        bytes: found.bytes,
        purpose: found.purpose,
        created: found.created,
        metadata: Map::new(),
    });
    slot.register(Entry::new(file, Place::Remote, false), None).await
}
