//! The table for the terminal.
use super::{
    differences::{Difference, Verdict},
    results::Study,
};

impl Study {
    /// A line for the heads, then one for each treatment, in the order of the report.
    pub fn table(&self) -> Vec<String> {
        let differences = self.differences();
        let heads = if self.classes() { ["train accuracy", "test accuracy"] } else { ["train RMSE", "test RMSE"] };
        let mut rows = vec![["treatment", heads[0], heads[1], "difference", "95 % interval", "against none"].map(String::from)];
        for i in self.order(&differences) {
            let o = &self.outcomes[i];
            let [train, test] = [0, 2].map(|part| self.level_of(o.score(part).mean));
            let [difference, interval, word] = self.cells(differences[i].as_ref());
            rows.push([o.treatment.title().into(), train, test, difference, interval, word]);
        }
        let width = |c: usize| rows.iter().map(|r| r[c].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
        let last = widths.len() - 1;
        let cell = |(c, text): (usize, &String)| {
            let fill = " ".repeat(widths[c] - text.chars().count());
            if c == 0 || c == last { format!("{text}{fill}") } else { format!("{fill}{text}") }
        };
        rows.iter().map(|r| r.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ").trim_end().to_string()).collect()
    }

    /// A mean score.
    fn level_of(&self, score: f64) -> String {
        let [text] = self.scores([score]);
        if self.classes() && score.is_finite() { format!("{text} %") } else { text }
    }

    /// Difference, interval and word of a treatment, for any table; dashes where there is nothing to say.
    pub fn cells(&self, d: Option<&Difference>) -> [String; 3] {
        const NOTHING: &str = "–";
        let Some(d) = d else { return [NOTHING; 3].map(String::from) };
        if let Verdict::Diverged(n) = d.verdict {
            return [NOTHING.into(), NOTHING.into(), format!("diverged {n}/{}", self.seeds.len())];
        }
        let shown = self.shown(&d.score);
        let points = if self.classes() { " points" } else { "" };
        [format!("{}{points}", shown.mean), shown.interval.unwrap_or(NOTHING.into()), d.verdict.word()]
    }
}
