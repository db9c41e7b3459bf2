//! Rows that stay together, dealt out to folds or parts as whole groups.
use super::{Table, Targets};

/// Rows by their group, groups in the order in which they come.
pub(super) fn together(rows: &[usize], of: &[u32]) -> Vec<Vec<usize>> {
    let most = rows.iter().map(|&r| of[r] as usize + 1).max().unwrap_or(0);
    let (mut place, mut out) = (vec![usize::MAX; most], Vec::<Vec<usize>>::new());
    for &r in rows {
        let place = &mut place[of[r] as usize];
        if *place == usize::MAX {
            *place = out.len();
            out.push(Vec::new());
        }
        out[*place].push(r);
    }
    out
}

/// What a group adds to a part: place 0 has its rows, others the rows of each class that it has; by place.
type Counts = Vec<(usize, f64)>;

/// Changes that are tried after the first deal, at most: seconds, whatever the table.
const TRIES: usize = 2_000_000;

/// The part of each group, so that part `p` has as nearly `wanted[p]` rows as whole groups allow, and classes are as frequent in each as
/// in all: the sum of squared distances, each relative to what is expected, is made small by a first deal in the order of the groups, and
/// then by moving and exchanging groups until nothing helps. No part is empty, if there are enough groups. `class` gives the class of a
/// row, of `classes`; of fewer than two nothing is balanced. Which part an optimum has is a matter of the order: shuffle it.
fn deal(groups: &[Vec<usize>], wanted: &[f64], class: &dyn Fn(usize) -> usize, classes: usize) -> Vec<usize> {
    let counts = |rows: &Vec<usize>| -> Counts {
        let mut by = std::collections::BTreeMap::from([(0, rows.len() as f64)]);
        if classes > 1 {
            rows.iter().for_each(|&r| *by.entry(1 + class(r)).or_default() += 1.0);
        }
        by.into_iter().collect()
    };
    let counts: Vec<Counts> = groups.iter().map(counts).collect();
    let mut deal = Deal::new(&counts, wanted, 1 + if classes > 1 { classes } else { 0 });
    for counts in &counts {
        let part = deal.least(|deal, part| deal.change(part, counts, &[]));
        deal.of.push(part);
        deal.add(part, counts, 1.0);
    }
    deal.fill();
    deal.improve();
    deal.of
}

/// As [`deal`], with the classes of a table.
pub(super) fn deal_classes(table: &Table, groups: &[Vec<usize>], wanted: &[f64]) -> Vec<usize> {
    match &table.targets {
        Targets::Values(_) => deal(groups, wanted, &|_| 0, 0),
        Targets::Classes { names, of } => deal(groups, wanted, &|r| of[r] as usize, names.len()),
    }
}

struct Deal<'a> {
    counts: &'a [Counts],
    /// By part and place.
    has: Vec<Vec<f64>>,
    wants: Vec<Vec<f64>>,
    /// The weight of a place: sizes count as much as all classes together.
    weight: Vec<f64>,
    of: Vec<usize>,
    tries: usize,
}

impl<'a> Deal<'a> {
    fn new(counts: &'a [Counts], wanted: &[f64], places: usize) -> Self {
        let mut all = vec![0.0; places];
        counts.iter().flatten().for_each(|(place, n)| all[*place] += n);
        let wants = |rows: &f64| all.iter().map(|n| (n * rows / all[0].max(1.0)).max(1e-6)).collect();
        let mut weight = vec![1.0; places];
        weight[0] = places as f64;
        Self {
            counts,
            has: vec![vec![0.0; places]; wanted.len()],
            wants: wanted.iter().map(wants).collect(),
            weight,
            of: Vec::new(),
            tries: 0,
        }
    }

    /// How much worse a part becomes by these, and without those.
    fn change(&self, part: usize, more: &[(usize, f64)], less: &[(usize, f64)]) -> f64 {
        let (has, wants) = (&self.has[part], &self.wants[part]);
        let one = |place: usize, k: f64| self.weight[place] * k * (k + 2.0 * (has[place] - wants[place])) / wants[place];
        let (mut i, mut j, mut sum) = (0, 0, 0.0);
        loop {
            let next = |counts: &[(usize, f64)], i: usize| counts.get(i).map_or(usize::MAX, |(place, _)| *place);
            let place = next(more, i).min(next(less, j));
            if place == usize::MAX {
                return sum;
            }
            let mut k = 0.0;
            if next(more, i) == place {
                k += more[i].1;
                i += 1;
            }
            if next(less, j) == place {
                k -= less[j].1;
                j += 1;
            }
            sum += one(place, k);
        }
    }

    fn least(&self, cost: impl Fn(&Self, usize) -> f64) -> usize {
        (0..self.has.len()).min_by(|a, b| cost(self, *a).total_cmp(&cost(self, *b))).expect("there are parts")
    }

    fn add(&mut self, part: usize, counts: &[(usize, f64)], sign: f64) {
        counts.iter().for_each(|(place, n)| self.has[part][*place] += sign * n);
    }

    fn put(&mut self, group: usize, part: usize) {
        let counts = self.counts;
        self.add(self.of[group], &counts[group], -1.0);
        self.add(part, &counts[group], 1.0);
        self.of[group] = part;
    }

    /// Gives each empty part the group that is missed least elsewhere.
    fn fill(&mut self) {
        let mut groups = vec![0; self.has.len()];
        self.of.iter().for_each(|part| groups[*part] += 1);
        for part in 0..groups.len() {
            let spare = (0..self.of.len()).filter(|g| groups[part] == 0 && groups[self.of[*g]] > 1);
            let cost = |g: usize| self.change(part, &self.counts[g], &[]) + self.change(self.of[g], &[], &self.counts[g]);
            if let Some(g) = spare.min_by(|a, b| cost(*a).total_cmp(&cost(*b))) {
                groups[self.of[g]] -= 1;
                groups[part] += 1;
                self.put(g, part);
            }
        }
    }

    /// Whether something is gained, and not by rounding.
    fn gains(&mut self, change: f64) -> bool {
        self.tries += 1;
        change < -1e-9
    }

    fn improve(&mut self) {
        let counts = self.counts;
        let mut alone = vec![0; self.has.len()];
        self.of.iter().for_each(|part| alone[*part] += 1);
        let mut better = true;
        while better && self.tries < TRIES {
            better = false;
            for (g, own) in counts.iter().enumerate() {
                let from = self.of[g];
                for to in (0..self.has.len()).filter(|to| *to != from) {
                    if alone[from] > 1 {
                        let change = self.change(to, own, &[]) + self.change(from, &[], own);
                        if self.gains(change) {
                            self.put(g, to);
                            alone[from] -= 1;
                            alone[to] += 1;
                            better = true;
                            break;
                        }
                    }
                }
            }
            for g in 0..counts.len() {
                for h in g + 1..counts.len() {
                    let (a, b) = (self.of[g], self.of[h]);
                    if self.tries >= TRIES {
                        return;
                    }
                    if a == b || counts[g] == counts[h] {
                        // So that equal groups without end are not gone through.
                        self.tries += 1;
                        continue;
                    }
                    let change = self.change(a, &counts[h], &counts[g]) + self.change(b, &counts[g], &counts[h]);
                    if self.gains(change) {
                        self.put(g, b);
                        self.put(h, a);
                        better = true;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups of these sizes, rows numbered through.
    fn groups(sizes: &[usize]) -> Vec<Vec<usize>> {
        let mut next = 0;
        sizes.iter().map(|n| (next..next + n).inspect(|_| next += 1).collect()).collect()
    }

    fn sizes(groups: &[Vec<usize>], of: &[usize], parts: usize) -> Vec<usize> {
        (0..parts).map(|p| groups.iter().zip(of).filter(|(_, of)| **of == p).map(|(g, _)| g.len()).sum()).collect()
    }

    #[test]
    fn parts_are_as_even_as_whole_groups_allow() {
        let even = |of: &[usize], parts: usize| {
            let groups = groups(of);
            let total: usize = of.iter().sum();
            let dealt = deal(&groups, &vec![total as f64 / parts as f64; parts], &|_| 0, 0);
            let mut out = sizes(&groups, &dealt, parts);
            out.sort_unstable();
            out
        };
        // Dealt by size alone this would be 10 and 8.
        assert_eq!(even(&[5, 4, 3, 3, 3], 2), [9, 9]);
        assert_eq!(even(&[1; 17], 5), [3, 3, 3, 4, 4]);
        assert_eq!(even(&[100, 1, 1], 3), [1, 1, 100]);
        assert_eq!(even(&[7, 7, 7], 3), [7, 7, 7]);
        assert_eq!(even(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 3), [22, 22, 22]);
        // A part that wants next to nothing still gets a group.
        let (two, of) = (groups(&[40, 40]), deal(&groups(&[40, 40]), &[8.0, 72.0], &|_| 0, 0));
        assert_eq!(sizes(&two, &of, 2), [40, 40]);
    }

    #[test]
    fn classes_are_as_frequent_in_each_part() {
        // Two classes, a rare one of ten rows in groups of its own.
        let all = groups(&[3; 60]);
        let class = |r: usize| usize::from(r.is_multiple_of(18));
        let of = deal(&all, &[36.0; 5], &class, 2);
        assert_eq!(sizes(&all, &of, 5), [36; 5]);
        for p in 0..5 {
            let rows = all.iter().zip(&of).filter(|(_, of)| **of == p).flat_map(|(g, _)| g);
            assert_eq!(rows.filter(|r| class(**r) == 1).count(), 2);
        }
    }

    #[test]
    fn rows_are_found_by_group() {
        assert_eq!(together(&[4, 0, 2, 3], &[7, 9, 1, 7, 1]), [vec![4, 2], vec![0, 3]]);
        assert!(together(&[], &[]).is_empty());
    }

    /// However many rows have a group of their own, it ends.
    #[test]
    fn as_many_groups_as_rows_are_dealt_soon() {
        let all = groups(&vec![1; 100_000]);
        let of = deal(&all, &[10_000.0; 10], &|r| r % 3, 3);
        let sizes = sizes(&all, &of, 10);
        assert!(sizes.iter().all(|n| (9_990..=10_010).contains(n)), "{sizes:?}");
    }
}
