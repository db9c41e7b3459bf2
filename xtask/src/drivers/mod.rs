//! `cargo xtask drivers`: the whole check on every driver that Debian 12 can have side by side.
mod list;
mod report;

use crate::{
    apt,
    stages::{cargo, prepared},
};
use list::{DRIVERS, Driver, Ready};
use report::{Counts, Ended, Reading, Row};
use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    time::{Duration, Instant},
};

/// The options of the command.
#[derive(Debug, PartialEq)]
struct Options {
    filter: String,
    only: Vec<String>,
    write: bool,
    minutes: u64,
}

/// Time for a driver, in minutes: the slowest takes a quarter of it on two cores.
const MINUTES: u64 = 120;

/// Checks every driver in turn and prints the table.
pub fn drivers(root: &Path, args: &[String]) -> Result<u8, String> {
    let options = parse(args)?;
    if !apt::is_bookworm() {
        return Err("this unpacks packages of Debian's for Debian 12, and runs on Debian 12 alone. Elsewhere, `cargo run -p \
                    ridgepole-cli -- check --all-adapters` checks the drivers that the system has"
            .to_string());
    }
    let base = root.join("target/drivers");
    apt::make(&base)?;
    let program = build(root, &base)?;
    let chosen = |d: &&Driver| options.only.is_empty() || options.only.iter().any(|name| name == d.name);
    let rows: Vec<Row> = DRIVERS.iter().filter(chosen).map(|driver| on(driver, &base, &program, &options)).collect();
    let heading = heading(root);
    let table = report::table(&rows);
    println!("\n{heading}\n\n{table}");
    let faults = report::faults(&rows);
    for fault in &faults {
        println!("FAILED: {fault}");
    }
    if options.write {
        let page = root.join("docs/drivers.md");
        let old = fs::read_to_string(&page).map_err(|e| format!("{}: {e}", page.display()))?;
        let new = report::replaced(&old, &format!("{heading}\n\n{table}")).map_err(|why| format!("{}: {why}", page.display()))?;
        apt::write(&page, &new)?;
    }
    Ok(u8::from(!faults.is_empty()))
}

fn parse(args: &[String]) -> Result<Options, String> {
    let mut options = Options { filter: String::new(), only: Vec::new(), write: false, minutes: MINUTES };
    let names = || DRIVERS.each_ref().map(|d| d.name).join(", ");
    let mut rest = args.iter();
    let (mut filters, mut end) = (Vec::new(), false);
    while let Some(arg) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{arg} wants a value"));
        match arg.as_str() {
            _ if end => filters.push(arg.clone()),
            "--" => end = true,
            "--write" => options.write = true,
            "--only" => {
                let name = value()?;
                if !DRIVERS.iter().any(|d| d.name == name) {
                    return Err(format!("--only: there is no driver {name:?}; there are {}", names()));
                }
                options.only.push(name.clone());
            }
            "--minutes" => {
                let text = value()?;
                let minutes = text.parse().ok().filter(|m| (1..=10_000).contains(m));
                options.minutes = minutes.ok_or_else(|| format!("--minutes: {text:?} is no whole number from 1 to 10000"))?;
            }
            other if other.starts_with('-') => {
                return Err(format!("no such option: {other:?}; there are --only NAME, --minutes N, --write"));
            }
            _ => filters.push(arg.clone()),
        }
    }
    if filters.len() > 1 {
        return Err(format!("one filter at most, and there are {filters:?}"));
    }
    options.filter = filters.pop().unwrap_or_default();
    if options.write && !(options.filter.is_empty() && options.only.is_empty()) {
        return Err("--write is for the whole table: without a filter and without --only".to_string());
    }
    Ok(options)
}

/// Builds the program with OpenGL in it, and puts a copy where no later build changes it.
fn build(root: &Path, base: &Path) -> Result<PathBuf, String> {
    eprintln!("Building the program, with OpenGL as one more back end.");
    let mut command = cargo();
    command.args(["build", "--package", "ridgepole-cli", "--features", "gles", "--manifest-path"]).arg(root.join("Cargo.toml"));
    let status = command.status().map_err(|e| format!("cargo does not start: {e}"))?;
    if !status.success() {
        return Err("the program was not built, see above".to_string());
    }
    // It lies where this one does, wherever cargo puts what it builds.
    let built = std::env::current_exe().map_err(|e| e.to_string())?.with_file_name("ridgepole");
    let copy = base.join("ridgepole");
    let _ = fs::remove_file(&copy);
    fs::copy(&built, &copy).map_err(|e| format!("{} cannot be copied to {}: {e}", built.display(), copy.display()))?;
    Ok(copy)
}

/// Fetches a driver, and checks on it. Whatever goes wrong is in the row.
fn on(driver: &Driver, base: &Path, program: &Path, options: &Options) -> Row {
    println!("\n== {}", driver.name);
    let mut row = Row {
        name: driver.name,
        version: "-".into(),
        adapter: "-".into(),
        lacks: Vec::new(),
        counts: Ok(Counts::default()),
        seconds: 0.0,
    };
    row.counts = driver.fetch(base).map_err(|why| format!("could not be had: {why}")).and_then(|ready| {
        row.version = ready.version.clone();
        row.lacks = lacks(&ready, program)?;
        let start = Instant::now();
        let counts = check(&ready, program, &base.join(format!("{}.log", driver.name)), options, &mut row.adapter);
        row.seconds = start.elapsed().as_secs_f64();
        counts
    });
    match &row.counts {
        Ok(c) => println!("{}: {} runs, {} failed, {:.0} s", driver.name, c.runs, c.failed, row.seconds),
        Err(why) => println!("{}: FAILED: {why}", driver.name),
    }
    row
}

fn lacks(ready: &Ready, program: &Path) -> Result<Vec<String>, String> {
    let out = prepared(ready.command(program)).arg("devices").stdin(Stdio::null()).output();
    let out = out.map_err(|e| format!("the program does not start: {e}"))?;
    if !out.status.success() {
        return Err(format!("could not be opened: {}", String::from_utf8_lossy(&out.stderr).trim()));
    }
    Ok(report::lacks(&String::from_utf8_lossy(&out.stdout)))
}

/// Runs the check. Its rows are shown as they come; all that it says goes to `log`.
fn check(ready: &Ready, program: &Path, log: &Path, options: &Options, adapter: &mut String) -> Result<Counts, String> {
    let mut file = File::create(log).map_err(|e| format!("{} cannot be made: {e}", log.display()))?;
    let errors = file.try_clone().map_err(|e| e.to_string())?;
    let mut command = prepared(ready.command(program));
    command.args(["check", "--", &options.filter]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
    let mut child = command.spawn().map_err(|e| format!("the program does not start: {e}"))?;
    let out = child.stdout.take().ok_or("the program has no stdout")?;
    let mut reading = Reading::default();
    let limit = Duration::from_secs(60 * options.minutes);
    let each = |line: &str| {
        let _ = writeln!(std::io::stdout(), "{line}"); // A closed pipe must not end the check.
        let _ = writeln!(file, "{line}");
        reading.line(line);
    };
    let ended = follow(child, out, limit, each);
    *adapter = reading.adapter.clone().unwrap_or_else(|| "-".into());
    let counts = reading.end(&ended).map_err(|why| format!("{why}; {} has all that it said", shown(log)));
    if let Some(missing) = ready.shows.iter().find(|text| !adapter.contains(*text)) {
        let why = counts.err().map(|why| format!(" {why}")).unwrap_or_default();
        return Err(format!("another driver was taken: {adapter:?} has no {missing:?}.{why}"));
    }
    counts
}

/// A file below `target`, without the folders above, which say nothing to a reader elsewhere.
fn shown(log: &Path) -> String {
    format!("target/drivers/{}", log.file_name().unwrap_or_default().to_string_lossy())
}

/// Gives each line of `out` to `each` until the program ends or `limit` is over, and then stops it.
fn follow(mut child: Child, out: impl Read + Send + 'static, limit: Duration, mut each: impl FnMut(&str)) -> Ended {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        // Bytes, for a driver may print what is no UTF-8.
        for line in BufReader::new(out).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    let end = Instant::now() + limit;
    loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => each(&line),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                let _ = child.wait();
                return Ended::Late(limit.as_secs());
            }
        }
    }
    match child.wait() {
        Ok(status) => status.code().map_or_else(|| Ended::Killed(status.to_string()), Ended::Code),
        Err(e) => Ended::Killed(e.to_string()),
    }
}

/// "2026-11-30, commit 1a2b3c4, 2 threads".
fn heading(root: &Path) -> String {
    let said = |program: &str, args: &[&str]| {
        let out = Command::new(program).args(args).current_dir(root).stderr(Stdio::null()).output().ok()?;
        out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_string())
    };
    let date = said("date", &["-u", "+%F"]).unwrap_or_else(|| "no date".into());
    let commit = said("git", &["rev-parse", "--short", "HEAD"]);
    let changed = said("git", &["status", "--porcelain", "--untracked-files=no"]).is_none_or(|s| !s.is_empty());
    let commit = commit.map_or("no commit".into(), |c| format!("commit {c}{}", if changed { " with changes" } else { "" }));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{date}, {commit}, {threads} threads, processor {}:", std::env::consts::ARCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options, String> {
        parse(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_understood() {
        let none = Options { filter: String::new(), only: vec![], write: false, minutes: MINUTES };
        assert_eq!(parsed(""), Ok(none));
        let all = Options { filter: "sgd".into(), only: vec!["gl".into(), "swiftshader".into()], write: false, minutes: 5 };
        assert_eq!(parsed("--only gl sgd --only swiftshader --minutes 5"), Ok(all));
        assert_eq!(parsed("-- --only").map(|o| o.filter), Ok("--only".to_string()));
        assert!(parsed("--write").is_ok_and(|o| o.write));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, want) in [
            ("--only lavapipe", "no driver \"lavapipe\"; there are swiftshader, gl, "),
            ("--only", "--only wants a value"),
            ("--minutes 0", "\"0\" is no whole number from 1 to 10000"),
            ("--minutes x", "\"x\" is no whole number"),
            ("--release", "no such option: \"--release\""),
            ("sgd adam", "one filter at most, and there are [\"sgd\", \"adam\"]"),
            ("--write sgd", "--write is for the whole table"),
            ("--write --only gl", "--write is for the whole table"),
        ] {
            let error = parsed(line).unwrap_err();
            assert!(error.contains(want), "{line}: {error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_program_is_followed_to_its_end_and_no_longer_than_its_time() {
        let run = |script: &str, limit| {
            let mut child = Command::new("sh").args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
            let out = child.stdout.take().unwrap();
            let mut lines = Vec::new();
            let ended = follow(child, out, limit, |line| lines.push(line.to_string()));
            (lines, ended)
        };
        let long = Duration::from_secs(600);
        assert_eq!(run("echo a; echo b; exit 3", long), (vec!["a".into(), "b".into()], Ended::Code(3)));
        let (_, ended) = run("kill -9 $$", long);
        assert!(matches!(&ended, Ended::Killed(how) if how.contains('9')), "{ended:?}");
        assert_eq!(run("exec sleep 1000", Duration::ZERO).1, Ended::Late(0));
    }
}
