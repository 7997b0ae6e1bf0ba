use ddg_core::prelude::*;

struct Money(u32);

fn f(cx: &Context) {
    cx.ferry_to("g", (Money(1),));
}

fn main() {}
