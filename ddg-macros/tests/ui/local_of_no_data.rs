use ddg_core::prelude::*;

struct Money(u32);

fn f(cx: &Context) {
    cx.local().set("price", Money(1));
}

fn main() {}
