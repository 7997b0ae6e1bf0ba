//! Parameters of workers that are made from the context.

use ddg_core::prelude::*;
use ddg_core::worker::FromContext;

/// The path of the worker that takes it.
struct Me(String);

impl FromContext for Me {
    fn from_context(cx: &Context) -> Self {
        Self(cx.path().to_string())
    }
}

struct Roll;

#[automa]
impl Roll {
    #[worker(start)]
    async fn first(&self, #[context] me: Me, name: String, cx: &Context) {
        cx.ferry_to(Self::SECOND, (format!("{name} was at {}", me.0),));
    }

    #[worker(output)]
    fn second(text: &str, #[context] me: &Me, #[input] sign: char) -> String {
        format!("{text} and {}{sign}", me.0)
    }
}

#[tokio::test]
async fn a_block_takes_them_beside_arguments_and_inputs() {
    let said = Roll.run(args!("Ada", sign = '!')).await.unwrap();
    assert_eq!(said, "Ada was at first and second!");
}

#[tokio::test]
async fn no_name_fills_them() {
    let error = Roll.run(args!("Ada", sign = '!', me = "you")).await.unwrap_err();
    let expected = "automa `Roll`: no worker has a parameter `me`; there are: name, sign, text";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_nested_worker_sees_its_own_path() {
    let mut outer = GraphAutoma::new("outer");
    outer.add_worker("roll", Roll.build().unwrap(), start().output()).unwrap();
    let said = outer.run(args!("Ada", sign = '?')).output::<String>().await.unwrap();
    assert_eq!(said, "Ada was at roll/first and roll/second?");
}
