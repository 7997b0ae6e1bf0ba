//! Transactions of a store: an operation with its arguments, as a value.

use futures::future::BoxFuture;

use super::dialect::{Deed, Dialect, Transacts};
use super::{Failed, SqlStore};
use crate::checkpoint::Arrival;

/// An operation of a store in a transaction.
type Operation<D, A, T> = for<'a> fn(
    &'a SqlStore<D>,
    &'a mut <D as Dialect>::Transaction,
    &'a A,
) -> BoxFuture<'a, Result<T, Failed>>;

/// An operation and its arguments.
struct Call<D: Transacts, A, T, const FOR_LEASE: bool> {
    store: SqlStore<D>,
    arrival: Arrival,
    args: A,
    operation: Operation<D, A, T>,
}

impl<D: Transacts, A, T, const FOR_LEASE: bool> Deed<D::Transaction> for Call<D, A, T, FOR_LEASE>
where
    A: Send + Sync + 'static,
    T: Send + 'static,
{
    type Output = T;

    const FOR_LEASE: bool = FOR_LEASE;

    fn arrival(&self) -> Arrival {
        self.arrival
    }

    fn act<'a>(&'a self, tx: &'a mut D::Transaction) -> BoxFuture<'a, Result<T, Failed>> {
        (self.operation)(&self.store, tx, &self.args)
    }
}

impl<D: Transacts> SqlStore<D> {
    /// Executes an operation of a run that came as `arrival` says, in a transaction.
    pub(super) async fn transact<A, T>(
        &self,
        arrival: Arrival,
        args: A,
        operation: Operation<D, A, T>,
    ) -> Result<T, Failed>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let store = self.clone();
        self.database.transact(Call::<D, A, T, false> { store, arrival, args, operation }).await
    }

    /// Executes an operation that renews a lease.
    pub(super) async fn transact_lease<A>(
        &self,
        args: A,
        operation: Operation<D, A, ()>,
    ) -> Result<(), Failed>
    where
        A: Send + Sync + 'static,
    {
        let store = self.clone();
        let arrival = Arrival::FIRST;
        self.database.transact(Call::<D, A, (), true> { store, arrival, args, operation }).await
    }
}
