//! The people's tool.

fn main() -> std::process::ExitCode {
    treasuryd::ctl::main()
}
