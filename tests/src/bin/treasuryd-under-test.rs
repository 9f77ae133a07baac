//! The daemon's own `main`, built as a binary of this package, so that its tests can start it, kill it and
//! start it again.

fn main() -> std::process::ExitCode {
    treasuryd::cli::main()
}
