//! A socket in the data directory, for whoever may read the store: copies its records out while the daemon runs.
//!
//! Everything that was signed is in the records, so the socket is its owner's alone, as the store's files are. It gives
//! and takes nothing else, and has a place for one reader at a time: reading comes after everything else that the engine
//! is asked, so a copy holds nothing up.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::engine::EngineHandle;
use crate::lines;

/// The socket's name in the data directory.
const NAME: &str = "control";

/// Records of one look into the store: so many take the engine some milliseconds.
const PAGE: usize = 256;

/// A reader that takes nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the socket of a data directory is.
pub(crate) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(NAME)
}

/// The socket while it is there.
#[derive(Debug)]
pub(crate) struct Control {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Drop for Control {
    fn drop(&mut self) {
        self.task.abort();
        // Whoever finds it finds nobody behind it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Opens the socket. The daemon holds the store's lock, so a socket that is there is an ended process's.
///
/// # Errors
/// What the system says: such as that the path is too long for a socket.
pub(crate) fn open(data_dir: &Path, engine: EngineHandle) -> io::Result<Control> {
    let path = path(data_dir);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Err(error) = copy_out(stream, &engine).await {
                tracing::warn!(%error, "a copy of the store was not taken to its end");
            }
        }
    });
    Ok(Control { path, task })
}

/// Every record as a line of JSON, and an empty line once that was all.
async fn copy_out(mut stream: UnixStream, engine: &EngineHandle) -> io::Result<()> {
    let mut after = 0;
    loop {
        let page = engine.events(after, PAGE).await.map_err(io::Error::other)?.map_err(io::Error::other)?;
        let Some(last) = page.last() else { break };
        after = last.number;
        let mut text = String::new();
        for record in &page {
            text.push_str(&serde_json::to_string(record)?);
            text.push('\n');
        }
        timeout(PATIENCE, stream.write_all(text.as_bytes())).await??;
    }
    timeout(PATIENCE, stream.write_all(b"\n")).await??;
    lines::store_copied(after);
    stream.shutdown().await
}
