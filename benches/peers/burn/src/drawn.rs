//! What ridgepole knows of a case: inputs drawn as its own checks draw them, and what must come out, in f64.
use burn::tensor::{Device, Int, Tensor, TensorData};
use ridgepole::{Access, Expected, HostData, Verify, Pattern, Rng, ops};
use serde_json::Value;
use std::ops::Range;

/// An op with the contents of its arguments.
pub struct Drawn {
    json: Value,
    op: Box<dyn Verify>,
    names: Vec<&'static str>,
    data: Vec<HostData>,
}

impl Drawn {
    /// Draws inputs. What the op's JSON says is known to be valid: ridgepole has raced it.
    pub fn new(json: &Value) -> Self {
        let op = parse(json);
        let mut rng = Rng::new(0);
        let (names, data) = op.args().iter().map(|a| (a.name, op.fill(a, &mut rng, Pattern::Ordinary))).unzip();
        Self { json: json.clone(), op, names, data }
    }

    /// The op `forward` on the same x, weight and bias, as far as there are such.
    pub fn forward(&self, forward: &str) -> Self {
        let mut json = self.json.clone();
        json["op"] = forward.into();
        let mut forward = Self::new(&json);
        for name in ["x", "weight", "bias"].into_iter().filter(|n| self.names.contains(n)) {
            forward.set(name, &self.data[self.at(name)].to_f64());
        }
        forward
    }

    /// Gives a backward op the statistics that the op `forward` leaves it.
    pub fn follow(&mut self, forward: &str) {
        for (name, values) in self.forward(forward).expected().into_iter().filter(|(n, _)| ["mean", "rstd"].contains(n)) {
            self.set(name, &values);
        }
    }

    /// The bytes that the op cannot but move.
    pub fn bytes(&self) -> u64 {
        self.op.cost().bytes
    }

    fn at(&self, name: &str) -> usize {
        self.names.iter().position(|n| *n == name).unwrap_or_else(|| panic!("{:?} has no argument {name}", self.op))
    }

    /// An argument in f32.
    pub fn values(&self, name: &str) -> &[f32] {
        match &self.data[self.at(name)] {
            HostData::F32(v) => v,
            other => panic!("{name} is {:?}, must be f32", other.dtype()),
        }
    }

    /// Gives an argument other contents, if the op has it.
    pub fn set(&mut self, name: &str, values: &[f64]) {
        if self.names.contains(&name) {
            let at = self.at(name);
            self.data[at] = HostData::from_f64(self.data[at].dtype(), values.iter().copied());
        }
    }

    /// What each argument that the op writes must hold.
    pub fn expected(&self) -> Vec<(&'static str, Vec<f64>)> {
        let args = self.op.args();
        let written = args.iter().filter(|a| a.access != Access::Read).map(|a| a.name);
        written
            .zip(self.op.reference(&self.data))
            .map(|(name, expected)| match expected {
                Expected::Within { value, .. } => (name, value),
                Expected::Exact(data) => (name, data.to_f64()),
            })
            .collect()
    }

    /// One of them.
    pub fn expect(&self, name: &str) -> Vec<f64> {
        let all = self.expected().into_iter().find(|(n, _)| *n == name);
        all.unwrap_or_else(|| panic!("{:?} does not write {name}", self.op)).1
    }

    /// As if the op had run, its next one being `json`.
    pub fn step(&mut self, json: &Value) {
        for (name, values) in self.expected() {
            self.set(name, &values);
        }
        (self.json, self.op) = (json.clone(), parse(json));
    }

    /// An argument as a tensor.
    pub fn tensor<const D: usize>(&self, name: &str, shape: [usize; D], device: &Device) -> Tensor<D> {
        Tensor::from_data(TensorData::new(self.values(name).to_vec(), shape), device)
    }

    /// Parts of an argument, each as a tensor.
    pub fn tensors(&self, name: &str, parts: &[Range<usize>], device: &Device) -> Vec<Tensor<1>> {
        let part = |r: &Range<usize>| TensorData::new(self.values(name)[r.clone()].to_vec(), [r.len()]);
        parts.iter().map(|r| Tensor::from_data(part(r), device)).collect()
    }

    /// Words as a tensor of whole numbers.
    pub fn words(&self, name: &str, device: &Device) -> Tensor<1, Int> {
        let words = self.data[self.at(name)].words().unwrap_or_else(|| panic!("{name} has no words"));
        let words: Vec<i32> = words.iter().map(|&w| w as i32).collect();
        let len = words.len();
        Tensor::from_data(TensorData::new(words, [len]), device)
    }
}

impl Clone for Drawn {
    fn clone(&self) -> Self {
        Self { json: self.json.clone(), op: parse(&self.json), names: self.names.clone(), data: self.data.clone() }
    }
}

fn parse(json: &Value) -> Box<dyn Verify> {
    let mut json = json.clone();
    json.as_object_mut().expect("it has a name").remove("case");
    ops::verify_from_json(&json.to_string()).unwrap_or_else(|e| panic!("{e}"))
}
