//! Files in prompts.

use std::time::Duration;

use super::id::ids_in;
use super::{File, FileError, FileManager};
use crate::message::Message;

const OPEN: &str = "<file>";
const CLOSE: &str = "</file>";
const URL: &str = "<url>";

impl Message {
    /// A message of a person with files: the text, then `<file>ID</file>` for each file on its own
    /// line. A file whose id is already in the text is not repeated.
    ///
    /// ```
    /// use ddg_agentic::{Message, files::FileManager};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let files = FileManager::new();
    /// let report = files.create_from_bytes("…", "report.txt").await?;
    /// let message = Message::user_with_files("What does it say?", [&report]);
    /// assert_eq!(message.text(), format!("What does it say?\n<file>{}</file>", report.id()));
    /// # files.close().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn user_with_files<'a>(
        text: impl Into<String>,
        files: impl IntoIterator<Item = &'a File>,
    ) -> Self {
        let mut text = text.into();
        for file in files {
            if !ids_in(&text).any(|(_, id)| id == file.id()) {
                text = format!("{text}\n{OPEN}{}{CLOSE}", file.id());
            }
        }
        Self::user(text)
    }
}

impl FileManager {
    /// Whether the client provides URLs of files.
    pub(crate) fn has_temporary_urls(&self) -> bool {
        self.0.remote.as_ref().is_some_and(|remote| remote.has_temporary_urls())
    }

    /// Adds URLs to the text: behind each remote file that has none.
    pub(crate) async fn with_urls(
        &self,
        text: &str,
        expiry: Duration,
    ) -> Result<String, FileError> {
        let mut with_urls = String::with_capacity(text.len());
        let mut copied = 0;
        for (at, id) in ids_in(text) {
            let end = at + id.len() + CLOSE.len();
            let is_tag = text[..at].ends_with(OPEN) && text[at + id.len()..].starts_with(CLOSE);
            if !is_tag || text[end..].starts_with(URL) {
                continue;
            }
            let Some(file) = self.try_look_up(id).filter(|file| !file.is_local()) else { continue };
            let url = self.temporary_url(file.id(), expiry).await?;
            with_urls.push_str(&text[copied..end]);
            with_urls.push_str(&format!("{URL}{url}</url>"));
            copied = end;
        }
        with_urls.push_str(&text[copied..]);
        Ok(with_urls)
    }

    /// A URL from which anybody can read a remote file until `expiry` has passed.
    ///
    /// # Errors
    /// If no file has the id, the file is local, there is no client, or the client provides no
    /// URLs.
    pub async fn temporary_url(&self, id: &str, expiry: Duration) -> Result<String, FileError> {
        let file = self.look_up(id)?;
        let action = format!("get an address of `{id}`");
        if file.is_local() {
            return Err(FileError::NoRemote { what: format!("{action}, which is local") });
        }
        let url = self.0.remote(&action)?.temporary_url(id, expiry).await;
        url.map_err(|source| FileError::Remote { action, source })
    }
}
