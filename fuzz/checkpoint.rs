//! Fuzzes the checkpoint that a search resumes from: it is what was saved, or it is refused. An input that does not begin as a checkpoint
//! does is the content of one: it gets its seal, so that what lies behind the seal is tried, too.
use super::{
    Args,
    outcome::{Outcome, Progress},
    search::Search,
};
use crate::{
    Ui,
    data::{Cells, Description, Keys, Table, Targets, prepare::prepare, split::Split},
    fuzz::{self, ACCEPTED, fuzz, plain_text},
    seal::{opened, sealed},
    training::{Measure, Shape, State},
};
use clap::Parser;
use ridgepole::Rng;
use std::borrow::Cow;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

const WORDS: [&str; 20] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\\\"",
    "null",
    "1e999",
    "-1",
    "true",
    "false",
    "\\\"epoch\\\":",
    "\\\"params\\\":",
    "\\\"moments\\\":",
    "\\\"running\\\":",
    "\\\"best\\\":",
    "18446744073709551615",
    "NaN",
    "F64",
];

fn bits(p: &Progress) -> String {
    let state = |s: &State| {
        let words = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let all = |v: &[Vec<f32>]| v.iter().map(|x| words(x)).collect::<Vec<_>>();
        let best = s.best.as_ref().map(|(params, running)| (words(params), all(running)));
        format!(
            "{} {:?} {:?} {:?} {best:?} {:?} {:?}",
            s.epoch,
            words(&s.params),
            all(&s.moments),
            all(&s.running),
            words(&s.stopping),
            s.curve
        )
    };
    format!("{:?} {:?}", p.done, p.active.iter().map(|(m, s)| (m, state(s))).collect::<Vec<_>>())
}

/// The same content, of networks without a parameter and with more moments than fit into memory.
fn endless(content: &[u8]) -> Vec<u8> {
    let (length, rest) = content.split_at(8);
    let length = length.try_into().map_or(0, u64::from_le_bytes) as usize;
    let (header, tensors) = rest.split_at(length);
    let mut header = String::from_utf8(header.to_vec()).expect("a header is a text").trim_end().to_string();
    for (name, value) in [("params", "0"), ("moments", "1152921504606846976")] {
        let name = format!("\\\"{name}\\\":");
        let mut parts = header.split(&name).map(String::from).collect::<Vec<_>>();
        for part in &mut parts[1..] {
            let end = part.find(|c: char| !c.is_ascii_digit()).expect("more follows");
            part.replace_range(..end, value);
        }
        header = parts.join(&name);
    }
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), tensors].concat()
}

#[test]
fn checkpoint() {
    let line = ["tune", "--p", "0,0.5", "--batch-norm", "off,on", "--hidden", "4", "--folds", "2", "--epochs", "9"];
    let args = Line::parse_from(line).args;
    let (settings, hyper) = (args.settings().expect("right"), args.hyper().expect("right"));
    let table = Table {
        name: "t".into(),
        label: "y".into(),
        columns: ["a", "b"].map(String::from).to_vec(),
        cells: Cells::Numbers((0..16).map(f64::from).collect()),
        targets: Targets::Values((0..8).map(|i| f64::from(i % 3)).collect()),
        image: false,
        test_from: None,
        notices: Vec::new(),
        description: Description::default(),
        keys: Keys::default(),
    };
    let split = |test: Vec<usize>, train: Vec<usize>| {
        prepare(&table, &Split { train, validation: vec![3], test }).expect("numbers near each other")
    };
    let splits = [split(vec![0, 1], vec![2, 4, 5, 6, 7]), split(vec![5, 6], vec![0, 1, 2, 4, 7])];
    let search =
        Search { splits: &splits, settings: &settings, hyper: &hyper, classes: false, patience: 5, seed: 1, together: None };
    let dir = fuzz::folder();
    let path = dir.path().join("c");
    let measure = Measure { loss: 0.1, score: 1.0 / 3.0 };
    let outcome = Outcome { measures: [measure; 3], best_epoch: 2, epochs: 7, zeros: 0.5 };
    let saved = |done: usize, active: usize| {
        let mut progress = Progress::default();
        progress.done.extend((0..done).map(|m| (m, outcome)));
        for m in done..done + active {
            let batch_norm = search.members()[m].recipe.batch_norm;
            let mut state = State::new(&Shape::new(&splits[0], &hyper, batch_norm), m as u64, true);
            state.moments = vec![state.params.iter().map(|v| v * 2.0).collect(); 2];
            state.stopping = [0.25, 2.0, 1.0, 1.0];
            (state.epoch, state.curve) = (3, vec![vec![measure]; 3]);
            progress.active.insert(m, state);
        }
        assert!(search.accepts(&progress), "{done} and {active}");
        progress.save(&path, "f").expect("the temporary folder can be written into");
        (bits(&progress), std::fs::read(&path).expect("it was written"))
    };
    let all = [saved(0, 0), saved(8, 0), saved(1, 2), saved(5, 2)];
    // The first line of a checkpoint.
    let kind = all[0].1.split(|b| *b == b'\n').next().expect("a first line");
    let kind = std::str::from_utf8(kind).expect("a text");
    let run = |input: &[u8], _: bool| {
        let whole = input.starts_with(kind.as_bytes());
        let input = &*if whole { Cow::Borrowed(input) } else { Cow::Owned(sealed(kind, input)) };
        std::fs::write(&path, input).expect("the temporary folder can be written into");
        let mut did = String::new();
        // Of this search, and of one that takes whatever is whole.
        for lax in [false, true] {
            match Progress::load(&path, "f", &|p| lax || search.accepts(p)) {
                Ok(Some(progress)) => {
                    assert!(lax || search.accepts(&progress), "accepted, though it is not this search's");
                    let now = bits(&progress);
                    assert!(!whole || all.iter().any(|(was, _)| *was == now), "a changed checkpoint was accepted");
                    // It can be saved, and is the same again.
                    progress.save(&path, "f").expect("the temporary folder can be written into");
                    let again = Progress::load(&path, "f", &|_| true).expect("just saved").expect("just saved");
                    assert_eq!(bits(&again), now, "another one after it was saved");
                    std::fs::write(&path, input).expect("the temporary folder can be written into");
                    did += &format!("{ACCEPTED}{} done, {} active; ", progress.done.len().min(9), progress.active.len().min(3));
                }
                Ok(None) => did += "nothing",
                Err(e) => did += &plain_text(&Ui::shown(&e)),
            }
        }
        did
    };
    let mutate = |rng: &mut Rng, input: &[u8], others: &[Vec<u8>]| {
        let mut out = fuzz::bytes(rng, input, others, &WORDS);
        // The header as long as it says, wherever the brace is at which it ends.
        if rng.unit() < 0.6
            && !out.starts_with(kind.as_bytes())
            && let Some(end) = out.windows(3).skip(8).enumerate().filter(|(_, w)| *w == b"]}}").map(|(i, _)| i + 3).next_back()
        {
            out[..8].copy_from_slice(&(end as u64).to_le_bytes());
        }
        out
    };
    let contents: Vec<Vec<u8>> = all.iter().map(|(_, bytes)| opened(kind, bytes).expect("just saved").to_vec()).collect();
    let mut seeds: Vec<Vec<u8>> = all.iter().map(|(_, bytes)| bytes.clone()).collect();
    seeds.extend(contents.iter().map(|content| endless(content)));
    seeds.extend(contents);
    fuzz(&fuzz::Target {
        name: "checkpoint",
        seeds,
        mutate: &mutate,
        smaller: &fuzz::fewer_bytes,
        about: &fuzz::nothing,
        run: &run,
    });
}
