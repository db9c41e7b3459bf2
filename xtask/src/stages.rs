//! The stages of `cargo xtask test`, and `cargo xtask study`.
use crate::{
    features, fuzz, package,
    tally::{Tally, result_line},
};
use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

const WASM: &str = "wasm32-unknown-unknown";

pub fn cargo() -> Command {
    prepared(Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())))
}

/// With an environment that suits programs which open devices.
pub fn prepared(mut command: Command) -> Command {
    // Mesa prints an error that is none on a machine without a display, once per device, unless there is such a folder.
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        command.env("XDG_RUNTIME_DIR", std::env::temp_dir());
    }
    // With RUST_BACKTRACE=1, wgpu's debug build records a backtrace at every use of its locks: 18 to 44 % of a check's time. Those of
    // panics stay.
    if std::env::var_os("RUST_LIB_BACKTRACE").is_none() {
        command.env("RUST_LIB_BACKTRACE", "0");
    }
    command
}

/// Runs the study in the caller's folder, so that relative paths among `args` mean what they say.
pub fn study(root: &Path, args: &[String]) -> Result<u8, String> {
    let mut command = cargo();
    command.args(["run", "--release", "--package", "ridgepole-cli", "--manifest-path"]).arg(root.join("Cargo.toml"));
    let status = command.args(["--", "study"]).args(args).status().map_err(|e| format!("cargo does not start: {e}"))?;
    Ok(status.code().and_then(|c| u8::try_from(c).ok()).unwrap_or(1))
}

/// The program that holds the library's public items against the list of them; it needs more than the other tasks.
pub fn api(root: &Path, args: &[String]) -> Result<u8, String> {
    let mut command = cargo();
    command
        .args(["run", "--quiet", "--package", "xtask", "--features", "api", "--bin", "api", "--"])
        .args(args)
        .current_dir(root);
    let status = command.status().map_err(|e| format!("cargo does not start: {e}"))?;
    Ok(status.code().and_then(|c| u8::try_from(c).ok()).unwrap_or(1))
}

/// Runs every stage, also after a failure, and prints the counts last.
pub fn test(root: &Path) -> Result<u8, String> {
    let mut run = Run { root: root.to_path_buf(), start: Instant::now(), tally: Tally::default() };
    for (component, probe) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if !quiet(cargo().args([probe, "--version"])) {
            println!("`cargo {probe}` is not installed: rustup component add {component}");
            quiet(Command::new("rustup").args(["component", "add", component]));
        }
    }
    run.cargo("formatting", "fmt --all --check");
    run.cargo("lints", "clippy --locked --workspace --all-targets -- -D warnings");
    run.cargo_with("documentation", "doc --workspace --no-deps", &[("RUSTDOCFLAGS", "-D warnings")]);
    // Programs run as the tests' build leaves them: `cargo run` of one package takes other features of naga, and compiles wgpu once more.
    run.cargo("build", "test --workspace --no-run");
    run.program("adapters", "ridgepole", &["devices"]);
    run.tests("tests and doctests", "test --workspace --no-fail-fast");
    // The tests have replayed the corpora, with other tests beside them; here each input has its limits of memory and time.
    run.check("fuzz targets within limits", |root| match fuzz::fuzz(root, &["--inputs", "500"].map(String::from))? {
        0 => Ok("nothing found".to_string()),
        _ => Err("see above".to_string()),
    });
    run.cargo("benchmarks compile", "bench --workspace --no-run --profile dev");
    let without = "--locked --package ridgepole --no-default-features --features families,verify";
    run.cargo("library without wgpu", &format!("clippy {without} -- -D warnings"));
    run.tests("unit tests without wgpu", &format!("test {without} --lib --example lower"));
    run.check("no wgpu without its feature", without_wgpu);
    run.cargo(
        "library without back ends",
        "clippy --locked --package ridgepole --no-default-features --features families,verify,wgpu-30 -- -D warnings",
    );
    run.check("each feature alone", features::alone);
    // With the back ends of the default, so that wgpu is compiled once more and no more often.
    run.cargo(
        "a library that only computes trains",
        "run --locked --package ridgepole --no-default-features --features linear,optimizers,vulkan,parking_lot --example train",
    );
    run.wasm();
    run.check("packages", package::package);
    run.api();
    run.check("oldest Rust", oldest_rust);
    run.program("example: hello", "examples/hello", &[]);
    run.program("example: custom_op", "examples/custom_op", &[]);
    run.program("example: train", "examples/train", &[]);
    run.program("example: lower", "examples/lower", &[]);
    run.program("ridgepole check", "ridgepole", &["check", "penalty_grad"]);
    Ok(run.finish())
}

struct Run {
    root: PathBuf,
    start: Instant,
    tally: Tally,
}

impl Run {
    fn cargo(&mut self, name: &str, line: &str) {
        self.cargo_with(name, line, &[]);
    }

    fn cargo_with(&mut self, name: &str, line: &str, vars: &[(&str, &str)]) {
        let shown = vars.iter().map(|(k, v)| format!("{k}=\"{v}\" ")).collect::<String>();
        let start = begin(name, &format!("{shown}cargo {line}"));
        let mut command = cargo();
        command.args(line.split(' ')).envs(vars.iter().copied()).current_dir(&self.root);
        let ok = command.status().is_ok_and(|s| s.success());
        self.end(name, ok, None, start);
    }

    /// A program that is built already: it lies where this one does, wherever cargo puts what it builds.
    fn program(&mut self, name: &str, program: &str, args: &[&str]) {
        let start = begin(name, &format!("{program} {}", args.join(" ")));
        let path = std::env::current_exe().map(|me| me.with_file_name(program).with_extension(std::env::consts::EXE_EXTENSION));
        let ok = path.is_ok_and(|path| {
            prepared(Command::new(path)).args(args).current_dir(&self.root).status().is_ok_and(|s| s.success())
        });
        self.end(name, ok, None, start);
    }

    /// Passes the output on while it adds up the result lines in it.
    fn tests(&mut self, name: &str, line: &str) {
        let start = begin(name, &format!("cargo {line}"));
        let mut counts = (0, 0);
        let mut ok = false;
        let child = cargo().args(line.split(' ')).current_dir(&self.root).stdout(Stdio::piped()).spawn();
        if let Ok(mut child) = child {
            if let Some(out) = child.stdout.take() {
                // Bytes, for a test may print what is no UTF-8.
                for line in BufReader::new(out).split(b'\n').map_while(Result::ok) {
                    let line = String::from_utf8_lossy(&line);
                    let _ = writeln!(std::io::stdout(), "{line}"); // A closed pipe must not end the tests.
                    let (p, f) = result_line(&line).unwrap_or_default();
                    counts = (counts.0 + p, counts.1 + f);
                }
            }
            ok = child.wait().is_ok_and(|s| s.success());
        }
        // No test at all is a failure: something is wrong with the command.
        self.end(name, ok && counts.0 > 0, Some(counts), start);
    }

    fn check(&mut self, name: &str, what: fn(&Path) -> Result<String, String>) {
        let start = begin(name, "");
        let result = what(&self.root);
        let (Ok(text) | Err(text)) = &result;
        println!("{text}");
        self.end(name, result.is_ok(), None, start);
    }

    /// The library compiles for the browser. Where the target cannot be had, that is said at the end.
    fn wasm(&mut self) {
        let name = "library for wasm32";
        let installed = || {
            let out = Command::new("rustc").args(["--print", "target-libdir", "--target", WASM]).output();
            out.is_ok_and(|o| o.status.success() && Path::new(String::from_utf8_lossy(&o.stdout).trim()).is_dir())
        };
        if !installed() {
            println!("\n{WASM} is not installed: rustup target add {WASM}");
            let _ = Command::new("rustup").args(["target", "add", WASM]).current_dir(&self.root).status();
        }
        if !installed() {
            println!("NOT DONE: {name}: the target {WASM} is not installed, and rustup cannot install it");
            self.tally.not_done.push(format!("{name}: `rustup target add {WASM}` failed"));
            return;
        }
        // `clippy` is `check`, and more.
        self.cargo(name, &format!("clippy --target {WASM} --package ridgepole -- -D warnings"));
        let without = "library for wasm32, without wgpu";
        let features = "--no-default-features --features families,verify";
        self.cargo(without, &format!("clippy --target {WASM} --package ridgepole {features} -- -D warnings"));
    }

    /// The public items are those of the list. With another compiler than the list's reader knows, that is said at the end.
    fn api(&mut self) {
        let name = "public items";
        let start = begin(name, "cargo xtask api");
        match api(&self.root, &[]) {
            Ok(3) => self.tally.not_done.push(format!("{name}: xtask does not read the JSON of this Rust's rustdoc")),
            result => self.end(name, result == Ok(0), None, start),
        }
    }

    fn end(&mut self, name: &str, ok: bool, tests: Option<(u64, u64)>, start: Instant) {
        self.tally.stage(name, ok, tests);
        println!("{} {name} ({:.1} s)", if ok { "ok:" } else { "FAILED:" }, start.elapsed().as_secs_f64());
    }

    fn finish(self) -> u8 {
        println!("\n{:.0} s in all", self.start.elapsed().as_secs_f64());
        for name in &self.tally.failures {
            println!("failed: {name}");
        }
        for what in &self.tally.not_done {
            println!("NOT DONE: {what}");
        }
        println!("{} passed, {} failed", self.tally.passed, self.tally.failed);
        u8::from(self.tally.failed > 0)
    }
}

fn begin(name: &str, command: &str) -> Instant {
    println!("\n== {name}{}{command}", if command.is_empty() { "" } else { ": " });
    Instant::now()
}

fn quiet(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

/// Every package of the workspace names its oldest Rust, and no dependency wants a newer one. That the code itself keeps to
/// it is a lint's business (`clippy::incompatible_msrv`).
fn oldest_rust(root: &Path) -> Result<String, String> {
    let metadata = |args: &[&str]| {
        let out = cargo().args(["metadata", "--format-version", "1"]).args(args).current_dir(root).output();
        let out = out.map_err(|e| format!("cargo does not start: {e}"))?;
        Ok::<_, String>(String::from_utf8_lossy(&out.stdout).into_owned())
    };
    let (ours, all) = (metadata(&["--no-deps"])?, metadata(&["--filter-platform", "x86_64-unknown-linux-gnu"])?);
    let version = ours.split("\"rust_version\":\"").nth(1).and_then(|t| t.split('"').next()).and_then(parse_version);
    let Some(oldest) = version.filter(|_| !ours.contains("\"rust_version\":null")) else {
        return Err("a package of the workspace has no `rust-version`".to_string());
    };
    let wanted = all.split("\"rust_version\":\"").skip(1).filter_map(|t| parse_version(t.split('"').next()?)).max();
    let shown = |(major, minor): (u32, u32)| format!("{major}.{minor}");
    match wanted {
        Some(w) if w > oldest => Err(format!("rust-version is {}, and a dependency wants {}", shown(oldest), shown(w))),
        _ => Ok(format!("rust-version is {}, and no dependency wants more", shown(oldest))),
    }
}

/// What the library needs without wgpu has neither wgpu nor its compiler in it, nor does the feature that turns back ends off turn one on.
fn without_wgpu(root: &Path) -> Result<String, String> {
    let tree = |more: &[&str]| {
        let fixed =
            ["tree", "--locked", "--package", "ridgepole", "--edges", "normal,build", "--target", "all", "--no-default-features"];
        let out = cargo().args(fixed).args(more).current_dir(root).output().map_err(|e| format!("cargo does not start: {e}"))?;
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        if out.status.success() { Ok(text) } else { Err(String::from_utf8_lossy(&out.stderr).into_owned()) }
    };
    let plain = ["--prefix", "none", "--format", "{lib}"];
    let without = tree(&plain)?;
    let strangers: Vec<&str> = without.lines().filter(|name| is_wgpu(name)).collect();
    if !strangers.is_empty() || !without.contains("ridgepole") {
        return Err(format!("the library without wgpu needs {}:\n{without}", strangers.join(", ")));
    }
    let with = tree(&[&plain[..], &["--features", "wgpu-30"]].concat())?;
    if !with.lines().any(is_wgpu) {
        return Err(format!("with wgpu there is none, so this looks wrongly:\n{with}"));
    }
    let features = tree(&["--prefix", "none", "--depth", "1", "--format", "{lib} {f}", "--features", "wgpu-30"])?;
    let ours: Vec<&str> = features.lines().filter_map(|line| line.strip_prefix("wgpu ")).collect();
    match ours[..] {
        ["std,wgsl"] => {
            Ok(format!("{} crates without wgpu; with it, features std and wgsl of it and no back end", without.lines().count()))
        }
        _ => Err(format!("wgpu has the features {ours:?}, and nobody asked for them:\n{features}")),
    }
}

fn is_wgpu(name: &str) -> bool {
    name.starts_with("wgpu") || name.starts_with("naga")
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    Some((parts.next()?.parse().ok()?, parts.next().map_or(Some(0), |p| p.parse().ok())?))
}
