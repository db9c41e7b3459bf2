//! `cargo xtask study` and `cargo xtask test`: the two commands of the README; `cargo xtask race`, and a driver for it; `cargo xtask
//! drivers`, the check on several.
mod apt;
mod driver;
mod drivers;
mod features;
mod fuzz;
mod mesa;
mod os;
mod package;
mod race;
mod stages;
mod tally;

use std::{path::PathBuf, process::ExitCode};

const HELP: &str = "\
cargo xtask study [ARGS]   run the study on this machine's GPU; ARGS as in `ridgepole study --help`
cargo xtask test           everything that CI runs: formatting, lints, documentation, tests, wasm32, smoke tests
cargo xtask race [ARGS]    time the same cases here and in other libraries: --torch for PyTorch, in the Python that
                           RIDGEPOLE_PYTHON names (python3), --burn for Burn, whose first build takes about 20 minutes,
                           --burn-plain for Burn without fusion and autotune, which builds once more; PyTorch's calls are
                           timed as CUDA graphs, too, where there is CUDA, unless --no-graphs is given; other ARGS as in
                           `ridgepole race --help`. On a graphics card the sizes are 16Mi and 64Mi elements. --sklearn, alone, times
                           `ridgepole path` beside scikit-learn
cargo xtask features       compile the library with each family alone, with and without `verify`, and with other parts of its features
cargo xtask package        make the packages that users download, unpack them, build them, and run their doctests
cargo xtask api [--bless]  hold the library's public items against docs/api.txt, or write them down there
cargo xtask fuzz [TARGET] [--minutes N | --inputs N] [--seed N]
                           look for inputs that break what reads them, a minute for each target unless told otherwise;
                           `fuzz TARGET --replay FILE` runs one input. Needs no GPU
cargo xtask mesa25         on Debian 12: unpack Mesa 25's software Vulkan below target, and print the variables that
                           select it, for eval
cargo xtask drivers [FILTER]
                           on Debian 12: unpack five software drivers below target, run the whole `ridgepole check [FILTER]`
                           on each, and print a table of runs and failures: SwiftShader, Mesa's OpenGL, and three versions of
                           Mesa's Vulkan. --only NAME (may be repeated) takes some of them, --minutes N is the time for each
                           (120), --write puts the table into docs/drivers.md. Remove target/drivers to fetch them anew

`study`, `test` and `race` look for a GPU driver first. On Debian and Ubuntu they install Mesa's software Vulkan where there is none;
elsewhere they say what to install.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.first().map(String::as_str) {
        Some("study") => driver::ensure().and_then(|()| stages::study(&root(), &args[1..])),
        Some("race") => driver::ensure().and_then(|()| race::race(&root(), &args[1..])),
        Some("fuzz") => fuzz::fuzz(&root(), &args[1..]),
        Some("drivers") => drivers::drivers(&root(), &args[1..]),
        Some("features") if args.len() == 1 => features::alone(&root()).map(|done| {
            println!("{done}");
            0
        }),
        Some("package") if args.len() == 1 => package::package(&root()).map(|done| {
            println!("{done}");
            0
        }),
        Some("api") => stages::api(&root(), &args[1..]),
        Some("mesa25") => mesa::mesa25(&root()),
        Some("test") if args.len() == 1 => driver::ensure().and_then(|()| stages::test(&root())),
        Some("test") => Err("`cargo xtask test` takes no arguments; `cargo test` does".to_string()),
        Some("help" | "-h" | "--help") => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Some(other) => Err(format!("no such task: `{other}`\n\n{HELP}")),
        None => Err(format!("which task?\n\n{HELP}")),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

/// The repository. Cargo names the package's folder at run time; the name from compile time is stale after a move.
fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().map_or(package.clone(), PathBuf::from)
}
