//! Leases in a database.

use super::dialect::{Arg, Dialect, Transaction, int};
use super::{Failed, SqlStore};
use crate::checkpoint::lease::Hold;
use crate::checkpoint::{Claim, Lease, Owner, RunId, RunStatus, StoreError};

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn create(
        &self,
        run: &RunId,
        automa: &str,
        claim: &Claim,
    ) -> Result<Lease, Failed> {
        let now_ms = self.clock.now_ms();
        let (lease, hold) = Hold::free(0).taken(run, claim, now_ms);
        let sql = "insert into ddg_runs \
                   (run, automa, status, created, updated, token, owner, process, held_until) \
                   values ($1, $2, $3, $4, $4, $5, $6, $7, $8) on conflict (run) do nothing";
        let [token, owner, process, until] = columns(&hold)?;
        let status = RunStatus::Running.as_str();
        let args = [run.as_str().into(), automa.into(), status.into(), now_ms.into()];
        let args = [args, [token, owner, process, until]].concat();
        let mut tx = self.database.write().await?;
        let done = match tx.execute(sql, &args).await? {
            0 => Err(StoreError::RunExists { run: run.clone() }.into()),
            _ => Ok(lease),
        };
        tx.end(done).await
    }

    pub(super) async fn acquire(&self, run: &RunId, claim: &Claim) -> Result<Lease, Failed> {
        let mut tx = self.database.write().await?;
        let done = async {
            let locked = self.lock(&mut tx, run).await?;
            let now_ms = self.clock.now_ms();
            locked.hold.admits_claim(run, claim, now_ms)?;
            let (lease, hold) = locked.hold.taken(run, claim, now_ms);
            self.keep(&mut tx, locked.id, &hold).await?;
            Ok(lease)
        };
        let done = done.await;
        tx.end(done).await
    }

    pub(super) async fn renew(&self, lease: &Lease) -> Result<(), Failed> {
        let mut tx = self.database.write_lease().await?;
        let done = async {
            let locked = self.lock(&mut tx, &lease.run).await?;
            locked.hold.admits(lease)?;
            let hold = Hold { until_ms: lease.until_ms(self.clock.now_ms()), ..locked.hold };
            self.keep(&mut tx, locked.id, &hold).await
        };
        let done = done.await;
        tx.end(done).await
    }

    pub(super) async fn release(&self, lease: &Lease) -> Result<(), Failed> {
        let mut tx = self.database.write().await?;
        let done = async {
            let locked = self.lock(&mut tx, &lease.run).await?;
            match locked.hold.admits(lease) {
                Ok(()) => self.keep(&mut tx, locked.id, &Hold::free(lease.token)).await,
                Err(_) => Ok(()),
            }
        };
        let done = done.await;
        tx.end(done).await
    }

    /// Stores the hold of a run.
    async fn keep(&self, tx: &mut D::Transaction, id: i64, hold: &Hold) -> Result<(), Failed> {
        let sql = "update ddg_runs set token = $2, owner = $3, process = $4, held_until = $5 \
                   where id = $1";
        let [token, owner, process, until] = columns(hold)?;
        tx.execute(sql, &[id.into(), token, owner, process, until]).await?;
        Ok(())
    }
}

/// The values of the columns token, owner, process and held_until.
fn columns(hold: &Hold) -> Result<[Arg<'_>; 4], sqlx::Error> {
    let owner = hold.owner.as_ref();
    Ok([
        int(hold.token)?.into(),
        Arg::Text(owner.map(Owner::name)),
        Arg::Text(owner.and_then(Owner::process)),
        hold.until_ms.into(),
    ])
}
