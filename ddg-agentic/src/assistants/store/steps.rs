//! Rows of steps.

use super::listing::List;
use super::{AssistantStore, During};
use crate::assistants::AssistantsError;
use crate::assistants::object::{Page, RunStep};
use crate::assistants::params::Paging;

impl AssistantStore {
    pub(in crate::assistants) async fn step_page(
        &self,
        run: &str,
        paging: &Paging,
    ) -> Result<Page<RunStep>, AssistantsError> {
        let action = "list steps";
        let args = vec![run.into()];
        let list = List { table: "ddg_run_steps", columns: "body", filter: "run = $1", args };
        let (rows, has_more) = self.page(list, paging).await?;
        let mut found = Vec::with_capacity(rows.len());
        for (id, mut row) in rows {
            found.push((id, serde_json::from_str(&row.text().during(action)?).during(action)?));
        }
        Ok(Page::new(found, has_more))
    }

    pub(in crate::assistants) async fn step(
        &self,
        run: &str,
        id: &str,
    ) -> Result<Option<RunStep>, AssistantsError> {
        let action = "read a step";
        let sql = "select body from ddg_run_steps where id = $1 and run = $2";
        let rows = self.database.read(sql, &[id.into(), run.into()]).await.during(action)?;
        let Some(mut row) = rows.into_iter().next() else { return Ok(None) };
        serde_json::from_str(&row.text().during(action)?).during(action).map(Some)
    }
}
