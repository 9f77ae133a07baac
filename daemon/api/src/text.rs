//! How texts of requests are read.

use serde::{Deserialize, Deserializer};

/// A text, or nothing where somebody's program has none.
///
/// # Errors
/// Where it is something else.
pub fn or_nothing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
