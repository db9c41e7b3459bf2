//! Reads a table from CSV text. Every complaint names the line and the column.
use super::{Table, Targets, Task};
use csv::StringRecord;
use std::collections::BTreeSet;

/// A column of whole numbers with no more distinct values than this is taken for classes.
const MOST_INTEGER_CLASSES: usize = 20;
/// What the loss can take.
const MOST_CLASSES: usize = 160;

/// The cells of a table, its features as numbers.
pub(crate) struct Cells {
    /// The names of the features.
    pub columns: Vec<String>,
    /// Row-major.
    pub features: Vec<f64>,
    /// Where each row's record begins, and what it has in the column to predict.
    pub labels: Vec<(u64, String)>,
}

/// The table in `bytes`, whose first line names the columns; `label` is the one to predict.
pub fn parse(name: &str, bytes: &[u8], label: &str, task: Option<Task>) -> Result<Table, String> {
    let bytes = without_mark(bytes);
    let Cells { columns, features, labels } = cells(bytes, label, "--label")?;
    let targets = targets(bytes, label, labels, task)?;
    let features = features.into_iter().map(|v| v as f32).collect();
    Ok(Table { name: name.into(), label: label.into(), columns, features, targets, image: false, test_from: None })
}

/// The text behind a byte order mark.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// The cells of the table in `bytes`; `option` is how the command line names the column to predict.
pub(crate) fn cells(bytes: &[u8], label: &str, option: &str) -> Result<Cells, String> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter(bytes)).flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let header = reader.headers().map_err(|e| said(bytes, e))?.clone();
    if header.is_empty() {
        return Err("is empty: wants a line of column names, then rows of numbers".into());
    }
    let target = find(&header, label, option)?;
    let columns: Vec<String> =
        header.iter().enumerate().filter(|&(i, _)| i != target).map(|(_, name)| name.to_string()).collect();
    if columns.is_empty() {
        return Err(format!("line 1: has no column but {label:?}, so there is nothing to predict it from"));
    }
    let (mut features, mut labels) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(|e| said(bytes, e))?;
        let at = record.position().map_or(0, csv::Position::byte);
        if record.len() != header.len() {
            return Err(format!("line {}: has {} cells, the header has {}", line(bytes, at), record.len(), header.len()));
        }
        for (i, cell) in record.iter().enumerate().filter(|&(i, _)| i != target) {
            let said = |why| format!("line {}: column {:?} {why}", line(bytes, at), &header[i]);
            features.push(number(cell).map_err(said)?);
        }
        labels.push((at, record[target].to_string()));
    }
    if labels.is_empty() {
        return Err("has a header and no rows".into());
    }
    Ok(Cells { columns, features, labels })
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
pub(crate) fn line(bytes: &[u8], at: u64) -> usize {
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

fn find(header: &StringRecord, label: &str, option: &str) -> Result<usize, String> {
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
        // Also what overflows the f32 that features are stored in.
        Ok(v) if (v as f32).is_finite() => Ok(v),
        Ok(_) => Err(format!("is {cell:?}, must be finite")),
        Err(_) => Err(format!("is {cell:?}, must be a number")),
    }
}

pub(crate) fn targets(bytes: &[u8], label: &str, labels: Vec<(u64, String)>, task: Option<Task>) -> Result<Targets, String> {
    if let Some(&(at, _)) = labels.iter().find(|(_, l)| l.is_empty()) {
        let line = line(bytes, at);
        return Err(format!("line {line}: column {label:?} is empty: remove rows without a label first"));
    }
    let distinct: BTreeSet<&str> = labels.iter().map(|(_, l)| l.as_str()).collect();
    let integers = distinct.iter().all(|l| l.parse::<i64>().is_ok());
    let numbers = distinct.iter().all(|l| l.parse::<f64>().is_ok());
    let few = if numbers { integers && distinct.len() <= MOST_INTEGER_CLASSES } else { true };
    if task == Some(Task::Regress) || (task.is_none() && !few) {
        let value =
            |(at, l): &(u64, String)| number(l).map_err(|why| format!("line {}: column {label:?} {why}", line(bytes, *at)));
        let of = labels.iter().map(value).collect::<Result<Vec<_>, _>>()?;
        if distinct.len() < 2 {
            return Err(format!("column {label:?} has one value in every row: nothing to predict"));
        }
        return Ok(Targets::Values { name: label.into(), of });
    }
    if distinct.len() < 2 || distinct.len() > MOST_CLASSES {
        return Err(format!(
            "column {label:?} has {} distinct values, classification takes 2 to {MOST_CLASSES}{}",
            distinct.len(),
            if numbers { " (for numbers there is --task regress)" } else { "" }
        ));
    }
    let mut names: Vec<String> = distinct.iter().map(|l| l.to_string()).collect();
    if integers {
        names.sort_by_key(|l| l.parse::<i64>().unwrap_or_default());
    }
    let of = labels.iter().map(|(_, l)| names.iter().position(|n| n == l).expect("collected above") as u32).collect();
    Ok(Targets::Classes { names, of })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str, label: &str) -> String {
        parse("t", text.as_bytes(), label, None).expect_err("too much was accepted")
    }

    #[test]
    fn complaints_name_line_and_column() {
        assert_eq!(why("", "y"), "is empty: wants a line of column names, then rows of numbers");
        assert_eq!(why("a,y\n", "y"), "has a header and no rows");
        assert_eq!(why("a,y\n1,0\n", "z"), "line 1: no column is called \"z\" (--label); there are: \"a\", \"y\"");
        assert_eq!(why("a,a,y\n1,2,0\n", "a"), "line 1: two columns are called \"a\"");
        assert_eq!(why("y\n1\n", "y"), "line 1: has no column but \"y\", so there is nothing to predict it from");
        assert_eq!(why("a,y\n1,0\n2\n", "y"), "line 3: has 1 cells, the header has 2");
        assert_eq!(why("a,y\n1,0\n2,1,7\n", "y"), "line 3: has 3 cells, the header has 2");
        assert_eq!(why("a,y\n1,0\nx,1\n", "y"), "line 3: column \"a\" is \"x\", must be a number");
        assert_eq!(why("a,y\n1,0\n\nNaN,1\n", "y"), "line 4: column \"a\" is \"NaN\", must be finite");
        assert_eq!(why("a,y\r\n1,0\r\n\r\nx,1\r\n", "y"), "line 4: column \"a\" is \"x\", must be a number");
        assert_eq!(why("a,y\n\"1\",0\n\"2\n\",1\nx,1\n", "y"), "line 5: column \"a\" is \"x\", must be a number");
        assert_eq!(why("a,y\n1e39,0\n2,1\n", "y"), "line 2: column \"a\" is \"1e39\", must be finite");
        assert_eq!(why("a,y\n,0\n", "y"), "line 2: column \"a\" is empty: fill in or remove rows with missing values first");
        assert_eq!(why("a,y\n1,\n", "y"), "line 2: column \"y\" is empty: remove rows without a label first");
        assert!(why("a,y\n1,0\n2,0\n", "y").contains("has 1 distinct values, classification takes 2 to 160"));
        let bytes = parse("t", b"a,y\n1,0\n\xff,1\n", "y", None).unwrap_err();
        assert_eq!(bytes, "line 3: is not UTF-8 text");
        let text = parse("t", b"a,y\n1,cat\n2,dog\n", "y", Some(Task::Regress)).unwrap_err();
        assert_eq!(text, "line 2: column \"y\" is \"cat\", must be a number");
    }

    #[test]
    fn the_kind_of_target_follows_from_its_values_unless_forced() {
        let kind = |text: &str, task| parse("t", text.as_bytes(), "y", task).unwrap().targets;
        let few = kind("y,a\n10,1\n9,2\n10,3\n", None);
        assert_eq!(few, Targets::Classes { names: vec!["9".into(), "10".into()], of: vec![1, 0, 1] });
        let text = kind("y,a\nno,1\nyes,2\n", None);
        assert_eq!(text, Targets::Classes { names: vec!["no".into(), "yes".into()], of: vec![0, 1] });
        let forced = kind("y,a\n10,1\n9,2\n", Some(Task::Regress));
        assert_eq!(forced, Targets::Values { name: "y".into(), of: vec![10.0, 9.0] });
        let real = kind("y,a\n1.5,1\n2.5,2\n", None);
        assert_eq!(real, Targets::Values { name: "y".into(), of: vec![1.5, 2.5] });
        let many: String = (0..30).map(|i| format!("{i},1\n")).collect();
        assert!(matches!(kind(&format!("y,a\n{many}"), None), Targets::Values { .. }));
    }

    #[test]
    fn other_separators_quotes_and_byte_order_marks_are_read() {
        let t = parse("t", "\u{feff}\"a b\";y\r\n 1 ;u\r\n2;\"v;w\"\r\n".as_bytes(), "y", None).unwrap();
        assert_eq!((t.columns, t.features), (vec!["a b".to_string()], vec![1.0, 2.0]));
        assert_eq!(t.targets, Targets::Classes { names: vec!["u".into(), "v;w".into()], of: vec![0, 1] });
        assert_eq!(parse("t", b"a\ty\n1\t2.5\n2\t3.5\n", "y", None).unwrap().features, [1.0, 2.0]);
    }
}
