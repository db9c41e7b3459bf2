//! What the study says: the sentences, the table, the report and `results.json` say the same, and hold for hard cases.
use super::{
    differences::Verdict,
    report,
    results::Study,
    sample::{diverge, study},
    treatments::Treatment,
};
use crate::stats::Estimate;
use serde_json::Value;
use std::f64::consts::SQRT_2;

/// The numbers in a text, in order: not those in names and in brackets of names.
fn numbers(text: &str) -> Vec<f64> {
    let plain = text.replace("L1 ", "").replace("L2 ", "");
    let words = plain.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ';' | ':' | ','));
    words.filter_map(|w| w.trim_end_matches('.').parse().ok()).collect()
}

fn near(text: f64, exact: f64, what: &str) {
    // To half of the last decimal that is shown, at least one.
    assert!((text - exact).abs() <= 0.0501, "{what}: {text}, not {exact}");
}

fn treatment<'a>(json: &'a Value, name: &str) -> &'a Value {
    json["treatments"].as_array().unwrap().iter().find(|t| t["name"] == name).unwrap()
}

/// Every number of the sentences, made anew from the runs in the JSON.
#[test]
fn the_sentences_are_those_of_the_numbers() {
    let s = study(&Treatment::ALL, 12, true);
    let json = s.json();
    let of = |name: &str, when: &str, part: &str| -> Vec<f64> {
        let runs = treatment(&json, name)["runs"].as_array().unwrap();
        let get = |r: &Value| if when == "best" { r["best"][part]["score"].as_f64() } else { r[part]["score"].as_f64() };
        runs.iter().map(|r| 100.0 * get(r).unwrap()).collect()
    };
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    // Student's t at 0.975 with 11 degrees of freedom.
    let interval = |v: &[f64]| {
        let m = mean(v);
        let half = 2.200_985_160_091_64 * (v.iter().map(|x| (x - m).powi(2)).sum::<f64>() / 11.0 / 12.0).sqrt();
        [m - half, m + half]
    };
    let minus = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>();
    let (end, best) = (of("none", "last", "test"), of("none", "best", "test"));
    let cost = minus(&best, &end);
    let said = numbers(json["sentences"]["cost"].as_str().unwrap());
    let exact = [mean(&end), mean(&best), mean(&cost), 95.0, interval(&cost)[0], interval(&cost)[1]];
    assert_eq!(said.len(), exact.len(), "{}", json["sentences"]);
    said.iter().zip(exact).for_each(|(a, b)| near(*a, b, &format!("{said:?} {exact:?}")));
    let most = ["l1", "l1-prox", "l2", "elastic-net", "dropout", "batch-norm", "combined", "weight-decay", "early-stopping"]
        .into_iter()
        .max_by(|a, b| mean(&of(a, "last", "test")).total_cmp(&mean(&of(b, "last", "test"))))
        .unwrap();
    let gain = minus(&of(most, "last", "test"), &end);
    let said = numbers(json["sentences"]["help"].as_str().unwrap());
    let exact = [mean(&of(most, "last", "test")), mean(&gain), 95.0, interval(&gain)[0], interval(&gain)[1]];
    assert!(json["sentences"]["help"].as_str().unwrap().contains(treatment(&json, most)["title"].as_str().unwrap()));
    assert_eq!(said.len(), exact.len(), "{}", json["sentences"]);
    said.iter().zip(exact).for_each(|(a, b)| near(*a, b, &format!("{said:?} {exact:?}")));
    // And what is given as numbers is what the runs have.
    let d = &treatment(&json, most)["difference"]["score"];
    assert!((100.0 * d["mean"].as_f64().unwrap() - mean(&gain)).abs() < 1e-9);
    assert!((100.0 * d["interval"][0].as_f64().unwrap() - interval(&gain)[0]).abs() < 1e-9);
    assert_eq!((json["format"].as_str(), json["noise"].as_f64()), (Some("ridgepole-study/3"), Some(0.3)));
    assert_eq!(json["wrong_labels"].as_array().map(Vec::len), Some(12));
    let run = &treatment(&json, "none")["runs"][3];
    assert_eq!((run["seed"].as_u64(), run["looks"].as_array().map(Vec::len)), (Some(4), Some(17)));
    assert!(run["looks"][0]["learned"].is_u64() && run["best_epoch"].is_u64() && run["learned"].is_u64());
}

/// HTML as text, with the entities of our own escaping undone.
fn plain(html: &str) -> String {
    let mut out = String::new();
    let mut tag = false;
    for c in html.chars() {
        match c {
            '<' => tag = true,
            '>' => tag = false,
            c if !tag => out.push(c),
            _ => {}
        }
    }
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(out, |text, (from, to)| text.replace(from, to))
}

/// Hard cases, each with its name.
fn cases() -> Vec<(&'static str, Study)> {
    use Treatment::*;
    let mut out = vec![
        ("all", study(&Treatment::ALL, 12, true)),
        ("values", study(&Treatment::ALL, 12, false)),
        ("one seed", study(&[None, L2, Dropout], 1, true)),
        ("one seed of values", study(&[None, L2], 1, false)),
        ("two seeds", study(&[None, L2, BatchNorm], 2, true)),
        ("no none", study(&[L2, Dropout], 3, true)),
        ("only none", study(&[None], 3, true)),
    ];
    let mut clean = study(&[None, L2], 4, true);
    (clean.noise, clean.wrong) = (0.0, vec![0; 4]);
    clean.outcomes.iter_mut().flat_map(|o| &mut o.runs).for_each(|r| {
        r.learned = Some(0);
        r.looks.iter_mut().for_each(|l| l.learned = Some(0));
    });
    out.push(("clean labels", clean));
    let mut same = study(&[None, L2, Dropout], 5, true);
    same.outcomes[1].runs = same.outcomes[0].runs.clone();
    let plain = same.outcomes[0].runs.clone();
    for (r, base) in same.outcomes[2].runs.iter_mut().zip(plain) {
        r.last[2].score = base.last[2].score + 0.1;
    }
    out.push(("equal differences", same));
    for (name, treatment, seeds) in
        [("dropout diverges", Dropout, &[0, 2][..]), ("none diverges", None, &[1]), ("all diverge", None, &[0, 1, 2])]
    {
        let mut s = study(&[None, L2, Dropout], 3, true);
        diverge(&mut s, treatment, seeds);
        out.push((name, s));
    }
    for scale in [1e-30, 1e30] {
        let mut s = study(&[None, ElasticNet, Combined], 3, false);
        s.outcomes.iter_mut().flat_map(|o| &mut o.runs).for_each(|r| {
            r.last.iter_mut().chain(&mut r.best).for_each(|m| m.score *= scale);
            r.looks.iter_mut().for_each(|l| l.test.score *= scale);
        });
        out.push((if scale < 1.0 { "tiny values" } else { "huge values" }, s));
    }
    out
}

#[test]
fn terminal_report_and_json_say_the_same() {
    for (name, s) in cases() {
        let (json, html, table) = (s.json(), report::html(&s), s.table());
        let text = plain(&html);
        for sentence in ["cost", "help"].map(|k| json["sentences"][k].as_str().unwrap().to_string()) {
            assert!(text.contains(&sentence), "{name}: {sentence}");
            assert!(sentence.ends_with('.') && !sentence.contains("NaN") && !sentence.contains("  "), "{name}: {sentence}");
            assert_eq!(sentence.matches('(').count(), sentence.matches(')').count(), "{name}: {sentence}");
        }
        let first = [text.find(json["sentences"]["help"].as_str().unwrap()), text.find("Results")];
        assert!(first[0] < first[1], "{name}: the answer comes first");
        // The same rows in the same order, with the same difference, interval and word.
        let body = html.split("<h2>Results</h2>").nth(1).unwrap().split("</table>").next().unwrap();
        let rows: Vec<Vec<String>> =
            body.split("<tr>").skip(2).map(|r| r.replace("</th>", "</td>").split("</td>").map(plain).collect()).collect();
        assert_eq!(rows.len(), table.len() - 1, "{name}");
        for ((row, line), key) in rows.iter().zip(&table[1..]).zip(json["order"].as_array().unwrap()) {
            assert_eq!(treatment(&json, key.as_str().unwrap())["title"], row[0].trim(), "{name}");
            for cell in [0, 2, 3, 4] {
                assert!(line.contains(row[cell].trim()), "{name}: {line} has not {:?}", row[cell]);
            }
        }
        for line in &table {
            assert!(line.chars().count() <= 100, "{name}: {} columns: {line}", line.chars().count());
        }
        for outside in ["NaN", "inf ", "-0.0 "] {
            assert!(!table[1..].iter().any(|l| l.contains(outside)) || name.contains("diverge"), "{name}: {table:?}");
        }
        assert!(!html.contains("\"NaN") && !html.contains("inf\""), "{name}: a place is not a number");
        let verdicts = s.differences().into_iter().flatten().map(|d| d.verdict.key());
        let there: Vec<&str> =
            json["treatments"].as_array().unwrap().iter().filter_map(|t| t["difference"]["verdict"].as_str()).collect();
        assert_eq!(verdicts.collect::<Vec<_>>(), there, "{name}");
    }
}

fn of(name: &str) -> Study {
    cases().into_iter().find(|(n, _)| *n == name).unwrap().1
}

fn verdicts(s: &Study) -> Vec<Option<Verdict>> {
    s.differences().into_iter().map(|d| d.map(|d| d.verdict)).collect()
}

#[test]
fn what_is_not_known_is_said() {
    let s = of("one seed");
    assert_eq!(verdicts(&s)[1..], [Some(Verdict::OneSeed); 2]);
    let said = s.sentences();
    assert!(
        said.cost.contains("overfitting costs") && said.cost.contains("(one seed has no interval: --seeds 2 or more)"),
        "{said:?}"
    );
    assert!(said.help.contains("(one seed has no interval: --seeds 2 or more)"), "{said:?}");
    assert!(s.json()["treatments"][1]["difference"]["score"]["interval"].is_null());
    let mut level = of("one seed");
    let base = level.outcomes[0].runs[0].clone();
    level.outcomes.iter_mut().flat_map(|o| &mut o.runs).for_each(|r| (r.last, r.best) = (base.last, base.last));
    let said = level.sentences();
    assert!(said.cost.ends_with(": overfitting costs nothing here (one seed has no interval: --seeds 2 or more)."), "{said:?}");
    assert!(said.help.starts_with("Nothing that was tried changes the score for the better"), "{said:?}");
    let said = of("no none").sentences();
    assert!(said.cost.contains("none") && said.help.contains("Add none to --treatments"), "{said:?}");
    assert!(of("no none").json()["overfitting"].is_null() && of("no none").json()["treatments"][0]["difference"].is_null());
    assert!(of("only none").sentences().help.contains("the only one of the --treatments"));

    let s = of("equal differences");
    assert_eq!(verdicts(&s), [None, Some(Verdict::Same), Some(Verdict::NoSpread)]);
    assert!(s.sentences().help.contains("(equal in all 5 seeds, so no interval: more --seeds)"), "{:?}", s.sentences());
    assert_eq!(s.differences()[2].as_ref().unwrap().score.sd, 0.0);

    let s = of("dropout diverges");
    assert_eq!(verdicts(&s)[2], Some(Verdict::Diverged(2)));
    assert!(s.table().iter().any(|l| l.ends_with("diverged 2/3")) && s.sentences().help.contains("L2"), "{:?}", s.table());
    let s = of("none diverges");
    assert_eq!(verdicts(&s)[1..], [Some(Verdict::Diverged(1)); 2]);
    let said = s.sentences();
    assert!(
        said.cost.contains("diverged in 1 of 3 seeds") && said.help.contains("diverged in at least 1 of 3 seeds"),
        "{said:?}"
    );
}

/// Where stopping helps most, the next is named as well: whoever wants to train to the end wants to know.
#[test]
fn beside_early_stopping_the_next_is_named() {
    let mut s = of("all");
    let gain = |s: &mut Study, by: f64| {
        let base: Vec<f64> = s.outcomes[0].runs.iter().map(|r| r.last[2].score).collect();
        let early = s.outcomes.iter_mut().find(|o| o.treatment == Treatment::EarlyStopping).unwrap();
        for (i, (r, b)) in early.runs.iter_mut().zip(base).enumerate() {
            r.last[2].score = b + by + 0.001 * (i % 3) as f64;
        }
    };
    gain(&mut s, 0.3);
    let said = s.sentences().help;
    assert!(
        said.contains("from early stopping") && said.contains("; next is dropout + BN + L2, three of them together, with 11."),
        "{said}"
    );
    s.outcomes.retain(|o| matches!(o.treatment, Treatment::None | Treatment::EarlyStopping | Treatment::BatchNorm));
    gain(&mut s, 0.3);
    assert!(s.sentences().help.ends_with("; nothing else helps for certain."), "{:?}", s.sentences());
}

#[test]
fn the_ends_of_an_interval_make_the_verdict() {
    let with = |gains: &[f64]| {
        let mut s = study(&[Treatment::None, Treatment::L2], gains.len(), true);
        let base: Vec<f64> = s.outcomes[0].runs.iter().map(|r| r.last[2].score).collect();
        for ((r, b), gain) in s.outcomes[1].runs.iter_mut().zip(base).zip(gains) {
            r.last[2].score = b + gain;
        }
        s
    };
    // Two seeds: the mean has to be 12.7 times its standard error, the half of the distance.
    assert_eq!(
        verdicts(&with(&[0.10, 0.118]))[1],
        Some(Verdict::NotApart).filter(|_| 0.109 < 12.706 * 0.009).or(Some(Verdict::Better))
    );
    assert_eq!(verdicts(&with(&[0.10, 0.116]))[1], Some(Verdict::Better));
    assert_eq!(verdicts(&with(&[-0.10, -0.116]))[1], Some(Verdict::Worse));
    assert_eq!(verdicts(&with(&[0.10, -0.02, 0.01]))[1], Some(Verdict::NotApart));
    let said = with(&[0.10, -0.02, 0.01]).sentences().help;
    assert!(said.contains("It cannot be told whether L2, a penalty on large weights, helps") && said.contains("-"), "{said}");
    assert!(with(&[-0.10, -0.116]).sentences().help.starts_with("Nothing that was tried helps"));
    // An error is better when it falls.
    let mut s = study(&[Treatment::None, Treatment::L2], 3, false);
    let base: Vec<f64> = s.outcomes[0].runs.iter().map(|r| r.last[2].score).collect();
    for (i, (r, b)) in s.outcomes[1].runs.iter_mut().zip(base).enumerate() {
        r.last[2].score = b - 9.0 - 0.1 * i as f64;
    }
    assert_eq!(verdicts(&s)[1], Some(Verdict::Better));
    assert!(s.sentences().help.contains("9.1 closer than the plain network"), "{:?}", s.sentences());
    assert!(s.table()[2].contains("-9.1"), "{:?}", s.table());
}

#[test]
fn pairs_take_out_what_seeds_differ_by() {
    let s = study(&[Treatment::None, Treatment::Combined], 12, true);
    let d = s.differences()[1].clone().unwrap();
    // The spread of the scores alone would make a longer interval.
    let [a, b] = [0, 1].map(|i| s.outcomes[i].score(2).sd);
    assert!(d.score.sd < (a * a + b * b).sqrt() / SQRT_2, "{} {a} {b}", d.score.sd);
    assert_eq!(d.each.len(), 12);
    let direct = Estimate::of(&d.each, 0.0);
    assert_eq!(direct.found, d.score.found);
    assert!(d.holm && d.loss.found.is_some());
}

#[test]
fn the_share_learned_by_heart_is_of_the_wrong_labels() {
    let s = of("all");
    let none = s.by_heart(s.none().unwrap()).unwrap();
    assert!(none.mean > 0.9 && none.mean <= 1.0);
    let html = plain(&report::html(&s));
    let heart = format!("at the end the plain one has learned {} of about 60 wrong labels by heart", (none.mean * 60.0).round());
    assert!(html.contains(&heart), "{heart}");
    let clean = of("clean labels");
    assert!(clean.by_heart(clean.none().unwrap()).is_none());
    assert!(!plain(&report::html(&clean)).contains("wrong labels") && !plain(&report::html(&clean)).contains("on purpose"));
    assert!(clean.json()["treatments"][0]["learned_share"].is_null());
}
