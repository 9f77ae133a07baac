//! The people's tool.

fn main() -> std::process::ExitCode {
    treasuryctl::main()
}
