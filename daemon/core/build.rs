//! Names the sources of the core, and of the amounts and addresses that it adds up: what one program has added up, another
//! may add up differently, though its version says the same.

use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut hasher = DefaultHasher::new();
    for sources in ["src", "../wire/src"] {
        println!("cargo::rerun-if-changed={sources}");
        hash(&here.join(sources), &mut hasher)?;
    }
    println!("cargo::rustc-env=TREASURY_CORE_SOURCES={:016x}", hasher.finish());
    Ok(())
}

fn hash(dir: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    let mut paths = fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        hasher.write(path.file_name().unwrap_or_default().as_encoded_bytes());
        if path.is_dir() {
            hash(&path, hasher)?;
        } else {
            hasher.write(&fs::read(&path)?);
        }
    }
    Ok(())
}
