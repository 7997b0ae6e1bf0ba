//! Rows of threads.

use super::database::Write;
use super::{AssistantStore, During};
use crate::assistants::AssistantsError;
use crate::assistants::object::{Metadata, Thread};
use crate::assistants::rule::ItemRow;

impl AssistantStore {
    /// Adds a thread with its first items.
    pub(in crate::assistants) async fn insert_thread(
        &self,
        tenant: &str,
        thread: &Thread,
        items: &[ItemRow],
    ) -> Result<(), AssistantsError> {
        let mut write = self.database.write().await.during("create a thread")?;
        insert_thread_in(&mut write, tenant, thread, items).await?;
        write.commit().await.during("create a thread")
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
        let Some(mut thread) = lock_thread(&mut write, tenant, id).await? else { return Ok(None) };
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
        if lock_thread(&mut write, tenant, id).await?.is_none() {
            return Ok(None);
        }
        if let Some(run) = active_run(&mut write, id).await? {
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

pub(super) async fn insert_thread_in(
    write: &mut Write,
    tenant: &str,
    thread: &Thread,
    items: &[ItemRow],
) -> Result<(), AssistantsError> {
    let action = "create a thread";
    let body = serde_json::to_string(thread).during(action)?;
    let sql = "insert into ddg_threads (id, tenant, body) values ($1, $2, $3)";
    let args = [thread.id.as_str().into(), tenant.into(), body.as_str().into()];
    write.execute(sql, &args).await.during(action)?;
    super::items::put_items(write, &thread.id, None, items).await
}

/// Locks a thread, so that nothing else adds to it before the transaction ends.
pub(super) async fn lock_thread(
    write: &mut Write,
    tenant: &str,
    id: &str,
) -> Result<Option<Thread>, AssistantsError> {
    let action = "lock a thread";
    let locked = write.locked();
    let sql = format!("select body from ddg_threads where id = $1 and tenant = $2{locked}");
    let rows = write.rows(&sql, &[id.into(), tenant.into()]).await.during(action)?;
    let Some(mut row) = rows.into_iter().next() else { return Ok(None) };
    serde_json::from_str(&row.text().during(action)?).during(action).map(Some)
}

/// The active run of a thread.
pub(super) async fn active_run(
    write: &mut Write,
    thread: &str,
) -> Result<Option<String>, AssistantsError> {
    let action = "look for an active run";
    let sql = "select id from ddg_thread_runs where thread = $1 and active = 1";
    let rows = write.rows(sql, &[thread.into()]).await.during(action)?;
    rows.into_iter().next().map(|mut row| row.text().during(action)).transpose()
}
