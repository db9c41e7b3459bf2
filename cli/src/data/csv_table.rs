//! Reads a table from CSV text. Every error names the line and the column.
use super::{Cells, Table, Targets, Task};
use csv::StringRecord;
use std::collections::BTreeSet;

/// An integer column with at most this many distinct values is taken for classes.
const MOST_INTEGER_CLASSES: usize = 20;
/// Cells are at most this large: a standard error of squared errors takes fourth powers, which must be finite.
const LARGEST: f64 = 1e60;

/// The column to predict.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Its name.
    pub column: &'a str,
    /// How to treat it; inferred from its values if not given.
    pub task: Option<Task>,
    /// The words and limits of the command.
    pub asks: &'a Asks,
}

/// A command's own words for errors, and its limits.
#[derive(Clone, Copy, Debug)]
pub struct Asks {
    /// The option that names the column to predict.
    pub column: &'static str,
    /// The option that treats it as numbers.
    pub numbers: &'static str,
    /// What takes how many classes.
    pub classes: &'static str,
    /// Classes at most.
    pub most_classes: usize,
}

/// Of commands that train networks. The limit is that of the loss.
pub const NETWORKS: Asks =
    Asks { column: "--label", numbers: "--task regress", classes: "classification takes 2 to 160 classes", most_classes: 160 };

/// The offset of each row's record, and its cell in the column to predict.
type Labels = Vec<(u64, String)>;

/// The table in `bytes`, whose first line names the columns.
pub fn parse(name: &str, bytes: &[u8], target: Target) -> Result<Table, String> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let (columns, features, labels) = cells(bytes, target)?;
    let targets = targets(bytes, target, &labels)?;
    Ok(Table {
        name: name.into(),
        label: target.column.into(),
        columns,
        cells: Cells::Numbers(features),
        targets,
        image: false,
        test_from: None,
        notices: Vec::new(),
    })
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Names of the features, their cells, and the column to predict.
fn cells(bytes: &[u8], target: Target) -> Result<(Vec<String>, Vec<f64>, Labels), String> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter(bytes)).flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let header = reader.headers().map_err(|e| said(bytes, e))?.clone();
    if header.is_empty() {
        return Err("is empty: expected a line of column names, then rows of numbers".into());
    }
    let place = find(&header, target)?;
    let columns: Vec<String> = header.iter().enumerate().filter(|&(i, _)| i != place).map(|(_, name)| name.to_string()).collect();
    if columns.is_empty() {
        return Err(format!("line 1: has no column but {:?}: nothing to predict it from", target.column));
    }
    let (mut features, mut labels) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(|e| said(bytes, e))?;
        let at = record.position().map_or(0, csv::Position::byte);
        if record.len() != header.len() {
            return Err(format!("line {}: has {} cells, the header has {}", line(bytes, at), record.len(), header.len()));
        }
        for (i, cell) in record.iter().enumerate().filter(|&(i, _)| i != place) {
            let said = |why| format!("line {}: column {:?} {why}", line(bytes, at), &header[i]);
            features.push(number(cell).map_err(said)?);
        }
        labels.push((at, record[place].to_string()));
    }
    if labels.is_empty() {
        return Err("has a header but no rows".into());
    }
    Ok((columns, features, labels))
}

/// The most frequent of comma, semicolon and tab in the first line.
fn delimiter(bytes: &[u8]) -> u8 {
    let first = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
    let count = |d: u8| first.iter().filter(|&&b| b == d).count();
    // `max_by_key` takes the last of equals.
    *b"\t;,".iter().max_by_key(|&&d| count(d)).expect("three candidates")
}

/// The line of the record that is read from byte `at` on. Counted here, because the reader's own count stops before empty
/// lines and before the second byte of a line's end.
fn line(bytes: &[u8], at: u64) -> usize {
    let ends = bytes[at as usize..].iter().take_while(|b| b"\r\n".contains(b)).count();
    1 + bytes[..at as usize + ends].iter().filter(|&&b| b == b'\n').count()
}

fn said(bytes: &[u8], e: csv::Error) -> String {
    match e.kind() {
        csv::ErrorKind::Utf8 { pos, .. } => {
            format!("line {}: is not UTF-8 text", line(bytes, pos.as_ref().map_or(0, csv::Position::byte)))
        }
        _ => e.to_string(),
    }
}

fn find(header: &StringRecord, target: Target) -> Result<usize, String> {
    let (label, option) = (target.column, target.asks.column);
    let mut found = header.iter().enumerate().filter(|(_, h)| *h == label).map(|(i, _)| i);
    match (found.next(), found.next()) {
        (Some(i), None) => Ok(i),
        (Some(_), Some(_)) => Err(format!("line 1: two columns are called {label:?}")),
        (None, _) => {
            let mut names: Vec<String> = header.iter().take(12).map(|h| format!("{h:?}")).collect();
            if header.len() > 12 {
                names.push(format!("... ({} in all, the last {:?})", header.len(), &header[header.len() - 1]));
            }
            Err(format!("line 1: no column is called {label:?} ({option}); there are: {}", names.join(", ")))
        }
    }
}

fn number(cell: &str) -> Result<f64, String> {
    if cell.is_empty() {
        return Err("is empty: fill in or remove rows with missing values first".into());
    }
    match cell.parse::<f64>() {
        Ok(v) if v.abs() <= LARGEST => Ok(v),
        Ok(v) if v.is_finite() => Err(format!("is {cell:?}, must be at most {LARGEST:e} in magnitude")),
        Ok(_) => Err(format!("is {cell:?}, must be finite")),
        Err(_) => Err(format!("is {cell:?}, must be a number")),
    }
}

fn targets(bytes: &[u8], target: Target, labels: &Labels) -> Result<Targets, String> {
    let Target { column, task, asks } = target;
    if let Some(&(at, _)) = labels.iter().find(|(_, l)| l.is_empty()) {
        let line = line(bytes, at);
        return Err(format!("line {line}: column {column:?} is empty: remove rows without a label first"));
    }
    let distinct: BTreeSet<&str> = labels.iter().map(|(_, l)| l.as_str()).collect();
    let numbers = distinct.iter().all(|l| l.parse::<f64>().is_ok());
    let integers = distinct.iter().all(|l| l.parse::<i64>().is_ok());
    let few = !numbers || integers && distinct.len() <= MOST_INTEGER_CLASSES;
    if task == Some(Task::Regress) || (task.is_none() && !few) {
        let value =
            |(at, l): &(u64, String)| number(l).map_err(|why| format!("line {}: column {column:?} {why}", line(bytes, *at)));
        let of = labels.iter().map(value).collect::<Result<Vec<_>, _>>()?;
        if distinct.len() < 2 {
            return Err(format!("column {column:?} has one value in every row: nothing to predict"));
        }
        return Ok(Targets::Values(of));
    }
    let mut names: Vec<&str> = distinct.into_iter().collect();
    if !(2..=asks.most_classes).contains(&names.len()) {
        return Err(not_so_many(&names, target, numbers));
    }
    if numbers {
        // Stable, so that 1 and 1.0, which are two classes, stay in the order of their texts.
        let value = |l: &&str| l.parse::<f64>().unwrap_or(f64::NAN);
        names.sort_by(|a, b| value(a).total_cmp(&value(b)));
    }
    let of = labels.iter().map(|(_, l)| names.iter().position(|n| n == l).expect("collected above") as u32).collect();
    Ok(Targets::Classes { names: names.into_iter().map(String::from).collect(), of })
}

/// The error for a column with too few or too many classes.
fn not_so_many(names: &[&str], Target { column, asks, .. }: Target, numbers: bool) -> String {
    const SHOWN: usize = 4;
    let some = names.iter().take(SHOWN).map(|n| format!("{n:?}")).collect::<Vec<_>>().join(", ");
    let more = if names.len() > SHOWN { ", ..." } else { "" };
    let values = if names.len() == 1 { "value" } else { "distinct values" };
    let hint = if numbers && names.len() > 1 { format!(" (for numbers there is {})", asks.numbers) } else { String::new() };
    format!("column {column:?} has {} {values} ({some}{more}): {}{hint}", names.len(), asks.classes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str, label: &str) -> String {
        parse("t", text.as_bytes(), target(label, None)).expect_err("too much was accepted")
    }

    fn target(column: &str, task: Option<Task>) -> Target<'_> {
        Target { column, task, asks: &NETWORKS }
    }

    #[test]
    fn errors_name_line_and_column() {
        assert_eq!(why("", "y"), "is empty: expected a line of column names, then rows of numbers");
        assert_eq!(why("a,y\n", "y"), "has a header but no rows");
        assert_eq!(why("a,y\n1,0\n", "z"), "line 1: no column is called \"z\" (--label); there are: \"a\", \"y\"");
        assert_eq!(why("a,a,y\n1,2,0\n", "a"), "line 1: two columns are called \"a\"");
        assert_eq!(why("y\n1\n", "y"), "line 1: has no column but \"y\": nothing to predict it from");
        assert_eq!(why("a,y\n1,0\n2\n", "y"), "line 3: has 1 cells, the header has 2");
        assert_eq!(why("a,y\n1,0\n2,1,7\n", "y"), "line 3: has 3 cells, the header has 2");
        assert_eq!(why("a,y\n1,0\nx,1\n", "y"), "line 3: column \"a\" is \"x\", must be a number");
        assert_eq!(why("a,y\n1,0\n\nNaN,1\n", "y"), "line 4: column \"a\" is \"NaN\", must be finite");
        assert_eq!(why("a,y\r\n1,0\r\n\r\nx,1\r\n", "y"), "line 4: column \"a\" is \"x\", must be a number");
        assert_eq!(why("a,y\n\"1\",0\n\"2\n\",1\nx,1\n", "y"), "line 5: column \"a\" is \"x\", must be a number");
        assert_eq!(why("a,y\n1e999,0\n2,1\n", "y"), "line 2: column \"a\" is \"1e999\", must be finite");
        assert_eq!(why("a,y\n-1e61,0\n2,1\n", "y"), "line 2: column \"a\" is \"-1e61\", must be at most 1e60 in magnitude");
        assert_eq!(why("a,y\n,0\n", "y"), "line 2: column \"a\" is empty: fill in or remove rows with missing values first");
        assert_eq!(why("a,y\n1,\n", "y"), "line 2: column \"y\" is empty: remove rows without a label first");
        let one = "column \"y\" has 1 value (\"0\"): classification takes 2 to 160 classes";
        assert_eq!(why("a,y\n1,0\n2,0\n", "y"), one);
        let bytes = parse("t", b"a,y\n1,0\n\xff,1\n", target("y", None)).unwrap_err();
        assert_eq!(bytes, "line 3: is not UTF-8 text");
        let text = parse("t", b"a,y\n1,cat\n2,dog\n", target("y", Some(Task::Regress))).unwrap_err();
        assert_eq!(text, "line 2: column \"y\" is \"cat\", must be a number");
        let same = parse("t", b"a,y\n1,5\n2,5\n", target("y", Some(Task::Regress))).unwrap_err();
        assert_eq!(same, "column \"y\" has one value in every row: nothing to predict");
    }

    /// A command names its own options and limits.
    #[test]
    fn errors_use_the_options_of_the_command() {
        let asks =
            Asks { column: "--target", numbers: "--model linear", classes: "a logistic model takes 2 classes", most_classes: 2 };
        let why = |text: &str| {
            let target = Target { column: "y", task: Some(Task::Classify), asks: &asks };
            parse("t", text.as_bytes(), target).expect_err("too much was accepted")
        };
        assert_eq!(why("a,z\n1,2\n"), "line 1: no column is called \"y\" (--target); there are: \"a\", \"z\"");
        let three = "column \"y\" has 3 distinct values (\"a\", \"b\", \"c\"): a logistic model takes 2 classes";
        assert_eq!(why("a,y\n1,a\n2,b\n3,c\n"), three);
        let many = why("a,y\n1,1\n2,2\n3,3\n4,4\n5,5\n");
        assert!(many.ends_with("5 distinct values (\"1\", \"2\", \"3\", \"4\", ...): a logistic model takes 2 classes (for numbers there is --model linear)"), "{many}");
        assert_eq!(why("a,y\n1,a\n2,a\n"), "column \"y\" has 1 value (\"a\"): a logistic model takes 2 classes");
    }

    #[test]
    fn the_kind_of_target_follows_from_its_values_unless_forced() {
        let kind = |text: &str, task| parse("t", text.as_bytes(), target("y", task)).unwrap().targets;
        let few = kind("y,a\n10,1\n9,2\n10,3\n", None);
        assert_eq!(few, Targets::Classes { names: vec!["9".into(), "10".into()], of: vec![1, 0, 1] });
        let decimal = kind("y,a\n10.5,1\n9.0,2\n", Some(Task::Classify));
        assert_eq!(decimal, Targets::Classes { names: vec!["9.0".into(), "10.5".into()], of: vec![1, 0] });
        let text = kind("y,a\nno,1\nyes,2\n", None);
        assert_eq!(text, Targets::Classes { names: vec!["no".into(), "yes".into()], of: vec![0, 1] });
        let forced = kind("y,a\n10,1\n9,2\n", Some(Task::Regress));
        assert_eq!(forced, Targets::Values(vec![10.0, 9.0]));
        let real = kind("y,a\n1.5,1\n2.5,2\n", None);
        assert_eq!(real, Targets::Values(vec![1.5, 2.5]));
        let many: String = (0..30).map(|i| format!("{i},1\n")).collect();
        assert!(matches!(kind(&format!("y,a\n{many}"), None), Targets::Values { .. }));
    }

    #[test]
    fn other_separators_quotes_and_byte_order_marks_are_read() {
        let t = parse("t", "\u{feff}\"a b\";y\r\n 1 ;u\r\n2;\"v;w\"\r\n".as_bytes(), target("y", None)).unwrap();
        assert_eq!((t.columns, t.cells), (vec!["a b".to_string()], Cells::Numbers(vec![1.0, 2.0])));
        assert_eq!(t.targets, Targets::Classes { names: vec!["u".into(), "v;w".into()], of: vec![0, 1] });
        assert_eq!(parse("t", b"a\ty\n1\t2.5\n2\t3.5\n", target("y", None)).unwrap().cells, Cells::Numbers(vec![1.0, 2.0]));
    }
}
