//! Rows of events.

use super::{AssistantStore, During};
use crate::assistants::AssistantsError;
use crate::assistants::event::Event;
use crate::assistants::rule::Partial;

/// Maximum number of events that are read at once.
pub(in crate::assistants) const EVENTS_AT_ONCE: usize = 256;

impl AssistantStore {
    /// Some events of a run from a number on.
    pub(in crate::assistants) async fn events(
        &self,
        run: &str,
        from: u64,
    ) -> Result<Vec<Event>, AssistantsError> {
        let action = "read events";
        let sql = format!(
            "select number, name, data from ddg_run_events where run = $1 and number >= $2 \
             order by number limit {EVENTS_AT_ONCE}"
        );
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        let rows = self.database.read(&sql, &[run.into(), from.into()]).await.during(action)?;
        let mut events = Vec::with_capacity(rows.len());
        for mut row in rows {
            let number = row.unsigned().during(action)?;
            let (name, data) = (row.text().during(action)?, row.text().during(action)?);
            events.push(Event { number, name, data });
        }
        Ok(events)
    }

    /// What clients have seen of an open reply that began with the event `since`.
    pub(in crate::assistants) async fn partial(
        &self,
        run: &str,
        since: u64,
    ) -> Result<Partial, AssistantsError> {
        let mut partial = Partial::default();
        let mut from = since;
        loop {
            let events = self.events(run, from).await?;
            let Some(last) = events.last() else { return Ok(partial) };
            from = last.number + 1;
            for event in &events {
                let data = serde_json::from_str(&event.data).during("read events")?;
                partial.hear(&event.name, &data);
            }
        }
    }
}
