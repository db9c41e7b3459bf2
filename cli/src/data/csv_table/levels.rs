//! Categorical columns: their levels, and the features that these become.
use super::{
    Text,
    labels::{Labels, numbers_but_for_a_few},
    number::{Kind, number},
};
use crate::{
    data::plain,
    text::{count, quoted},
};

/// Distinct values of a column that is taken for categorical without being named, at most: the weeks of a year and the states of the USA
/// are fewer, names and dates are more.
const MOST_UNNAMED: usize = 64;
/// Levels of a column at most: each is a feature.
const MOST: usize = 4096;
/// Bytes that the names of a column's features take, at most: the column's name stands in each.
const MOST_TEXT: usize = 64 << 20;

/// The levels of a column.
pub(super) struct Levels {
    /// In ascending order, numbers first; the last may be none, which is that of missing cells.
    pub names: Vec<Option<String>>,
    /// That of each row, by place.
    pub of: Vec<u32>,
    /// How many cells are missing.
    pub missing: usize,
}

impl Levels {
    /// The levels that have a feature. Of two levels one says all: the other's would be its negative, once standardized, and an L1 penalty
    /// could not tell how to share a coefficient between them.
    pub fn shown(&self) -> std::ops::Range<usize> {
        let levels = self.names.len();
        if levels <= 2 { 1.min(levels)..levels } else { 0..levels }
    }

    /// What the feature of a level is called.
    pub fn feature(&self, column: &str, level: usize) -> String {
        format!("{column}={}", self.names[level].as_deref().unwrap_or("(missing)"))
    }
}

/// The levels of a column that is named (`asked`), or is not one of numbers.
///
/// # Errors
/// If there are too many; or, unless it is named, if it is a column of numbers but for a few cells.
pub(super) fn levels(text: &Text, name: &str, labels: &Labels, asked: bool, notices: &mut Vec<String>) -> Result<Levels, String> {
    let (kinds, column) = (labels.kinds(), quoted(name));
    if !asked && numbers_but_for_a_few(labels, &kinds) {
        let odd = |(_, id): &&(usize, u32)| matches!(kinds[*id as usize], Kind::Meant | Kind::Text);
        let (at, id) = labels.rows.iter().find(odd).expect("some are no numbers");
        let why = number(&labels.distinct[*id as usize]).expect_err("it is none");
        return Err(format!(
            "line {}: column {column} {why}; the column holds numbers (with its name behind --categorical each text is a level)",
            text.line(*at)
        ));
    }
    let class = labels.classes(&kinds);
    let missing = |id: usize| kinds[id] == Kind::Missing;
    let spelled = Labels::spelled(&class, |id| !missing(id));
    let found = spelled.len();
    if found > MOST {
        let what = if asked { "levels" } else { "distinct values that are not numbers" };
        return Err(format!(
            "column {column} has {found} {what}, and each would be a feature, must be at most {MOST}: remove the column, or join its levels"
        ));
    }
    if !asked && found > MOST_UNNAMED {
        return Err(format!(
            "column {column} has {found} distinct values, and --categorical auto takes at most {MOST_UNNAMED}: remove the column, or name it \
             as well, as in --categorical auto,NAME, to have an indicator column of each"
        ));
    }
    let mut place = vec![0; class.len()];
    for (at, (class, ids)) in spelled.iter().enumerate() {
        ids.iter().for_each(|id| place[*id] = at as u32);
        if ids.len() > 1 {
            notices.push(format!("notice: column {column}: {} are one level, {}", labels.listed(ids), plain(&class.to_string())));
        }
    }
    (0..class.len()).filter(|id| missing(*id)).for_each(|id| place[id] = found as u32);
    let gaps = labels.rows.iter().filter(|(_, id)| missing(*id as usize)).count();
    let mut names: Vec<Option<String>> = spelled.keys().map(|class| Some(class.to_string())).collect();
    names.extend((gaps > 0).then_some(None));
    let letters: usize = names.iter().flatten().map(|level| level.len() + name.len() + 1).sum();
    if letters > MOST_TEXT {
        return Err(format!("column {column} has {found} levels, whose names take {letters} bytes with its own: shorten them"));
    }
    let levels = Levels { names, of: labels.rows.iter().map(|(_, id)| place[*id as usize]).collect(), missing: gaps };
    notices.push(levels.notice(name));
    if found > 2 && found == labels.len() - gaps {
        notices.push(format!(
            "notice: column {column} has another value in every row: nothing about other rows can be learned from it"
        ));
    }
    Ok(levels)
}

impl Levels {
    /// What became of a column.
    fn notice(&self, name: &str) -> String {
        const SHOWN: usize = 12;
        let mut counts = vec![0; self.names.len()];
        self.of.iter().for_each(|level| counts[*level as usize] += 1);
        let word = |level: &Option<String>| level.as_deref().map_or_else(|| "missing".into(), plain);
        let one = |(level, n): (&Option<String>, &usize)| format!("{} ({})", word(level), count(*n, "row"));
        let mut all: Vec<String> = self.names.iter().zip(&counts).take(SHOWN).map(one).collect();
        if self.names.len() > SHOWN {
            all.push(format!("and {} more", self.names.len() - SHOWN));
        }
        let how = match self.names.len() {
            1 => ", no feature".to_string(),
            2 => format!(", one indicator column, of {}", word(&self.names[1])),
            _ => ", an indicator column each".to_string(),
        };
        format!("notice: column {} has {}{how}: {}", quoted(name), count(self.names.len(), "level"), all.join(", "))
    }
}
