//! What a case is made of, and the check of its results.
use burn::tensor::{Device, Tensor};
use std::collections::VecDeque;

/// A case in Burn.
pub struct Job {
    /// Bytes that a call cannot but move, for the number of sets of inputs.
    pub bytes: u64,
    /// Bytes that a call holds from before the clock starts; 0 if nothing comes before.
    pub held: u64,
    /// How many calls the check looks at, one after the other on one set.
    pub calls: usize,
    /// Makes a set of inputs, always of the same contents: to the clock they do not matter, and drawing takes time.
    pub set: MakeSet,
    /// What is wrong with the results of the last call.
    pub check: Check,
}

type MakeSet = Box<dyn Fn(&Device) -> Box<dyn Set>>;
type Check = Box<dyn Fn(&[Vec<f32>]) -> Result<(), String>>;

/// Inputs on the device, and what works on them.
pub trait Set {
    /// What comes before the clock starts: the forward pass, where the backward pass is timed.
    fn prepare(&mut self) {}
    /// One call. Gives what it made; what it changed stays in the set.
    fn call(&mut self) -> Results;
    /// What calls have changed so far.
    fn changed(&self) -> Results {
        Vec::new()
    }
}

pub type Results = Vec<Box<dyn Read>>;

/// A tensor, whatever its rank.
pub trait Read {
    fn read(&self) -> Result<Vec<f32>, String>;
}

impl<const D: usize> Read for Tensor<D> {
    fn read(&self) -> Result<Vec<f32>, String> {
        let data = self.clone().try_into_data().map_err(|e| format!("a result cannot be read: {e}"))?;
        data.try_into_vec().map_err(|e| format!("a result is not f32: {e:?}"))
    }
}

/// Results of one rank.
pub fn boxed<const D: usize>(tensors: impl IntoIterator<Item = Tensor<D>>) -> Results {
    tensors.into_iter().map(|t| Box::new(t) as Box<dyn Read>).collect()
}

/// Calls that change nothing.
pub struct Pure<F>(pub F);

impl<F: Fn() -> Results> Set for Pure<F> {
    fn call(&mut self) -> Results {
        (self.0)()
    }
}

/// Calls that change a state. Each consumes it, as Burn's optimizers do, so that Burn may write where it read.
pub struct Steps<S, F, R> {
    state: Option<S>,
    step: F,
    read: R,
}

impl<S, F: Fn(S) -> S, R: Fn(&S) -> Results> Steps<S, F, R> {
    pub fn new(state: S, step: F, read: R) -> Self {
        Self { state: Some(state), step, read }
    }
}

impl<S, F: Fn(S) -> S, R: Fn(&S) -> Results> Set for Steps<S, F, R> {
    fn call(&mut self) -> Results {
        self.state = self.state.take().map(&self.step);
        Vec::new()
    }

    fn changed(&self) -> Results {
        self.state.as_ref().map_or_else(Vec::new, &self.read)
    }
}

/// Backward passes. Burn's graphs serve once, so each call needs a forward pass before.
pub struct Backward<G, F, B> {
    forward: F,
    backward: B,
    graphs: VecDeque<G>,
}

impl<G, F: Fn() -> G, B: Fn(G) -> Results> Backward<G, F, B> {
    pub fn new(forward: F, backward: B) -> Self {
        Self { forward, backward, graphs: VecDeque::new() }
    }
}

impl<G, F: Fn() -> G, B: Fn(G) -> Results> Set for Backward<G, F, B> {
    fn prepare(&mut self) {
        self.graphs.push_back((self.forward)());
    }

    fn call(&mut self) -> Results {
        (self.backward)(self.graphs.pop_front().expect("prepared"))
    }
}

/// What is wrong with the results, as they come from a fresh set of inputs.
pub fn verify(job: &Job, device: &Device) -> Result<(), String> {
    let mut set = (job.set)(device);
    let mut results = Vec::new();
    for _ in 0..job.calls {
        set.prepare();
        // As where it is timed: neither part may be merged with the other.
        device.flush().map_err(|e| e.to_string())?;
        results = set.call();
        device.flush().map_err(|e| e.to_string())?;
    }
    results.extend(set.changed());
    (job.check)(&results.iter().map(|r| r.read()).collect::<Result<Vec<_>, _>>()?)
}

/// Of the largest value: what f32 allows to sums of some thousand terms.
pub const TOLERANCE: f64 = 1e-4;

/// Whether `got` is `want` but for `tolerance` of the largest value.
pub fn close(name: &str, got: &[f32], want: &[f64], tolerance: f64) -> Result<(), String> {
    let most = tolerance * largest(want).max(1e-6);
    let far = got.iter().zip(want).map(|(&g, &w)| (f64::from(g) - w).abs());
    // A NaN is as far away as can be.
    let far = far.fold(0.0, |a: f64, b| if b.is_nan() { f64::INFINITY } else { a.max(b) });
    match (got.len() == want.len(), far <= most) {
        (true, true) => Ok(()),
        (false, _) => Err(format!("{name} has {} values, must have {}", got.len(), want.len())),
        (true, false) => Err(format!("{name} is off by {far:.2e}, allowed {most:.2e}")),
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |a, v| a.max(v.abs()))
}
