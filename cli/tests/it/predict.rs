//! `ridgepole predict` from end to end: what it says of the rows that a model was fitted to, of others, and of what is none.
use crate::common::{command, files};
use assert_cmd::{Command, assert::Assert};
use predicates::{prelude::*, str::contains};
use serde_json::Value;
use std::path::{Path, PathBuf};

const DIABETES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/diabetes.csv.gz");

/// A folder with tables, a model and predictions.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name).to_str().unwrap().into()
    }

    fn fit(&self, args: &[&str]) {
        command("path", args, self.0.path()).assert().success();
    }

    fn predict(&self, data: &str, more: &[&str]) -> Assert {
        let mut run = Command::cargo_bin("ridgepole").unwrap();
        run.current_dir(self.0.path()).args(["predict", "model.json", "--data", data]).args(more).assert()
    }

    /// The predictions of a table: the head, and the cells of each row.
    fn rows(&self, data: &str, more: &[&str]) -> (String, Vec<Vec<String>>) {
        self.predict(data, &[&["--out", "p.csv"], more].concat()).success();
        let text = std::fs::read_to_string(self.path("p.csv")).unwrap();
        let mut lines = text.lines();
        let head = lines.next().unwrap().to_string();
        (head, lines.map(|line| line.split(',').map(String::from).collect()).collect())
    }

    /// Refused with this text alone, and nothing written.
    fn refused(&self, data: &str, more: &[&str], why: &str) {
        let before = files(self.0.path());
        self.predict(data, &[&["--out", "never.csv"], more].concat()).code(2).stdout("").stderr(format!("error: {why}\n"));
        assert_eq!(files(self.0.path()), before, "something was written");
    }

    fn json(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.path("model.json")).unwrap()).unwrap()
    }
}

fn numbers(of: &Value) -> Vec<f64> {
    of.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn unpacked(path: &str) -> csv::Reader<Box<dyn std::io::Read>> {
    let bytes = std::fs::read(path).unwrap();
    let read: Box<dyn std::io::Read> = if bytes.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::read::MultiGzDecoder::new(std::io::Cursor::new(bytes)))
    } else {
        Box::new(std::io::Cursor::new(bytes))
    };
    csv::Reader::from_reader(read)
}

/// What the documents compute in NumPy, line by line: the JSON, the model at λ, a column of numbers for each feature, one product. For
/// models of columns of numbers. Gives the target beside it.
fn as_documented(json: &Value, data: &str, fit: usize) -> (Vec<f64>, Vec<String>) {
    let f = &json["linear"]["path"][fit];
    let b = numbers(&f["coefficients"]);
    let names: Vec<&str> = json["features"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
    let mut table = unpacked(data);
    let head = table.headers().unwrap().clone();
    let place = |name: &str| head.iter().position(|h| h == name).unwrap();
    let (places, target) = (names.iter().map(|n| place(n)).collect::<Vec<_>>(), place(json["target"]["name"].as_str().unwrap()));
    let eta = |row: &csv::StringRecord| {
        places.iter().zip(&b).map(|(p, b)| row[*p].parse::<f64>().unwrap() * b).sum::<f64>() + f["intercept"].as_f64().unwrap()
    };
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    (rows.iter().map(eta).collect(), rows.iter().map(|row| row[target].to_string()).collect())
}

#[test]
fn the_diabetes_model_says_of_its_own_rows_what_was_fitted() {
    let all = Place::new();
    all.fit(&["--lambdas", "20", "--folds", "5"]);
    let json = all.json();
    let (best, one_se) =
        (json["linear"]["best"].as_u64().unwrap() as usize, json["linear"]["one_standard_error"].as_u64().unwrap() as usize);
    let lambda = |i: usize| json["linear"]["path"][i]["lambda"].as_f64().unwrap();
    let five = format!("{:.4e}", lambda(7));
    for (more, fit) in
        [(&[][..], best), (&["--lambda", "best"], best), (&["--lambda", "one-se"], one_se), (&["--lambda", &five], 7)]
    {
        let (head, rows) = all.rows(DIABETES, more);
        assert_eq!((head.as_str(), rows.len()), ("link,response", 442));
        let (expected, target) = as_documented(&json, DIABETES, fit);
        for (row, eta) in rows.iter().zip(&expected) {
            assert_eq!(row[0], row[1]);
            let said: f64 = row[0].parse().unwrap();
            // Terms of a few hundred.
            assert!((said - eta).abs() < 1e-12 * 400.0, "{said} for {eta}");
        }
        // The predictions themselves meet the conditions of the lasso's minimum: so they are those of the fit.
        let mut table = unpacked(DIABETES);
        let head = table.headers().unwrap().clone();
        let cells: Vec<Vec<f64>> = table.records().map(|r| r.unwrap().iter().map(|c| c.parse().unwrap()).collect()).collect();
        let residual: Vec<f64> =
            rows.iter().zip(&target).map(|(row, y)| y.parse::<f64>().unwrap() - row[1].parse::<f64>().unwrap()).collect();
        let n = cells.len() as f64;
        assert!(residual.iter().sum::<f64>().abs() / n < 1e-9);
        let coefficients = numbers(&json["linear"]["path"][fit]["coefficients"]);
        for (name, b) in json["features"].as_array().unwrap().iter().zip(coefficients) {
            let at = head.iter().position(|h| h == name["name"].as_str().unwrap()).unwrap();
            let mean = cells.iter().map(|row| row[at]).sum::<f64>() / n;
            let sd = (cells.iter().map(|row| (row[at] - mean).powi(2)).sum::<f64>() / n).sqrt();
            let slope = cells.iter().zip(&residual).map(|(row, r)| (row[at] - mean) / sd * r).sum::<f64>() / n;
            let off = if b == 0.0 { (slope.abs() - lambda(fit)).max(0.0) } else { (slope - lambda(fit) * b.signum()).abs() };
            assert!(off < 1e-6, "{name}: {slope} at {}", lambda(fit));
        }
        let mse = residual.iter().map(|r| r * r).sum::<f64>() / n;
        let said = all.predict(DIABETES, &[&["--out", "p.csv"], more].concat()).success();
        let said = String::from_utf8(said.get_output().stdout.clone()).unwrap();
        let start = format!("442 rows of \"target\": linear model at λ = ");
        assert!(said.starts_with(&start) && said.contains("fitted by path to 442 rows with a penalty of L1 (lasso)"), "{said}");
        let score = said.lines().nth(1).unwrap();
        let found: f64 = score
            .strip_prefix("column \"target\" is in the table: mean squared error ")
            .unwrap()
            .split(',')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        assert!((found / mse - 1.0).abs() < 1e-5 && score.ends_with(", in 442 rows"), "{score}: {mse}");
    }
}

/// 60 rows of unlike columns: text, codes, gaps, a constant, years, tiny numbers; `y` numbers or classes.
fn mixed(classes: bool) -> String {
    let row = |i: usize| {
        let city = ["Bern", "Lima", "Oslo"][i * i % 7 % 3];
        let code = [3, 10, 7][i * 11 % 13 % 3];
        let gap = if i % 13 == 5 { "NA".into() } else { format!("{}", 1_700_000_000 + i * 37 % 101) };
        let tiny = format!("{:e}", (i * 23 % 61) as f64 * 1e-9);
        let y = (i * i % 7 % 3) as f64 * 2.0 + (i * 17 % 61) as f64 / 30.0;
        let target = if classes { ["no", "yes"][usize::from(y > 2.0)].to_string() } else { format!("{y:.3}") };
        format!("{city};{code};{gap};{tiny};0;{target}\n")
    };
    format!("city;code;when;tiny;flat;y\n{}", (0..60).map(row).collect::<String>())
}

const MIXED: [&str; 6] = ["--target", "y", "--categorical", "auto,code", "--missing", "mean"];

#[test]
fn a_table_of_ones_own_goes_round_with_its_levels_and_gaps() {
    for classes in [false, true] {
        let all = Place::new();
        let file = all.write("t.csv", mixed(classes));
        let model: &[&str] = if classes { &["--model", "logistic"] } else { &[] };
        all.fit(&[&[&*file, "--folds", "3", "--lambdas", "12"], &MIXED[..], model].concat());
        let json = all.json();
        assert_eq!(json["left_out"], serde_json::json!(["flat"]));
        let fit = &json["linear"]["path"][11];
        let (b, intercept) = (numbers(&fit["coefficients"]), fit["intercept"].as_f64().unwrap());
        let lambda = format!("{}", fit["lambda"].as_f64().unwrap());
        let (head, rows) = all.rows("t.csv", &["--lambda", &lambda]);
        assert_eq!(head, if classes { "link,response=no,response=yes,class" } else { "link,response" });
        assert_eq!(rows.len(), 60);
        let mut right = 0;
        for (line, row) in mixed(classes).lines().skip(1).zip(&rows) {
            let cells: Vec<&str> = line.split(';').collect();
            let value = |f: &Value| match f["name"].as_str().unwrap().split_once('=') {
                Some(("city", level)) => f64::from(u8::from(cells[0] == level)),
                Some((_, level)) => f64::from(u8::from(cells[1] == level)),
                None => {
                    let cell = cells[if f["name"] == "when" { 2 } else { 3 }];
                    cell.parse().unwrap_or_else(|_| f["mean"].as_f64().unwrap())
                }
            };
            let terms: Vec<f64> = json["features"].as_array().unwrap().iter().zip(&b).map(|(f, b)| b * value(f)).collect();
            let eta = intercept + terms.iter().sum::<f64>();
            let largest = terms.iter().fold(intercept.abs(), |a, t| a.max(t.abs()));
            let found: f64 = row[0].parse().unwrap();
            assert!((found - eta).abs() <= 1e-14 * largest, "{found} for {eta}");
            if classes {
                let [no, yes] = [1, 2].map(|i| row[i].parse::<f64>().unwrap());
                assert!((yes - 1.0 / (1.0 + (-found).exp())).abs() < 1e-15 && (no + yes - 1.0).abs() < 1e-15);
                assert_eq!(row[3], if found > 0.0 { "yes" } else { "no" });
                right += usize::from(row[3] == cells[5]);
            }
        }
        if classes {
            let accuracy = format!("accuracy {:.1} %, mean loss ", 100.0 * right as f64 / 60.0);
            all.predict("t.csv", &["--out", "p.csv", "--lambda", &lambda]).success().stdout(contains(accuracy));
        }
        // The same rows as others write them: columns in another order, more of them, codes with decimals, no target; packed, in UTF-16.
        let other: String = mixed(classes)
            .lines()
            .map(|line| {
                let c: Vec<&str> = line.split(';').collect();
                let code = c[1].parse::<f64>().map_or(c[1].to_string(), |v| format!("{v:.1}"));
                format!("{},\"{}\",{},id,{}\n", c[3], c[0], code, c[2].replace("NA", ""))
            })
            .collect();
        let wide: Vec<u8> = [0xfeff].into_iter().chain(other.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), Default::default());
        std::io::Write::write_all(&mut packed, &wide).unwrap();
        all.write("other.csv", packed.finish().unwrap());
        assert_eq!(all.rows("other.csv", &["--lambda", &lambda]), (head, rows));
        let said =
            all.predict("other.csv", &[]).success().stderr(contains("notice: the model does not use column \"id\"\n").and(
                contains("notice: 5 missing cells filled in with the column's mean in the training rows: 5 in column \"when\"\n"),
            ));
        assert!(!String::from_utf8_lossy(&said.get_output().stderr).contains("is in the table"), "there is no target");
    }
}

#[test]
fn what_a_model_cannot_take_is_named_by_line_and_column() {
    let all = Place::new();
    let file = all.write("t.csv", mixed(false));
    all.fit(&[&[&*file, "--folds", "3", "--lambdas", "3"], &MIXED[..]].concat());
    let of = |text: &str, why: &str| {
        all.write("n.csv", text);
        all.refused("n.csv", &[], &format!("n.csv: {why}"));
    };
    of("", "is empty: expected a line of column names, then rows");
    of("city,code,when,tiny\n", "has a header but no rows");
    of(
        "city,when,tiny\n",
        "line 1: the model needs column \"code\", which is not there; there are: \"city\", \"when\", \"tiny\"",
    );
    of(
        "a,b\n1,2\n",
        "line 1: the model needs columns \"city\", \"code\", \"when\", \"tiny\", which are not there; there are: \"a\", \"b\"",
    );
    of(
        "city:code:when:tiny\n",
        "line 1: the model needs columns \"city\", \"code\", \"when\", \"tiny\", which are not there; there are: \"city:code:when:tiny\" (if not comma but \
         something else divides the cells, say so with --delimiter)",
    );
    of(
        "city,code,when,tiny\nBern,3,1,1\nRome,3,1,1\n",
        "line 3: column \"city\" is \"Rome\", a level that the model does not know; it knows: \"Bern\", \"Lima\", \"Oslo\"",
    );
    of(
        "city,code,when,tiny\nBern,4,1,1\n",
        "line 2: column \"code\" is \"4\", a level that the model does not know; it knows: \"3\", \"7\", \"10\"",
    );
    of(
        "city,code,when,tiny\n,3,1,1\n",
        "line 2: column \"city\" is empty: fill in or remove rows with missing values first: the model knows no missing ones there, and these \
         levels: \"Bern\", \"Lima\", \"Oslo\"",
    );
    of(
        "city,code,when,tiny\nBern,3,soon,1\n",
        "line 2: column \"when\" is \"soon\", must be a number: the model was fitted to numbers there",
    );
    of(
        "city,code,when,tiny\nBern,3,1e999,1\n",
        "line 2: column \"when\" is \"1e999\", must be finite and below 1.8e308 in magnitude: the model was fitted to numbers there",
    );
    of("city,code,when,tiny\nBern,3,1\n", "line 2: has 3 cells, the header has 4");
    of("city,code,when,tiny\nBern,3,1,1,5\n", "line 2: has 5 cells, the header has 4");
    of("city,code,when,tiny\nBern,\"3,1,1\n", "line 2: a quote opens that is not closed");
    of("city,code,when,tiny,y,y\nBern,3,1,1,1,1\n", "line 1: two columns are called \"y\"");
    of(
        "city,code,when,tiny\nBern,3,1,1\n,,,\nBern,3,1,1\n",
        "line 3: has no values, and rows follow it: nothing could stand for it among the predictions; remove the line",
    );
    of(
        "city,code,when,tiny\nBern,3,1,1.7e308\n",
        "line 2: its prediction is no finite number: a value in it is too far from those that the model was fitted to",
    );
    all.refused("none.csv", &[], "cannot read none.csv: No such file or directory (os error 2)");
    all.write("n.csv", "city,code,when,tiny\nBern,3,1,1\n,,,\n,,,\n");
    all.predict("n.csv", &[]).success().stderr(contains("notice: 2 rows have no values and are left out, the first in line 3\n"));
    // Columns with one name have numbers here as they have for the fit.
    all.write("n.csv", "city,code,when,tiny,tiny\nBern,3,1,1,9\n");
    all.predict("n.csv", &[])
        .success()
        .stderr(contains("the one at place 5 is called \"tiny.1\" here").and(contains("does not use column \"tiny.1\"")));
    // Options.
    let lambda = all.json()["linear"]["path"][0]["lambda"].as_f64().unwrap();
    all.refused(
        "t.csv",
        &["--lambda", "1e9"],
        &format!(
            "--lambda is 1000000000.0, must be best, one-se, or a λ of the model's path, to five digits; its largest is {lambda}"
        )
        .replace("1000000000.0", "1000000000"),
    );
    all.predict("t.csv", &["--lambda", "least"]).code(2).stderr(contains("must be best, one-se, or a λ of the path"));
    all.predict("t.csv", &["--missing", "mean"]).code(2).stderr(contains("unexpected argument"));
    for (out, what) in [("t.csv", "--data"), ("model.json", "the model")] {
        all.predict("t.csv", &["--out", out])
            .code(2)
            .stderr(format!("error: cannot write {out}: it is {what}, too: choose another --out\n"));
    }
    let size = std::fs::metadata(all.path("model.json")).unwrap().len();
    all.refused(
        "t.csv",
        &["--max-input", "100"],
        &format!("cannot read model.json: it has {size} bytes, more than 100 bytes: --max-input raises the limit, if memory suffices for it"),
    );
    all.write("none.json", "{}");
    let mut other = Command::cargo_bin("ridgepole").unwrap();
    let other = other.current_dir(all.0.path()).args(["predict", "none.json", "--data", "t.csv"]).assert();
    other.code(2).stderr("error: none.json: line 1: is no model: missing field `format`\n");
}

#[test]
fn without_the_mean_a_missing_value_is_an_error() {
    for (policy, gap) in [("refuse", false), ("drop-rows", true)] {
        let all = Place::new();
        let text = mixed(false);
        let file = all.write("t.csv", if gap { text.clone() } else { text.replace("NA", "7") });
        all.fit(&[&file, "--target", "y", "--categorical", "auto", "--missing", policy, "--folds", "3", "--lambdas", "3"]);
        all.write("n.csv", "city,code,when,tiny\nBern,3,1,1\nLima,3,?,1\n");
        let fitted =
            format!("the model was fitted with --missing {policy}, and only with mean would it know what stands for one");
        let rest = "fill in or remove rows with missing values first";
        all.refused("n.csv", &[], &format!("n.csv: line 3: column \"when\" is missing (\"?\"): {rest}; {fitted}"));
        all.write("n.csv", "city,code,when,tiny\nBern,3,1,1\n,3,4,1\n");
        all.refused("n.csv", &[], &format!("n.csv: line 3: column \"city\" is empty: {rest}; {fitted}"));
    }
}

/// A target that is there is compared with, as far as it is known.
#[test]
fn rows_without_a_target_are_predicted_and_not_scored() {
    let all = Place::new();
    let file = all.write("t.csv", mixed(true));
    all.fit(&[&[&*file, "--folds", "3", "--lambdas", "3", "--model", "logistic"], &MIXED[..]].concat());
    let lines: Vec<String> = mixed(true).lines().map(String::from).collect();
    let odd = lines[2].rsplit_once(';').unwrap().0;
    all.write("n.csv", format!("{}\n{}\n{odd};\n{odd};maybe\n", lines[0], lines[1]));
    let said =
        "notice: 2 rows have no class that the model knows in column \"y\", the first in line 3: the error is that of the others";
    all.predict("n.csv", &["--out", "p.csv"]).success().stdout(contains(said).and(contains(", in 1 row\n")));
    all.write("n.csv", format!("{}\n{odd};\n", lines[0]));
    let said =
        "notice: 1 row has no class that the model knows in column \"y\", the first in line 2: the error is that of the others";
    all.predict("n.csv", &["--out", "p.csv"]).success().stdout(contains(said).and(contains("nats").not()));
}

/// Classes that a plane separates: probabilities of 0 and 1 but for a little, which keep their digits.
#[test]
fn classes_that_are_separate_have_probabilities_with_digits() {
    let all = Place::new();
    let text: String =
        (0..40).map(|i| format!("{},{}\n", if i < 20 { i } else { i + 100 }, if i < 20 { "a" } else { "b" })).collect();
    let file = all.write("t.csv", format!("x,y\n{text}"));
    all.fit(&[&file, "--target", "y", "--model", "logistic", "--eps", "1e-9", "--lambdas", "30", "--folds", "2"]);
    let lambda = all.json()["linear"]["path"][29]["lambda"].as_f64().unwrap();
    let (_, rows) = all.rows("t.csv", &["--lambda", &format!("{lambda:e}")]);
    let of = |row: &[String], i: usize| row[i].parse::<f64>().unwrap();
    let (first, last) = (&rows[0], &rows[39]);
    assert!(
        of(last, 1) > 0.0 && of(last, 1) < 1e-6 && (of(last, 1) - (-of(last, 0)).exp()).abs() < 1e-6 * of(last, 1),
        "{last:?}"
    );
    assert!(of(first, 2) > 0.0 && of(first, 2) < 1e-6, "{first:?}");
    assert_eq!((first[3].as_str(), last[3].as_str()), ("a", "b"));
}

/// Names come out as they are in a file, which is for programs, and so that they are seen on stdout.
#[test]
fn without_out_the_table_goes_to_stdout_and_words_to_stderr() {
    let all = Place::new();
    let file = all.write("t.csv", mixed(true).replace("yes", "\"y,\u{1b}[1m\""));
    all.fit(&[&[&*file, "--folds", "3", "--lambdas", "3", "--model", "logistic"], &MIXED[..]].concat());
    let done = all.predict("t.csv", &[]).success().stderr(contains("60 rows of \"y\": logistic model at λ = "));
    let said = String::from_utf8(done.get_output().stdout.clone()).unwrap();
    assert!(said.starts_with("link,response=no,\"response=y,\\u{1b}[1m\",class\n"), "{said}");
    assert_eq!(said.lines().count(), 61);
    all.predict("t.csv", &["--out", "p.csv"]).success().stdout(contains("predictions: p.csv"));
    assert!(std::fs::read_to_string(all.path("p.csv")).unwrap().starts_with("link,response=no,\"response=y,\u{1b}[1m\",class\n"));
    let before = files(Path::new(all.0.path()));
    all.predict("t.csv", &["--out", "no/p.csv"]).code(2).stdout("").stderr(contains("cannot write no/p.csv"));
    assert_eq!(files(all.0.path()), before);
}

const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/digits.csv.gz");

/// What the documents compute of a network, line by line.
fn network_as_documented(json: &Value, tensors: &[u8], row: &[f64]) -> Vec<f64> {
    let file = safetensors::SafeTensors::deserialize(tensors).unwrap();
    let w = |name: &Value| -> Vec<f64> {
        let data = file.tensor(name.as_str().unwrap()).unwrap().data().to_vec();
        data.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap()))).collect()
    };
    let scaled = |(v, f): (&f64, &Value)| (v - f["mean"].as_f64().unwrap()) / f["scale"].as_f64().unwrap();
    let mut h: Vec<f64> = row.iter().zip(json["features"].as_array().unwrap()).map(scaled).collect();
    for (i, layer) in json["network"]["layers"].as_array().unwrap().iter().enumerate() {
        if i > 0 {
            h.iter_mut().for_each(|v| *v = v.max(0.0));
        }
        let (weight, outputs) = (w(&layer["weight"]), layer["outputs"].as_u64().unwrap() as usize);
        let mut z: Vec<f64> =
            (0..outputs).map(|j| h.iter().enumerate().map(|(k, v)| v * weight[k * outputs + j]).sum()).collect();
        if layer["bias"].is_string() {
            z.iter_mut().zip(w(&layer["bias"])).for_each(|(z, b)| *z += b);
        }
        if layer["norm"].is_object() {
            let [gamma, beta, mean, variance] = ["gamma", "beta", "mean", "variance"].map(|n| w(&layer["norm"][n]));
            let epsilon = layer["norm"]["epsilon"].as_f64().unwrap();
            for (j, z) in z.iter_mut().enumerate() {
                *z = (*z - mean[j]) / (variance[j] + epsilon).sqrt() * gamma[j] + beta[j];
            }
        }
        h = z;
    }
    h
}

#[test]
fn the_networks_of_tune_and_study_are_applied_as_documented() {
    let small = ["--hidden", "16,8", "--epochs", "4"];
    let tune = ["--rows", "240", "--folds", "2", "--p", "0.1"];
    let study = ["--treatments", "none,early-stopping,batch-norm", "--seeds", "2"];
    let cases: [(&str, &[&str], &str, bool); 4] = [
        ("tune", &[&tune[..], &["--batch-norm", "on"]].concat(), DIGITS, true),
        ("tune", &["--data", DIABETES, "--label", "target", "--folds", "2", "--l2", "1e-3"], DIABETES, false),
        ("study", &study, DIGITS, true),
        ("study", &[&["--data", DIABETES, "--label", "target"], &study[..]].concat(), DIABETES, false),
    ];
    for (name, args, data, classes) in cases {
        let all = Place::new();
        command(name, &[args, &small[..]].concat(), all.0.path()).assert().success().stdout(contains("the model, model.json"));
        let (json, tensors) = (all.json(), std::fs::read(all.path("model.safetensors")).unwrap());
        assert!(json["fitted"].as_str().unwrap().starts_with(&format!("trained by {name} with ")), "{}", json["fitted"]);
        let (head, rows) = all.rows(data, &[]);
        let mut table = unpacked(data);
        let names = table.headers().unwrap().clone();
        let features = json["features"].as_array().unwrap();
        let places: Vec<usize> =
            features.iter().map(|f| names.iter().position(|n| n == f["name"].as_str().unwrap()).unwrap()).collect();
        let links = if classes { 10 } else { 1 };
        let (mut count, mut right) = (0, 0);
        for (record, row) in table.records().map(Result::unwrap).zip(&rows) {
            let x: Vec<f64> = places.iter().map(|p| record[*p].parse().unwrap()).collect();
            let h = network_as_documented(&json, &tensors, &x);
            let [mean, scale] = ["target_mean", "target_scale"].map(|k| json["network"][k].as_f64().unwrap());
            for (cell, h) in row[..links].iter().zip(&h) {
                let (said, expected) = (cell.parse::<f64>().unwrap(), mean + scale * h);
                assert!((said - expected).abs() <= 1e-12 * expected.abs().max(scale), "{name}: {said} for {expected}");
            }
            if classes {
                let label = names.iter().position(|n| n == "label").unwrap();
                right += usize::from(row[20] == record[label]);
                let all: f64 = row[10..20].iter().map(|c| c.parse::<f64>().unwrap()).sum();
                assert!((all - 1.0).abs() < 1e-14);
            }
            count += 1;
        }
        assert_eq!((rows.len(), head.split(',').count()), (count, if classes { 21 } else { 2 }));
        let said = all.predict(data, &["--out", "p.csv"]).success();
        let said = String::from_utf8(said.get_output().stdout.clone()).unwrap();
        if classes {
            assert!(head.starts_with("link=0,link=1,") && head.ends_with(",response=9,class"), "{head}");
            let share: f64 = said.split("accuracy ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
            assert!((share - 100.0 * right as f64 / count as f64).abs() < 0.05, "{said}: {right} of {count}");
        }
        all.refused(data, &["--lambda", "best"], "--lambda chooses a model of a path, and this one is a network: leave it out");
        // Tensors of another network.
        let mut other = tensors.clone();
        *other.last_mut().unwrap() ^= 1;
        std::fs::write(all.path("model.safetensors"), &other).unwrap();
        all.predict(data, &[]).code(2).stderr(contains("it is damaged, or of another model"));
        std::fs::remove_file(all.path("model.safetensors")).unwrap();
        all.refused(data, &[], "cannot read model.safetensors: No such file or directory (os error 2)");
    }
}
