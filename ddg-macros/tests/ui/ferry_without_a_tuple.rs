use ddg_core::prelude::*;

fn f(cx: &Context) {
    cx.ferry_to("g", 5);
}

fn main() {}
