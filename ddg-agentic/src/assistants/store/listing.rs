//! Pages of lists: objects in the order of their creation.

use ddg_core::__store::{Arg, Row};

use super::{AssistantStore, During};
use crate::assistants::AssistantsError;
use crate::assistants::params::{Order, Paging};

/// A list of rows.
pub(super) struct List<'a> {
    pub(super) table: &'static str,
    /// The columns after `id`.
    pub(super) columns: &'static str,
    /// The condition, with placeholders from `$1` on.
    pub(super) filter: &'static str,
    pub(super) args: Vec<Arg<'a>>,
}

const ACTION: &str = "list objects";

impl AssistantStore {
    /// The rows of a page with their ids, and whether there are more.
    pub(super) async fn page(
        &self,
        list: List<'_>,
        paging: &Paging,
    ) -> Result<(Vec<(String, Row)>, bool), AssistantsError> {
        let List { table, columns, filter, mut args } = list;
        let limit = paging.limit()?;
        let is_asc = paging.order == Some(Order::Asc);
        let mut sql = format!("select id, {columns} from {table} where {filter}");
        let n_args = args.len();
        // A page that only has an end is read backwards from there.
        let backwards = paging.before.is_some() && paging.after.is_none();
        let ends = [("after", &paging.after, is_asc), ("before", &paging.before, !is_asc)];
        for (name, id, above) in ends {
            let Some(id) = id else { continue };
            let seq = self.seq(table, filter, &args[..n_args], name, id).await?;
            args.push(seq.into());
            let compare = if above { ">" } else { "<" };
            sql.push_str(&format!(" and seq {compare} ${}", args.len()));
        }
        let order = if is_asc == backwards { "desc" } else { "asc" };
        // One more row shows that there are more.
        sql.push_str(&format!(" order by seq {order} limit {}", limit + 1));
        let rows = self.database.read(&sql, &args).await.during(ACTION)?;
        let has_more = rows.len() as u64 > limit;
        let mut found = Vec::with_capacity(rows.len());
        for mut row in rows.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX)) {
            found.push((row.text().during(ACTION)?, row));
        }
        if backwards {
            found.reverse();
        }
        Ok((found, has_more))
    }

    async fn seq(
        &self,
        table: &str,
        filter: &str,
        args: &[Arg<'_>],
        name: &'static str,
        id: &str,
    ) -> Result<i64, AssistantsError> {
        let n = args.len() + 1;
        let sql = format!("select seq from {table} where {filter} and id = ${n}");
        let args = [args, &[id.into()]].concat();
        match self.database.read(&sql, &args).await.during(ACTION)?.into_iter().next() {
            Some(mut row) => row.int().during(ACTION),
            None => {
                let message = format!("Invalid '{name}': the list has no object '{id}'.");
                Err(AssistantsError::bad_param(name, message))
            }
        }
    }
}
