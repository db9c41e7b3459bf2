//! The network's shape, and where its parameters lie: all in one arena, so that an optimizer step is one dispatch.
use ridgepole::{Rng, Segment};

/// A multi-layer perceptron: input, hidden layers with ReLU, output.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Features.
    pub inputs: usize,
    /// Units of each hidden layer, multiples of 4.
    pub hidden: Vec<usize>,
    /// Classes, or 1.
    pub outputs: usize,
    /// Whether each hidden layer has batch normalisation (and then no bias: the shift β is one).
    pub batch_norm: bool,
}

/// One dense layer, in elements of the arena. Columns and rows that only fill quads are counted, and stay 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Rows of the weight matrix.
    pub inputs: usize,
    /// Columns of the weight matrix.
    pub outputs: usize,
    /// Rows and columns that are not there to fill quads.
    pub live: [usize; 2],
    /// Where the weights start; the bias follows them, if there is one.
    pub weight: usize,
    /// Whether there is a bias.
    pub bias: bool,
    /// Where γ and β of the normalisation start.
    pub norm: Option<[usize; 2]>,
}

/// The arena.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// The layers, first to last.
    pub layers: Vec<Layer>,
    /// The tensors: weights in group 0, biases and normalisation in group 1.
    pub segments: Vec<Segment>,
    /// Elements of the arena.
    pub len: usize,
}

/// Tensors that are bound by themselves start at multiples of this many elements: 512 bytes of f32, which suits every device.
const ALIGN: usize = 128;

impl Layout {
    /// Where everything lies.
    pub fn new(shape: &Shape) -> Self {
        let widths: Vec<usize> = [shape.inputs].iter().chain(&shape.hidden).chain([&shape.outputs]).copied().collect();
        let (mut layers, mut segments, mut len) = (Vec::new(), Vec::new(), 0usize);
        for (i, pair) in widths.windows(2).enumerate() {
            let [inputs, outputs] = [pair[0].next_multiple_of(4), pair[1].next_multiple_of(4)];
            let norm = shape.batch_norm && i + 1 < widths.len() - 1;
            let mut place = |len_: &mut usize, n: usize, group: usize, align: usize| {
                let start = len_.next_multiple_of(align);
                segments.push(Segment { start, len: n, group });
                *len_ = start + n;
                start
            };
            let weight = place(&mut len, inputs * outputs, 0, ALIGN);
            if !norm {
                // Right behind the weights, which end with a whole quad: one more row of the matrix.
                place(&mut len, outputs, 1, 4);
            }
            let norm_at = norm.then(|| [place(&mut len, outputs, 1, ALIGN), place(&mut len, outputs, 1, ALIGN)]);
            layers.push(Layer { inputs, outputs, live: [pair[0], pair[1]], weight, bias: !norm, norm: norm_at });
        }
        Self { layers, segments, len }
    }

    /// The parameters before the first step: weights uniform within ±√(6/inputs) (He et al. 2015, for ReLU), β and biases 0,
    /// γ 1. What only fills quads is 0, gets gradients of exactly 0, and so stays 0.
    pub fn initial(&self, rng: &mut Rng) -> Vec<f32> {
        let mut arena = vec![0.0; self.len];
        for layer in &self.layers {
            let bound = (6.0 / layer.live[0] as f64).sqrt();
            for i in layer.live_weights() {
                arena[i] = (bound * (2.0 * rng.unit() - 1.0)) as f32;
            }
            if let Some([gamma, _]) = layer.norm {
                arena[gamma..gamma + layer.live[1]].fill(1.0);
            }
        }
        arena
    }

    /// All weights that are not there to fill quads, without biases and normalisation.
    pub fn weights(&self, arena: &[f32]) -> Vec<f32> {
        self.layers.iter().flat_map(Layer::live_weights).map(|i| arena[i]).collect()
    }
}

impl Layer {
    fn live_weights(&self) -> impl Iterator<Item = usize> + use<> {
        let (weight, outputs, [rows, columns]) = (self.weight, self.outputs, self.live);
        (0..rows).flat_map(move |r| (0..columns).map(move |c| weight + r * outputs + c))
    }

    /// Elements of the weight matrix with its bias.
    pub fn weight_len(&self) -> usize {
        (self.inputs + usize::from(self.bias)) * self.outputs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_are_aligned_apart_and_complete() {
        for batch_norm in [false, true] {
            let shape = Shape { inputs: 13, hidden: vec![8, 12], outputs: 3, batch_norm };
            let layout = Layout::new(&shape);
            let real: usize = 13 * 8 + 8 * 12 + 12 * 3;
            let arena = layout.initial(&mut Rng::new(1));
            assert_eq!(layout.weights(&arena).len(), real);
            assert!(layout.weights(&arena).iter().all(|w| *w != 0.0));
            let gammas = if batch_norm { 20 } else { 0 };
            assert_eq!(arena.iter().filter(|v| **v != 0.0).count(), real + gammas, "fillers and biases are 0");
            assert!(layout.segments.windows(2).all(|s| s[0].start + s[0].len <= s[1].start), "no two overlap");
            assert!(layout.segments.iter().all(|s| s.start % 4 == 0 && s.len % 4 == 0));
            for layer in &layout.layers {
                assert_eq!(layer.weight % ALIGN, 0);
                assert!(layer.norm.iter().flatten().all(|s| s % ALIGN == 0));
                assert_eq!(layer.bias, layer.norm.is_none());
            }
            assert_eq!(layout.layers.iter().filter(|l| l.norm.is_some()).count(), if batch_norm { 2 } else { 0 });
        }
    }
}
