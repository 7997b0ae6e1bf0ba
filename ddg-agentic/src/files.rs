//! Files that tools and agents pass to each other by id.
//!
//! A model can only pass text, so a file travels as its *id*, in arguments of tools and in answers.
//! One [`FileManager`] resolves ids to files: it creates files, reads them, finds their ids in JSON
//! and in text, and removes what it has created.
//!
//! The rules are in `docs/files.md`. Tests cite them by their numbers.

mod builder;
mod close;
mod creation;
mod error;
mod file;
mod filename;
mod folder;
mod id;
mod index;
mod limits;
mod manager;
mod media_type;
mod places;
mod prompt;
mod purpose;
mod registry;
mod remote;
mod removal;
mod retrieval;
mod scope;
mod slot;
mod sniff;

pub use builder::FileManagerBuilder;
pub use creation::Creation;
pub use error::{FileError, FileLimit};
pub use file::File;
#[cfg(feature = "providers")]
use folder::pieces as folder_pieces;
pub(crate) use id::ids_in;
pub use manager::{FileManager, FileStream};
pub(crate) use places::{each_once, files_at_places, files_of_result, has_files};
pub use purpose::FilePurpose;
#[cfg(feature = "providers")]
pub use remote::OpenAiFiles;
pub use remote::{
    FileUpload, RemoteContent, RemoteError, RemoteFile, RemoteFiles, RemoteFuture, UploadContent,
};
pub use removal::{PruneFailure, PruneReport};
pub(crate) use scope::{collecting, reading, records, with_records};
