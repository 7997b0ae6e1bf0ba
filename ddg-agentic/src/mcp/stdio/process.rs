//! The process of a server's program, from start to end.

use std::future::Future;
use std::io;
use std::process::Stdio;
use std::time::Duration;

use process_wrap::tokio::{ChildWrapper, CommandWrap};
use rmcp::RoleClient;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::bounded::{Bounded, MAX_LINE};
use crate::mcp::listener::Listener;
use crate::mcp::stderr::Stderr;

/// The time that the program has to end when its stdin is closed. It has the same time again when
/// it is told to terminate.
const GRACE: Duration = Duration::from_secs(3);

/// A server's program as a transport. Dropping it ends the program and everything that it has
/// started.
pub(super) struct Process {
    pipes: AsyncRwTransport<RoleClient, Bounded<ChildStdout>, ChildStdin>,
    group: Group,
}

/// The process group of the program.
struct Group {
    leader: Box<dyn ChildWrapper>,
    has_ended: bool,
}

impl Process {
    /// Starts `command`, and reads its stderr. `listener` hears of messages that are too large.
    pub(super) fn start(mut command: Command, listener: Listener) -> io::Result<(Self, Stderr)> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut command = CommandWrap::from(command);
        #[cfg(unix)]
        command.wrap(process_wrap::tokio::ProcessGroup::leader());
        #[cfg(windows)]
        command.wrap(process_wrap::tokio::JobObject);

        let mut leader = command.spawn()?;
        let pipes = (leader.stdin().take(), leader.stdout().take(), leader.stderr().take());
        let group = Group { leader, has_ended: false };
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(io::Error::other("it has no stdin, stdout or stderr"));
        };
        let stdout = Bounded::new(stdout, listener);
        let pipes = AsyncRwTransport::new(stdout, stdin).with_max_line_length(MAX_LINE);
        Ok((Self { pipes, group }, Stderr::read(stderr)))
    }
}

impl Transport<RoleClient> for Process {
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        self.pipes.send(message)
    }

    fn receive(&mut self) -> impl Future<Output = Option<RxJsonRpcMessage<RoleClient>>> + Send {
        self.pipes.receive()
    }

    /// Closes stdin, and ends the program step by step.
    ///
    /// # Cancel safety
    /// If the future is dropped, processes that are still running are killed.
    async fn close(&mut self) -> io::Result<()> {
        self.pipes.close().await?;
        if !self.group.ends_in_time().await {
            self.group.terminate();
            self.group.ends_in_time().await;
        }
        self.group.kill();
        self.group.leader.wait().await?;
        Ok(())
    }
}

impl Group {
    async fn ends_in_time(&mut self) -> bool {
        timeout(GRACE, self.leader.wait()).await.is_ok()
    }

    #[cfg(unix)]
    fn terminate(&self) {
        const SIGTERM: i32 = 15;
        // An error means that all processes have ended.
        let _gone = self.leader.signal(SIGTERM);
    }

    /// Windows has no such signal, so a program that does not end with its stdin is killed.
    #[cfg(not(unix))]
    fn terminate(&self) {}

    /// Kills the processes that are left: the program, or what it has started.
    fn kill(&mut self) {
        // An error means that all processes have ended.
        let _gone = self.leader.start_kill();
        self.has_ended = true;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.has_ended {
            self.kill();
        }
    }
}
