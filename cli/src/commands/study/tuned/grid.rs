//! The strengths that are tried for a treatment: from those that hardly do anything to those that keep a network from learning.
use crate::commands::study::treatments::{Knob, Strengths, Treatment};

/// One strength and the values tried, from weak to strong.
#[derive(Clone, Copy)]
pub struct Axis {
    /// Which.
    pub knob: Knob,
    /// In ascending order.
    pub values: &'static [f64],
}

/// All combinations of a treatment's strengths; one, without any, where it has none.
#[derive(Clone)]
pub struct Grid {
    /// None, one or two.
    pub axes: Vec<Axis>,
}

impl Grid {
    /// What is tried for a treatment. One strength has eight values, two have three each, so that all have about the same number of
    /// tries. λ grows about threefold from value to value, that of the proximal step twofold, since it acts within less than a decade; where
    /// there are two, fivefold.
    pub fn new(treatment: Treatment) -> Self {
        let values = |knob: &Knob| -> &'static [f64] {
            match knob.option {
                "l1" => &[3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1],
                "l2" => &[3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1],
                "prox-l1" => &[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0],
                "decay" => &[0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0],
                "elastic-l1" => &[0.02, 0.1, 0.5],
                "elastic-l2" => &[0.4, 2.0, 10.0],
                "combined-p" => &[0.2, 0.5, 0.8],
                "combined-l2" => &[4e-4, 2e-3, 0.01],
                _ => &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
            }
        };
        Self { axes: treatment.knobs().iter().map(|&knob| Axis { knob, values: values(&knob) }).collect() }
    }

    /// How many combinations there are. The last axis varies fastest.
    pub fn count(&self) -> usize {
        self.axes.iter().map(|a| a.values.len()).product()
    }

    /// The place of a combination on each axis.
    pub fn places(&self, mut candidate: usize) -> Vec<usize> {
        let mut out: Vec<usize> = Vec::new();
        for axis in self.axes.iter().rev() {
            out.insert(0, candidate % axis.values.len());
            candidate /= axis.values.len();
        }
        out
    }

    /// Its values.
    pub fn values(&self, candidate: usize) -> Vec<f64> {
        self.places(candidate).iter().zip(&self.axes).map(|(&place, axis)| axis.values[place]).collect()
    }

    /// How strong it is, to be compared with others of the grid: by the sum of its places, then by the first of them.
    pub fn strength(&self, candidate: usize) -> [usize; 2] {
        let places = self.places(candidate);
        [places.iter().sum(), places.first().copied().unwrap_or(0)]
    }

    /// Sets a combination.
    pub fn set(&self, candidate: usize, strengths: &mut Strengths) {
        self.values(candidate).iter().zip(&self.axes).for_each(|(&v, axis)| *(axis.knob.of)(strengths) = v);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::study::args::DEFAULTS;

    #[test]
    fn every_strength_has_values_of_its_own_from_weak_to_strong() {
        for treatment in Treatment::ALL {
            let grid = Grid::new(treatment);
            let expected = [1, 8, 9][treatment.knobs().len()];
            assert_eq!(grid.count(), expected, "{}", treatment.key());
            for axis in &grid.axes {
                assert!(axis.values.windows(2).all(|w| w[0] < w[1]), "{}", axis.knob.option);
                assert_eq!(axis.knob.is_share(), axis.values[0] >= 0.1 && axis.values[axis.values.len() - 1] == 0.8);
            }
            let mut seen = Vec::new();
            for candidate in 0..grid.count() {
                let mut strengths = DEFAULTS;
                grid.set(candidate, &mut strengths);
                strengths.check().unwrap();
                let recipe = treatment.recipe(&strengths);
                assert!(!seen.contains(&recipe), "{}: a combination is tried twice", treatment.key());
                seen.push(recipe);
            }
        }
        let two = Grid::new(Treatment::ElasticNet);
        assert_eq!([two.values(1), two.values(3)], [vec![0.02, 2.0], vec![0.1, 0.4]]);
        // On one diagonal, the first strength decides.
        assert!(two.strength(3) > two.strength(1) && two.strength(2) > two.strength(3));
    }

    #[test]
    fn each_option_sets_one_treatment() {
        for (i, knob) in Treatment::ALL.iter().flat_map(|t| t.knobs()).enumerate() {
            let mut strengths = DEFAULTS;
            *(knob.of)(&mut strengths) = 0.77;
            assert_eq!(knob.get(&strengths), 0.77);
            let changed = Treatment::ALL.iter().filter(|t| t.recipe(&strengths) != t.recipe(&DEFAULTS)).count();
            assert_eq!(changed, 1, "{}", knob.option);
            let others = Treatment::ALL.iter().flat_map(|t| t.knobs()).enumerate().filter(|(j, _)| *j != i);
            assert!(others.into_iter().all(|(_, k)| k.option != knob.option));
        }
    }
}
