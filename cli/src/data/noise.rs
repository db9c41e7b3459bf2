//! Noise on the targets of training rows, so that there is something to learn by heart. Other rows keep theirs, so that scores are true.
use super::{Table, Targets, split::shuffle};
use crate::{Failure, number::exact, stats::Standard, text::quoted};
use ridgepole::Rng;

/// The targets that networks are given.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// One for each row of the table; only those of training rows may differ from the table's.
    pub targets: Targets,
    /// The places, in the training part, of rows with another class than their own, in ascending order; none for values.
    pub wrong: Vec<usize>,
}

/// Checks a share of noise.
///
/// # Errors
/// [`Failure::Usage`] if it is not from 0 to 1.
pub fn check(share: f64) -> Result<(), Failure> {
    if (0.0..=1.0).contains(&share) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "--label-noise is {}, must be from 0 to 1: the share of training labels that are made wrong, or for numbers the noise's standard \
         deviation as a share of theirs",
        exact(share)
    )))
}

/// Puts noise on the targets of the rows `train`.
///
/// Classes: of the n rows, round(share·n), drawn without replacement, get another class, uniform among all others that the table has. Numbers:
/// each gets normal noise, with `share` times the standard deviation of the training rows' targets (÷ n). It has a random stream of its
/// own: splits, initial weights, batches and masks of a seed are the same with and without noise, and the wrong rows of a smaller share
/// are among those of a larger one.
///
/// # Errors
/// [`Failure::Usage`] if there is no other class, or if a number with its noise is none that f64 holds.
pub fn draw(table: &Table, train: &[usize], share: f64, seed: u64) -> Result<Given, Failure> {
    check(share)?;
    let (mut targets, mut rng) = (table.targets.clone(), Rng::new(seed ^ 0x6e6f_6973));
    let mut wrong = Vec::new();
    match &mut targets {
        // Bit for bit what they are.
        _ if share == 0.0 => {}
        Targets::Classes { names, of } => {
            let others = names.len() as u64 - 1;
            if others == 0 {
                return Err(Failure::usage(format!(
                    "{}: column {} has one class, and --label-noise, {}, needs another to put in its place: use --label-noise 0",
                    table.name,
                    quoted(&table.label),
                    exact(share)
                )));
            }
            let mut places: Vec<usize> = (0..train.len()).collect();
            shuffle(&mut places, &mut rng);
            // Ordered by chance: which class a row gets does not depend on how many there are.
            for &place in &places[..(share * train.len() as f64).round() as usize] {
                let class = &mut of[train[place]];
                let further = 1 + ((u64::from(rng.word()) * others) >> 32) as u32;
                *class = (*class + further) % names.len() as u32;
                wrong.push(place);
            }
            wrong.sort_unstable();
        }
        Targets::Values(of) => {
            let sd = Standard::of(train.iter().map(|&r| of[r])).sd();
            for &r in train {
                let clean = of[r];
                of[r] += share * sd * normal(&mut rng);
                if !of[r].is_finite() {
                    return Err(Failure::usage(format!(
                        "{}: column {} has the value {clean:e}, which with the noise of --label-noise {} is no finite number: scale the \
                         column, or use --label-noise 0",
                        table.name,
                        quoted(&table.label),
                        exact(share)
                    )));
                }
            }
        }
    }
    Ok(Given { targets, wrong })
}

/// A number of the standard normal distribution (Box and Muller 1958).
fn normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.unit()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.unit()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{
        Cells,
        prepare::{prepare, prepare_with},
        split::{Sizes, Split},
    };

    fn classes(table: &Targets) -> &[u32] {
        let Targets::Classes { of, .. } = table else { panic!("classes") };
        of
    }

    /// `n` rows of so many classes, or of values.
    fn table(n: usize, count: Option<u32>) -> Table {
        let targets = match count {
            Some(count) => Targets::Classes {
                names: (0..count).map(|c| c.to_string()).collect(),
                of: (0..n as u32).map(|i| i * 7 % count).collect(),
            },
            None => Targets::Values((0..n).map(|i| 100.0 + 30.0 * ((i * 7 % 11) as f64)).collect()),
        };
        Table::new("t", "y", vec!["a".into()], Cells::Numbers((0..n).map(|i| i as f64).collect()), targets)
    }

    #[test]
    fn the_share_of_training_labels_is_wrong_and_no_other() {
        for (n, count) in [(20, 2), (57, 3), (200, 10), (1000, 7)] {
            let table = table(n, Some(count));
            for seed in 0..20 {
                let split = Split::draw(&table, Sizes { train: n / 2 + 1, ..Sizes::default() }, seed).unwrap();
                for share in [0.0, 0.01, 0.1, 0.25, 0.3, 0.5, 0.999, 1.0] {
                    let given = draw(&table, &split.train, share, seed).unwrap();
                    let (clean, noisy) = (classes(&table.targets), classes(&given.targets));
                    let expected = (share * split.train.len() as f64).round() as usize;
                    let differ: Vec<usize> = (0..n).filter(|&r| clean[r] != noisy[r]).collect();
                    assert_eq!((differ.len(), given.wrong.len()), (expected, expected), "{n} rows, share {share}, seed {seed}");
                    let mut named: Vec<usize> = given.wrong.iter().map(|&p| split.train[p]).collect();
                    named.sort_unstable();
                    assert_eq!(named, differ, "only training rows, and those named");
                    assert!(given.wrong.is_sorted() && noisy.iter().all(|&c| c < count));
                    assert_eq!(given, draw(&table, &split.train, share, seed).unwrap(), "the seed decides");
                    if share == 0.3 && expected > 5 {
                        assert_ne!(given, draw(&table, &split.train, share, seed + 1).unwrap());
                        let more = draw(&table, &split.train, 0.5, seed).unwrap();
                        assert!(
                            given.wrong.iter().all(|p| more.wrong.contains(p)),
                            "a larger share takes the same rows and more"
                        );
                    }
                    // What networks see: other parts as they are.
                    let (with, without) =
                        (prepare_with(&table, &split, &given.targets).unwrap(), prepare(&table, &split).unwrap());
                    assert_eq!((&with.parts[1..], &with.parts[0].x), (&without.parts[1..], &without.parts[0].x));
                    assert_eq!(with.parts[0].t == without.parts[0].t, expected == 0);
                    if share == 0.0 {
                        assert_eq!(with, without, "no noise, bit for bit");
                    }
                }
            }
        }
    }

    /// χ² over the classes that replace another: 8 degrees of freedom each, of which 99.9 % are below 26.1, of nine below 118.
    #[test]
    fn all_other_classes_come_equally_often() {
        let table = table(9000, Some(9));
        let train: Vec<usize> = (0..9000).collect();
        let mut count = [[0u32; 9]; 9];
        for seed in 0..4 {
            let given = draw(&table, &train, 0.4, seed).unwrap();
            for (&clean, &noisy) in classes(&table.targets).iter().zip(classes(&given.targets)).filter(|(a, b)| a != b) {
                count[clean as usize][noisy as usize] += 1;
            }
        }
        let mut all = 0.0;
        for (clean, row) in count.iter().enumerate() {
            let mean = f64::from(row.iter().sum::<u32>()) / 8.0;
            assert_eq!(row[clean], 0);
            let others = row.iter().enumerate().filter(|(c, _)| *c != clean).map(|(_, &n)| (f64::from(n) - mean).powi(2) / mean);
            let chi2: f64 = others.sum();
            assert!(chi2 < 26.1, "class {clean}: {row:?}, χ² {chi2}");
            all += chi2;
        }
        assert!((30.0..118.0).contains(&all), "χ² {all} of 63 degrees of freedom: too even, or not even enough");
    }

    #[test]
    fn numbers_get_noise_of_the_stated_deviation() {
        let table = table(4000, None);
        let split = Split::draw(&table, Sizes { train: 3000, ..Sizes::default() }, 1).unwrap();
        let Targets::Values(clean) = &table.targets else { panic!("values") };
        let sd = Standard::of(split.train.iter().map(|&r| clean[r])).sd();
        for (share, seed) in [(0.1, 1), (0.5, 2), (1.0, 3)] {
            let given = draw(&table, &split.train, share, seed).unwrap();
            let Targets::Values(noisy) = &given.targets else { panic!("values") };
            let noise: Vec<f64> = split.train.iter().map(|&r| noisy[r] - clean[r]).collect();
            assert!((0..4000).filter(|r| !split.train.contains(r)).all(|r| noisy[r] == clean[r]) && given.wrong.is_empty());
            let found = Standard::of(noise.iter().copied());
            // Of 3,000 numbers the deviation is known to 1/√6000, the mean to 1/√3000: four of these.
            assert!((found.sd() / (share * sd) - 1.0).abs() < 0.052, "share {share}: deviation {}", found.sd());
            assert!(found.mean().abs() < 0.073 * share * sd, "share {share}: mean {}", found.mean());
            // Normal: 68.3 % within one deviation, 95.4 % within two; four standard errors.
            let within = |k: f64| noise.iter().filter(|v| v.abs() < k * share * sd).count() as f64 / 3000.0;
            assert!(
                (within(1.0) - 0.683).abs() < 0.034 && (within(2.0) - 0.954).abs() < 0.016,
                "{} {}",
                within(1.0),
                within(2.0)
            );
            let with = prepare_with(&table, &split, &given.targets).unwrap();
            assert_eq!(
                with.target_scale,
                Standard::of(split.train.iter().map(|&r| noisy[r])).sd(),
                "the noisy targets set the scale"
            );
        }
        assert_eq!(draw(&table, &split.train, 0.0, 1).unwrap().targets, table.targets);
    }

    #[test]
    fn what_is_no_share_is_refused() {
        let table = table(20, Some(2));
        for share in [-0.1, 1.0f64.next_up(), f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -5e-324, 30.0] {
            let why = draw(&table, &[0, 1], share, 1).unwrap_err().to_string();
            assert!(why.starts_with(&format!("--label-noise is {}, must be from 0 to 1", exact(share))), "{why}");
        }
        let one = self::table(20, Some(1));
        assert!(draw(&one, &[0, 1], 0.0, 1).is_ok());
        let why = draw(&one, &[0, 1], 0.5, 1).unwrap_err().to_string();
        assert!(why.starts_with("t: column \"y\" has one class, and --label-noise, 0.5, needs another"), "{why}");
        let mut huge = self::table(4, None);
        huge.targets = Targets::Values(vec![f64::MAX, -f64::MAX, f64::MAX, -f64::MAX]);
        let far = (0..50).find_map(|seed| draw(&huge, &[0, 1, 2, 3], 1.0, seed).err()).expect("some noise is upwards");
        assert!(far.to_string().contains("e308, which with the noise of --label-noise 1 is no finite number"), "{far}");
    }
}
