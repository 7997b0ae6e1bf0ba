//! smoke
use ddg_core::prelude::*;

async fn worker_1(x: i64) -> i64 {
    x + 1
}
async fn worker_2(x: i64) -> i64 {
    x + 1
}
async fn worker_3(x: i64) -> i64 {
    x + 2
}
async fn worker_4(x1: i64, x2: i64) -> i64 {
    x1 + x2
}

#[tokio::test]
async fn adder() {
    let mut adder = GraphAutoma::new("adder");
    adder.add_func_as_worker("worker_1", worker_1, start()).unwrap();
    adder.add_func_as_worker("worker_2", worker_2, after(["worker_1"])).unwrap();
    adder.add_func_as_worker("worker_3", worker_3, after(["worker_1"])).unwrap();
    adder
        .add_func_as_worker("worker_4", worker_4, after(["worker_2", "worker_3"]).output())
        .unwrap();
    let y: i64 = adder.run(args!(10)).await.unwrap();
    assert_eq!(y, 25);
}
