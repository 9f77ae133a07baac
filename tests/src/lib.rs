//! What runs daemon and harness together: the simulator is the library; scenarios, conformance and benches are
//! targets beside it.

pub mod simulation;
