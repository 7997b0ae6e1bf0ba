//! Rows of threads.

use ddg_core::__store::Transaction;

use super::database::Transact;
use super::transition::Items;
use super::{AssistantStore, During};
use crate::assistants::AssistantsError;
use crate::assistants::object::{Metadata, Thread};
use crate::assistants::rule::ItemRow;

/// The rows of a new thread.
pub(super) struct ThreadRows {
    id: String,
    body: String,
    items: Items,
}

/// A thread that is added.
struct Insertion {
    tenant: String,
    thread: ThreadRows,
}

impl AssistantStore {
    /// Adds a thread with its first items.
    pub(in crate::assistants) async fn insert_thread(
        &self,
        tenant: &str,
        thread: &Thread,
        items: &[ItemRow],
    ) -> Result<(), AssistantsError> {
        let action = "create a thread";
        let thread = ThreadRows::of(thread, items, action)?;
        self.database.transact(action, Insertion { tenant: tenant.to_owned(), thread }).await
    }

    pub(in crate::assistants) async fn thread(
        &self,
        tenant: &str,
        id: &str,
    ) -> Result<Option<Thread>, AssistantsError> {
        let action = "read a thread";
        let sql = "select body from ddg_threads where id = $1 and tenant = $2";
        let rows = self.database.read(sql, &[id.into(), tenant.into()]).await.during(action)?;
        let Some(mut row) = rows.into_iter().next() else { return Ok(None) };
        serde_json::from_str(&row.text().during(action)?).during(action).map(Some)
    }

    /// Replaces the metadata of a thread; `None` if there is none.
    pub(in crate::assistants) async fn set_thread_metadata(
        &self,
        tenant: &str,
        id: &str,
        metadata: Metadata,
    ) -> Result<Option<Thread>, AssistantsError> {
        let action = "update a thread";
        let mut write = self.database.write().await.during(action)?;
        let locked = write.locked();
        let found = lock_thread(&mut write, locked, tenant, id).await.during(action)?;
        let Some(body) = found else { return Ok(None) };
        let mut thread: Thread = serde_json::from_str(&body).during(action)?;
        thread.metadata = metadata;
        let body = serde_json::to_string(&thread).during(action)?;
        let sql = "update ddg_threads set body = $1 where id = $2";
        write.execute(sql, &[body.as_str().into(), id.into()]).await.during(action)?;
        write.commit().await.during(action)?;
        Ok(Some(thread))
    }

    /// Deletes a thread with all that belongs to it; the ids of its runs. `None` if there is no
    /// such thread.
    ///
    /// # Errors
    /// If a run is active.
    pub(in crate::assistants) async fn delete_thread(
        &self,
        tenant: &str,
        id: &str,
    ) -> Result<Option<Vec<String>>, AssistantsError> {
        let action = "delete a thread";
        let mut write = self.database.write().await.during(action)?;
        let locked = write.locked();
        if lock_thread(&mut write, locked, tenant, id).await.during(action)?.is_none() {
            return Ok(None);
        }
        if let Some(run) = active_run(&mut write, id).await.during(action)? {
            let message = format!("Can't delete {id} while a run {run} is active.");
            return write.refuse(AssistantsError::Busy { message }).await;
        }
        let sql = "select id from ddg_thread_runs where thread = $1";
        let mut runs = Vec::new();
        for mut row in write.rows(sql, &[id.into()]).await.during(action)? {
            runs.push(row.text().during(action)?);
        }
        let of_runs = "(select id from ddg_thread_runs where thread = $1)";
        for sql in [
            format!("delete from ddg_run_events where run in {of_runs}"),
            format!("delete from ddg_run_steps where run in {of_runs}"),
            "delete from ddg_thread_runs where thread = $1".to_owned(),
            "delete from ddg_thread_items where thread = $1".to_owned(),
            "delete from ddg_threads where id = $1".to_owned(),
        ] {
            write.execute(&sql, &[id.into()]).await.during(action)?;
        }
        write.commit().await.during(action)?;
        Ok(Some(runs))
    }
}

impl ThreadRows {
    /// # Errors
    /// If an object has no JSON form.
    pub(super) fn of(
        thread: &Thread,
        items: &[ItemRow],
        action: &'static str,
    ) -> Result<Self, AssistantsError> {
        let body = serde_json::to_string(thread).during(action)?;
        Ok(Self { id: thread.id.clone(), body, items: Items::of(items, action)? })
    }

    pub(super) async fn put<T: Transaction>(
        &self,
        tx: &mut T,
        tenant: &str,
    ) -> Result<(), sqlx::Error> {
        let sql = "insert into ddg_threads (id, tenant, body) values ($1, $2, $3)";
        let args = [self.id.as_str().into(), tenant.into(), self.body.as_str().into()];
        tx.execute(sql, &args).await?;
        self.items.put(tx, &self.id, None).await
    }
}

impl Transact for Insertion {
    type Output = ();

    async fn act<T: Transaction>(&self, tx: &mut T, _: &'static str) -> Result<(), sqlx::Error> {
        self.thread.put(tx, &self.tenant).await
    }
}

/// Locks a thread, so that nothing else adds to it before the transaction ends. Gives its body.
pub(super) async fn lock_thread<T: Transaction>(
    tx: &mut T,
    locked: &'static str,
    tenant: &str,
    id: &str,
) -> Result<Option<String>, sqlx::Error> {
    let sql = format!("select body from ddg_threads where id = $1 and tenant = $2{locked}");
    let rows = tx.rows(&sql, &[id.into(), tenant.into()]).await?;
    rows.into_iter().next().map(|mut row| row.text()).transpose()
}

/// The active run of a thread.
pub(super) async fn active_run<T: Transaction>(
    tx: &mut T,
    thread: &str,
) -> Result<Option<String>, sqlx::Error> {
    let sql = "select id from ddg_thread_runs where thread = $1 and active = 1";
    let rows = tx.rows(sql, &[thread.into()]).await?;
    rows.into_iter().next().map(|mut row| row.text()).transpose()
}
