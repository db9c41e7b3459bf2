//! A path of linear predictors, and the choice of one.
use super::{Predicted, zeros};
use crate::{Failure, glm::Family, number::exact};
use std::str::FromStr;

/// Models at strengths of a penalty.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// What they predict: numbers, or two classes.
    pub family: Family,
    /// λ descending.
    pub path: Vec<Fit>,
    /// The place of the λ with the least error in cross-validation.
    pub best: usize,
    /// That of the largest λ within one standard error of it.
    pub one_se: usize,
}

/// A linear predictor.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The strength of the penalty.
    pub lambda: f64,
    /// The intercept.
    pub intercept: f64,
    /// The coefficients of the features in their own units.
    pub coef: Vec<f64>,
}

/// Which model of a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Strength {
    /// That with the least error in cross-validation.
    Best,
    /// That of the largest λ within one standard error of it.
    OneSe,
    /// That of this λ.
    Value(f64),
}

impl FromStr for Strength {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "best" => Ok(Self::Best),
            "one-se" => Ok(Self::OneSe),
            _ => match text.parse::<f64>() {
                Ok(v) if v > 0.0 && v.is_finite() => Ok(Self::Value(v)),
                _ => Err("must be best, one-se, or a λ of the path, which is greater than 0 and finite".into()),
            },
        }
    }
}

/// λ that differ by no more than this share of them are taken for one: tables show five digits.
const ALIKE: f64 = 1e-4;

impl Linear {
    /// The place of a model. Models between two λ are not made up: a number must be a λ of the path, to the five digits that tables show.
    ///
    /// # Errors
    /// [`Failure::Usage`] names the λ beside it.
    pub fn at(&self, strength: Strength) -> Result<usize, Failure> {
        let value = match strength {
            Strength::Best => return Ok(self.best),
            Strength::OneSe => return Ok(self.one_se),
            Strength::Value(value) => value,
        };
        if let Some(same) = self.path.iter().position(|fit| fit.lambda == value) {
            return Ok(same);
        }
        let near: Vec<usize> =
            (0..self.path.len()).filter(|&i| (self.path[i].lambda - value).abs() <= ALIKE * self.path[i].lambda).collect();
        if let [one] = near[..] {
            return Ok(one);
        }
        let lambda = |i: usize| exact(self.path[i].lambda);
        let known = match near[..] {
            [first, second, ..] => format!("{} and {} are equally near: give it all digits", lambda(first), lambda(second)),
            _ => match self.path.iter().position(|fit| fit.lambda < value) {
                Some(0) => format!("its largest is {}", lambda(0)),
                Some(next) => format!("the next ones are {} and {}", lambda(next - 1), lambda(next)),
                None => format!("its smallest is {}", lambda(self.path.len() - 1)),
            },
        };
        Err(Failure::usage(format!(
            "--lambda is {}, must be best, one-se, or a λ of the model's path, to five digits; {known}",
            exact(value)
        )))
    }

    /// What the model at a place says of rows.
    pub(super) fn predict(&self, features: &[f64], rows: usize, fit: usize) -> Result<Predicted, Failure> {
        let Fit { intercept, coef, .. } = &self.path[fit];
        let used: Vec<(usize, f64)> = coef.iter().copied().enumerate().filter(|(_, b)| *b != 0.0).collect();
        let mut link = zeros(Some(rows))?;
        for (i, eta) in link.iter_mut().enumerate() {
            let row = &features[i * coef.len()..][..coef.len()];
            *eta = intercept + used.iter().map(|(j, b)| b * row[*j]).sum::<f64>();
        }
        if self.family == Family::Linear {
            return Ok(Predicted { response: link.clone(), link, links: 1, responses: 1, class: None });
        }
        let mut response = zeros(rows.checked_mul(2))?;
        for (both, eta) in response.chunks_exact_mut(2).zip(&link) {
            // Each by itself: 1 less the other would lose the digits of a small one.
            both.copy_from_slice(&[Family::Logistic.mean(-eta), Family::Logistic.mean(*eta)]);
        }
        let class = link.iter().map(|eta| u32::from(*eta > 0.0)).collect();
        Ok(Predicted { link, links: 1, response, responses: 2, class: Some(class) })
    }
}
