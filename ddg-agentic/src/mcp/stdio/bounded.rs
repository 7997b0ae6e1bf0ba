//! The output of a server's program, which tells of lines that are too long to be read.
//!
//! The library drops such a line without a word, so the request that waits for it would time out.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

use crate::mcp::listener::Listener;

/// Maximum number of bytes of a line, which is a message.
pub(super) const MAX_LINE: usize = 16 << 20;

/// Output whose `listener` hears of each line that is too long.
pub(super) struct Bounded<T> {
    output: T,
    listener: Listener,
    /// Number of bytes of the current line so far.
    n_bytes: usize,
}

impl<T> Bounded<T> {
    pub(super) fn new(output: T, listener: Listener) -> Self {
        Self { output, listener, n_bytes: 0 }
    }

    fn reads(&mut self, piece: &[u8]) {
        let mut lines = piece.split(|byte| *byte == b'\n');
        // The first continues the current line, and each other one begins another.
        self.continues(lines.next().map_or(0, <[u8]>::len));
        for line in lines {
            self.n_bytes = 0;
            self.continues(line.len());
        }
    }

    fn continues(&mut self, n_bytes: usize) {
        let before = self.n_bytes;
        self.n_bytes += n_bytes;
        // The line break counts as well.
        if before < MAX_LINE && self.n_bytes >= MAX_LINE {
            self.listener.drops_a_message();
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Bounded<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let n_before = buffer.filled().len();
        let read = Pin::new(&mut this.output).poll_read(cx, buffer);
        this.reads(&buffer.filled()[n_before..]);
        read
    }
}
