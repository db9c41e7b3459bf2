//! The state of a network between two rounds of training: enough to resume, bit for bit, among other networks or in another process.
use super::{Shape, evaluate::Measure, network};
use ridgepole::Rng;

/// One network, on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Epochs so far.
    pub epoch: usize,
    /// Parameters.
    pub params: Vec<f32>,
    /// Moments of the optimizer: none before the first step, one or two tensors like `params`.
    pub moments: Vec<Vec<f32>>,
    /// Running means and variances of normalized layers.
    pub running: Vec<Vec<f32>>,
    /// The best parameters so far and their running statistics, where training stops early.
    pub best: Option<(Vec<f32>, Vec<Vec<f32>>)>,
    /// Best loss, its epoch, epochs since, status: as [`EarlyStopping`](ridgepole::ops::EarlyStopping) keeps them.
    pub stopping: [f32; 4],
    /// After each epoch, on each part that was looked at.
    pub curve: Vec<Vec<Measure>>,
}

impl State {
    /// Before the first step.
    pub fn new(shape: &Shape, seed: u64, stops: bool) -> Self {
        let params = network::initial(shape, &mut Rng::new(seed ^ 0x696e_6974));
        let units = |layer: &network::Layer| layer.norm.map(|_| layer.outputs);
        let widths: Vec<usize> = network::Layout::new(shape, 1).layers.iter().filter_map(units).collect();
        // Mean 0 and variance 1 until the first batch.
        let running: Vec<Vec<f32>> = widths.iter().flat_map(|&n| [vec![0.0; n], vec![1.0; n]]).collect();
        Self {
            epoch: 0,
            moments: Vec::new(),
            best: stops.then(|| (params.clone(), running.clone())),
            params,
            running,
            stopping: [f32::INFINITY, 0.0, 0.0, 0.0],
            curve: Vec::new(),
        }
    }

    /// Whether all that it holds is as large as in `other`, another state of the same network.
    pub fn fits(&self, other: &Self) -> bool {
        let sizes = |units: &[Vec<f32>]| units.iter().map(Vec::len).collect::<Vec<_>>();
        let best = |s: &Self| s.best.as_ref().map(|(params, running)| (params.len(), sizes(running)));
        self.params.len() == other.params.len() && sizes(&self.running) == sizes(&other.running) && best(self) == best(other)
    }

    /// Whether training has stopped early.
    pub fn stopped(&self) -> bool {
        self.stopping[3] == STOPPED
    }

    /// The epoch of the best parameters, from 1.
    pub fn best_epoch(&self) -> usize {
        self.stopping[1] as usize
    }
}

/// The status of a network that has stopped.
pub const STOPPED: f32 = 2.0;
