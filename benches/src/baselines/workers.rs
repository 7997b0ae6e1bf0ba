//! The workers that are called.

use std::future::{Future, ready};
use std::hint::black_box;
use std::sync::Arc;

use futures::future::Either;

use crate::gate::Gate;
use crate::shape::{Shape, Work};
use crate::work::work;

/// All workers of one run.
pub(super) trait Workers: Clone + Send + 'static {
    type Output: Send + 'static;

    /// Calls one.
    fn call(
        &mut self,
        worker: usize,
    ) -> impl Future<Output = Self::Output> + Send + 'static + use<Self>;

    /// Keeps what it has given for those that read it.
    fn ended(&mut self, worker: usize, output: Self::Output);
}

/// Workers that do nothing.
#[derive(Clone)]
pub(super) struct Idle;

impl Workers for Idle {
    type Output = ();

    fn call(&mut self, worker: usize) -> impl Future<Output = ()> + Send + 'static + use<> {
        // With something to hold, so that a box of it is an allocation.
        async move { _ = black_box(worker) }
    }

    fn ended(&mut self, _: usize, (): ()) {}
}

/// Workers that do what the shape says.
#[derive(Clone)]
pub(super) struct Working(Vec<Work>);

impl Working {
    pub(super) fn new(shape: &Shape) -> Self {
        Self(shape.work.clone())
    }
}

impl Workers for Working {
    type Output = ();

    fn call(&mut self, worker: usize) -> impl Future<Output = ()> + Send + 'static + use<> {
        work(self.0[worker])
    }

    fn ended(&mut self, _: usize, (): ()) {}
}

/// Workers that give a number and read those of all they depend on.
#[derive(Clone)]
pub(super) struct Reading {
    dependencies: Arc<Vec<Vec<usize>>>,
    numbers: Vec<u64>,
}

impl Reading {
    pub(super) fn new(shape: &Shape) -> Self {
        let dependencies = Arc::new(shape.dependencies.clone());
        Self { dependencies, numbers: vec![0; shape.n_workers()] }
    }
}

impl Workers for Reading {
    type Output = u64;

    fn call(&mut self, worker: usize) -> impl Future<Output = u64> + Send + 'static + use<> {
        let read = self.dependencies[worker].iter().map(|dependency| self.numbers[*dependency]);
        let numbers: Vec<u64> = read.collect();
        async move { black_box(numbers).len() as u64 }
    }

    fn ended(&mut self, worker: usize, output: u64) {
        self.numbers[worker] = output;
    }
}

/// Workers of a row that pass a payload on.
#[derive(Clone)]
pub(super) struct Passing {
    bytes: usize,
    payload: Option<Vec<u8>>,
}

impl Passing {
    pub(super) fn new(bytes: usize) -> Self {
        Self { bytes, payload: None }
    }
}

impl Workers for Passing {
    type Output = Vec<u8>;

    fn call(&mut self, _: usize) -> impl Future<Output = Vec<u8>> + Send + 'static + use<> {
        let (bytes, payload) = (self.bytes, self.payload.take());
        async move { payload.unwrap_or_else(|| black_box(vec![0; bytes])) }
    }

    fn ended(&mut self, _: usize, output: Vec<u8>) {
        self.payload = Some(output);
    }
}

/// Workers of a fan of which the first makes a payload, and the others read its length.
#[derive(Clone)]
pub(super) struct Sharing {
    bytes: usize,
    width: usize,
    payload: Arc<Vec<u8>>,
    lengths: Vec<u64>,
}

/// The payload, or what a reader or the last has found.
pub(super) enum Shared {
    Payload(Arc<Vec<u8>>),
    Length(u64),
}

impl Sharing {
    pub(super) fn new(bytes: usize, width: usize) -> Self {
        Self { bytes, width, payload: Arc::default(), lengths: Vec::new() }
    }
}

impl Workers for Sharing {
    type Output = Shared;

    fn call(&mut self, worker: usize) -> impl Future<Output = Shared> + Send + 'static + use<> {
        let (first, last) = (worker == 0, worker > self.width);
        let bytes = self.bytes;
        let payload = Arc::clone(&self.payload);
        let lengths = if last { std::mem::take(&mut self.lengths) } else { Vec::new() };
        async move {
            match (first, last) {
                (true, _) => Shared::Payload(Arc::new(black_box(vec![0; bytes]))),
                (_, true) => Shared::Length(lengths.iter().sum()),
                _ => Shared::Length(payload.len() as u64),
            }
        }
    }

    fn ended(&mut self, _: usize, output: Shared) {
        match output {
            Shared::Payload(payload) => self.payload = payload,
            Shared::Length(length) => self.lengths.push(length),
        }
    }
}

/// Workers of which one waits at a gate.
#[derive(Clone)]
pub(super) struct Gated {
    pub(super) at: usize,
    pub(super) gate: Arc<Gate>,
}

impl Workers for Gated {
    type Output = ();

    fn call(&mut self, worker: usize) -> impl Future<Output = ()> + Send + 'static + use<> {
        if worker == self.at {
            let gate = Arc::clone(&self.gate);
            Either::Left(async move { gate.pass().await })
        } else {
            Either::Right(ready(()))
        }
    }

    fn ended(&mut self, _: usize, (): ()) {}
}
