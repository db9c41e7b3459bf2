use super::*;
use crate::data::Targets;

fn parse(name: &str, text: &str, target: Target, delimiter: Option<Delimiter>) -> Result<Table, String> {
    super::parse(name, text, target, &Reading { delimiter, ..Reading::default() })
}

fn target(column: &str, task: Option<Task>) -> Target<'_> {
    Target { column, task, asks: &NETWORKS }
}

fn read(text: &str) -> Table {
    parse("t", text, target("y", None), None).unwrap()
}

fn refused(text: &str, label: &str, task: Option<Task>) -> String {
    parse("t", text, target(label, task), None).expect_err("too much was accepted")
}

fn why(text: &str, label: &str) -> String {
    refused(text, label, None)
}

fn classes(names: &[&str], of: &[u32]) -> Targets {
    Targets::Classes { names: names.iter().map(ToString::to_string).collect(), of: of.to_vec() }
}

#[test]
fn errors_name_line_and_column() {
    assert_eq!(why("", "y"), "is empty: expected a line of column names, then rows of numbers");
    assert_eq!(why("a,y\n", "y"), "has a header but no rows");
    assert_eq!(why("a,y\n1,0\n", "z"), "line 1: no column is called \"z\" (--label); there are: \"a\", \"y\"");
    assert_eq!(why("a,a,y\n1,2,0\n", "a"), "line 1: two columns are called \"a\"");
    let one = "line 1: has no column but \"y\": nothing to predict it from (if not comma but something else divides the cells, say so with --delimiter)";
    assert_eq!(why("y\n1\n", "y"), one);
    let colons = why("a:y\n1:0\n", "y");
    assert!(
        colons.ends_with("there are: \"a:y\" (if not comma but something else divides the cells, say so with --delimiter)"),
        "{colons}"
    );
    assert_eq!(why("a,y\n1,0\n2\n", "y"), "line 3: has 1 cells, the header has 2");
    assert_eq!(why("a,y\n1,0\n2,1,7\n", "y"), "line 3: has 3 cells, the header has 2");
    assert_eq!(why("a,y\n1,0\n# 7\n", "y"), "line 3: has 1 cells, the header has 2: comments are not read, remove them");
    assert_eq!(
        why("a,y\n1,0\nx,1\n", "y"),
        "line 3: column \"a\" is \"x\", must be a number (--categorical auto makes indicator columns of text)"
    );
    assert_eq!(
        why("a,y\n1,0\n\nNaN,1\n", "y"),
        "line 4: column \"a\" is missing (\"NaN\"): fill in or remove rows with missing values first, or see --missing, which fills them in \
         (mean) or leaves them out (drop-rows)"
    );
    assert_eq!(
        why("a,y\n,0\n", "y"),
        "line 2: column \"a\" is empty: fill in or remove rows with missing values first, or see --missing, which fills them in (mean) or \
         leaves them out (drop-rows)"
    );
    assert_eq!(
        why("a,y\n1,\n", "y"),
        "line 2: column \"y\" is empty: fill in or remove rows with missing values first, or leave them out with --missing drop-rows"
    );
    assert_eq!(
        why("a,y\n1e999,0\n2,1\n", "y"),
        "line 2: column \"a\" is \"1e999\", must be finite and below 1.8e308 in magnitude"
    );
    let one = "column \"y\" has 1 value (\"0\"): classification takes 2 to 160 classes";
    assert_eq!(why("a,y\n1,0\n2,0\n", "y"), one);
    let text = refused("a,y\n1,cat\n2,dog\n", "y", Some(Task::Regress));
    assert_eq!(text, "line 2: column \"y\" is \"cat\", must be a number");
    let same = refused("a,y\n1,5\n2,5\n", "y", Some(Task::Regress));
    assert_eq!(same, "column \"y\" has one value in every row: nothing to predict");
}

#[test]
fn lines_are_counted_whatever_ends_them() {
    let what = "column \"a\" is \"x\", must be a number (--categorical auto makes indicator columns of text)";
    for end in ["\n", "\r", "\r\n"] {
        let text = |lines: &[&str]| lines.join(end);
        assert_eq!(why(&text(&["a,y", "1,0", "", "x,1", ""]), "y"), format!("line 4: {what}"), "{end:?}");
        assert_eq!(why(&text(&["a,y", "\"1\",0", "\"2", "\",1", "x,1"]), "y"), format!("line 5: {what}"), "{end:?}");
        assert_eq!(why(&text(&["sep=;", "", "a;y", "1;0", "x;1"]), "y"), format!("line 5: {what}"), "{end:?}");
        assert_eq!(why(&text(&["a,y", "1,0", "2,\"1", "3,1"]), "y"), "line 3: a quote opens that is not closed", "{end:?}");
    }
}

/// A command names its own options and limits.
#[test]
fn errors_use_the_options_of_the_command() {
    let asks = Asks {
        column: "--target",
        numbers: "--model linear",
        classify: None,
        classes: "a logistic model takes 2 classes",
        most_classes: 2,
    };
    let why = |text: &str| {
        let target = Target { column: "y", task: Some(Task::Classify), asks: &asks };
        parse("t", text, target, None).expect_err("too much was accepted")
    };
    assert_eq!(why("a,z\n1,2\n"), "line 1: no column is called \"y\" (--target); there are: \"a\", \"z\"");
    let three = "column \"y\" has 3 distinct values (\"a\", \"b\", \"c\"): a logistic model takes 2 classes";
    assert_eq!(why("a,y\n1,a\n2,b\n3,c\n"), three);
    let many = why("a,y\n1,1\n2,2\n3,3\n4,4\n5,5\n");
    assert!(many.ends_with("5 distinct values (\"1\", \"2\", \"3\", \"4\", ...): a logistic model takes 2 classes (for numbers there is --model linear)"), "{many}");
    assert_eq!(why("a,y\n1,a\n2,a\n"), "column \"y\" has 1 value (\"a\"): a logistic model takes 2 classes");
    // There is no option that would make classes of these.
    let missing = "line 3: column \"y\" is missing (\"NA\"): fill in or remove rows with missing values first, or leave them out with --missing drop-rows";
    assert_eq!(why("a,y\n1,yes\n2,NA\n"), missing);
    assert_eq!(why("a,y\n1,0\n2,0\n3,O\n"), "line 4: column \"y\" is \"O\", must be a number; the column holds numbers");
}

#[test]
fn the_kind_of_target_follows_from_its_values_unless_forced() {
    let kind = |text: &str, task| parse("t", text, target("y", task), None).unwrap().targets;
    assert_eq!(kind("y,a\n10,1\n9,2\n10,3\n", None), classes(&["9", "10"], &[1, 0, 1]));
    assert_eq!(kind("y,a\n10.5,1\n9.0,2\n-0.25,2\n", Some(Task::Classify)), classes(&["-0.25", "9", "10.5"], &[2, 1, 0]));
    assert_eq!(kind("y,a\nno,1\nyes,2\n", None), classes(&["no", "yes"], &[0, 1]));
    assert_eq!(kind("y,a\n10,1\n9,2\n", Some(Task::Regress)), Targets::Values(vec![10.0, 9.0]));
    assert_eq!(kind("y,a\n1.5,1\n2.5,2\n", None), Targets::Values(vec![1.5, 2.5]));
    let many: String = (0..30).map(|i| format!("{i},1\n")).collect();
    assert!(matches!(kind(&format!("y,a\n{many}"), None), Targets::Values { .. }));
}

#[test]
fn labels_that_are_equal_as_numbers_are_one_class() {
    let t = read("a,y\n1,0.0\n2,1.0\n3,1\n4,+1\n5,01\n6,1e0\n7, 1 \n8,-0\n");
    assert_eq!(t.targets, classes(&["0", "1"], &[0, 1, 1, 1, 1, 1, 1, 0]));
    let both = [
        "notice: column \"y\": \"0.0\", \"-0\" are one class, 0",
        "notice: column \"y\": \"1.0\", \"1\", \"+1\", \"01\", ... are one class, 1",
    ];
    assert_eq!(t.notices, both);
    // Integers that one f64 stands for.
    let large = parse("t", "a,y\n1,9007199254740993\n2,9007199254740992\n", target("y", Some(Task::Classify)), None).unwrap();
    assert_eq!(large.targets, classes(&["9007199254740992", "9007199254740993"], &[1, 0]));
    // Among words too, and before them.
    let mixed = parse("t", "a,y\n1,3+\n2,2.0\n3,2\n4,1\n", target("y", Some(Task::Classify)), None).unwrap();
    assert_eq!(mixed.targets, classes(&["1", "2", "3+"], &[2, 1, 1, 0]));
}

/// A column of 60 rows with these cells at the ninth.
fn column(cell: impl Fn(usize) -> String, odd: &str) -> String {
    let row = |i: usize| format!("{i},{}\n", if i == 8 { odd.to_string() } else { cell(i) });
    format!("a,y\n{}", (0..60).map(row).collect::<String>())
}

#[test]
fn a_few_cells_do_not_make_classes_of_numbers() {
    type Column = fn(usize) -> String;
    let kinds: [Column; 3] = [|i| format!("{}.25", i * 7 % 60), |i| (i % 2).to_string(), |i| (i * 31).to_string()];
    for kind in kinds {
        for odd in ["NA", "?", "n/a", "NULL", "nan", "-", "."] {
            let said = why(&column(kind, odd), "y");
            let expected = format!(
                "line 10: column \"y\" is missing ({odd:?}): fill in or remove rows with missing values first, or leave them out with --missing \
                 drop-rows (--task classify takes each text for a class)"
            );
            assert_eq!(said, expected);
            let forced = parse("t", &column(kind, odd), target("y", Some(Task::Classify)), None).unwrap();
            assert_eq!(forced.notices, [format!("notice: column \"y\": {odd:?} is a class of its own, in 1 rows, as asked for")]);
            assert!(refused(&column(kind, odd), "y", Some(Task::Regress)).contains("line 10: column \"y\" is missing"));
        }
        for odd in ["<3.0", "\"6,095.9\"", "3.0 mg", "1e999", "inf", "O", "$5", "5%"] {
            let said = why(&column(kind, odd), "y");
            let cell = odd.trim_matches('"');
            assert!(said.starts_with(&format!("line 10: column \"y\" is {cell:?}, must be ")), "{said}");
            assert!(said.ends_with("; the column holds numbers (--task classify takes each text for a class)"), "{said}");
            assert!(parse("t", &column(kind, odd), target("y", Some(Task::Classify)), None).is_ok(), "{odd}");
        }
        // An empty cell is no text.
        assert!(refused(&column(kind, ""), "y", Some(Task::Classify)).starts_with("line 10: column \"y\" is empty"));
    }
    // Half of a column may be below a limit; and all of it written with commas.
    let half = |i: usize| if i.is_multiple_of(2) { "<0.5".into() } else { format!("{i}.5") };
    assert!(why(&column(half, "1.0"), "y").starts_with("line 2: column \"y\" is \"<0.5\", must be "));
    for commas in [|i: usize| format!("\"{},5\"", i % 7), |i: usize| format!("\"{},{:03}\"", i + 1, i)] {
        assert!(why(&column(commas, "1"), "y").contains("with a decimal point, without other signs or separators"));
    }
    // These are labels.
    let labels: [(Column, &str, usize); 5] = [
        (|i| ["1", "2", "3+"][i % 3].into(), "3+", 3),
        (|i| ["<30", "30-50", ">50"][i % 3].into(), "<30", 3),
        (|i| ["A", "B", "7"][i % 3].into(), "B", 3),
        (|i| ["2021-03-01", "2021-03-02"][i % 2].into(), "2021-03-01", 2),
        (|i| ["10%", "20%"][i % 2].into(), "10%", 2),
    ];
    for (cell, odd, count) in labels {
        let Targets::Classes { names, .. } = read(&column(cell, odd)).targets else { panic!("{odd}: numbers") };
        assert_eq!(names.len(), count);
    }
    // A missing word among words.
    assert!(why("a,y\n1,cat\n2,None\n3,dog\n", "y").starts_with("line 3: column \"y\" is missing (\"None\")"));
}

#[test]
fn cells_have_the_range_of_64_bits_and_targets_one_whose_squares_have_it() {
    let wide = read("a,b,y\n1e300,1e-300,p\n-1.7e308,2e-300,q\n");
    assert_eq!(wide.cells, Cells::Numbers(vec![1e300, 1e-300, -1.7e308, 2e-300]));
    assert_eq!(why("a,y\n1e-320,p\n", "y"), "line 2: column \"a\" is \"1e-320\", must be 0 or at least 2.3e-308 in magnitude");
    let large = why("a,y\n1,-1e61\n2,0.5\n", "y");
    assert!(
        large
            .starts_with("line 2: column \"y\" is \"-1e61\", must be at most 1e60 in magnitude: divide the column by a constant"),
        "{large}"
    );
    let tiny = why("a,y\n1,1e-70\n2,3e-70\n", "y");
    assert_eq!(
        tiny,
        "column \"y\" has a standard deviation of 1.0e-70, must be at least 1e-60: multiply the column by a constant"
    );
    let large = parse("t", "a,y\n1,1e60\n2,-5e59\n", target("y", Some(Task::Regress)), None).unwrap();
    assert_eq!(large.targets, Targets::Values(vec![1e60, -5e59]));
    assert_eq!(read("a,y\n1,1e-59\n2,4e-59\n").targets, Targets::Values(vec![1e-59, 4e-59]));
}

#[test]
fn other_separators_quotes_and_names_are_read() {
    let t = read("\"a b\";y\r\n 1 ;u\r\n2;\"v;w\"\r\n");
    assert_eq!((t.columns, t.cells), (vec!["a b".to_string()], Cells::Numbers(vec![1.0, 2.0])));
    assert_eq!(t.targets, classes(&["u", "v;w"], &[0, 1]));
    for d in ["\t", ";", "|", ","] {
        let text = format!("\"len, cm; x|\tz\"{d}y\n1{d}2.5\n2{d}3.5\n");
        let t = read(&text);
        assert_eq!((t.columns[0].as_str(), t.cells), ("len, cm; x|\tz", Cells::Numbers(vec![1.0, 2.0])), "{d:?}");
        assert!(t.notices.is_empty());
    }
    let said = parse("t", "a:y\n1:p\n2:q\n", target("y", None), Some(":".parse().unwrap())).unwrap();
    assert_eq!(said.cells, Cells::Numbers(vec![1.0, 2.0]));
    assert_eq!(read("sep=:\na:y\n1:p\n2:q\n").cells, said.cells);
    // The option wins over the file.
    let text = "sep=;\na,y\n1,p\n2,q\n";
    assert_eq!(parse("t", text, target("y", None), Some(",".parse().unwrap())).unwrap().cells, said.cells);
    let comma = why("a;y\n1,5;p\n2;q\n", "y");
    assert!(
        comma.starts_with("line 2: column \"a\" is \"1,5\", must be a number such as 6095.9: with a decimal point"),
        "{comma}"
    );
}

#[test]
fn what_is_no_data_is_left_out_with_a_notice() {
    let of = |text: &str| {
        let t = read(text);
        let Cells::Numbers(cells) = t.cells else { panic!("numbers") };
        (t.columns.join(" "), cells, t.notices)
    };
    let plain = ("a b".to_string(), vec![1.5, 2.0, 3.5, 4.0]);
    let left = |text: &str, notices: &[&str]| {
        let (columns, cells, said) = of(text);
        assert_eq!((columns, cells), plain, "{text:?}");
        assert_eq!(said, notices, "{text:?}");
    };
    left("a,b,y\n1.5,2,p\n3.5,4,q\n", &[]);
    // Delimiters at the end: of all lines, of the rows, of the header, several of them, of some.
    let empty = "notice: column 4 has no name and no values and is left out";
    left("a,b,y,\n1.5,2,p,\n3.5,4,q,\n", &[empty]);
    left("a,b,y,\n1.5,2,p\n3.5,4,q\n", &[empty]);
    left("a;b;y;\n1.5;2;p\n3.5;4;q;\n", &[empty]);
    left("a,b,y,,\n1.5,2,p,,\n3.5,4,q,,\n", &[empty, "notice: column 5 has no name and no values and is left out"]);
    left(
        "a,b,y\n1.5,2,p,\n3.5,4,q,\n",
        &["notice: 2 rows end with empty cells that the header does not have; they are left out"],
    );
    left(
        "a,b,y\n1.5,2,p\n3.5,4,q,,,\n",
        &["notice: 1 rows end with empty cells that the header does not have; they are left out"],
    );
    left("a,,b,y\n1.5,,2,p\n3.5,,4,q\n", &["notice: column 2 has no name and no values and is left out"]);
    // Rows of nothing.
    left("a,b,y\n1.5,2,p\n,,\n3.5,4,q\n\n   \n", &["notice: line 3 has no values and is left out"]);
    left("a,b,y\n1.5,2,p\n3.5,4,q\n,,\n,,\n", &["notice: 2 rows have no values and are left out, the first in line 4"]);
    // What numbers or names the rows.
    let numbers = "notice: column 1 has no name and numbers the rows; it is left out (give it a name to keep it)";
    left(",a,b,y\n0,1.5,2,p\n1,3.5,4,q\n", &[numbers]);
    left("Unnamed: 0,a,b,y\n1,1.5,2,p\n2,3.5,4,q\n", &[numbers]);
    left("\"\",a,b,y\n17,1.5,2,p\n3,3.5,4,q\n", &[numbers]);
    left(
        ",a,b,y\nMazda RX4,1.5,2,p\nFiat,3.5,4,q\n",
        &["notice: column 1 has no name and names the rows; it is left out (give it a name to keep it)"],
    );
    left(
        "Unnamed: 0.1,Unnamed: 0,a,b,y\n0,5,1.5,2,p\n1,6,3.5,4,q\n",
        &[numbers, "notice: column 2 has no name and numbers the rows; it is left out (give it a name to keep it)"],
    );
    // What only looks so is a feature.
    let (columns, cells, notices) = of(",a,y\n7,1,p\n7,2,q\n");
    assert_eq!((columns.as_str(), cells), ("column 1 a", vec![7.0, 1.0, 7.0, 2.0]));
    assert_eq!(notices, ["notice: column 1 has no name and is called \"column 1\""]);
    let (columns, cells, _) = of("a,,y,\n1,0,p,0.5\n2,1,q,1.5\n");
    assert_eq!((columns.as_str(), cells), ("a column 2 column 4", vec![1.0, 0.0, 0.5, 2.0, 1.0, 1.5]));
    assert!(why(",a,y\nu,1,p\nu,2,q\n", "y").starts_with("line 2: column \"column 1\" is \"u\", must be a number"));
    assert!(
        why("a,y,\n1,p,\n2,q,7\n", "y").contains("column \"column 3\", which has no name, is empty in 1 rows and not in others")
    );
    let (columns, _, notices) = of("a,a,a.1,y\n1,2,3,p\n4,5,6,q\n");
    assert_eq!(columns, "a a.2 a.1");
    assert_eq!(notices, ["notice: line 1: two columns are called \"a\"; the one at place 2 is called \"a.2\" here"]);
    assert!(why(",y\n0,p\n1,q\n", "y").ends_with("has no column but \"y\": nothing to predict it from"));
}

#[test]
fn many_columns_of_one_name_are_numbered_at_once_and_a_line_without_end_is_no_header() {
    let of = |columns: usize| {
        let text = format!("{}y\n{}1\n{}2\n", "a,".repeat(columns), "1,".repeat(columns), "2,".repeat(columns));
        let target = Target { column: "y", task: Some(Task::Regress), asks: &NETWORKS };
        parse("t", &text, target, None)
    };
    // Tried again from 1 for each, they would take hours.
    let table = of(300_000).unwrap();
    assert_eq!((&*table.columns[0], &*table.columns[1], &*table.columns[299_999]), ("a", "a.1", "a.299999"));
    assert_eq!(table.notices.len(), 9);
    assert!(table.notices[8].ends_with("299991 more columns have names of others, and are numbered likewise"));
    assert_eq!(of(1 << 20).unwrap_err(), "line 1: has 1048577 columns, must be at most 1048576");
}
