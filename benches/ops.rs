//! `cargo bench [-- FILTER]`: the table's bench cases, checked, then timed against a copy on the same device.
//! `ridgepole bench` does the same with more choice of device and output.
//!
//! Without `--bench`, as `cargo test --benches` calls it, each case is checked and timed once, shortly.
use ridgepole::{Session, bench};
use std::{process::ExitCode, time::Duration};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let timing = args.iter().any(|a| a == "--bench") && !args.iter().any(|a| a == "--test");
    // The other flags of libtest (--nocapture, --color=...) mean nothing here.
    let filter = args.iter().find(|a| !a.starts_with('-')).map_or("", String::as_str);
    let cases = bench::cases(filter, bench::ELEMENTS);
    if args.iter().any(|a| a == "--list") {
        cases.iter().for_each(|op| println!("{op:?}: benchmark"));
        return ExitCode::SUCCESS;
    }
    if cases.is_empty() {
        eprintln!("no bench case contains {filter:?}");
        return ExitCode::from(2);
    }
    let quick =
        bench::Options { rounds: 1, sample: Duration::from_millis(1), working_set: 0, warm_up: Duration::ZERO, cpu_clock: None };
    let options = if timing { bench::Options::default() } else { quick };
    let session = match Session::new() {
        Ok(session) => session,
        Err(e) => {
            eprintln!("{e}");
            return ExitCode::from(2);
        }
    };
    let i = session.info();
    println!("{} ({:?}, {} {})", i.name, i.backend, i.driver, i.driver_info);
    println!("{:>22} {:>10} {:>8} {:>10} {:>7} {:>7}  case", "op", "time", "spread", "GB/s", "copy", "share");
    let mut wrong = 0;
    for op in cases {
        match bench::measure(session.gpu(), session.queue(), op.as_ref(), &options) {
            Ok(t) => println!(
                "{:>22} {:>7.3} ms {:>7.1}% {:>10.2} {:>7.2} {:>6.1}%  {}",
                t.op,
                t.seconds * 1e3,
                t.spread() * 100.0,
                t.gb_per_s(),
                t.copy_gb_per_s(),
                t.share * 100.0,
                short(&t.case)
            ),
            Err(why) => {
                wrong += 1;
                println!("{:>22} WRONG {} {why}", op.name(), short(&format!("{op:?}")));
            }
        }
    }
    ExitCode::from(u8::from(wrong > 0))
}

fn short(case: &str) -> String {
    if case.chars().count() <= 100 { case.to_string() } else { case.chars().take(97).chain("...".chars()).collect() }
}
