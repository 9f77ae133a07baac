//! Writes recorded stories as plain JSON: those of the named folders, or of all, into the directory named first.

use std::io;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(to) = arguments.next() else {
        eprintln!(
            "usage: unpack-recordings DIRECTORY [FOLDER]..., such as: unpack-recordings plain 3.1 3.1/queue"
        );
        return ExitCode::FAILURE;
    };
    match unpack(Path::new(&to), arguments.collect()) {
        Ok(count) => {
            println!("{count} stories in {to}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn unpack(to: &Path, mut folders: Vec<String>) -> io::Result<usize> {
    if folders.is_empty() {
        folders = recordings::folders()?;
    }
    let mut count = 0;
    for folder in folders {
        let directory = to.join(&folder);
        std::fs::create_dir_all(&directory)?;
        for recording in recordings::in_folder(&folder)? {
            std::fs::write(directory.join(format!("{}.json", recording.name())), recording.bytes()?)?;
            count += 1;
        }
    }
    Ok(count)
}
