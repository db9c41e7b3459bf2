use super::*;

#[test]
fn the_digits_are_all_there() {
    let t = Table::digits().unwrap();
    assert_eq!((t.rows(), t.columns.len()), (1797, 64));
    let Targets::Classes { names, of } = &t.targets else { panic!("classes") };
    assert_eq!(names.join(""), "0123456789");
    assert_eq!(of[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(t.row(0).take(6).collect::<Vec<_>>(), [0.0, 0.0, 5.0, 13.0, 9.0, 1.0]);
    assert!((0..1797).flat_map(|r| t.row(r)).all(|v| (0.0..=16.0).contains(&v)));
}

fn parse(name: &str, bytes: Vec<u8>, target: Target, delimiter: Option<csv_table::Delimiter>) -> Result<Table, String> {
    super::parse(name, bytes, target, &Reading { delimiter, ..Reading::default() })
}

fn target(column: &str, task: Option<Task>) -> Target<'_> {
    Target { column, task, asks: &csv_table::NETWORKS }
}

#[test]
fn the_diabetes_data_are_all_there() {
    let t = Table::diabetes(target("target", Some(Task::Regress))).unwrap();
    assert_eq!((t.rows(), t.columns.join(" ")), (442, "age sex bmi bp s1 s2 s3 s4 s5 s6".into()));
    assert_eq!(t.row(0).take(4).collect::<Vec<_>>(), [59.0, 2.0, 32.1, 101.0]);
    let Targets::Values(of) = t.targets else { panic!("numbers") };
    assert_eq!(of[0], 151.0);
    let sex = Table::diabetes(target("sex", Some(Task::Classify))).unwrap();
    let Targets::Classes { names, of } = sex.targets else { panic!("classes") };
    assert_eq!((names, &of[..2]), (["1", "2"].map(String::from).to_vec(), &[1, 0][..]));
}

#[test]
fn a_feature_that_is_the_same_everywhere_is_left_out_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("t.csv");
    let read = |text: &str| {
        std::fs::write(&file, text).unwrap();
        Table::csv(&file, target("y", None), &Format::default())
    };
    let t = read("a,b,c,d,y\n1,3,0.1,5,0\n2,3,0.1,6,1\n").unwrap();
    assert_eq!((t.columns.join(" "), &t.cells), ("a d".into(), &Cells::Numbers(vec![1.0, 5.0, 2.0, 6.0])));
    let why = "notice: columns \"b\", \"c\" have one value in every row and are left out";
    assert_eq!(t.notices, [why]);
    let none = read("a,y\n1,0\n2,1\n").unwrap();
    assert!(none.notices.is_empty());
    let all = read("a,b,y\n1,3,0\n1,3,1\n").unwrap_err().to_string();
    assert!(all.ends_with("t.csv: every feature has one value in every row: nothing can be learned from them"), "{all}");
    // A cell keeps all of its digits.
    assert_eq!(read("a,y\n16777217,0\n0.1,1\n").unwrap().cells, Cells::Numbers(vec![16_777_217.0, 0.1]));
}

#[test]
fn files_are_read_whether_compressed_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let (plain, packed) = (dir.path().join("a.csv"), dir.path().join("a.csv.gz"));
    let csv = |path: &Path| Table::csv(path, target("y", None), &Format::default());
    std::fs::write(&plain, "x,y\n1,a\n2,b\n").unwrap();
    let mut gz = flate2::write::GzEncoder::new(std::fs::File::create(&packed).unwrap(), Default::default());
    std::io::Write::write_all(&mut gz, b"x,y\n1,a\n2,b\n").unwrap();
    gz.finish().unwrap();
    let (a, b) = (csv(&plain).unwrap(), csv(&packed).unwrap());
    assert_eq!((a.cells, a.targets), (b.cells, b.targets));
    let missing = csv(&dir.path().join("none.csv")).unwrap_err().to_string();
    assert!(missing.starts_with("cannot read ") && missing.contains("none.csv"), "{missing}");
    std::fs::write(&packed, [0x1f, 0x8b, 8, 0, 0]).unwrap();
    assert!(csv(&packed).unwrap_err().to_string().starts_with("cannot decompress "));
}

#[test]
fn the_first_line_says_what_the_target_is() {
    let of = |text: &str, label: &str| parse("t", text.into(), target(label, None), None).unwrap().target_line();
    assert_eq!(of("a,y\n1,0.0\n2,1.0\n3,1\n", "y"), "target y: 2 classes, 0 (1 row), 1 (2 rows)");
    assert_eq!(of("a,the y\n1,a b\n2,c\n", "the y"), "target \"the y\": 2 classes, \"a b\" (1 row), c (1 row)");
    assert_eq!(of("a,y\n1,1e-10\n2,0.5\n3,-2e30\n", "y"), "target y: numbers from -2e30 to 0.5, 3 rows");
    let many: String = (0..20).map(|i| format!("1,{i}\n")).collect();
    assert!(of(&format!("a,y\n{many}"), "y").ends_with(", 11 (1 row), and 8 more"));
}

#[test]
fn classes_that_no_row_has_go_and_are_named() {
    let table = parse("t", "a,y\n1,p\n2,q\n3,r\n4,q\n".into(), target("y", None), None).unwrap();
    let some = table.select(&[2, 1, 3]).without_empty_classes();
    assert_eq!(some.targets, Targets::Classes { names: vec!["q".into(), "r".into()], of: vec![1, 0, 0] });
    assert_eq!(some.notices, ["notice: no row that is used has class \"p\""]);
    assert_eq!(table.clone().without_empty_classes(), table);
}
