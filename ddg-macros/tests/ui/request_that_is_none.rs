use ddg_core::prelude::*;

async fn f(cx: &Context) {
    _ = cx.request_feedback("May I?".to_owned()).await;
}

fn main() {}
