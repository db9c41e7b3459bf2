//! The options that say what the columns of a table are.
use super::description::Missing;
use crate::{Failure, shell::Command};
use std::{fmt, str::FromStr};

/// The options of every command that reads tables.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Columns {
    /// Columns whose levels become indicator columns: auto for every column that is not numbers and has at most 64 distinct values, or
    /// names, also of columns of numbers, or both (auto,zip). A name with a comma stands in double quotes
    #[arg(long, value_name = "auto|NAME,...", help_heading = "Data")]
    categorical: Option<Categorical>,
    /// What to do about missing values (an empty cell, NA, ?, and the like)
    #[arg(long, value_name = "POLICY", value_enum, default_value_t = Missing::Refuse, help_heading = "Data")]
    missing: Missing,
    /// A column whose equal values keep rows together: in one fold, in one part. It is no feature
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    group_column: Option<String>,
}

/// Which columns are categorical.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Categorical {
    /// Those that are not numbers.
    pub auto: bool,
    /// These, whatever they hold.
    pub names: Vec<String>,
}

impl FromStr for Categorical {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const WHAT: &str = "must be auto, or names of columns separated by commas, in double quotes where they have a comma";
        let mut reader = csv::ReaderBuilder::new().has_headers(false).trim(csv::Trim::All).from_reader(text.as_bytes());
        let mut records = reader.records();
        let (Some(Ok(first)), None) = (records.next(), records.next()) else { return Err(WHAT.into()) };
        let mut out = Self::default();
        for name in &first {
            match name {
                "" => return Err(WHAT.into()),
                "auto" if !out.auto => out.auto = true,
                _ if name == "auto" || out.names.iter().any(|n| n == name) => {
                    return Err(format!("names {} twice", crate::text::quoted(name)));
                }
                _ => out.names.push(name.into()),
            }
        }
        Ok(out)
    }
}

impl fmt::Display for Categorical {
    /// As it would be typed.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let words = self.auto.then_some("auto").into_iter().chain(self.names.iter().map(String::as_str));
        let plain = |word: &str| !word.contains([',', '"', '\n', '\r']);
        let cell = |word: &str| if plain(word) { word.into() } else { format!("\"{}\"", word.replace('"', "\"\"")) };
        f.write_str(&words.map(cell).collect::<Vec<_>>().join(","))
    }
}

impl Columns {
    /// Whether columns that are not numbers are categorical.
    pub(super) fn auto(&self) -> bool {
        self.categorical.as_ref().is_some_and(|c| c.auto)
    }

    /// Columns that are categorical by name.
    pub(super) fn named(&self) -> &[String] {
        self.categorical.as_ref().map_or(&[], |c| &c.names)
    }

    pub(super) fn missing(&self) -> Missing {
        self.missing
    }

    pub(super) fn group(&self) -> Option<&str> {
        self.group_column.as_deref()
    }

    /// Where no table is read, nothing is to be said of its columns.
    ///
    /// # Errors
    /// [`Failure::Usage`] if there is.
    pub(super) fn unused(&self) -> Result<(), Failure> {
        let given = [
            ("categorical", self.categorical.is_some()),
            ("missing", self.missing != Missing::default()),
            ("group-column", self.group_column.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((name, _)) => {
                Err(Failure::usage(format!("--{name} says how the columns of a table are read, but none is given")))
            }
            None => Ok(()),
        }
    }

    /// Adds the options that are not as they are by default, as they would be typed.
    pub(super) fn typed(&self, to: &mut Command) {
        if let Some(categorical) = &self.categorical {
            to.option("categorical", categorical.to_string());
        }
        if self.missing != Missing::default() {
            to.option("missing", self.missing.word());
        }
        if let Some(column) = &self.group_column {
            to.option("group-column", column);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_printed() {
        let of = |text: &str| text.parse::<Categorical>();
        let names = |auto, names: &[&str]| Categorical { auto, names: names.iter().map(ToString::to_string).collect() };
        assert_eq!(of("auto"), Ok(names(true, &[])));
        assert_eq!(of("zip, the city ,auto"), Ok(names(true, &["zip", "the city"])));
        assert_eq!(of("\"len, cm\",b"), Ok(names(false, &["len, cm", "b"])));
        for text in ["", ",", "a,,b", "a,", "a\nb"] {
            assert!(of(text).unwrap_err().starts_with("must be auto, or names"), "{text:?}");
        }
        assert_eq!(of("a,b,a").unwrap_err(), "names \"a\" twice");
        assert_eq!(of("auto,auto").unwrap_err(), "names \"auto\" twice");
        for all in [names(true, &["a", "b c"]), names(false, &["a,b", "\"", "say \"x\"", "it's", "-1", "λ"])] {
            assert_eq!(of(&all.to_string()), Ok(all));
        }
    }
}
