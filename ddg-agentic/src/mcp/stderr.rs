//! What a server's program wrote last to its stderr.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::ChildStderr;
use tokio_util::sync::CancellationToken;

/// How much is kept.
const MAX_BYTES: usize = 4096;

/// How many lines of it are told.
const MAX_LINES: usize = 10;

/// How long the end of it is waited for once the server is gone: a program that it has started may
/// hold its stderr for longer.
const END_WITHIN: Duration = Duration::from_millis(500);

/// What a server's program wrote last to its stderr. Of a server without a program, nothing.
#[derive(Clone, Default)]
pub(super) struct Stderr(Option<Arc<Tail>>);

#[derive(Default)]
struct Tail {
    bytes: Mutex<Vec<u8>>,
    ended: CancellationToken,
}

impl Stderr {
    /// Reads all of `stderr`, so that the program is not held up, and keeps the end of it.
    pub(super) fn read(mut stderr: ChildStderr) -> Self {
        let tail = Arc::new(Tail::default());
        let kept = Arc::clone(&tail);
        tokio::spawn(async move {
            let _ended = kept.ended.clone().drop_guard();
            let mut piece = [0; 1024];
            while let Ok(n @ 1..) = stderr.read(&mut piece).await {
                kept.push(&piece[..n]);
            }
        });
        Self(Some(tail))
    }

    /// The last lines, once the program has ended.
    pub(super) async fn last_words(&self) -> String {
        let Some(tail) = &self.0 else { return String::new() };
        let _in_time = tokio::time::timeout(END_WITHIN, tail.ended.cancelled()).await;
        tail.lines()
    }
}

impl Tail {
    fn push(&self, piece: &[u8]) {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.extend_from_slice(piece);
        let surplus = bytes.len().saturating_sub(MAX_BYTES);
        bytes.drain(..surplus);
    }

    fn lines(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.trim().lines().collect();
        lines[lines.len().saturating_sub(MAX_LINES)..].join("\n")
    }
}
