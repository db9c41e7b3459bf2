//! A case with the times of all turns, and what they say.
use super::peer::Line;
use ridgepole::{
    Session, Verify,
    bench::{self, Inputs, Options, Timing},
};

/// A peer's time below so many host floors may be its host's: it is no measure of its kernels.
const HOST_FLOORS: f64 = 1.5;

/// A case of one size, with the times of all turns.
pub(super) struct Entry {
    pub elements: usize,
    pub case: String,
    pub error: Option<String>,
    pub ours: Vec<Timing>,
    pub theirs: Vec<Theirs>,
}

/// A peer's way of doing a case: for each turn its line and, if both have a time, its ratio to ours.
pub(super) struct Theirs {
    pub peer: String,
    pub variant: String,
    pub lines: Vec<Line>,
    pub ratios: Vec<f64>,
}

/// What a peer's times say about its kernels beside ours.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// The least ratio of a turn, the middle one, the greatest.
    Ratio([f64; 3]),
    /// Its time may be its host's, and is less than ours all the same: its kernels are ahead, by this much or more.
    Ahead(f64),
    /// Its time may be its host's: its kernels may be faster, and by how much is not known.
    Undecided,
}

impl Theirs {
    pub fn middle(&self, of: fn(&Line) -> Option<f64>) -> Option<f64> {
        middle(self.lines.iter().filter_map(of))
    }

    /// Whether the time is that of kernels; nothing where the peer has no host floor.
    pub fn decided(&self) -> Option<bool> {
        Some(self.middle(|l| l.seconds)? >= HOST_FLOORS * self.middle(|l| l.host_floor)?)
    }

    /// Nothing where no turn has both times.
    pub fn verdict(&self) -> Option<Verdict> {
        let ratios = range(&self.ratios)?;
        Some(match (self.decided(), ratios) {
            (Some(false), [_, ratio, most]) if most < 1.0 => Verdict::Ahead(ratio),
            (Some(false), _) => Verdict::Undecided,
            _ => Verdict::Ratio(ratios),
        })
    }

    /// Why there is no time, or nothing.
    pub fn error(&self) -> &str {
        self.lines.iter().map(|l| l.error.as_str()).find(|e| !e.is_empty()).unwrap_or("")
    }
}

impl Entry {
    pub fn new(elements: usize, case: &str, error: Option<String>) -> Self {
        Self { elements, case: case.to_string(), error, ours: Vec::new(), theirs: Vec::new() }
    }

    /// Times ours, unless it is wrong.
    pub fn ours(&mut self, session: &Session, op: &dyn Verify, inputs: &Inputs, options: &Options) {
        if self.error.is_none() {
            match bench::time(session.gpu(), session.queue(), op, inputs, options) {
                Ok(t) => self.ours.push(t),
                Err(e) => self.error = Some(e.to_string()),
            }
        }
    }

    /// Takes a peer's line of a turn.
    pub fn theirs(&mut self, turn: usize, line: Line) {
        let same = |t: &Theirs| t.peer == line.peer && t.variant == line.variant;
        let at = self.theirs.iter().position(same).unwrap_or_else(|| {
            let (peer, variant) = (line.peer.clone(), line.variant.clone());
            self.theirs.push(Theirs { peer, variant, lines: Vec::new(), ratios: Vec::new() });
            self.theirs.len() - 1
        });
        if let (Some(theirs), Some(ours)) = (line.seconds, self.ours.get(turn)) {
            self.theirs[at].ratios.push(theirs / ours.seconds);
        }
        self.theirs[at].lines.push(line);
    }
}

/// The middle one, and both ends.
pub(super) fn range(values: &[f64]) -> Option<[f64; 3]> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some([*sorted.first()?, bench::quantile(&sorted, 0.5), *sorted.last()?])
}

pub(super) fn middle(values: impl Iterator<Item = f64>) -> Option<f64> {
    range(&values.collect::<Vec<_>>()).map(|r| r[1])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use ridgepole::bench::Clock;

    pub fn line(variant: &str, seconds: Option<f64>, error: &str) -> Line {
        let (peer, case) = ("torch".to_string(), "a".to_string());
        let (variant, error) = (variant.to_string(), error.to_string());
        Line { peer, variant, case, seconds, lower_quartile: seconds, upper_quartile: seconds, error, host_floor: None }
    }

    pub fn timing(seconds: f64) -> Timing {
        Timing {
            op: "x".into(),
            case: "a".into(),
            bytes: 8,
            elements: 1,
            dispatches: 1,
            seconds,
            quartiles: [seconds; 2],
            copy_seconds: seconds,
            copy_bytes: 8,
            share: 0.5,
            cpu_seconds: None,
            cpu_share: None,
            rounds: 1,
            clock: Clock::Wall,
        }
    }

    #[test]
    fn ratios_are_taken_turn_by_turn() {
        let mut e = Entry::new(7, "a", None);
        for (turn, (ours, theirs)) in [(1.0, 2.0), (2.0, 6.0), (1.0, 1.0)].into_iter().enumerate() {
            e.ours.push(timing(ours));
            e.theirs(turn, line("eager", Some(theirs), ""));
            e.theirs(turn, line("compiled", None, "off by 3"));
        }
        assert_eq!(e.theirs[0].ratios, [2.0, 3.0, 1.0]);
        assert_eq!((e.theirs[1].verdict(), e.theirs[1].error()), (None, "off by 3"));
    }

    /// What comes of turns with these times of ours, theirs, and this host floor of theirs.
    fn verdict(turns: &[(f64, f64, Option<f64>)]) -> (Option<Verdict>, Option<bool>) {
        let mut e = Entry::new(7, "a", None);
        for (turn, &(ours, theirs, host_floor)) in turns.iter().enumerate() {
            e.ours.push(timing(ours));
            e.theirs(turn, Line { host_floor, ..line("eager", Some(theirs), "") });
        }
        (e.theirs[0].verdict(), e.theirs[0].decided())
    }

    #[test]
    fn no_ratio_is_given_where_the_time_may_be_the_hosts() {
        // One and a half host floors decide, and not a little less; a peer without floors is taken at its word.
        assert_eq!(verdict(&[(1.0, 3.0, Some(2.0))]), (Some(Verdict::Ratio([3.0; 3])), Some(true)));
        assert_eq!(verdict(&[(1.0, 2.999, Some(2.0))]), (Some(Verdict::Undecided), Some(false)));
        assert_eq!(verdict(&[(1.0, 2.0, None)]), (Some(Verdict::Ratio([2.0; 3])), None));
        // The middle floor counts, not one turn's.
        let turns = [(1.0, 2.0, Some(1.0)), (1.0, 2.0, Some(1.9)), (1.0, 2.0, Some(1.2))];
        assert_eq!(verdict(&turns).0, Some(Verdict::Ratio([2.0; 3])));
        assert_eq!(verdict(&turns[1..2]).0, Some(Verdict::Undecided));
    }

    #[test]
    fn a_peer_that_is_ahead_with_its_host_is_ahead() {
        assert_eq!(verdict(&[(4.0, 2.0, Some(1.9)), (4.0, 3.0, Some(2.1))]).0, Some(Verdict::Ahead(0.625)));
        // In one turn it was not: its kernels may be ahead, or not.
        assert_eq!(verdict(&[(4.0, 2.0, Some(1.9)), (2.0, 3.0, Some(2.1))]).0, Some(Verdict::Undecided));
    }
}
