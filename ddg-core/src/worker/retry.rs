//! When a failed worker is tried again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use serde::{Deserialize, Serialize};

/// Retries a failing worker, with a growing back-off.
///
/// Each attempt starts with the same arguments, and the effects of a failed attempt (ferries,
/// edits) are dropped. A panic or a timeout counts as a failure.
///
/// Waiting needs a tokio runtime. Without one, a worker that would have to wait is not tried again.
///
/// ```
/// use std::time::Duration;
/// use ddg_core::free;
/// use ddg_core::worker::Retry;
///
/// let options = free().retry(Retry::times(3).delay(Duration::from_millis(100)).jitter());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    times: usize,
    first: Duration,
    longest: Duration,
    factor: f32,
    jitter: bool,
}

impl Retry {
    /// Makes up to `times` further attempts after the first, at once unless [`delay`](Self::delay)
    /// is set.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("flaky");
    /// let call = async |cx: Context| match cx.attempt() {
    ///     1 => Err(WorkerError::msg("not up yet")),
    ///     n => Ok(n),
    /// };
    /// automa.add_func_as_worker("call", call, start().retry(Retry::times(1)).output())?;
    /// assert_eq!(automa.run(()).output::<u32>().await?, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub const fn times(times: usize) -> Self {
        Self {
            times,
            first: Duration::ZERO,
            longest: Duration::from_secs(60),
            factor: 2.0,
            jitter: false,
        }
    }

    /// Sets the delay before the second attempt. Each further one is [`factor`](Self::factor) times
    /// longer.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// // Attempts after 0, 1, 3 and 7 seconds.
    /// let options = start().retry(Retry::times(3).delay(Duration::from_secs(1)));
    /// # let _ = options;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn delay(mut self, first: Duration) -> Self {
        self.first = first;
        self
    }

    /// Sets the maximum delay (60 s by default).
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// // Waits 1, 2, 4, 5, 5 … seconds.
    /// let retry = Retry::times(9).delay(Duration::from_secs(1)).longest(Duration::from_secs(5));
    /// # let _ = start().retry(retry);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn longest(mut self, longest: Duration) -> Self {
        self.longest = longest;
        self
    }

    /// Sets the factor between consecutive delays (2.0 by default; values below 1.0 count as 1.0).
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// // Waits a second each time.
    /// let retry = Retry::times(9).delay(Duration::from_secs(1)).factor(1.0);
    /// # let _ = start().retry(retry);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn factor(mut self, factor: f32) -> Self {
        self.factor = if factor >= 1.0 { factor } else { 1.0 };
        self
    }

    /// Adds a random part of up to the same length to each delay.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// // Waits 1 to 2, then 2 to 4 seconds, so that many runs do not retry at the same moment.
    /// let retry = Retry::times(2).delay(Duration::from_secs(1)).jitter();
    /// # let _ = start().retry(retry);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn jitter(mut self) -> Self {
        self.jitter = true;
        self
    }

    /// The delays before the second, third, … attempt, for other code that retries something.
    pub fn waits(self) -> impl Iterator<Item = Duration> {
        let builder = ExponentialBuilder::new()
            .with_max_times(self.times)
            .with_min_delay(self.first)
            .with_max_delay(self.longest)
            .with_factor(self.factor);
        let builder = if self.jitter { builder.with_jitter() } else { builder };
        builder.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_longest() {
        let ms = Duration::from_millis;
        let retry = Retry::times(4).delay(ms(10)).longest(ms(50));
        // backon multiplies floating-point numbers, so whole milliseconds are compared.
        let waits: Vec<_> =
            retry.waits().map(|wait| (wait.as_secs_f64() * 1000.0).round()).collect();
        assert_eq!(waits, [10.0, 20.0, 40.0, 50.0]);
        assert_eq!(Retry::times(2).waits().collect::<Vec<_>>(), [Duration::ZERO; 2]);
        assert_eq!(Retry::times(0).waits().count(), 0);
    }
}
