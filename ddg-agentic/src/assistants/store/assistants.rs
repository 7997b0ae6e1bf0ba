//! Rows of assistants.

use ddg_core::__store::Transaction;

use super::listing::List;
use super::{AssistantStore, During};
use crate::assistants::AssistantsError;
use crate::assistants::object::{Assistant, Page};
use crate::assistants::params::Paging;

impl AssistantStore {
    pub(in crate::assistants) async fn insert_assistant(
        &self,
        tenant: &str,
        assistant: &Assistant,
    ) -> Result<(), AssistantsError> {
        let action = "create an assistant";
        let body = serde_json::to_string(assistant).during(action)?;
        let mut write = self.database.write().await.during(action)?;
        let sql = "insert into ddg_assistants (id, tenant, body) values ($1, $2, $3)";
        let args = [assistant.id.as_str().into(), tenant.into(), body.as_str().into()];
        write.execute(sql, &args).await.during(action)?;
        write.commit().await.during(action)
    }

    pub(in crate::assistants) async fn assistant(
        &self,
        tenant: &str,
        id: &str,
    ) -> Result<Option<Assistant>, AssistantsError> {
        let action = "read an assistant";
        let sql = "select body from ddg_assistants where id = $1 and tenant = $2";
        let rows = self.database.read(sql, &[id.into(), tenant.into()]).await.during(action)?;
        let Some(mut row) = rows.into_iter().next() else { return Ok(None) };
        serde_json::from_str(&row.text().during(action)?).during(action).map(Some)
    }

    /// Changes an assistant; `None` if there is none.
    pub(in crate::assistants) async fn change_assistant(
        &self,
        tenant: &str,
        id: &str,
        change: impl FnOnce(&mut Assistant) -> Result<(), AssistantsError>,
    ) -> Result<Option<Assistant>, AssistantsError> {
        let action = "update an assistant";
        let mut write = self.database.write().await.during(action)?;
        let locked = write.locked();
        let sql = format!("select body from ddg_assistants where id = $1 and tenant = $2{locked}");
        let rows = write.rows(&sql, &[id.into(), tenant.into()]).await.during(action)?;
        let Some(mut row) = rows.into_iter().next() else { return Ok(None) };
        let mut assistant = serde_json::from_str(&row.text().during(action)?).during(action)?;
        if let Err(error) = change(&mut assistant) {
            write.roll_back().await.during(action)?;
            return Err(error);
        }
        let body = serde_json::to_string(&assistant).during(action)?;
        let sql = "update ddg_assistants set body = $1 where id = $2";
        write.execute(sql, &[body.as_str().into(), id.into()]).await.during(action)?;
        write.commit().await.during(action)?;
        Ok(Some(assistant))
    }

    pub(in crate::assistants) async fn assistants(
        &self,
        tenant: &str,
        paging: &Paging,
    ) -> Result<Page<Assistant>, AssistantsError> {
        let action = "list assistants";
        let args = vec![tenant.into()];
        let list = List { table: "ddg_assistants", columns: "body", filter: "tenant = $1", args };
        let (rows, has_more) = self.page(list, paging).await?;
        let mut found = Vec::with_capacity(rows.len());
        for (id, mut row) in rows {
            found.push((id, serde_json::from_str(&row.text().during(action)?).during(action)?));
        }
        Ok(Page::new(found, has_more))
    }

    /// Deletes an assistant; whether there was one.
    pub(in crate::assistants) async fn delete_assistant(
        &self,
        tenant: &str,
        id: &str,
    ) -> Result<bool, AssistantsError> {
        let action = "delete an assistant";
        let mut write = self.database.write().await.during(action)?;
        let sql = "delete from ddg_assistants where id = $1 and tenant = $2";
        let n = write.execute(sql, &[id.into(), tenant.into()]).await.during(action)?;
        write.commit().await.during(action)?;
        Ok(n > 0)
    }
}
