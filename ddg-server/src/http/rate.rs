//! The rate of requests of each tenant.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::tenant::Tenant;

const MINUTE: Duration = Duration::from_secs(60);

/// A limit of requests a minute for each tenant. A tenant that was idle for a minute may send all
/// of them at once; then one is allowed every `1/n` minute.
pub(crate) struct Rate {
    per_minute: u32,
    /// For each tenant the moment from which on its full number is available (the theoretical
    /// arrival time of the generic cell rate algorithm). There is one for each key.
    full_at: Mutex<BTreeMap<Box<str>, Instant>>,
}

impl Rate {
    /// Creates a limit; `per_minute` is at least 1.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute: per_minute.max(1), full_at: Mutex::default() }
    }

    pub(crate) fn per_minute(&self) -> u32 {
        self.per_minute
    }

    /// Counts a request, or returns how long the tenant has to wait for the next.
    pub(crate) fn take(&self, tenant: &Tenant) -> Result<(), Duration> {
        let now = Instant::now();
        let interval = MINUTE / self.per_minute;
        let mut all = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = all.entry(tenant.as_str().into()).or_insert(now);
        let next = (*full_at).max(now) + interval;
        // Rounding of `interval` must not cost the last request of the minute.
        let most = interval * self.per_minute;
        match (next - now).checked_sub(most) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                *full_at = next;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    /// [assistants command line 5] A tenant may send all requests of a minute at once, and then one
    /// whenever its part of the minute is over.
    #[tokio::test(start_paused = true)]
    async fn requests_are_allowed_again_one_by_one() {
        for per_minute in [1, 7, 60, 100_000] {
            let rate = Rate::new(per_minute);
            let tenant = Tenant::of_key("sk-one");
            for _ in 0..per_minute {
                assert_eq!(rate.take(&tenant), Ok(()));
            }
            let wait = rate.take(&tenant).unwrap_err();
            assert!(wait <= MINUTE / per_minute, "{wait:?}");
            assert_eq!(rate.take(&Tenant::of_key("sk-two")), Ok(()));
            advance(wait - Duration::from_nanos(1)).await;
            assert_eq!(rate.take(&tenant), Err(Duration::from_nanos(1)));
            advance(Duration::from_nanos(1)).await;
            assert_eq!(rate.take(&tenant), Ok(()));
            assert!(rate.take(&tenant).is_err());
            advance(MINUTE).await;
            for _ in 0..per_minute {
                assert_eq!(rate.take(&tenant), Ok(()));
            }
            assert!(rate.take(&tenant).is_err());
        }
    }
}
