//! Rows of events.

use ddg_core::__store::Arg;

use super::database::Write;
use super::{AssistantStore, During};
use crate::assistants::AssistantsError;
use crate::assistants::event::Event;
use crate::assistants::rule::{Partial, Recorded};

/// Number of events that are read at once.
const BATCH: u64 = 256;

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
             order by number limit {BATCH}"
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

/// Adds events, many in one statement.
pub(super) async fn put_events(
    write: &mut Write,
    run: &str,
    mut events: &[Recorded],
) -> Result<(), AssistantsError> {
    let action = "write events";
    let texts: Vec<_> = events.iter().map(|event| event.data.to_string()).collect();
    let mut texts = &texts[..];
    // The databases cache prepared statements by their text, so statements come in few sizes.
    for n_rows in [16, 4, 1] {
        while events.len() >= n_rows {
            let (now, later) = events.split_at(n_rows);
            let (data, more) = texts.split_at(n_rows);
            let place = |row: usize| {
                let at = row * 4;
                format!("(${}, ${}, ${}, ${})", at + 1, at + 2, at + 3, at + 4)
            };
            let places: Vec<_> = (0..n_rows).map(place).collect();
            let places = places.join(", ");
            let sql =
                format!("insert into ddg_run_events (run, number, name, data) values {places}");
            let mut args: Vec<Arg<'_>> = Vec::with_capacity(n_rows * 4);
            for (event, data) in now.iter().zip(data) {
                let number = i64::try_from(event.number).unwrap_or(i64::MAX);
                let row: [Arg<'_>; 4] =
                    [run.into(), number.into(), event.name.into(), data.as_str().into()];
                args.extend(row);
            }
            write.execute(&sql, &args).await.during(action)?;
            (events, texts) = (later, more);
        }
    }
    Ok(())
}
