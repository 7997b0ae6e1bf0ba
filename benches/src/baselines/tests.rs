//! Every way calls every worker once, after all that it depends on.

use std::future::Future;
use std::sync::{Arc, Mutex};

use super::countdown::Plan;
use super::way::Way;
use super::workers::Workers;
use crate::shape::Shape;

/// Workers that write down in which order they end.
#[derive(Clone)]
struct Recorded(Arc<Mutex<Vec<usize>>>);

impl Workers for Recorded {
    type Output = ();

    fn call(&mut self, worker: usize) -> impl Future<Output = ()> + Send + 'static + use<> {
        let ended = Arc::clone(&self.0);
        async move {
            tokio::task::yield_now().await;
            ended.lock().unwrap().push(worker);
        }
    }

    fn ended(&mut self, _: usize, (): ()) {}
}

#[tokio::test]
async fn every_worker_runs_once_and_in_order() {
    for shape in [
        Shape::chain(9),
        Shape::fan(7),
        Shape::fans(3, 4),
        Shape::tree(15),
        Shape::layers(3, 4),
        Shape::branches(4, 3),
        Shape::random(50, 2),
    ] {
        for way in Way::ALL {
            let ended = Arc::new(Mutex::new(Vec::new()));
            way.run(Arc::new(Plan::new(&shape)), Recorded(Arc::clone(&ended))).await;
            check(&shape, way.name(), &ended.lock().unwrap());
        }
    }
}

#[track_caller]
fn check(shape: &Shape, way: &str, ended: &[usize]) {
    assert_eq!(ended.len(), shape.n_workers(), "{way}, {}", shape.name);
    for (worker, dependencies) in shape.dependencies.iter().enumerate() {
        let place = |of: usize| ended.iter().position(|other| *other == of).unwrap();
        for dependency in dependencies {
            assert!(place(*dependency) < place(worker), "{way}, {}: {worker}", shape.name);
        }
    }
}
