//! An embedded XRP Ledger for tests: a standalone ledger as a value, and a server around it.
//!
//! [`embedded`] is the ledger, with time set and never slept; [`embedded::rpc`] are the server's methods as functions
//! over it; [`server`] serves them over JSON-RPC and websocket; [`network`] is the one trait that tests are written
//! against.
//!
//! A server, and any client that speaks JSON-RPC or websocket:
//!
//! ```
//! use xrpl_harness::{EmbeddedConfig, EmbeddedServer};
//! use xrpl_wire::{AccountId, Drops};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = EmbeddedServer::start(EmbeddedConfig::default()).await?;
//! let alice: AccountId = "r9EPYxLYfjUfNqe385KJtFV35Ti4P347pR".parse()?;
//! server.fund(&alice, Drops::from_xrp_str("1000")?)?;
//! let closed = server.close_ledger();
//! assert_eq!((closed.header.index, closed.transactions.len()), (3, 1));
//!
//! // A month passes at once, and everything can be undone.
//! let before = server.snapshot();
//! server.advance_time(30 * 86_400);
//! server.restore(before);
//! println!("{} {}", server.ws_url(), server.rpc_url());
//! server.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! The ledger by itself, a value without a server, a clock or randomness:
//!
//! ```
//! use xrpl_harness::embedded::{CloseTime, Generation, GenesisConfig, Ledger};
//! use xrpl_harness::server::{genesis_keys, payment};
//! use xrpl_wire::{AccountId, Drops, TxResult};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut ledger = Ledger::genesis(GenesisConfig::of(Generation::V3_2));
//! let alice: AccountId = "r9EPYxLYfjUfNqe385KJtFV35Ti4P347pR".parse()?;
//! let tx = payment(&ledger, &genesis_keys()?, &alice, Drops::from_xrp_str("50")?)?;
//! assert_eq!(ledger.submit(tx.blob()).result, TxResult::tesSUCCESS);
//! let fork = ledger.clone();
//! ledger.close(CloseTime::Next);
//! assert_eq!(fork.validated().header.index, 2, "a copy stays where it was");
//!
//! // A whole ledger is text, and text a ledger.
//! assert_eq!(Ledger::load(&ledger.save())?.validated().hash, ledger.validated().hash);
//! # Ok(())
//! # }
//! ```
//!
//! Another server in a container (feature `containers`), for the same tests written against [`Network`]:
//!
#![cfg_attr(feature = "containers", doc = "```no_run")]
#![cfg_attr(not(feature = "containers"), doc = "```ignore")]
//! use xrpl_harness::network::container::Container;
//! use xrpl_harness::network::PUBLIC_IMAGE;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let container = Container::start(PUBLIC_IMAGE).await?;
//! println!("{:?}", container.place());
//! container.remove().await?;
//! # Ok(())
//! # }
//! ```

pub mod embedded;
pub mod network;
pub mod server;

pub use network::{Network, World};
pub use server::{EmbeddedConfig, EmbeddedServer, Faults, ServerError};
