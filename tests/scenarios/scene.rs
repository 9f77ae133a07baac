//! What every scenario begins with.

use std::path::PathBuf;

use tempfile::TempDir;
use treasuryd::dev::story::Stage;
use treasuryd::dev::{Options, Sandbox};
use xrpl_harness::embedded::GenesisConfig;

use crate::worlds;

/// The daemon's binary.
pub(crate) fn exe() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_treasuryd-under-test"))
}

/// A sandbox in a directory of its own, which goes with it.
pub(crate) struct Scene {
    pub(crate) sandbox: Sandbox,
    // Dropped last: the daemon's store is in it.
    _dir: TempDir,
}

impl Scene {
    /// On the ledger of this run: a fresh embedded one, or new accounts on the server that all scenarios share.
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// On a ledger that keeps a time of its own, as a server in standalone mode does.
    pub(crate) async fn with_own_time() -> Self {
        Self::with(Options { begins: GenesisConfig::default().close_time, ..Options::default() }).await
    }

    async fn with(options: Options) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { server: worlds::generation(), ..options };
        let sandbox = match worlds::remote().await {
            Some(world) => Sandbox::on(world, dir.path(), options).await,
            None => Sandbox::start(dir.path(), options).await,
        };
        Self { sandbox: sandbox.unwrap(), _dir: dir }
    }

    pub(crate) async fn stage(&self) -> Stage<'_> {
        Stage::with_daemon(&self.sandbox, exe(), |_| {}).await.unwrap()
    }
}
