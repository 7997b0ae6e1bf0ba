use ddg_core::prelude::*;

struct Money(u32);

fn main() {
    _ = Value::new(Money(1));
}
