//! The versions of the tables of a store.

use super::dialect::Transaction;

/// Brings the tables of a store to the newest version, unless they are newer already. `table` has
/// the version, and `migrations` are the statements that lead to each version, starting with 1.
///
/// Returns the version before. If it is greater than the number of migrations, the caller refuses
/// the tables. The transaction must keep others from migrating the same tables at the same time.
///
/// # Errors
/// If a statement fails.
pub async fn migrate<T: Transaction>(
    tx: &mut T,
    table: &str,
    migrations: &[&str],
) -> Result<u64, sqlx::Error> {
    tx.script(&format!("create table if not exists {table} (version bigint not null)")).await?;
    let found = match tx.rows(&format!("select version from {table}"), &[]).await?.as_mut_slice() {
        [] => 0,
        [row, ..] => row.unsigned()?,
    };
    let known = migrations.len() as u64;
    if found >= known {
        return Ok(found);
    }
    for migration in migrations.iter().skip(found as usize) {
        tx.script(migration).await?;
    }
    tx.script(&format!("delete from {table}")).await?;
    tx.script(&format!("insert into {table} (version) values ({known})")).await?;
    Ok(found)
}
