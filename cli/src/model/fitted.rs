//! Models from what a command has fitted.
use super::{Kind, Layer, Linear, Model, Network, Norm};
use crate::{
    data::{Table, Targets, prepare},
    text::quoted,
    training::{
        EPS, Shape,
        network::{self, Layout},
    },
};

/// A trained network: its parameters, and the running means and variances of normalized layers.
#[derive(Clone, Copy)]
pub struct Trained<'a> {
    /// The network.
    pub shape: &'a Shape,
    /// All parameters, as [`State`](crate::training::State) keeps them.
    pub params: &'a [f32],
    /// Running means and variances, in turn.
    pub running: &'a [Vec<f32>],
}

impl Model {
    /// A path that was fitted to all rows of a table; `means` are those of its features.
    pub fn of_path(table: &Table, means: &[f64], linear: Linear, fitted: String) -> Self {
        let kept: Vec<usize> = (0..table.columns.len()).collect();
        Self::of(table, &kept, means.to_vec(), Kind::Linear(linear), fitted)
    }

    /// A network that was trained on these rows of a table, with the targets `given`. Features that have one value in them are 0 in all
    /// rows to the network, and so are none of the model.
    ///
    /// # Errors
    /// Says why no file could hold it: numbers that are not finite, or that f64 does not divide by.
    pub fn of_network(table: &Table, train: &[usize], given: &Targets, trained: Trained, fitted: String) -> Result<Self, String> {
        let standard = prepare::scales(table, train);
        let kept: Vec<usize> = (0..standard.len()).filter(|&c| !standard[c].constant()).collect();
        let scales: Vec<f64> = kept.iter().map(|&c| standard[c].sd()).collect();
        if let Some(i) = scales.iter().position(|sd| !(1e-290..=1e290).contains(sd)) {
            let (column, sd) = (quoted(&table.columns[kept[i]]), scales[i]);
            return Err(format!(
                "column {column} has a standard deviation of {sd:e} in the training rows, must be from 1e-290 to 1e290"
            ));
        }
        let layers = layers(trained, &kept);
        let finite = |values: &[f32]| values.iter().all(|v| v.is_finite());
        if !layers.iter().all(|layer| layer.tensors().into_iter().all(|(_, _, values)| finite(values))) {
            return Err("the network has diverged: it has numbers that are not finite".into());
        }
        let means = kept.iter().map(|&c| standard[c].mean()).collect();
        let network = Network { scales, target: prepare::target_moments(given, train), layers };
        Ok(Self::of(table, &kept, means, Kind::Network(network), fitted))
    }

    fn of(table: &Table, kept: &[usize], means: Vec<f64>, kind: Kind, fitted: String) -> Self {
        let sources = table.sources(kept);
        Self {
            data: table.name.clone(),
            fitted,
            missing: table.description.missing,
            columns: sources.columns,
            features: sources.features,
            names: kept.iter().map(|&c| table.columns[c].clone()).collect(),
            means,
            left_out: sources.left_out,
            target: table.label.clone(),
            classes: match &table.targets {
                Targets::Classes { names, .. } => Some(names.clone()),
                Targets::Values(_) => None,
            },
            kind,
        }
    }
}

/// The layers without what only fills quads; of the first the inputs that are kept.
fn layers(trained: Trained, kept: &[usize]) -> Vec<Layer> {
    let layout = Layout::new(trained.shape, 1);
    let mut arena = vec![0.0; layout.len];
    layout.put(&mut arena, 0, trained.params);
    let mut running = trained.running.iter();
    let one = |(i, l): (usize, &network::Layer)| {
        let [rows, columns] = l.live;
        let inputs: Vec<usize> = if i == 0 { kept.to_vec() } else { (0..rows).collect() };
        let part = |start: usize| arena[start..start + columns].to_vec();
        let mut unit = || running.next().map_or_else(Vec::new, |all| all[..columns].to_vec());
        Layer {
            shape: [inputs.len(), columns],
            weight: inputs.iter().flat_map(|r| part(l.weight + r * l.outputs)).collect(),
            bias: l.bias.then(|| part(l.weight + l.inputs * l.outputs)),
            norm: l.norm.map(|[gamma, beta]| Norm {
                gamma: part(gamma),
                beta: part(beta),
                mean: unit(),
                variance: unit(),
                epsilon: EPS,
            }),
        }
    };
    layout.layers.iter().enumerate().map(one).collect()
}
