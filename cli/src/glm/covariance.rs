//! Covariances of features, weighted: of a few, of all of them, and of as many as have been needed so far.
use super::{
    Design,
    design::{add, cross, dot},
};
use rayon::prelude::*;

/// Σ v·(xⱼ - mean)·(xₖ - mean) for these features, by rows.
pub fn covariances(design: &Design, at: &[usize], v: &[f64]) -> Vec<f64> {
    let total: f64 = v.iter().sum();
    let (n, count) = (design.rows(), at.len());
    let mut weighted = Vec::with_capacity(n * count);
    let mut plain = Vec::with_capacity(n * count);
    for &j in at {
        let column = design.column(j);
        let mean = dot(column, v) / total;
        plain.extend(column.iter().map(|x| x - mean));
        weighted.extend(column.iter().zip(v).map(|(x, v)| v * (x - mean)));
    }
    products(&weighted, &plain, n, count)
}

/// Products of all columns, for the rows of each fold: what is left of their sum without a fold are the products for its training rows.
pub struct Folds {
    features: usize,
    total: Vec<f64>,
    /// None of a fold that is empty.
    folds: Vec<Vec<f64>>,
}

impl Folds {
    /// What it keeps is at most 512 MiB.
    const MOST: usize = 1 << 26;

    /// Whether it pays: rows are many, features few enough, and models enough that a product for each would cost more.
    pub fn worth(design: &Design, folds: usize, models: usize) -> bool {
        let p = design.features();
        p <= 2048 && design.rows() > p && p <= 10 * models && (folds + 2).saturating_mul(p * p) <= Self::MOST
    }

    /// Of rows that are each in one of `count` folds, or in fold 0.
    pub fn new(design: &Design, of: &[usize], count: usize) -> Self {
        let p = design.features();
        let one = |f: usize| {
            let rows: Vec<usize> = (0..of.len()).filter(|&i| of[i] == f).collect();
            let x: Vec<f64> = (0..p).flat_map(|j| rows.iter().map(move |&i| design.column(j)[i])).collect();
            products(&x, &x, rows.len(), p)
        };
        let folds: Vec<Vec<f64>> = (0..count.max(1)).into_par_iter().map(one).collect();
        let mut total = vec![0.0; p * p];
        folds.iter().for_each(|fold| add(&mut total, 1.0, fold));
        Self { features: p, total, folds }
    }

    /// Covariances of all features, by rows, without a fold; `weight` is that of each row, `means` are those of its training rows.
    pub fn without(&self, fold: Option<usize>, weight: f64, means: &[f64]) -> Vec<f64> {
        let mut out = self.total.clone();
        if let Some(f) = fold {
            add(&mut out, -1.0, &self.folds[f]);
        }
        for (row, a) in out.chunks_exact_mut(self.features).zip(means) {
            row.iter_mut().zip(means).for_each(|(to, b)| *to = *to * weight - a * b);
        }
        out
    }
}

/// AᵀB, which is symmetric, for A and B of `rows` rows and `p` columns: blocks above the diagonal are mirrored.
fn products(a: &[f64], b: &[f64], rows: usize, p: usize) -> Vec<f64> {
    const BLOCK: usize = 128;
    let mut out = vec![0.0; p * p];
    if rows == 0 || p <= BLOCK {
        if rows > 0 {
            cross(a, b, rows, &mut out);
        }
        return out;
    }
    let one = |i: usize| {
        let (from, to) = (i * BLOCK, p.min((i + 1) * BLOCK));
        let mut block = vec![0.0; (to - from) * to];
        cross(&a[from * rows..to * rows], &b[..to * rows], rows, &mut block);
        (from, to, block)
    };
    let blocks: Vec<(usize, usize, Vec<f64>)> = (0..p.div_ceil(BLOCK)).into_par_iter().map(one).collect();
    for (from, to, block) in blocks {
        for (j, row) in (from..to).zip(block.chunks_exact(to)) {
            out[j * p..][..to].copy_from_slice(row);
            (0..from).for_each(|k| out[k * p + j] = row[k]);
        }
    }
    out
}

/// Covariances of the features that have been needed so far.
pub struct Kept {
    /// The place of each feature among those that are kept.
    places: Vec<Option<usize>>,
    at: Vec<usize>,
    /// A row for each, up to itself.
    rows: Vec<Vec<f64>>,
}

impl Kept {
    /// Of none of so many.
    pub fn new(features: usize) -> Self {
        Self { places: vec![None; features], at: Vec::new(), rows: Vec::new() }
    }

    /// Those of these features, by rows; `v` adds up to 1, `means` are the weighted ones.
    pub fn of(&mut self, design: &Design, wanted: &[usize], v: &[f64], means: &[f64]) -> Vec<f64> {
        let new: Vec<usize> = wanted.iter().copied().filter(|&j| self.places[j].is_none()).collect();
        for &j in &new {
            self.places[j] = Some(self.at.len());
            self.at.push(j);
        }
        let (old, at) = (self.rows.len(), &self.at);
        let work = new.len() * at.len() * design.rows();
        let row = |i: usize| {
            let j = new[i];
            let weighted: Vec<f64> = design.column(j).iter().zip(v).map(|(x, v)| v * (x - means[j])).collect();
            at[..=old + i].iter().map(|&k| dot(&weighted, design.column(k))).collect::<Vec<f64>>()
        };
        if work < 1 << 20 {
            self.rows.extend((0..new.len()).map(row));
        } else {
            self.rows.par_extend((0..new.len()).into_par_iter().map(row));
        }
        let places: Vec<usize> = wanted.iter().map(|&j| self.places[j].expect("made above")).collect();
        let entry = |a: usize, b: usize| if a >= b { self.rows[a][b] } else { self.rows[b][a] };
        places.iter().flat_map(|&a| places.iter().map(move |&b| entry(a, b))).collect()
    }

    /// How many features are kept.
    pub fn len(&self) -> usize {
        self.at.len()
    }
}
