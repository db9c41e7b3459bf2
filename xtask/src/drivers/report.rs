//! What `ridgepole check` said, and the table of all drivers.

/// The count of runs of one driver.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Counts {
    /// Ops of the table.
    pub ops: u64,
    /// Runs made: a case, with one kind of data, in one mode.
    pub runs: u64,
    /// Runs that failed.
    pub failed: u64,
}

/// The lines of `ridgepole check`, read as they come.
#[derive(Debug, Default)]
pub struct Reading {
    /// The first line: the adapter with its back end and driver.
    pub adapter: Option<String>,
    rows: Counts,
    total: Option<Counts>,
}

impl Reading {
    /// Takes the next line.
    pub fn line(&mut self, line: &str) {
        if self.adapter.is_none() {
            self.adapter = Some(line.trim().to_string());
        } else if let Some((runs, failed)) = row(line) {
            self.rows = Counts { ops: self.rows.ops + 1, runs: self.rows.runs + runs, failed: self.rows.failed + failed };
        } else if let Some(total) = total(line) {
            self.total = Some(total);
        }
    }

    /// The counts at the end. `ended` says how the program did.
    ///
    /// # Errors
    /// If the words, the sums of the rows and the exit code do not say the same, in words.
    pub fn end(&self, ended: &Ended) -> Result<Counts, String> {
        let made = format!("{} ops and {} runs before, {} of them failed", self.rows.ops, self.rows.runs, self.rows.failed);
        let total = match (ended, &self.total) {
            (Ended::Late(seconds), _) => return Err(format!("stopped after {seconds} s ({made})")),
            (Ended::Killed(how), _) => return Err(format!("{how} ({made})")),
            (Ended::Code(code), None) => return Err(format!("ended without a sum, with exit code {code} ({made})")),
            (Ended::Code(_), Some(total)) => total,
        };
        if *total != self.rows {
            return Err(format!("the rows and the sum differ: {:?} and {total:?}", self.rows));
        }
        match ended {
            Ended::Code(0) if total.failed == 0 && total.runs > 0 => Ok(total.clone()),
            Ended::Code(1) if total.failed > 0 => Ok(total.clone()),
            _ => Err(format!("exit code and counts differ: {ended:?}, {total:?}")),
        }
    }
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// By itself, with this exit code.
    Code(i32),
    /// Stopped after so many seconds.
    Late(u64),
    /// By a signal, say.
    Killed(String),
}

/// Runs and failed runs of `layer_norm      57 cases   9 modes    1998 runs     45.2 s  ok`. The lines of failures begin with blanks.
fn row(line: &str) -> Option<(u64, u64)> {
    if line.starts_with(char::is_whitespace) {
        return None;
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, cases, "cases", modes, "modes", runs, "runs", _, "s", verdict @ ..] = words.as_slice() else { return None };
    let (_, _): (u64, u64) = (cases.parse().ok()?, modes.parse().ok()?);
    let failed = match verdict {
        ["ok"] => 0,
        ["FAILED", failed, "runs)"] => failed.strip_prefix('(')?.parse().ok()?,
        _ => return None,
    };
    Some((runs.parse().ok()?, failed))
}

/// `ops: 2, runs: 3312, failed: 0, 17.3 s`.
fn total(line: &str) -> Option<Counts> {
    let rest = line.strip_prefix("ops: ")?;
    let (ops, rest) = rest.split_once(", runs: ")?;
    let (runs, rest) = rest.split_once(", failed: ")?;
    let (failed, _) = rest.split_once(", ")?;
    Some(Counts { ops: ops.parse().ok()?, runs: runs.parse().ok()?, failed: failed.parse().ok()? })
}

/// The features that ops have variants for, and that `ridgepole devices` says are not there.
pub fn lacks(devices: &str) -> Vec<String> {
    let named = ["SHADER_F16", "SHADER_INT64", "SUBGROUP"];
    let says_no = |line: &str| {
        let mut words = line.split_whitespace().rev();
        let no = words.next()? == "no";
        let name = words.next()?;
        (no && named.contains(&name)).then(|| name.to_string())
    };
    devices.lines().filter_map(says_no).collect()
}

/// A row of the table.
pub struct Row {
    /// The driver's name.
    pub name: &'static str,
    /// The version of its package.
    pub version: String,
    /// The adapter's line.
    pub adapter: String,
    /// Features that the driver has not.
    pub lacks: Vec<String>,
    /// Counts, or why there are none.
    pub counts: Result<Counts, String>,
    /// What it took.
    pub seconds: f64,
}

/// The table in Markdown.
pub fn table(rows: &[Row]) -> String {
    let mut text =
        "| driver | version | adapter | has not | ops | runs | failed | seconds |\n|---|---|---|---|---|---|---|---|\n"
            .to_string();
    for row in rows {
        let cell = |text: &str| text.replace('|', "\\|").replace(['\n', '\r'], " ");
        let lacks = if row.lacks.is_empty() { "-".to_string() } else { row.lacks.join(", ") };
        let counts = match &row.counts {
            Ok(c) => format!("{} | {} | {}", c.ops, c.runs, c.failed),
            Err(why) => format!("- | - | {}", cell(why)),
        };
        let (version, adapter) = (cell(&row.version), cell(&row.adapter));
        text += &format!("| {} | {version} | {adapter} | {lacks} | {counts} | {:.0} |\n", row.name, row.seconds);
    }
    text
}

/// What is wrong with the rows together: failures, drivers that could not be had, and drivers that made fewer runs than others.
pub fn faults(rows: &[Row]) -> Vec<String> {
    let most = rows.iter().filter_map(|r| r.counts.as_ref().ok()).map(|c| c.runs).max().unwrap_or(0);
    let of = |row: &Row| match &row.counts {
        Err(why) => Some(format!("{}: {why}", row.name)),
        Ok(c) if c.failed > 0 => Some(format!("{}: {} of {} runs failed", row.name, c.failed, c.runs)),
        Ok(c) if c.runs < most => Some(format!("{}: {} runs, and {most} on another driver", row.name, c.runs)),
        Ok(_) => None,
    };
    rows.iter().filter_map(of).collect()
}

/// The line before and the line behind what `--write` replaces.
const MARKS: [&str; 2] = ["<!-- Written by `cargo xtask drivers --write`. -->", "<!-- The end of what it writes. -->"];

/// `document` with `text` in place of what stands between the marks.
///
/// # Errors
/// If they are not there, once each and in their order.
pub fn replaced(document: &str, text: &str) -> Result<String, String> {
    let once = |mark: &str| document.split_once(mark).filter(|(_, rest)| !rest.contains(mark));
    match (once(MARKS[0]), once(MARKS[1])) {
        (Some((head, rest)), Some((_, tail))) if rest.contains(MARKS[1]) => {
            Ok(format!("{head}{}\n\n{}\n\n{}{tail}", MARKS[0], text.trim(), MARKS[1]))
        }
        _ => Err(format!("the lines {} and {} must be in it, once each, in this order", MARKS[0], MARKS[1])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
SwiftShader Device (Subzero) (Vulkan, SwiftShader driver)
penalty_grad                   45 cases   9 modes    1620 runs      3.5 s  ok
dropout_add_layer_norm_backward   15 cases   9 modes     513 runs     10.3 s  ok
ops: 2, runs: 2133, failed: 0, 17.3 s
";
    const BAD: &str = "\
llvmpipe (LLVM 15.0.6, 256 bits) (Vulkan, llvmpipe Mesa 22.3.6 (LLVM 15.0.6))
sgd                            45 cases   9 modes    1620 runs      3.5 s  FAILED (2 runs)
  ridgepole check 'Sgd { dtype: F16'
    Normal data, as is: `w` run 0: element 3: got 1e0, want 2e0 ± 1e-7
ops: 9, runs: 9, failed: 9, a line of a failure, that is
adamw                          45 cases   9 modes    1593 runs     12.1 s  ok
ops: 2, runs: 3213, failed: 2, 15.6 s
";

    fn read(text: &str) -> Reading {
        let mut reading = Reading::default();
        text.lines().for_each(|l| reading.line(l));
        reading
    }

    #[test]
    fn counts_are_those_of_the_check() {
        let good = read(GOOD);
        assert_eq!(good.adapter.as_deref(), Some("SwiftShader Device (Subzero) (Vulkan, SwiftShader driver)"));
        assert_eq!(good.end(&Ended::Code(0)), Ok(Counts { ops: 2, runs: 2133, failed: 0 }));
        assert_eq!(read(BAD).end(&Ended::Code(1)), Ok(Counts { ops: 2, runs: 3213, failed: 2 }));
    }

    #[test]
    fn words_and_exit_code_must_agree() {
        for (text, ended, want) in [
            (GOOD, Ended::Code(1), "exit code and counts differ"),
            (GOOD, Ended::Code(101), "exit code and counts differ"),
            (BAD, Ended::Code(0), "exit code and counts differ"),
            (GOOD, Ended::Late(60), "stopped after 60 s (2 ops and 2133 runs before, 0 of them failed)"),
            (GOOD, Ended::Killed("signal: 11 (SIGSEGV)".into()), "SIGSEGV"),
            ("", Ended::Code(0), "ended without a sum, with exit code 0"),
            ("an adapter\n", Ended::Code(0), "ended without a sum"),
            ("an adapter\nops: 0, runs: 0, failed: 0, 0.0 s", Ended::Code(0), "exit code and counts differ"),
            (&GOOD.replace("runs: 2133", "runs: 2134"), Ended::Code(0), "the rows and the sum differ"),
            (&GOOD.replace("ops: 2", "ops: 3"), Ended::Code(0), "the rows and the sum differ"),
            (&BAD.replace("FAILED (2 runs)", "ok"), Ended::Code(1), "the rows and the sum differ"),
            (&BAD.replace("FAILED (2 runs)", "odd"), Ended::Code(1), "the rows and the sum differ"),
        ] {
            let error = read(text).end(&ended).unwrap_err();
            assert!(error.contains(want), "{ended:?}: {error}");
        }
    }

    #[test]
    fn features_that_are_not_there_are_named() {
        let text = "name\n  features  PIPELINE_CACHE  no\n            SHADER_F16      no\n            SHADER_INT64    yes\n            SUBGROUP  no\n";
        assert_eq!(lacks(text), ["SHADER_F16", "SUBGROUP"]);
        assert!(lacks("").is_empty());
    }

    fn a_row(name: &'static str, counts: Result<Counts, String>) -> Row {
        Row { name, version: "1.2".into(), adapter: "a|b".into(), lacks: vec!["SUBGROUP".into()], counts, seconds: 61.4 }
    }

    #[test]
    fn nothing_wrong_is_lost_in_the_table() {
        let counts = |runs, failed| Ok(Counts { ops: 1, runs, failed });
        let rows = [
            a_row("good", counts(9, 0)),
            a_row("bad", counts(9, 1)),
            a_row("short", counts(8, 0)),
            a_row("gone", Err("not to be had\nhere".into())),
        ];
        let text = table(&rows);
        assert!(text.contains("| good | 1.2 | a\\|b | SUBGROUP | 1 | 9 | 0 | 61 |\n"), "{text}");
        assert!(text.contains("| gone | 1.2 | a\\|b | SUBGROUP | - | - | not to be had here | 61 |\n"), "{text}");
        let faults = faults(&rows);
        assert_eq!(faults, ["bad: 1 of 9 runs failed", "short: 8 runs, and 9 on another driver", "gone: not to be had\nhere"]);
        assert!(super::faults(&rows[..1]).is_empty());
    }

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let document = format!("head\n{}\nold\n{}\ntail\n", MARKS[0], MARKS[1]);
        let new = replaced(&document, "new\n").unwrap();
        assert_eq!(new, format!("head\n{}\n\nnew\n\n{}\ntail\n", MARKS[0], MARKS[1]));
        assert_eq!(replaced(&new, "new").unwrap(), new);
        let swapped = format!("{}\n{}", MARKS[1], MARKS[0]);
        for wrong in ["", MARKS[0], &swapped, &format!("{document}{document}")] {
            assert!(replaced(wrong, "new").is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_page_has_the_marks() {
        let page = std::fs::read_to_string(crate::root().join("docs/drivers.md")).unwrap();
        assert!(replaced(&page, "new").is_ok());
        for driver in &crate::drivers::list::DRIVERS {
            assert!(page.contains(&format!("`{}`", driver.name)), "{} is described", driver.name);
        }
    }
}
