//! No option is forgotten where a search is told apart from another one, nor in the command that retrains a setting.
use super::*;
use clap::{Args as _, FromArgMatches as _};
use std::path::Path;

/// What an option does to the results.
#[derive(PartialEq, Debug)]
enum Does {
    /// Changes them.
    Change,
    /// Changes them by the settings, which the command has one by one.
    Settings,
    /// Changes them by the data or the device: these belong to the search, whatever they were chosen by.
    Choose,
    /// Nothing: how long it takes, what is said of them, and where they go.
    Nothing,
}
use Does::{Change, Choose, Nothing, Settings};

fn args(words: &str) -> Args {
    let command = Args::augment_args(clap::Command::new("tune"));
    let matches = command.try_get_matches_from(words.split_whitespace()).unwrap_or_else(|e| panic!("{words}: {e}"));
    Args::from_arg_matches(&matches).unwrap_or_else(|e| panic!("{words}: {e}"))
}

/// The fingerprint of a search for these settings.
fn print(args: &Args, settings: &[grid::Setting]) -> String {
    let hyper = args.hyper().unwrap();
    let (table, _) = sample(args.table().unwrap(), args).unwrap();
    let (folds, splits) = cross_validation(&table, table.rows(), args.folds, args.stop_share, args.seed).unwrap();
    let prepared: Vec<_> = splits.iter().map(|s| prepare::prepare(&table, s).unwrap()).collect();
    let classes = matches!(table.targets, Targets::Classes { .. });
    let (patience, seed, together) = (args.patience, args.seed, args.together);
    let search = Search { splits: &prepared, settings, hyper: &hyper, classes, patience, seed, together };
    fingerprint("the device", &table, (&folds, args.stop_share), &search)
}

/// The command that is printed for a setting.
fn printed(args: &Args, setting: grid::Setting) -> String {
    let mut command = args.command();
    for (name, value) in setting.options() {
        command.option(name, value);
    }
    command.line().strip_prefix("ridgepole ").unwrap().to_string()
}

/// IDX files of a few images.
fn images(folder: &Path) {
    for (part, rows) in [("train", 24u8), ("t10k", 6)] {
        let head =
            |magic: u32, sizes: &[u32]| [&[magic], sizes].concat().iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<u8>>();
        let pixels: Vec<u8> = (0..4 * rows).map(|i| i.wrapping_mul(37)).collect();
        let labels: Vec<u8> = (0..rows).map(|i| i % 2).collect();
        let write = |name: &str, bytes: Vec<u8>| std::fs::write(folder.join(format!("few-{part}-{name}-ubyte")), bytes).unwrap();
        write("images-idx3", [head(0x803, &[u32::from(rows), 2, 2]), pixels].concat());
        write("labels-idx1", [head(0x801, &[u32::from(rows)]), labels].concat());
    }
}

#[test]
fn every_option_that_changes_results_is_printed_and_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    images(dir.path());
    let set = dir.path().join("few");
    let file = |name: &str, factor: usize| {
        let row = |i: usize| format!("{};{};{};{}\n", i * 17 % 31 * factor, i * 7 % 11, i % 2, i * 3 % 5);
        let path = dir.path().join(name);
        std::fs::write(&path, format!("a;b;y;z\n{}", (0..30).map(row).collect::<String>())).unwrap();
        path.to_str().unwrap().to_string()
    };
    let (one, other, set) = (file("one.csv", 1), file("other.csv", 2), set.to_str().unwrap().to_string());
    let table = format!("--data {one} --label y");
    // Each option, what it does, and a search with it that is another one, or the same, as the search with the words behind.
    let cases = [
        ("data", Choose, format!("--data {other} --label y"), table.clone()),
        ("label", Choose, format!("--data {one} --label z"), table.clone()),
        ("task", Choose, format!("{table} --task regress"), table.clone()),
        ("mnist", Choose, format!("--mnist {set}"), table.clone()),
        ("delimiter", Nothing, format!("{table} --delimiter ;"), table.clone()),
        ("max-input", Nothing, format!("{table} --max-input 1Mi"), table.clone()),
        ("categorical", Choose, format!("{table} --categorical b"), table.clone()),
        ("missing", Choose, format!("{table} --missing mean"), table.clone()),
        ("group-column", Choose, format!("{table} --group-column b"), table.clone()),
        ("rows", Change, format!("{table} --rows 20"), table.clone()),
        ("l1", Settings, format!("{table} --l1 0.5"), format!("{table} --l1 0.25")),
        ("prox-l1", Settings, format!("{table} --prox-l1 0.5"), format!("{table} --prox-l1 0.25")),
        ("l2", Settings, format!("{table} --l2 0.1,1e-30"), format!("{table} --l2 0.1,1.1e-30")),
        ("prox-l2", Settings, format!("{table} --prox-l2 0.5"), format!("{table} --prox-l2 0.25")),
        ("decay", Settings, format!("{table} --decay 0.5"), format!("{table} --decay 0.25")),
        ("p", Settings, format!("{table} --p 0.5"), format!("{table} --p 0.50000000001")),
        ("batch-norm", Settings, format!("{table} --l2 0.1 --batch-norm on"), format!("{table} --l2 0.1")),
        ("random", Settings, format!("{table} --l2 0.1..1 --random 3"), format!("{table} --l2 0.1..1 --random 2")),
        ("folds", Change, format!("{table} --folds 4"), table.clone()),
        ("fold-column", Change, format!("{table} --fold-column z"), table.clone()),
        ("stop-share", Change, format!("{table} --stop-share 0.2"), table.clone()),
        ("patience", Change, format!("{table} --patience 4"), table.clone()),
        ("by", Nothing, format!("{table} --by loss"), table.clone()),
        ("seed", Change, format!("{table} --seed 18446744073709551615"), table.clone()),
        ("hidden", Change, format!("{table} --hidden 8,4"), format!("{table} --hidden 8")),
        ("batch", Change, format!("{table} --batch 8"), table.clone()),
        ("lr", Change, format!("{table} --lr 0.002000000001"), table.clone()),
        ("optimizer", Change, format!("{table} --optimizer sgd"), table.clone()),
        ("epochs", Change, format!("{table} --epochs 3"), table.clone()),
        ("together", Nothing, format!("{table} --together 2"), table.clone()),
        ("fresh", Nothing, format!("{table} --fresh"), table.clone()),
        ("out", Nothing, format!("{table} --out there"), table.clone()),
        // The device's own name is in the fingerprint.
        ("adapter", Nothing, format!("{table} --adapter llvm"), table.clone()),
    ];
    let tune = Args::augment_args(clap::Command::new("tune"));
    let longs: Vec<&str> = tune.get_arguments().filter_map(clap::Arg::get_long).filter(|l| *l != "help").collect();
    let mut known: Vec<&str> = cases.iter().map(|(name, ..)| *name).collect();
    known.retain(|name| longs.contains(name));
    assert_eq!(longs, known, "an option without a case here: say what it does, print it, and let the fingerprint have it");
    // What reads data or chooses a device is printed even where it happens to change nothing.
    let kept = ["delimiter", "max-input", "adapter"];
    for (name, does, with, without) in cases {
        let [with, without] = [with, without].map(|words| args(&format!("tune {words}")));
        let (mine, others) = (with.settings().unwrap(), without.settings().unwrap());
        let same = print(&with, &mine) == print(&without, &others);
        assert_eq!(same, does == Nothing, "--{name} and the fingerprint");
        // What is printed for a setting is a search for this setting, the same one in all else.
        for setting in mine {
            let line = printed(&with, setting);
            // A shell takes the quotes away.
            let again = args(&line.replace('\'', ""));
            let settings = again.settings().unwrap();
            assert_eq!(settings, [setting], "{line}");
            assert_eq!(print(&again, &settings), print(&with, &settings), "--{name}: {line}");
            let said = line.split_whitespace().any(|word| word.strip_prefix("--") == Some(name));
            let must = does == Change || does == Choose || kept.contains(&name);
            assert!(said == must || does == Settings || name == "seed", "--{name}: {line}");
        }
    }
}
