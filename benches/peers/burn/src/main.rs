//! The bench cases of ridgepole in Burn 0.22.1, for `cargo xtask race --burn`.
//!
//! Reads ops as JSON, one to a line, from stdin (`ridgepole race --list` prints them), and writes comma-separated times to
//! stdout: peer, variant, case, seconds, lower_quartile, upper_quartile, error. The variant names the cargo features: Burn's
//! fusion and autotune are on by default, as in Burn itself. Each result is held against f64 first; a wrong one gets no time but
//! an error. Cases that Burn has no words for are left out, as are types other than f32.
//!
//! Each case has a process of its own: one that brings it down leaves the others alone, and none is timed beside what others have
//! left in Burn's caches and memory pools.
//!
//! Times are of the clock on the wall around `--sample` milliseconds of calls and one wait for the device; `clock` says what a
//! call is. Calls go through several sets of inputs, `--working-set` MiB together, so that data come from memory.
mod cases;
mod clock;
mod device;
mod drawn;
mod gradient;
mod work;

use clap::Parser;
use serde_json::Value;
use std::{
    io::{Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    process::{Command, ExitCode, Stdio},
    sync::{Mutex, PoisonError},
};

/// Times the bench cases of ridgepole in Burn.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// How many samples
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long a sample takes; short calls are repeated until then
    #[arg(long, value_name = "MS", default_value_t = 20)]
    sample: u64,
    /// MiB of inputs to go through before the first come again
    #[arg(long, value_name = "MIB", default_value_t = 256)]
    working_set: u64,
    /// The adapter whose name contains this, in any case
    #[arg(long, value_name = "NAME", env = "WGPU_ADAPTER_NAME")]
    adapter: Option<String>,
    /// Run the only case that is on stdin in this process, and write its line alone
    #[arg(long, hide = true)]
    alone: bool,
}

const VARIANT: &str = match (cfg!(feature = "fusion"), cfg!(feature = "autotune")) {
    (true, true) => "fusion+autotune",
    (true, false) => "fusion",
    (false, true) => "autotune",
    (false, false) => "plain",
};

/// What the first panic said. Burn works on threads of its own, whose panics reach a caller as "the channel is closed".
static FIRST_WORDS: Mutex<Option<String>> = Mutex::new(None);

fn main() -> ExitCode {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let text = info.payload_as_str().unwrap_or("a panic without words").to_string();
        FIRST_WORDS.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(text);
        hook(info);
    }));
    let args = Args::parse();
    match if args.alone { alone(&args) } else { all(&args) } {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(CANNOT_RUN)
        }
    }
}

/// The code with which a process ends that could not even try.
const CANNOT_RUN: u8 = 2;

/// The ops on stdin.
fn ops() -> Result<Vec<Value>, String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|e| format!("stdin cannot be read: {e}"))?;
    let parse = |line| serde_json::from_str(line).map_err(|e| format!("stdin has a line that is no op as JSON: {e}: {line}"));
    text.lines().filter(|l| !l.trim().is_empty()).map(parse).collect()
}

/// Runs the cases that Burn has words for, and passes on what their processes write.
fn all(args: &Args) -> Result<(), String> {
    let ops = ops()?;
    eprintln!("burn 0.22.1 ({VARIANT}) on {}", device::Found::new(args.adapter.as_deref())?.name());
    let wrote = |e: &dyn std::fmt::Display| format!("stdout cannot be written: {e}");
    let mut out = std::io::stdout();
    writeln!(out, "peer,variant,case,seconds,lower_quartile,upper_quartile,error").map_err(|e| wrote(&e))?;
    for op in ops.iter().filter(|op| cases::has_words(op)) {
        let mut line = child(op)?;
        if line.is_empty() {
            continue;
        }
        if !line.ends_with(b"\n") {
            line.push(b'\n');
        }
        out.write_all(&line).and_then(|()| out.flush()).map_err(|e| wrote(&e))?;
    }
    Ok(())
}

/// The line of a case, from a process of its own with the arguments of this one.
fn child(op: &Value) -> Result<Vec<u8>, String> {
    let failed = |e: std::io::Error| format!("a case has no process: {e}");
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.args(std::env::args_os().skip(1)).arg("--alone").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    // It reads all before it writes anything. One that ends early says why itself.
    let _ = child.stdin.take().expect("piped").write_all(op.to_string().as_bytes());
    let done = child.wait_with_output().map_err(failed)?;
    match done.status.code() {
        Some(0) => Ok(done.stdout),
        Some(code) if code == i32::from(CANNOT_RUN) => Err("no case can run, see above".to_string()),
        _ => row(op, Err(format!("its process ended with {}; its own words are on stderr", done.status))),
    }
}

/// A line: times or an error.
fn row(op: &Value, result: Result<[f64; 3], String>) -> Result<Vec<u8>, String> {
    let case = op["case"].as_str().ok_or_else(|| format!("an op has no name under \"case\": {op}"))?;
    let (times, error) = match result {
        Ok(times) => (times.map(|t| t.to_string()), String::new()),
        Err(why) => (Default::default(), why),
    };
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(["burn", VARIANT, case, &times[0], &times[1], &times[2], &error]).map_err(|e| e.to_string())?;
    out.into_inner().map_err(|e| e.to_string())
}

/// Checks the only case on stdin, then times it. Writes nothing if Burn has no words for it after all.
fn alone(args: &Args) -> Result<(), String> {
    let ops = ops()?;
    let [op] = ops.as_slice() else { return Err(format!("stdin has {} ops, must have one", ops.len())) };
    let device = device::Found::new(args.adapter.as_deref())?.open()?;
    let one = || {
        let job = cases::job(op)?;
        Some(work::verify(&job, &device.device).and_then(|()| clock::measure(&job, &device, args)))
    };
    let Some(result) = caught(one).unwrap_or_else(|panic| Some(Err(panic))) else { return Ok(()) };
    std::io::stdout().write_all(&row(op, result)?).map_err(|e| format!("stdout cannot be written: {e}"))
}

/// Runs `f`; its panics and those of Burn's threads become an error in one line.
fn caught<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|_| {
        let words = FIRST_WORDS.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        let line: String = words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect();
        format!("Burn panicked: {line}")
    })
}
