//! The daemon.

fn main() -> std::process::ExitCode {
    treasuryd::cli::main()
}
