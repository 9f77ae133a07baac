//! What runs daemon and harness together: the simulator, the replaying of recorded stories and the differ are the
//! library; scenarios, conformance and benches are targets beside it.

pub mod differ;
pub mod month;
pub mod replay;
pub mod simulation;
