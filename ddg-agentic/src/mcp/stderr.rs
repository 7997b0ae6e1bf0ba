//! The last output of a server's program to stderr.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::ChildStderr;
use tokio_util::sync::CancellationToken;

/// Maximum number of bytes kept.
const MAX_BYTES: usize = 4096;

/// Maximum number of lines shown.
const MAX_LINES: usize = 10;

/// How long to wait for the end of stderr after the server has ended. A program that it started may
/// keep stderr open for longer.
const END_WITHIN: Duration = Duration::from_millis(500);

/// The last output of a server's program to stderr. Empty if the server is not a program.
#[derive(Clone, Default)]
pub(super) struct Stderr(Option<Arc<Tail>>);

#[derive(Default)]
struct Tail {
    bytes: Mutex<Vec<u8>>,
    ended: CancellationToken,
}

impl Stderr {
    /// Reads all of `stderr`, so that the program does not block, and keeps the end.
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

    /// The last lines, after the program has ended.
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
