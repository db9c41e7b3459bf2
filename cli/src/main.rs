//! The program `ridgepole`. Everything is in the library beside it, where tests can reach it.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    ridgepole_cli::main()
}
