//! What runs daemon and harness together. The library holds nothing; see `scenarios`, `benches`.
