//! A pause without a clock.

/// Yields to the others a number of times.
pub(super) async fn pause(times: usize) {
    for _ in 0..times {
        let mut paused = false;
        // Wakes itself at once, so that it can be simulated without a runtime.
        std::future::poll_fn(|task| {
            if std::mem::replace(&mut paused, true) {
                return std::task::Poll::Ready(());
            }
            task.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
    }
}
