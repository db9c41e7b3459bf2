//! What passed and what failed, from the stages and from the lines of `cargo test`.

/// The counts so far.
#[derive(Debug, Default, PartialEq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    /// What was not done, and why.
    pub not_done: Vec<String>,
    /// The stages that failed.
    pub failures: Vec<String>,
}

/// The counts of a line such as `test result: ok. 12 passed; 0 failed; 0 ignored; ...`.
pub fn result_line(line: &str) -> Option<(u64, u64)> {
    let (_, counts) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
    let count = |word: &str| counts.split(';').find_map(|c| c.trim().strip_suffix(word)?.trim().parse().ok());
    Some((count("passed")?, count("failed")?))
}

impl Tally {
    /// A stage ended; `tests` are the counts of its own, if it ran tests.
    ///
    /// A stage without tests counts as one check. A stage that failed without a failed test (it did not compile, say)
    /// counts as one failure besides its tests.
    pub fn stage(&mut self, name: &str, ok: bool, tests: Option<(u64, u64)>) {
        let (passed, failed) = tests.unwrap_or((u64::from(ok), u64::from(!ok)));
        self.passed += passed;
        self.failed += if ok { failed } else { failed.max(1) };
        if !ok || failed > 0 {
            self.failures.push(name.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_of_cargo_are_understood() {
        let ok = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.52s";
        assert_eq!(result_line(ok), Some((12, 0)));
        assert_eq!(result_line("test result: FAILED. 3 passed; 2 failed; 0 ignored"), Some((3, 2)));
        assert_eq!(result_line("test some::test ... ok"), None);
        assert_eq!(result_line("test result: ok"), None);
    }

    #[test]
    fn a_stage_that_fails_is_never_lost() {
        let mut tally = Tally::default();
        tally.stage("fmt", true, None);
        tally.stage("clippy", false, None);
        tally.stage("tests", true, Some((5, 0)));
        tally.stage("tests that do not compile", false, Some((0, 0)));
        tally.stage("tests that fail", false, Some((4, 2)));
        assert_eq!((tally.passed, tally.failed), (1 + 5 + 4, 1 + 1 + 2));
        assert_eq!(tally.failures, ["clippy", "tests that do not compile", "tests that fail"]);
    }
}
