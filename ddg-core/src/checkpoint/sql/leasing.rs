//! Leases in a database.

use futures::FutureExt;

use super::dialect::{Arg, Transaction, Transacts, int};
use super::{Failed, SqlStore};
use crate::checkpoint::lease::Hold;
use crate::checkpoint::{Claim, Lease, Owner, Rest, RunId, RunStatus, StoreError};
use crate::clock::in_sql;

impl<D: Transacts> SqlStore<D> {
    pub(super) async fn create(
        &self,
        run: &RunId,
        automa: &str,
        claim: &Claim,
    ) -> Result<Lease, Failed> {
        let args = (run.clone(), automa.to_owned(), claim.clone());
        self.transact(claim.arrival(), args, |store, tx, (run, automa, claim)| {
            store.create_in(tx, run, automa, claim).boxed()
        })
        .await
    }

    async fn create_in(
        &self,
        tx: &mut D::Transaction,
        run: &RunId,
        automa: &str,
        claim: &Claim,
    ) -> Result<Lease, Failed> {
        let (lease, hold) = Hold::new().taken(run, claim, 0);
        let [token, owner, process, _, attempts] = columns(&hold)?;
        let status = RunStatus::Running.as_str();
        let mut args = vec![run.as_str().into(), automa.into(), status.into(), token];
        args.extend([owner, process, in_sql(claim.ttl).into(), attempts]);
        args.push(i64::from(claim.inner).into());
        let now = self.now(&mut args);
        // A run inside another is never to be continued by itself.
        let due = if claim.inner { "null" } else { now.as_str() };
        let sql = format!(
            "insert into ddg_runs (run, automa, status, token, owner, process, held_until, attempts, \
                                   created, updated, due, has_results, is_inner) \
             values ($1, $2, $3, $4, $5, $6, {now} + $7, $8, {now}, {now}, {due}, 0, $9) \
             on conflict (run) do nothing"
        );
        match tx.execute(&sql, &args).await? {
            0 => Err(StoreError::RunExists { run: run.clone() }.into()),
            _ => Ok(lease),
        }
    }

    pub(super) async fn acquire(&self, run: &RunId, claim: &Claim) -> Result<Lease, Failed> {
        self.transact(claim.arrival(), (run.clone(), claim.clone()), |store, tx, (run, claim)| {
            store.acquire_in(tx, run, claim).boxed()
        })
        .await
    }

    async fn acquire_in(
        &self,
        tx: &mut D::Transaction,
        run: &RunId,
        claim: &Claim,
    ) -> Result<Lease, Failed> {
        let locked = self.lock(tx, run).await?;
        locked.hold.admits_claim(run, claim, locked.now_ms)?;
        let (lease, hold) = locked.hold.taken(run, claim, locked.now_ms);
        self.keep(tx, locked.id, &hold).await?;
        if claim.cancels && locked.status.may_be_cancelled() {
            self.append(tx, &lease, &Rest::new(RunStatus::Cancelled), &[]).await?;
        }
        Ok(lease)
    }

    pub(super) async fn renew(&self, lease: &Lease) -> Result<(), Failed> {
        self.transact_lease(lease.clone(), |store, tx, lease| store.renew_in(tx, lease).boxed())
            .await
    }

    async fn renew_in(&self, tx: &mut D::Transaction, lease: &Lease) -> Result<(), Failed> {
        let locked = self.lock(tx, &lease.run).await?;
        locked.hold.admits(lease)?;
        let hold = Hold { until_ms: lease.until_ms(locked.now_ms), ..locked.hold };
        self.keep(tx, locked.id, &hold).await
    }

    pub(super) async fn release(&self, lease: &Lease) -> Result<(), Failed> {
        self.transact(lease.arrival, lease.clone(), |store, tx, lease| {
            store.release_in(tx, lease).boxed()
        })
        .await
    }

    async fn release_in(&self, tx: &mut D::Transaction, lease: &Lease) -> Result<(), Failed> {
        let locked = self.lock(tx, &lease.run).await?;
        match locked.hold.admits(lease) {
            Ok(()) => self.keep(tx, locked.id, &locked.hold.freed()).await,
            Err(_) => Ok(()),
        }
    }

    /// Stores the hold of a run.
    async fn keep(&self, tx: &mut D::Transaction, id: i64, hold: &Hold) -> Result<(), Failed> {
        let sql = "update ddg_runs set token = $2, owner = $3, process = $4, held_until = $5, \
                   attempts = $6 where id = $1";
        let [token, owner, process, until, attempts] = columns(hold)?;
        tx.execute(sql, &[id.into(), token, owner, process, until, attempts]).await?;
        Ok(())
    }
}

/// The values of the columns token, owner, process, held_until and attempts.
fn columns(hold: &Hold) -> Result<[Arg<'_>; 5], sqlx::Error> {
    let owner = hold.owner.as_ref();
    Ok([
        int(hold.token)?.into(),
        Arg::Text(owner.map(Owner::name)),
        Arg::Text(owner.and_then(Owner::process)),
        hold.until_ms.into(),
        int(hold.attempts)?.into(),
    ])
}
