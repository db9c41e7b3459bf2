//! The settings that are compared: a grid, or draws from ranges.
use crate::{Failure, number::exact, training::Recipe};
use ridgepole::{ElasticNet, Group, Rng};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// One setting of the hyperparameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// λ of the subgradient of L1.
    pub l1: f64,
    /// λ1 of the proximal step.
    pub prox_l1: f64,
    /// λ of the gradient of L2.
    pub l2: f64,
    /// λ2 of the proximal step.
    pub prox_l2: f64,
    /// Decoupled weight decay.
    pub decay: f64,
    /// Probability of dropping a hidden unit.
    pub p: f64,
    /// Whether hidden layers are normalized.
    pub batch_norm: bool,
}

/// The hyperparameters that are numbers: their options, in the order of [`Setting::numbers`].
pub const NAMES: [&str; 6] = ["l1", "prox-l1", "l2", "prox-l2", "decay", "p"];

impl Setting {
    /// Its numbers, in the order of [`NAMES`].
    pub fn numbers(&self) -> [f64; 6] {
        [self.l1, self.prox_l1, self.l2, self.prox_l2, self.decay, self.p]
    }

    fn new([l1, prox_l1, l2, prox_l2, decay, p]: [f64; 6], batch_norm: bool) -> Self {
        Self { l1, prox_l1, l2, prox_l2, decay, p, batch_norm }
    }

    /// As a recipe for training.
    pub fn recipe(&self) -> Recipe {
        let net = |l1, l2| ElasticNet { l1, l2, ..ElasticNet::NONE };
        let group = Group {
            coupled: net(self.l1, self.l2),
            prox: net(self.prox_l1, self.prox_l2),
            decay: self.decay,
            ..Group::default()
        };
        Recipe { group, p: self.p, batch_norm: self.batch_norm }
    }

    /// Options that select this setting alone, without those that are at 0.
    pub fn options(&self) -> Vec<(&'static str, String)> {
        let given = NAMES.into_iter().zip(self.numbers()).filter(|(_, v)| *v != 0.0);
        let mut out: Vec<_> = given.map(|(name, v)| (name, exact(v))).collect();
        if self.batch_norm || out.is_empty() {
            out.push(("batch-norm", if self.batch_norm { "on" } else { "off" }.into()));
        }
        out
    }
}

impl fmt::Display for Setting {
    /// "prox-l1 0.03, p 0.2, batch norm", or "none".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = NAMES.iter().zip(self.numbers()).filter(|(_, v)| *v != 0.0);
        let mut parts: Vec<String> = given.map(|(name, v)| format!("{name} {}", exact(v))).collect();
        if self.batch_norm {
            parts.push("batch norm".into());
        }
        f.write_str(&if parts.is_empty() { "none".into() } else { parts.join(", ") })
    }
}

/// What one hyperparameter may be.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// One of these.
    List(Vec<f64>),
    /// Anything between these, drawn.
    Range(f64, f64),
}

impl FromStr for Values {
    type Err = String;

    /// `0,0.1,0.2` or `1e-5..1e-2`.
    fn from_str(text: &str) -> Result<Self, String> {
        let number = |t: &str| {
            t.trim()
                .parse::<f64>()
                .map_err(|_| format!("{:?} is not a number; expected numbers (0,0.1) or a range (1e-5..1e-2)", t.trim()))
        };
        match text.split_once("..") {
            Some((low, high)) => Ok(Self::Range(number(low)?, number(high)?)),
            None => Ok(Self::List(text.split(',').map(number).collect::<Result<_, _>>()?)),
        }
    }
}

/// What settings are taken from.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    /// In the order of [`NAMES`].
    pub numbers: [Values; 6],
    /// Batch norm off, on or both.
    pub batch_norm: Vec<bool>,
}

/// Settings at most.
const MOST: usize = 10_000;

impl Space {
    /// # Errors
    /// [`Failure::Usage`] names the option, the value and the range.
    pub fn check(&self) -> Result<(), Failure> {
        for (name, values) in NAMES.iter().zip(&self.numbers) {
            let (most, shown) = if *name == "p" { (1.0, "1") } else { (1e6, "1e6") };
            let all = match values {
                Values::List(all) => all.clone(),
                Values::Range(low, high) => vec![*low, *high],
            };
            if let Some(v) = all.iter().find(|v| !(0.0..=most).contains(*v)) {
                return Err(Failure::usage(format!("--{name} has {}, must be from 0 to {shown}", exact(*v))));
            }
            match values {
                Values::Range(low, high) if low >= high => {
                    return Err(Failure::usage(format!("--{name} is the range {}..{}, must ascend", exact(*low), exact(*high))));
                }
                Values::Range(low, _) if *low == 0.0 && *name != "p" => {
                    return Err(Failure::usage(format!(
                        "--{name} is a range from 0; λ is drawn on a logarithmic scale: start above 0, or list values"
                    )));
                }
                Values::List(all) => {
                    if let Some(i) = (1..all.len()).find(|&i| all[..i].contains(&all[i])) {
                        return Err(Failure::usage(format!("--{name} has {} twice", exact(all[i]))));
                    }
                }
                Values::Range(..) => {}
            }
        }
        if self.batch_norm.len() > 1 && self.batch_norm[0] == self.batch_norm[1] || self.batch_norm.len() > 2 {
            return Err(Failure::usage("--batch-norm takes off, on, or off,on"));
        }
        Ok(())
    }

    /// All combinations.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a range, which has infinitely many values, and for too many settings.
    pub fn grid(&self) -> Result<Vec<Setting>, Failure> {
        let mut all = vec![[0.0; 6]];
        for (i, values) in self.numbers.iter().enumerate() {
            let Values::List(values) = values else {
                return Err(Failure::usage(format!("--{} is a range: set the number of draws with --random", NAMES[i])));
            };
            if all.len() * values.len() > MOST {
                return Err(Failure::usage(format!("the grid has more than {MOST} settings; draw some with --random")));
            }
            let with = |base: &[f64; 6]| {
                values
                    .iter()
                    .map(|&v| {
                        let mut one = *base;
                        one[i] = v;
                        one
                    })
                    .collect::<Vec<_>>()
            };
            all = all.iter().flat_map(with).collect();
        }
        Ok(self.batch_norm.iter().flat_map(|&on| all.iter().map(move |&numbers| Setting::new(numbers, on))).collect())
    }

    /// `count` draws: λ uniform on a logarithmic scale, p uniform, a value of a list with equal chances. None is drawn twice.
    ///
    /// # Errors
    /// [`Failure::Usage`] if there are not so many.
    pub fn random(&self, count: usize, seed: u64) -> Result<Vec<Setting>, Failure> {
        let mut rng = Rng::new(seed ^ 0x7475_6e65);
        let mut out: Vec<Setting> = Vec::new();
        let mut tries = 0;
        while out.len() < count {
            let mut numbers = [0.0; 6];
            for (i, values) in self.numbers.iter().enumerate() {
                numbers[i] = match values {
                    Values::List(all) => all[pick(&mut rng, all.len())],
                    Values::Range(low, high) if NAMES[i] == "p" => short(low + (high - low) * rng.unit()),
                    Values::Range(low, high) => short((low.ln() + (high.ln() - low.ln()) * rng.unit()).exp()).clamp(*low, *high),
                };
            }
            let one = Setting::new(numbers, self.batch_norm[pick(&mut rng, self.batch_norm.len())]);
            if !out.contains(&one) {
                out.push(one);
            }
            tries += 1;
            if tries > 100 * count + 1000 {
                return Err(Failure::usage(format!("--random is {count}, but only {} different settings were found", out.len())));
            }
        }
        Ok(out)
    }
}

fn pick(rng: &mut Rng, len: usize) -> usize {
    ((u64::from(rng.word()) * len as u64) >> 32) as usize
}

/// Three significant digits, so that a draw can be typed.
fn short(v: f64) -> f64 {
    format!("{v:.2e}").parse().unwrap_or(v)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(numbers: [&str; 6], batch_norm: &[bool]) -> Space {
        Space { numbers: numbers.map(|t| t.parse().unwrap()), batch_norm: batch_norm.to_vec() }
    }

    #[test]
    fn a_grid_has_every_combination_once() {
        let grid = space(["0", "0,0.1,1", "0", "0", "0", "0,0.5"], &[false, true]).grid().unwrap();
        assert_eq!(grid.len(), 12);
        assert!((0..12).all(|i| !grid[..i].contains(&grid[i])));
        assert_eq!(grid[0].to_string(), "none");
        assert_eq!(grid[11].to_string(), "prox-l1 1, p 0.5, batch norm");
        let options =
            |at: usize| grid[at].options().into_iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>();
        assert_eq!(options(11), ["prox-l1 1", "p 0.5", "batch-norm on"]);
        assert_eq!(options(0), ["batch-norm off"]);
    }

    #[test]
    fn draws_stay_within_their_ranges_and_are_the_same_again() {
        let space = space(["0", "0", "1e-5..1e-1", "0", "0", "0..0.5"], &[false, true]);
        space.check().unwrap();
        let draws = space.random(200, 7).unwrap();
        assert_eq!(draws, space.random(200, 7).unwrap());
        assert_ne!(draws, space.random(200, 8).unwrap());
        assert!(draws.iter().all(|s| (1e-5..=1e-1).contains(&s.l2) && (0.0..=0.5).contains(&s.p)));
        // Uniform on a logarithmic scale: half of them are below the geometric mean.
        let below = draws.iter().filter(|s| s.l2 < 1e-3).count();
        assert!((70..130).contains(&below), "{below} of 200");
        assert!(draws.iter().all(|s| s.l2.to_string().len() < 12), "what is drawn can be typed");
    }

    #[test]
    fn spaces_without_settings_are_refused() {
        let all = |text: &str| space(["0", text, "0", "0", "0", "0"], &[false]);
        let why = |s: Space| s.check().and_then(|()| s.grid().map(drop)).unwrap_err().to_string();
        assert_eq!(why(all("0.1,-1")), "--prox-l1 has -1, must be from 0 to 1e6");
        assert_eq!(why(all("NaN")), "--prox-l1 has NaN, must be from 0 to 1e6");
        assert_eq!(why(all("1,2,1")), "--prox-l1 has 1 twice");
        assert_eq!(why(all("2..1")), "--prox-l1 is the range 2..1, must ascend");
        assert!(why(all("0..1")).starts_with("--prox-l1 is a range from 0; λ is drawn on a logarithmic scale"));
        assert_eq!(why(all("1e-3..1")), "--prox-l1 is a range: set the number of draws with --random");
        assert_eq!(why(space(["0", "0", "0", "0", "0", "0,1.5"], &[false])), "--p has 1.5, must be from 0 to 1");
        assert_eq!(
            "0.1,x".parse::<Values>().unwrap_err(),
            "\"x\" is not a number; expected numbers (0,0.1) or a range (1e-5..1e-2)"
        );
        assert_eq!(all("0,1").random(3, 1).unwrap_err().to_string(), "--random is 3, but only 2 different settings were found");
    }
}
