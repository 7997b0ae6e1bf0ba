use ddg_core::prelude::*;

struct Agent;

struct Plan;

#[automa]
impl Agent {
    #[worker(start, output)]
    fn plan() -> Plan {
        Plan
    }
}

fn main() {}
