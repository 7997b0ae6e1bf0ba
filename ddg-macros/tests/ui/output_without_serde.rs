use ddg_core::prelude::*;

struct Agent;

struct Plan;

#[automa]
impl Agent {
    #[worker(start)]
    fn plan() -> Plan {
        Plan
    }

    #[worker(dependencies = [plan])]
    fn act(_plan: Plan) {}
}

fn main() {}
