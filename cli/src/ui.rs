//! Printing: results to stdout, everything else to stderr; progress as bars on a terminal and as plain lines elsewhere.
//!
//! Whatever is printed may have text of a file in it, so none of it goes out with characters that a terminal obeys ([`crate::text`]).
use crate::{Failure, text};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    cell::Cell,
    fmt::Display,
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

/// A colour of a part of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Better.
    Green,
    /// Worse.
    Red,
}

/// The program's stdout and stderr. Never panics on a closed pipe, as `println!` would.
pub struct Ui {
    bars: MultiProgress,
    terminal: bool,
    /// In tests, what was said instead of stderr.
    #[cfg(test)]
    heard: Option<std::sync::Mutex<Vec<String>>>,
}

impl Default for Ui {
    fn default() -> Self {
        Self::new()
    }
}

impl Ui {
    /// Bars where stderr is a terminal, plain lines elsewhere.
    pub fn new() -> Self {
        let terminal = io::stderr().is_terminal();
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self {
            bars: MultiProgress::with_draw_target(target),
            terminal,
            #[cfg(test)]
            heard: None,
        }
    }

    /// Keeps what is said, for a test to look at.
    #[cfg(test)]
    pub(crate) fn listening() -> Self {
        Self { heard: Some(std::sync::Mutex::default()), ..Self::new() }
    }

    /// A text as a terminal would get it.
    #[cfg(test)]
    pub(crate) fn shown(text: impl Display) -> String {
        let ui = Self::listening();
        ui.note(text);
        ui.heard().concat()
    }

    /// What was said so far.
    #[cfg(test)]
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.as_ref().map_or_else(Vec::new, |heard| heard.lock().expect("nobody panics with it").clone())
    }

    /// A line of the result, to stdout. A newline in it is shown, not made.
    ///
    /// # Errors
    /// [`Failure::Closed`] if the reader is gone; end the work then.
    pub fn line(&self, text: impl Display) -> Result<(), Failure> {
        self.write(&format!("{}\n", text::visible(&text.to_string())))
    }

    /// A line of the result, one part of it in a colour where stdout is a terminal.
    ///
    /// # Errors
    /// As [`Ui::line`].
    pub fn painted(&self, before: &str, (colour, part): (Colour, &str), after: &str) -> Result<(), Failure> {
        let [before, part, after] = [before, part, after].map(text::visible);
        let [on, off] = match colour {
            _ if !io::stdout().is_terminal() => [""; 2],
            Colour::Green => ["\x1b[32m", "\x1b[0m"],
            Colour::Red => ["\x1b[31m", "\x1b[0m"],
        };
        self.write(&format!("{before}{on}{part}{off}{after}\n"))
    }

    /// Lines of the result for other programs, such as CSV, to stdout.
    ///
    /// # Errors
    /// As [`Ui::line`].
    pub fn lines(&self, text: &str) -> Result<(), Failure> {
        self.write(&text::lines(text))
    }

    /// A value, as JSON over several lines, to stdout.
    ///
    /// # Errors
    /// As [`Ui::line`].
    pub fn json(&self, value: &serde_json::Value) -> Result<(), Failure> {
        self.write(&format!("{}\n", text::json(value)))
    }

    fn write(&self, text: &str) -> Result<(), Failure> {
        self.bars.suspend(|| {
            let mut out = io::stdout().lock();
            out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::stdout)
        })
    }

    /// A line about the work, to stderr, or several: those after the first are indented.
    pub fn note(&self, text: impl Display) {
        let text = text::paragraph(&text.to_string());
        #[cfg(test)]
        if let Some(heard) = &self.heard {
            return heard.lock().expect("nobody panics with it").push(text);
        }
        // With stderr closed there is nobody to report to.
        self.bars.suspend(|| drop(writeln!(io::stderr().lock(), "{text}")));
    }

    /// Progress over `len` pieces of work of this name.
    pub fn progress(&self, name: &'static str, len: u64) -> Progress<'_> {
        let bar = self.bars.add(ProgressBar::new(len).with_prefix(name));
        if self.terminal {
            let style = ProgressStyle::with_template("{prefix} {bar:24} {pos}/{len} {elapsed} {wide_msg}");
            bar.set_style(style.expect("the template is a constant").progress_chars("=> "));
            bar.enable_steady_tick(Duration::from_millis(250));
        }
        Progress { ui: self, bar, name, start: Instant::now(), said: Cell::new(Instant::now()) }
    }
}

/// Interval of plain progress lines.
const PLAIN: Duration = Duration::from_secs(5);

/// A running piece of work. Dropping it takes the bar away.
pub struct Progress<'a> {
    ui: &'a Ui,
    bar: ProgressBar,
    name: &'static str,
    start: Instant,
    said: Cell<Instant>,
}

impl Progress<'_> {
    /// What is being worked on now.
    pub fn on(&self, what: impl Into<String>) {
        self.bar.set_message(text::visible(&what.into()).into_owned());
        self.tell();
    }

    /// `n` more pieces are done.
    pub fn done(&self, n: u64) {
        self.bar.inc(n);
        self.tell();
    }

    /// How many pieces are done.
    pub fn position(&self) -> u64 {
        self.bar.position()
    }

    fn tell(&self) {
        if self.ui.terminal || self.said.get().elapsed() < PLAIN {
            return;
        }
        self.said.set(Instant::now());
        let (at, of, seconds) = (self.bar.position(), self.bar.length().unwrap_or(0), self.start.elapsed().as_secs());
        self.ui.note(format_args!("{}: {at}/{of}, {seconds} s, {}", self.name, self.bar.message()));
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
