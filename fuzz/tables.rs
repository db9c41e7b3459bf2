//! Fuzzes tables: CSV text, gzip, and the files of MNIST. What is accepted must be whole, finite, and fit to train on.
use super::{
    Asks, Cells, Format, Missing, Table, Target, Targets, Task,
    csv_table::NETWORKS,
    folds::{count, cross_validation},
    prepare::prepare,
};
use crate::{
    Failure, Ui,
    fuzz::{self, ACCEPTED, below, fuzz, hash, pick, plain_text},
};
use clap::{Args as _, FromArgMatches as _};
use ridgepole::Rng;
use std::{io::Write, path::Path};

/// As the command `path` asks.
const TWO_CLASSES: Asks = Asks {
    column: "--target",
    numbers: "--model linear",
    classify: None,
    classes: "a logistic model takes 2 classes",
    most_classes: 2,
};

/// A table that was accepted, or the refusal; what it did in words.
fn outcome(read: Result<Table, Failure>) -> String {
    let table = match read {
        Ok(table) => table,
        Err(e) => return plain_text(&Ui::shown(&e)),
    };
    let (rows, columns) = (table.rows(), table.columns.len());
    assert!(rows > 0 && columns > 0, "an empty table was accepted: {rows} rows, {columns} columns");
    let (cells, finite) = match &table.cells {
        // A missing value is filled in when its training rows are known.
        Cells::Numbers(all) => {
            let filled = table.description.missing == Missing::Mean;
            (all.len(), all.iter().all(|v| v.is_finite() || filled && v.is_nan()))
        }
        Cells::Bytes(all) => (all.len(), true),
    };
    assert_eq!(cells, rows * columns, "cells are not rows times columns");
    assert!(finite, "a cell that is not finite was accepted");
    let described = table.described(None);
    assert_eq!(described["features"].as_array().map(Vec::len), Some(columns), "not every feature is described");
    let mut names: Vec<&String> = table.columns.iter().collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), columns, "two features have one name: {:?}", table.columns);
    assert!(table.test_from.is_none_or(|from| from < rows), "the test part is empty");
    table.notices.iter().for_each(|notice| drop(plain_text(&Ui::shown(notice))));
    let kind = match &table.targets {
        Targets::Values(of) => {
            assert!(of.iter().all(|v| v.is_finite()), "a target that is not finite was accepted");
            "values".to_string()
        }
        Targets::Classes { names, of } => {
            assert!(names.len() >= 2, "{} classes were accepted", names.len());
            let mut seen = vec![false; names.len()];
            of.iter().for_each(|&c| seen[c as usize] = true);
            assert!(table.image || seen.iter().all(|s| *s), "a class without a row: {names:?}");
            format!("{} classes", names.len().min(4))
        }
    };
    let pool = table.test_from.unwrap_or(rows);
    let split = match cross_validation(&table, pool, 2, 0.1, 1) {
        Ok((fold, splits)) => {
            let mut said = "split".to_string();
            assert_eq!(splits.len(), count(&table, 2), "folds");
            if let Some(group) = &table.keys.group {
                let mut of = vec![None; group.names.len()];
                let mut together = |(r, f): (usize, &usize)| *of[group.of[r] as usize].get_or_insert(*f) == *f;
                assert!(fold.iter().enumerate().all(&mut together), "a group was taken apart");
            }
            for split in &splits {
                // Refused where the training part's scale leaves a value too far away.
                let prepared = match prepare(&table, split) {
                    Ok(prepared) => prepared,
                    Err(e) => {
                        said = plain_text(&Ui::shown(&e));
                        break;
                    }
                };
                let lens = prepared.parts.each_ref().map(|p| p.x.len() == p.rows * prepared.inputs);
                assert_eq!(lens, [true; 3], "a part is not whole");
                // The training part sets the scale; a validation row may be far from it, but is a number.
                assert!(prepared.parts.iter().all(|p| p.x.iter().chain(&p.t).all(|v| !v.is_nan())), "NaN after standardizing");
                assert!(prepared.parts[0].x.iter().all(|v| v.is_finite()), "a training cell is infinite after standardizing");
            }
            said
        }
        Err(e) => plain_text(&Ui::shown(&e)),
    };
    format!("{ACCEPTED}{kind}, {} columns, {} rows, {} notices, {split}", columns.min(3), rows.min(3), table.notices.len())
}

/// The column to predict, and how: `y` if there is such a column, else one of the first line.
fn target<'a>(column: &'a str, chance: u64) -> Target<'a> {
    let task = [None, None, Some(Task::Classify), Some(Task::Regress)][(chance % 4) as usize];
    let asks = if task.is_some() && (chance >> 2).is_multiple_of(2) { &TWO_CLASSES } else { &NETWORKS };
    Target { column, task, asks }
}

/// Options for the columns, as they are typed, and a column that names folds; some fit, some do not.
fn options(text: &[u8], chance: u64) -> (Format, Option<String>) {
    let mut rng = Rng::new(chance);
    let mut name = || any_column(text, u64::from(rng.word())).replace('"', "");
    let quoted = |name: String| if name.contains(',') { format!("\"{name}\"") } else { name };
    let [first, second, third] = [name(), name(), name()];
    let mut words = vec!["t".to_string()];
    match chance % 5 {
        0 => words.push("--categorical=auto".into()),
        1 => words.push(format!("--categorical={}", quoted(first))),
        2 => words.push(format!("--categorical=auto,{}", quoted(first))),
        _ => {}
    }
    match chance / 5 % 3 {
        0 => words.push("--missing=mean".into()),
        1 => words.push("--missing=drop-rows".into()),
        _ => {}
    }
    if (chance / 15).is_multiple_of(3) {
        words.push(format!("--group-column={second}"));
    }
    let matches = Format::augment_args(clap::Command::new("t")).try_get_matches_from(words);
    let format = matches.and_then(|m| Format::from_arg_matches(&m)).unwrap_or_default();
    (format, (chance / 45).is_multiple_of(4).then_some(third))
}

fn column(text: &[u8], chance: u64) -> String {
    let text = String::from_utf8_lossy(text.split(|b| b"\r\n".contains(b)).next().unwrap_or_default()).into_owned();
    let text = text.trim_start_matches('\u{feff}');
    let names: Vec<&str> = text.split([',', ';', '\t', '|']).map(|n| n.trim().trim_matches('"')).collect();
    let chosen = if names.contains(&"y") { "y" } else { names[(chance % names.len() as u64) as usize] };
    chosen.to_string()
}

/// Any column of the first line.
fn any_column(text: &[u8], chance: u64) -> String {
    let first = text.split(|b| b"\r\n".contains(b)).next().unwrap_or_default();
    let text = String::from_utf8_lossy(first).into_owned();
    let names: Vec<&str> = text.split([',', ';', '\t', '|']).map(|n| n.trim().trim_matches('"')).collect();
    names[(chance % names.len() as u64) as usize].to_string()
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("the temporary folder can be written into");
}

fn csv_seeds() -> Vec<Vec<u8>> {
    [
        "a,y\n1,0\n2,1\n3,0\n4,1\n5,0\n6,1\n",
        "a;b;y\r\n1;2;no\r\n2;3;yes\r\n3;1;no\r\n0;0;yes\r\n\"4\";9;no\r\n5;5;yes\r\n",
        "\u{feff}\"a b\"\ty\n1e-300\t1.5\n2\t2.5\n-3\t1e10\n4\t0\n5\t6.25\n6\t7\n",
        "x,y\n1e60,1\n-1e60,2\n0,3\n1e-60,4\n5e-324,5\n2,6\n",
        "x,y\n1,NA\n2,1\n3,<3.0\n4,\"6,095.9\"\n5,?\n",
        "c,d,y\n7,1,0.0\n7,2,1.0\n7,3,0\n7,4,1\n7,5,0.0\n7,6,1.0\n",
        "a,y\r1,0\r2,1\r3,0\r4,1\r",
        "sep=;\na;y\n1;2\n3;4\n5;6\n",
        "a,y,\n1,0,\n2,1,\n3,0,\n4,1,\n",
        "c,n,g,f,y\nred,1,a,1,0\nblue,NA,a,1,1\n,3,b,2,0\nred,4,b,2,1\nblue,5,c,1,0\ngreen,,c,1,1\n",
        "k,c,n\n7,no,1\n8,yes,2\n7,no,?\n9,yes,4\n8,no,5\nNA,,\n",
        "",
    ]
    .map(|t| t.as_bytes().to_vec())
    .to_vec()
}

const CSV_WORDS: [&str; 30] = [
    ",",
    ";",
    "\t",
    "|",
    "\n",
    "\r\n",
    "\r",
    "\"",
    "\"\"",
    "y",
    "NA",
    "NaN",
    "inf",
    "-inf",
    "?",
    "null",
    "1e999",
    "-0",
    "0.0",
    "1.0",
    "1e-320",
    "9007199254740993",
    "1,5",
    "6,095.9",
    "0x10",
    "\u{feff}",
    "\u{1b}[2J",
    "\u{202e}",
    " ",
    "sep=;\n",
];

const CELLS: [&[u8]; 24] = [
    b"0",
    b"1",
    b"1.0",
    b"-1",
    b"2.5",
    b"1e-10",
    b"1e-49",
    b"1e-320",
    b"1e37",
    b"1e60",
    b"1e61",
    b"-1e300",
    b"1700000000.25",
    b"NA",
    b"",
    b"?",
    b"nan",
    b"inf",
    b"cat",
    b"dog",
    b"\"a,b\"",
    b"6,5",
    b"<3",
    b" 7 ",
];

/// A table made of one: rows and columns more or less, other cells, other delimiters. A few times its bytes.
fn table(rng: &mut Rng, input: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    if rng.unit() < 0.3 || input.starts_with(&[0x1f, 0x8b]) {
        return fuzz::bytes(rng, input, others, &CSV_WORDS);
    }
    let first = input.split(|b| *b == b'\n').next().unwrap_or_default();
    let count = |d: &&u8| first.iter().filter(|b| b == d).count();
    let delimiter = *b"|\t;,".iter().max_by_key(count).expect("four of them");
    let mut rows: Vec<Vec<Vec<u8>>> =
        input.split(|b| *b == b'\n').map(|row| row.split(|b| *b == delimiter).map(<[u8]>::to_vec).collect()).collect();
    let mut with = delimiter;
    for _ in 0..1 + below(rng, 3) {
        let (r, other) = (below(rng, rows.len()), below(rng, rows.len()));
        let c = below(rng, rows[r].len());
        match below(rng, 12) {
            0 => rows.insert(r, rows[other].clone()),
            1 if rows.len() > 1 => drop(rows.remove(r)),
            2 => rows.swap(r, other),
            3 => rows.iter_mut().filter(|row| c < row.len()).for_each(|row| row.insert(c, row[c].clone())),
            4 => rows.iter_mut().filter(|row| c < row.len()).for_each(|row| drop(row.remove(c))),
            5 => with = *pick(rng, b",;\t|"),
            6 => rows
                .iter_mut()
                .skip(1)
                .filter(|row| c < row.len())
                .for_each(|row| row[c] = CELLS[below(rng, CELLS.len())].to_vec()),
            7 => rows[r].push(CELLS[below(rng, CELLS.len())].to_vec()),
            8 => rows[r][c] = [b"\"", &*rows[r][c], b"\""].concat(),
            9 => rows[r][c] = fuzz::bytes(rng, &rows[r][c], others, &CSV_WORDS),
            _ => rows[r][c] = CELLS[below(rng, CELLS.len())].to_vec(),
        }
        rows.retain(|row| !row.is_empty());
        if rows.is_empty() {
            return Vec::new();
        }
    }
    let mut out = rows.into_iter().map(|row| row.join(&with)).collect::<Vec<_>>().join(&b'\n');
    out.truncate(64 << 10);
    out
}

#[test]
fn csv() {
    let dir = fuzz::folder();
    let path = dir.path().join("t.csv");
    let run = |input: &[u8], thorough: bool| {
        write(&path, input);
        let chance = hash(input);
        let column = column(input, chance);
        let all = if thorough { 0..32 } else { chance % 32..chance % 32 + 1 };
        let one = |c: u64| {
            // One of four as without options.
            let plain = c % 32 < 8;
            let (format, fold) = if plain { Default::default() } else { options(input, chance.rotate_left(17) ^ c) };
            outcome(Table::csv_as(&path, target(&column, c), &format, fold.as_deref()))
        };
        all.map(one).collect::<Vec<_>>().join("; ")
    };
    fuzz(&fuzz::Target {
        name: "csv",
        seeds: csv_seeds(),
        mutate: &table,
        smaller: &fuzz::fewer_bytes,
        about: &fuzz::nothing,
        run: &run,
    });
}

fn packed(text: &[u8], level: u32, members: usize) -> Vec<u8> {
    let each = text.len().div_ceil(members).max(1);
    let mut out = Vec::new();
    for part in text.chunks(each) {
        let mut gz = flate2::write::GzEncoder::new(&mut out, flate2::Compression::new(level));
        gz.write_all(part).and_then(|()| gz.finish().map(drop)).expect("memory takes all");
    }
    out
}

/// A file that starts as gzip does is read as it is; any other is packed, and must be the same table as unpacked.
#[test]
fn gzip() {
    let dir = fuzz::folder();
    let [plain, gz] = ["t.csv", "t.csv.gz"].map(|n| dir.path().join(n));
    let run = |input: &[u8], _: bool| {
        let chance = hash(input);
        if input.starts_with(&[0x1f, 0x8b]) {
            write(&gz, input);
            return outcome(Table::csv(&gz, target("y", chance), &Format::default()));
        }
        write(&plain, input);
        write(&gz, &packed(input, chance as u32 % 10, 1 + chance as usize % 3));
        let column = column(input, chance);
        let [a, b] = [&plain, &gz].map(|path| Table::csv(path, target(&column, chance), &Format::default()));
        let did = match (&a, &b) {
            (Ok(a), Ok(b)) => a.cells == b.cells && a.targets == b.targets && a.columns == b.columns,
            (Err(a), Err(b)) => {
                let without = |e: &Failure| e.to_string().replace(".gz", "");
                without(a) == without(b) || input.is_empty()
            }
            _ => input.is_empty(),
        };
        assert!(did, "packed it is another table: {a:?}, {b:?}");
        outcome(b)
    };
    let mut seeds = csv_seeds();
    let all: Vec<Vec<u8>> = seeds.iter().map(|text| packed(text, 6, 2)).collect();
    seeds.extend(all);
    seeds.push([packed(&csv_seeds()[0], 0, 1), vec![0; 32]].concat());
    fuzz(&fuzz::Target { name: "gzip", seeds, mutate: &table, smaller: &fuzz::fewer_bytes, about: &fuzz::nothing, run: &run });
}

fn idx_file(magic: u32, sizes: &[u32], body: &[u8]) -> Vec<u8> {
    let words = std::iter::once(&magic).chain(sizes).flat_map(|w| w.to_be_bytes());
    words.chain(body.iter().copied()).collect()
}

fn size(input: &[u8], i: usize) -> u32 {
    input.get(4 * i..4 * i + 4).map_or(0, |b| u32::from_be_bytes(b.try_into().expect("four bytes")))
}

/// Images or labels; the other three files fit to it as well as they can.
#[test]
fn idx() {
    let dir = fuzz::folder();
    let run = |input: &[u8], _: bool| {
        let chance = hash(input);
        let labels = |n: u32| idx_file(0x0801, &[n], &(0..n).map(|i| (i % 3) as u8).collect::<Vec<_>>());
        let images = |n: u32, rows: u32, columns: u32| {
            idx_file(0x0803, &[n, rows, columns], &(0..n * rows * columns).map(|i| (i % 251) as u8).collect::<Vec<_>>())
        };
        let count = size(input, 1).min(2000);
        let few = |n: u32| n.min(32);
        let (pair, other) = if size(input, 0) == 0x0801 {
            ([images(count, 2, 2), input.to_vec()], [images(6, 2, 2), labels(6)])
        } else {
            ([input.to_vec(), labels(count)], [images(6, few(size(input, 2)), few(size(input, 3))), labels(6)])
        };
        let [train, test] = if chance.is_multiple_of(2) { [pair, other] } else { [other, pair] };
        for (part, [images, labels]) in [("train", train), ("t10k", test)] {
            write(&dir.path().join(format!("{part}-images-idx3-ubyte")), &images);
            write(&dir.path().join(format!("{part}-labels-idx1-ubyte")), &labels);
        }
        outcome(Table::mnist(dir.path(), &Format::default()))
    };
    let mut seeds = vec![
        idx_file(0x0803, &[6, 2, 2], &[7; 24]),
        idx_file(0x0803, &[9, 1, 3], &(0..27).collect::<Vec<u8>>()),
        idx_file(0x0803, &[1 << 16, 1 << 16, 1 << 16], &[]),
        idx_file(0x0803, &[0, 5, 5], &[]),
        idx_file(0x0801, &[6], &[0, 2, 5, 0, 2, 5]),
        idx_file(0x0801, &[3], &[0, 1, 255]),
        idx_file(0x0801, &[u32::MAX], &[1]),
        idx_file(0x0d03, &[1, 1, 1], &[0; 4]),
        Vec::new(),
    ];
    seeds.push(packed(&seeds[0], 6, 1));
    let mutate = |rng: &mut Rng, input: &[u8], others: &[Vec<u8>]| {
        let mut out = fuzz::bytes(rng, input, others, &[]);
        // Often as long as its header says.
        if rng.unit() < 0.5 && out.len() >= 16 && size(&out, 0) == 0x0803 {
            let sizes = [1, 2, 3].map(|i| size(&out, i) % 40);
            sizes.iter().enumerate().for_each(|(i, n)| out[4 + 4 * i..8 + 4 * i].copy_from_slice(&n.to_be_bytes()));
            out.resize(16 + sizes.iter().product::<u32>() as usize % 65_536, below(rng, 256) as u8);
        } else if rng.unit() < 0.5 && out.len() >= 8 && size(&out, 0) == 0x0801 {
            let count = (out.len() - 8) as u32;
            out[4..8].copy_from_slice(&count.to_be_bytes());
        }
        out
    };
    fuzz(&fuzz::Target { name: "idx", seeds, mutate: &mutate, smaller: &fuzz::fewer_bytes, about: &fuzz::nothing, run: &run });
}
