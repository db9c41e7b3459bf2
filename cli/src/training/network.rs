//! The networks' shape, and where the parameters of all of them lie: in one arena, tensor by tensor, in each the models one after
//! the other, so that an op takes all models at once and an optimizer step is one dispatch.
use super::{Member, Shape};
use ridgepole::{Group, Rng, Segment};
use std::ops::Range;

/// One dense layer. Columns and rows that only fill quads are counted, and stay 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Rows of the weight matrix.
    pub inputs: usize,
    /// Columns of the weight matrix.
    pub outputs: usize,
    /// Rows and columns without those that only fill quads.
    pub live: [usize; 2],
    /// Whether there is a bias, the last row of the matrix. Where units are normalized, β is one.
    pub bias: bool,
    /// The weights in the arena.
    pub weight: usize,
    /// γ and β of the normalization in the arena.
    pub norm: Option<[usize; 2]>,
}

impl Layer {
    /// Elements of one model's matrix with its bias.
    pub fn weight_len(&self) -> usize {
        (self.inputs + usize::from(self.bias)) * self.outputs
    }

    /// The tensors in the arena, and how much of each is one model's.
    fn tensors(&self) -> impl Iterator<Item = [usize; 2]> + use<> {
        let norm = self.norm.into_iter().flatten().map({
            let width = self.outputs;
            move |start| [start, width]
        });
        [[self.weight, self.weight_len()]].into_iter().chain(norm)
    }
}

/// The arena.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Number of models.
    pub models: usize,
    /// The layers, first to last.
    pub layers: Vec<Layer>,
    /// Elements of the arena.
    pub len: usize,
}

/// Tensors start at multiples of this many elements: 512 bytes of f32, which suits the bindings of every device.
const ALIGN: usize = 128;

impl Layout {
    /// The layout for this many models.
    pub fn new(shape: &Shape, models: usize) -> Self {
        let widths: Vec<usize> = [shape.inputs].iter().chain(&shape.hidden).chain([&shape.outputs]).copied().collect();
        let (mut layers, mut len) = (Vec::new(), 0usize);
        for (i, pair) in widths.windows(2).enumerate() {
            let [inputs, outputs] = [pair[0].next_multiple_of(4), pair[1].next_multiple_of(4)];
            let norm = shape.batch_norm && i + 1 < widths.len() - 1;
            let mut layer = Layer { inputs, outputs, live: [pair[0], pair[1]], bias: !norm, weight: 0, norm: None };
            let mut place = |n: usize| {
                let start = len.next_multiple_of(ALIGN);
                len = start + models * n;
                start
            };
            layer.weight = place(layer.weight_len());
            layer.norm = norm.then(|| [place(outputs), place(outputs)]);
            layers.push(layer);
        }
        Self { models, layers, len }
    }

    /// The tensors for an optimizer, and their groups: a member's own for weights, one without penalty for biases and normalization.
    pub fn segments(&self, members: &[Member]) -> (Vec<Group>, Vec<Segment>) {
        let (mut groups, mut segments) = (vec![Group::default()], Vec::new());
        let of: Vec<usize> = members
            .iter()
            .map(|m| {
                groups.iter().position(|g| *g == m.recipe.group).unwrap_or_else(|| {
                    groups.push(m.recipe.group);
                    groups.len() - 1
                })
            })
            .collect();
        for l in &self.layers {
            let weights = l.inputs * l.outputs;
            for (m, &group) in of.iter().enumerate() {
                let start = l.weight + m * l.weight_len();
                segments.push(Segment { start, len: weights, group });
                if l.bias {
                    segments.push(Segment { start: start + weights, len: l.outputs, group: 0 });
                }
            }
            let all = self.models * l.outputs;
            segments.extend(l.norm.iter().flatten().map(|&start| Segment { start, len: all, group: 0 }));
        }
        (groups, segments)
    }

    /// The tensors in the arena, and how much of each is one model's.
    pub fn tensors(&self) -> Vec<[usize; 2]> {
        self.layers.iter().flat_map(Layer::tensors).collect()
    }

    /// Where in the arena a model's parameters are.
    pub fn ranges(&self, model: usize) -> Vec<Range<usize>> {
        self.tensors().into_iter().map(|[start, len]| start + model * len..start + (model + 1) * len).collect()
    }

    /// A model's parameters, out of an arena.
    pub fn take(&self, arena: &[f32], model: usize) -> Vec<f32> {
        self.ranges(model).into_iter().flat_map(|r| &arena[r]).copied().collect()
    }

    /// A model's parameters, into an arena.
    pub fn put(&self, arena: &mut [f32], model: usize, values: &[f32]) {
        let mut rest = values;
        for range in self.ranges(model) {
            let (now, later) = rest.split_at(range.len());
            arena[range].copy_from_slice(now);
            rest = later;
        }
    }
}

/// The parameters of one network before the first step: weights uniform within ±√(6/inputs) (He et al. 2015, for ReLU), β and biases
/// 0, γ 1. What only fills quads is 0, gets gradients of exactly 0, and so stays 0.
pub fn initial(shape: &Shape, rng: &mut Rng) -> Vec<f32> {
    let layout = Layout::new(shape, 1);
    let mut arena = vec![0.0; layout.len];
    for layer in &layout.layers {
        let bound = (6.0 / layer.live[0] as f64).sqrt();
        for i in live_weights(layer) {
            arena[i] = (bound * (2.0 * rng.unit() - 1.0)) as f32;
        }
        if let Some([gamma, _]) = layer.norm {
            arena[gamma..gamma + layer.live[1]].fill(1.0);
        }
    }
    layout.take(&arena, 0)
}

/// The weights of one network, without those that only fill quads and without biases and normalization.
pub fn weights(shape: &Shape, params: &[f32]) -> Vec<f32> {
    let layout = Layout::new(shape, 1);
    let mut arena = vec![0.0; layout.len];
    layout.put(&mut arena, 0, params);
    layout.layers.iter().flat_map(live_weights).map(|i| arena[i]).collect()
}

/// Places in the arena of a single model.
fn live_weights(layer: &Layer) -> impl Iterator<Item = usize> + use<> {
    let (weight, outputs, [rows, columns]) = (layer.weight, layer.outputs, layer.live);
    (0..rows).flat_map(move |r| (0..columns).map(move |c| weight + r * outputs + c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::Recipe;
    use ridgepole::ElasticNet;

    #[test]
    fn tensors_are_aligned_apart_and_complete() {
        for batch_norm in [false, true] {
            let shape = Shape { inputs: 13, hidden: vec![8, 12], outputs: 3, batch_norm };
            let real: usize = 13 * 8 + 8 * 12 + 12 * 3;
            let one = initial(&shape, &mut Rng::new(1));
            assert_eq!(weights(&shape, &one).len(), real);
            assert!(weights(&shape, &one).iter().all(|w| *w != 0.0));
            let gammas = if batch_norm { 20 } else { 0 };
            assert_eq!(one.iter().filter(|v| **v != 0.0).count(), real + gammas, "fillers and biases are 0");

            let layout = Layout::new(&shape, 3);
            let strong = Recipe {
                group: Group { prox: ElasticNet { l1: 1.0, ..ElasticNet::NONE }, ..Group::default() },
                ..Recipe::default()
            };
            let members = [Recipe::default(), strong, strong].map(|recipe| Member { recipe, split: 0, seed: 0 });
            let (groups, mut segments) = layout.segments(&members);
            assert_eq!(groups.len(), 2);
            segments.sort_by_key(|s| s.start);
            assert!(segments.windows(2).all(|s| s[0].start + s[0].len <= s[1].start), "no two overlap");
            assert!(segments.iter().all(|s| s.start % 4 == 0 && s.len % 4 == 0));
            assert_eq!(segments.iter().map(|s| s.len).sum::<usize>(), 3 * one.len(), "every parameter is stepped");
            let penalized = segments.iter().filter(|s| s.group == 1).map(|s| s.len).sum::<usize>();
            assert_eq!(penalized, 2 * (16 * 8 + 8 * 12 + 12 * 4));
            assert!(layout.tensors().iter().all(|[start, _]| start % ALIGN == 0));

            let mut arena = vec![0.0; layout.len];
            layout.put(&mut arena, 1, &one);
            assert_eq!(layout.take(&arena, 1), one);
            assert!([0, 2].iter().all(|&m| layout.take(&arena, m).iter().all(|v| *v == 0.0)));
        }
    }
}
