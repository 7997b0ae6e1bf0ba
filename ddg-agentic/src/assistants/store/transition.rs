//! What a transition writes, as text: serialised before its transaction begins, because the writes
//! of other runs wait for the transaction.

use ddg_core::__store::{Arg, Transaction};

use super::During;
use crate::assistants::AssistantsError;
use crate::assistants::object::RunStep;
use crate::assistants::rule::{Changes, ItemRow, Recorded};

/// Maximum number of rows in one statement.
const MOST_ROWS: usize = 16;

/// The rows and events of a transition. A row that changes several times is written once.
pub(super) struct Rows {
    items: Items,
    steps: Vec<Step>,
    events: Vec<Event>,
    publish: bool,
}

/// Items of threads, new or changed.
pub(super) struct Items(Vec<Item>);

struct Item {
    id: String,
    is_message: bool,
    visible: bool,
    input: bool,
    body: String,
}

struct Step {
    id: String,
    run: String,
    body: String,
}

struct Event {
    number: i64,
    name: &'static str,
    data: String,
}

impl Rows {
    /// # Errors
    /// If an object has no JSON form.
    pub(super) fn of(changes: &Changes, action: &'static str) -> Result<Self, AssistantsError> {
        let step = |step: &RunStep| {
            let body = serde_json::to_string(step).during(action)?;
            Ok(Step { id: step.id.clone(), run: step.run_id.clone(), body })
        };
        let event = |event: &Recorded| Event {
            number: i64::try_from(event.number).unwrap_or(i64::MAX),
            name: event.name,
            data: event.data.to_string(),
        };
        let steps = last_of_each(&changes.steps, |step| &step.id);
        Ok(Self {
            items: Items::of(&changes.items, action)?,
            steps: steps.into_iter().map(step).collect::<Result<_, AssistantsError>>()?,
            events: changes.events.iter().map(event).collect(),
            publish: changes.publish,
        })
    }

    /// Writes the rows of `run` on `thread`.
    pub(super) async fn put<T: Transaction>(
        &self,
        tx: &mut T,
        thread: &str,
        run: &str,
    ) -> Result<(), sqlx::Error> {
        self.items.put(tx, thread, Some(run)).await?;
        let steps: Vec<[Arg<'_>; 3]> = self.steps.iter().map(Step::columns).collect();
        insert(
            tx,
            "insert into ddg_run_steps (id, run, body)",
            "on conflict (id) do update set body = excluded.body",
            &steps,
        )
        .await?;
        let events: Vec<[Arg<'_>; 4]> =
            self.events.iter().map(|event| event.columns(run)).collect();
        insert(tx, "insert into ddg_run_events (run, number, name, data)", "", &events).await?;
        if self.publish {
            let sql = "update ddg_thread_items set visible = 1 where run = $1";
            tx.execute(sql, &[run.into()]).await?;
        }
        Ok(())
    }
}

impl Items {
    /// # Errors
    /// If an item has no JSON form.
    pub(super) fn of(items: &[ItemRow], action: &'static str) -> Result<Self, AssistantsError> {
        let item = |item: &ItemRow| {
            let body = serde_json::to_string(&item.kind).during(action)?;
            let (visible, input) = (item.visible, item.input);
            let is_message = item.kind.is_message();
            Ok(Item { id: item.kind.id().to_owned(), is_message, visible, input, body })
        };
        let items = last_of_each(items, |item| item.kind.id());
        items.into_iter().map(item).collect::<Result<_, _>>().map(Self)
    }

    /// Adds the items, or changes those that are there.
    pub(super) async fn put<T: Transaction>(
        &self,
        tx: &mut T,
        thread: &str,
        run: Option<&str>,
    ) -> Result<(), sqlx::Error> {
        let rows: Vec<[Arg<'_>; 7]> = self.0.iter().map(|item| item.columns(thread, run)).collect();
        insert(
            tx,
            "insert into ddg_thread_items (id, thread, run, is_message, visible, input, body)",
            "on conflict (id) do update set body = excluded.body",
            &rows,
        )
        .await
    }
}

impl Item {
    fn columns<'a>(&'a self, thread: &'a str, run: Option<&'a str>) -> [Arg<'a>; 7] {
        [
            self.id.as_str().into(),
            thread.into(),
            Arg::Text(run),
            i64::from(self.is_message).into(),
            i64::from(self.visible).into(),
            i64::from(self.input).into(),
            self.body.as_str().into(),
        ]
    }
}

impl Step {
    fn columns(&self) -> [Arg<'_>; 3] {
        [self.id.as_str().into(), self.run.as_str().into(), self.body.as_str().into()]
    }
}

impl Event {
    fn columns<'a>(&'a self, run: &'a str) -> [Arg<'a>; 4] {
        [run.into(), self.number.into(), self.name.into(), self.data.as_str().into()]
    }
}

/// The last of those with the same id, in the place of the first.
fn last_of_each<T>(all: &[T], id: impl Fn(&T) -> &str) -> Vec<&T> {
    let mut kept: Vec<&T> = Vec::with_capacity(all.len());
    for one in all {
        match kept.iter_mut().find(|kept| id(kept) == id(one)) {
            Some(kept) => *kept = one,
            None => kept.push(one),
        }
    }
    kept
}

/// Inserts rows of `N` columns, several at a time.
async fn insert<T: Transaction, const N: usize>(
    tx: &mut T,
    into: &str,
    or: &str,
    rows: &[[Arg<'_>; N]],
) -> Result<(), sqlx::Error> {
    // The databases cache prepared statements by their text: there are few texts.
    for rows in rows.chunks(MOST_ROWS) {
        let places = |row: usize| {
            let places: Vec<_> = (1..=N).map(|column| format!("${}", row * N + column)).collect();
            format!("({})", places.join(", "))
        };
        let places: Vec<_> = (0..rows.len()).map(places).collect();
        let sql = format!("{into} values {} {or}", places.join(", "));
        tx.execute(&sql, rows.as_flattened()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::last_of_each;

    #[test]
    fn the_last_of_each_stays_in_the_place_of_the_first() {
        let all = [("a", 1), ("b", 2), ("a", 3), ("c", 4), ("b", 5)];
        let kept = last_of_each(&all, |(id, _)| id);
        assert_eq!(kept, [&("a", 3), &("b", 5), &("c", 4)]);
    }
}
