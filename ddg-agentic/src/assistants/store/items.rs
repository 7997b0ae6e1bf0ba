//! Rows of messages and other items.

use ddg_core::__store::{Arg, Row, Transaction};

use super::database::Transact;
use super::listing::List;
use super::threads::{active_run, lock_thread};
use super::transition::Items;
use super::{AssistantStore, During};
use crate::assistants::AssistantsError;
use crate::assistants::object::{Message, Metadata, Page};
use crate::assistants::params::Paging;
use crate::assistants::rule::{ItemRow, Kind};

const READ: &str = "read the items of a thread";

/// Items that are added to a thread.
struct Addition {
    tenant: String,
    thread: String,
    items: Items,
}

/// Whether something was added to a thread. If not, nothing was written.
pub(super) enum Added {
    Yes,
    NoThread,
    /// The run of this id is active.
    Busy(String),
}

impl Transact for Addition {
    type Output = Added;

    async fn act<T: Transaction>(
        &self,
        tx: &mut T,
        locked: &'static str,
    ) -> Result<Added, sqlx::Error> {
        if lock_thread(tx, locked, &self.tenant, &self.thread).await?.is_none() {
            return Ok(Added::NoThread);
        }
        if let Some(run) = active_run(tx, &self.thread).await? {
            return Ok(Added::Busy(run));
        }
        self.items.put(tx, &self.thread, None).await?;
        Ok(Added::Yes)
    }
}

impl AssistantStore {
    /// Adds items to a thread; `None` if there is no such thread.
    ///
    /// # Errors
    /// If a run of the thread is active.
    pub(in crate::assistants) async fn add_items(
        &self,
        tenant: &str,
        thread: &str,
        items: &[ItemRow],
    ) -> Result<Option<()>, AssistantsError> {
        let action = "add to a thread";
        let items = Items::of(items, action)?;
        let (tenant, thread) = (tenant.to_owned(), thread.to_owned());
        let addition = Addition { tenant, thread: thread.clone(), items };
        match self.database.transact(action, addition).await? {
            Added::Yes => Ok(Some(())),
            Added::NoThread => Ok(None),
            Added::Busy(run) => {
                let message =
                    format!("Can't add messages to {thread} while a run {run} is active.");
                Err(AssistantsError::Busy { message })
            }
        }
    }

    /// The visible messages of a thread in order.
    pub(in crate::assistants) async fn messages(
        &self,
        thread: &str,
    ) -> Result<Vec<Message>, AssistantsError> {
        let sql = "select body from ddg_thread_items \
                   where thread = $1 and visible = 1 and is_message = 1 order by seq";
        let rows = self.database.read(sql, &[thread.into()]).await.during(READ)?;
        let kinds = rows.into_iter().map(kind).collect::<Result<Vec<_>, _>>()?;
        Ok(kinds.into_iter().filter_map(message).collect())
    }

    /// The visible items of a thread in order.
    pub(in crate::assistants) async fn items(
        &self,
        thread: &str,
    ) -> Result<Vec<Kind>, AssistantsError> {
        let sql =
            "select body from ddg_thread_items where thread = $1 and visible = 1 order by seq";
        let rows = self.database.read(sql, &[thread.into()]).await.during(READ)?;
        rows.into_iter().map(kind).collect()
    }

    /// The items of a response and of those that it continues, oldest first.
    pub(in crate::assistants) async fn items_up_to(
        &self,
        response: &str,
    ) -> Result<Vec<Kind>, AssistantsError> {
        let sql = "with recursive chain (id, previous, depth) as ( \
                     select id, previous, 0 from ddg_thread_runs where id = $1 \
                     union all \
                     select r.id, r.previous, c.depth + 1 from ddg_thread_runs r \
                     join chain c on r.id = c.previous) \
                   select i.body from ddg_thread_items i join chain c on i.run = c.id \
                   order by c.depth desc, i.seq";
        let rows = self.database.read(sql, &[response.into()]).await.during(READ)?;
        rows.into_iter().map(kind).collect()
    }

    /// The items of a run that are not visible in its thread yet.
    pub(in crate::assistants) async fn items_of_run(
        &self,
        run: &str,
    ) -> Result<Vec<Kind>, AssistantsError> {
        let sql = "select body from ddg_thread_items where run = $1 and visible = 0 order by seq";
        let rows = self.database.read(sql, &[run.into()]).await.during(READ)?;
        rows.into_iter().map(kind).collect()
    }

    /// A page of the messages of a thread, of one run if that is given.
    pub(in crate::assistants) async fn message_page(
        &self,
        thread: &str,
        run: Option<&str>,
        paging: &Paging,
    ) -> Result<Page<Message>, AssistantsError> {
        let (filter, args): (_, Vec<Arg<'_>>) = match run {
            None => ("thread = $1 and visible = 1 and is_message = 1", vec![thread.into()]),
            Some(run) => (
                "thread = $1 and visible = 1 and is_message = 1 and run = $2",
                vec![thread.into(), run.into()],
            ),
        };
        let list = List { table: "ddg_thread_items", columns: "body", filter, args };
        let (found, has_more) = self.kind_page(list, paging).await?;
        let messages = found.into_iter().filter_map(|(id, kind)| Some((id, message(kind)?)));
        Ok(Page::new(messages.collect(), has_more))
    }

    /// A page of the items of a thread.
    pub(in crate::assistants) async fn item_page(
        &self,
        thread: &str,
        paging: &Paging,
    ) -> Result<(Vec<(String, Kind)>, bool), AssistantsError> {
        let (filter, args) = ("thread = $1 and visible = 1", vec![thread.into()]);
        let list = List { table: "ddg_thread_items", columns: "body", filter, args };
        self.kind_page(list, paging).await
    }

    /// A page of the items that a client sent with a response.
    pub(in crate::assistants) async fn input_page(
        &self,
        response: &str,
        paging: &Paging,
    ) -> Result<(Vec<(String, Kind)>, bool), AssistantsError> {
        let (filter, args) = ("run = $1 and input = 1", vec![response.into()]);
        let list = List { table: "ddg_thread_items", columns: "body", filter, args };
        self.kind_page(list, paging).await
    }

    async fn kind_page(
        &self,
        list: List<'_>,
        paging: &Paging,
    ) -> Result<(Vec<(String, Kind)>, bool), AssistantsError> {
        let (rows, has_more) = self.page(list, paging).await?;
        let found = rows.into_iter().map(|(id, row)| Ok((id, kind(row)?)));
        Ok((found.collect::<Result<_, AssistantsError>>()?, has_more))
    }

    /// A visible item of a thread.
    pub(in crate::assistants) async fn item(
        &self,
        thread: &str,
        id: &str,
    ) -> Result<Option<Kind>, AssistantsError> {
        let sql = "select body from ddg_thread_items where id = $1 and thread = $2 and visible = 1";
        let rows = self.database.read(sql, &[id.into(), thread.into()]).await.during(READ)?;
        rows.into_iter().next().map(kind).transpose()
    }

    /// Replaces the metadata of a message; `None` if there is none.
    pub(in crate::assistants) async fn set_message_metadata(
        &self,
        thread: &str,
        id: &str,
        metadata: Metadata,
    ) -> Result<Option<Message>, AssistantsError> {
        let action = "update a message";
        let mut write = self.database.write().await.during(action)?;
        let locked = write.locked();
        let sql = format!(
            "select body from ddg_thread_items \
             where id = $1 and thread = $2 and visible = 1 and is_message = 1{locked}"
        );
        let rows = write.rows(&sql, &[id.into(), thread.into()]).await.during(action)?;
        let Some(mut found) = rows.into_iter().next().map(kind).transpose()?.and_then(message)
        else {
            return Ok(None);
        };
        found.metadata = metadata;
        let body = serde_json::to_string(&Kind::Message(found.clone())).during(action)?;
        let sql = "update ddg_thread_items set body = $1 where id = $2";
        write.execute(sql, &[body.as_str().into(), id.into()]).await.during(action)?;
        write.commit().await.during(action)?;
        Ok(Some(found))
    }

    /// Deletes an item of a thread; whether there was one. `only_messages` leaves others alone.
    ///
    /// # Errors
    /// If a run of the thread is active.
    pub(in crate::assistants) async fn delete_item(
        &self,
        tenant: &str,
        thread: &str,
        id: &str,
        only_messages: bool,
    ) -> Result<bool, AssistantsError> {
        let action = "delete an item";
        let mut write = self.database.write().await.during(action)?;
        let locked = write.locked();
        if lock_thread(&mut write, locked, tenant, thread).await.during(action)?.is_none() {
            return Ok(false);
        }
        if let Some(run) = active_run(&mut write, thread).await.during(action)? {
            let message = format!("Can't delete {id} of {thread} while a run {run} is active.");
            return write.refuse(AssistantsError::Busy { message }).await;
        }
        let only = if only_messages { " and is_message = 1" } else { "" };
        let sql = format!(
            "delete from ddg_thread_items where id = $1 and thread = $2 and visible = 1{only}"
        );
        let n = write.execute(&sql, &[id.into(), thread.into()]).await.during(action)?;
        write.commit().await.during(action)?;
        Ok(n > 0)
    }
}

fn kind(mut row: Row) -> Result<Kind, AssistantsError> {
    serde_json::from_str(&row.text().during(READ)?).during(READ)
}

fn message(kind: Kind) -> Option<Message> {
    match kind {
        Kind::Message(message) => Some(message),
        Kind::Call { .. } => None,
    }
}
