//! Numbers in the documents are those of the records: the table beside PyTorch, and what the READMEs quote of it.
use crate::readme::{CHINESE, read};
use std::collections::BTreeMap;

/// How the table beside PyTorch begins, in docs/performance.md and in the READMEs.
const BESIDE_PYTORCH: &str = "| case | µs |";
const QUOTED: &str = "| f32 | eager | torch.compile |";

/// The cells of a table, row by row.
fn rows<'a>(document: &'a str, head: &str) -> Vec<Vec<&'a str>> {
    let table = document.split(head).nth(1).and_then(|t| t.split("\n\n").next()).unwrap_or_else(|| panic!("no table {head}"));
    table.lines().skip(2).map(|row| row.trim_matches(['|', ' ']).split(" | ").collect()).collect()
}

/// The number in `4.9 foreach`, `25† fused` or `≤ 0.97`; none in `n.d.`.
fn ratio(said: &str) -> Option<f64> {
    said.trim_start_matches("≤ ").split(' ').next()?.trim_end_matches('†').parse().ok()
}

/// What a README says wrongly of the measured table: a row that is not in it as it stands there, a case in f32 that is left out though
/// PyTorch is ahead, a ratio in the text around the table, where nothing would hold it.
fn misquoted(readme: &str, measured: &str) -> Vec<String> {
    let (quoted, measured, mut faults) = (rows(readme, QUOTED), rows(measured, BESIDE_PYTORCH), Vec::new());
    for row in &quoted {
        let case = format!("{}, f32", row[0]);
        match measured.iter().find(|m| m[0] == case) {
            Some(m) if m[3..] == row[1..] => {}
            Some(m) => faults.push(format!("{case}: {:?}, measured: {:?}", &row[1..], &m[3..])),
            None => faults.push(format!("{case}: not measured")),
        }
    }
    for [case, cells @ ..] in measured.iter().filter_map(|m| m[0].strip_suffix(", f32").map(|case| [case, m[3], m[4]])) {
        let behind = cells.iter().flat_map(|cell| cell.split(", ")).filter_map(ratio).any(|ratio| ratio < 1.0);
        if behind && !quoted.iter().any(|row| row[0] == case) {
            faults.push(format!("{case}: PyTorch is ahead, and it is left out"));
        }
    }
    faults.extend(ratios_in_text(readme).into_iter().map(|word| format!("{word} stands outside of the table")));
    faults
}

/// Numbers with a point in the paragraphs before and behind the quoted table, but for PyTorch's version.
fn ratios_in_text(readme: &str) -> Vec<&str> {
    let (before, table) = readme.split_once(QUOTED).expect("the table is there");
    let before = before.trim_end().rsplit("\n\n").next().unwrap_or_default();
    let behind = table.split("\n\n").nth(1).unwrap_or_default();
    let words = [before, behind].into_iter().flat_map(|t| t.split(|c: char| !c.is_ascii_digit() && c != '.'));
    words.filter(|w| w.trim_matches('.').contains('.') && *w != "2.11").collect()
}

#[test]
fn the_readmes_quote_the_table_beside_pytorch() {
    let (measured, english, chinese) = (read("docs/performance.md"), read("README.md"), read(CHINESE));
    let faults = misquoted(&english, &measured);
    assert!(faults.is_empty(), "README.md beside docs/performance.md:\n{}", faults.join("\n"));
    let numbers = |text| rows(text, QUOTED).into_iter().map(|row| row[1..].join(" | ")).collect::<Vec<_>>();
    assert_eq!(numbers(&english), numbers(&chinese), "{CHINESE} has not README.md's ratios in its table");
    assert_eq!(ratios_in_text(&chinese), [""; 0], "{CHINESE}: a ratio outside of the table");
}

#[test]
fn a_ratio_that_is_not_decided_is_not_quoted() {
    let measured = "| case | µs | share | eager | compiled |\n|---|---|---|---|---|\n\
                    | a, f32 | 1 | 9 | 1.42 | n.d. |\n| b, f32 | 1 | 9 | 1.75 | 0.85 |\n| c, f16 | 1 | 9 | ≤ 0.5 | n.d. |\n\n";
    let faults = |rows: &str, behind: &str| {
        misquoted(&format!("x\n\nPyTorch 2.11:\n\n{QUOTED}\n|---|---|---|\n{rows}\n\n{behind}\n\n9.9"), measured)
    };
    assert_eq!(faults("| a | 1.42 | n.d. |\n| b | 1.75 | 0.85 |", "n.d.: not decided."), [""; 0]);
    assert_eq!(faults("| a | 1.42 | 1.67 |\n| b | 1.75 | 0.85 |", "").len(), 1, "not decided");
    assert_eq!(faults("| a | 1.42 | n.d. |", ""), ["b: PyTorch is ahead, and it is left out"]);
    assert_eq!(faults("| b | 1.75 | 0.85 |\n| d | 2.0 | n.d. |", "").len(), 1, "not measured");
    assert_eq!(faults("| b | 1.75 | 0.85 |", "Batch norm is 2.5 times as fast."), ["2.5 stands outside of the table"]);
}

/// The table beside PyTorch: its numbers are those of the record, and none is given where PyTorch's time is below 1.5 times the least of
/// that variant in the record, which may be its host's.
#[test]
fn the_table_beside_pytorch_says_what_the_record_says() {
    let record = read("benches/record/nvidia-h200/2026-11-26-race-again.csv");
    let mut times = BTreeMap::new();
    for line in record.lines().skip(1) {
        // Device and case are quoted, as they have commas.
        let [_, _, _, case, rest] = line.split('"').collect::<Vec<_>>()[..] else { panic!("no line of a race: {line}") };
        let rest: Vec<&str> = rest.split(',').collect();
        let (variant, seconds, share) = (rest[2], rest[3].parse::<f64>(), rest[7].parse::<f64>());
        times.insert((case, variant), (seconds.expect("no case of this record failed"), share.unwrap_or(f64::NAN)));
    }
    let least = |variant: &str| times.iter().filter(|(k, _)| k.1 == variant).map(|(_, t)| t.0).fold(f64::INFINITY, f64::min);
    let document = read("docs/performance.md");
    let mut ratios = 0;
    for row in rows(&document, BESIDE_PYTORCH) {
        let [case, time, share, eager, compiled] = row[..] else { panic!("a row of five cells: {row:?}") };
        let ours = times[&(case, "")];
        assert_eq!((time, share), (&*format!("{:.1}", ours.0 * 1e6), &*format!("{:.0}", ours.1 * 100.0)), "{case}");
        for (cell, variant) in [(eager, "eager"), (compiled, "compiled")] {
            for said in cell.split(", ").filter(|said| !said.starts_with("n.d.") && *said != "–") {
                let number = ratio(said).unwrap_or_else(|| panic!("{case}: {said} is no ratio"));
                let variant = said.trim_start_matches("≤ ").split(' ').nth(1).unwrap_or(variant);
                let theirs = times[&(case, variant)].0;
                assert!((number / (theirs / ours.0) - 1.0).abs() < 0.03, "{case}: {variant} is {}", theirs / ours.0);
                assert!(said.starts_with('≤') || theirs >= 1.5 * least(variant), "{case}: {variant} may be its host");
                ratios += 1;
            }
        }
    }
    assert!(ratios > 40, "the search for ratios finds {ratios}");
}
