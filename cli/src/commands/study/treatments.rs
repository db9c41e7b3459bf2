//! The treatments: what each does to the loss, the step or the network.
use crate::{Failure, number::exact, training::Recipe};
use ridgepole::ElasticNet;
use serde::Serialize;

/// One way to regularize.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Treatment {
    /// Nothing: what the others are compared with.
    None,
    /// The weights of the epoch with the lowest validation loss, nothing else.
    EarlyStopping,
    /// λ·Σ|w| by its subgradient, added to the gradient of the loss.
    L1,
    /// λ·Σ|w| by a proximal step after each optimizer step: exact zeros.
    L1Prox,
    /// λ·Σw², added to the gradient of the loss.
    L2,
    /// λ1·Σ|w| and λ2·Σw² by one proximal step.
    ElasticNet,
    /// Weights shrink by a factor each step, apart from the gradient.
    WeightDecay,
    /// Hidden units are dropped at random.
    Dropout,
    /// Hidden units are normalized over the batch.
    BatchNorm,
    /// Dropout, batch norm and L2 together.
    Combined,
}

/// How strong the treatments are: each has its own, so that none is set by what suits another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Strengths {
    /// λ of `l1`.
    pub l1: f64,
    /// λ of `l1-prox`.
    pub prox_l1: f64,
    /// λ of `l2`.
    pub l2: f64,
    /// λ1 of `elastic-net`.
    pub elastic_l1: f64,
    /// λ2 of `elastic-net`.
    pub elastic_l2: f64,
    /// λ of `weight-decay`.
    pub decay: f64,
    /// p of `dropout`: the probability of dropping a hidden unit.
    pub p: f64,
    /// λ of `combined`.
    pub combined_l2: f64,
    /// p of `combined`.
    pub combined_p: f64,
}

/// A strength of a treatment, which has none, one or two.
#[derive(Clone, Copy, Debug)]
pub struct Knob {
    /// Its option on the command line.
    pub option: &'static str,
    /// Its letter.
    pub letter: &'static str,
    /// Where it is.
    pub of: fn(&mut Strengths) -> &mut f64,
}

const L1: Knob = Knob { option: "l1", letter: "λ", of: |s| &mut s.l1 };
const PROX_L1: Knob = Knob { option: "prox-l1", letter: "λ", of: |s| &mut s.prox_l1 };
const L2: Knob = Knob { option: "l2", letter: "λ", of: |s| &mut s.l2 };
const ELASTIC_L1: Knob = Knob { option: "elastic-l1", letter: "λ1", of: |s| &mut s.elastic_l1 };
const ELASTIC_L2: Knob = Knob { option: "elastic-l2", letter: "λ2", of: |s| &mut s.elastic_l2 };
const DECAY: Knob = Knob { option: "decay", letter: "λ", of: |s| &mut s.decay };
const P: Knob = Knob { option: "p", letter: "p", of: |s| &mut s.p };
const COMBINED_P: Knob = Knob { option: "combined-p", letter: "p", of: |s| &mut s.combined_p };
const COMBINED_L2: Knob = Knob { option: "combined-l2", letter: "λ", of: |s| &mut s.combined_l2 };

impl Knob {
    /// Whether it is a probability, and not a λ.
    pub fn is_share(&self) -> bool {
        self.letter == "p"
    }

    /// What it is set to.
    pub fn get(&self, strengths: &Strengths) -> f64 {
        *(self.of)(&mut strengths.clone())
    }
}

impl Treatment {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 10] = [
        Self::None,
        Self::EarlyStopping,
        Self::L1,
        Self::L1Prox,
        Self::L2,
        Self::ElasticNet,
        Self::WeightDecay,
        Self::Dropout,
        Self::BatchNorm,
        Self::Combined,
    ];

    /// Its name on the command line and in `results.json`.
    pub fn key(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::EarlyStopping => "early-stopping",
            Self::L1 => "l1",
            Self::L1Prox => "l1-prox",
            Self::L2 => "l2",
            Self::ElasticNet => "elastic-net",
            Self::WeightDecay => "weight-decay",
            Self::Dropout => "dropout",
            Self::BatchNorm => "batch-norm",
            Self::Combined => "combined",
        }
    }

    /// Its name in tables and pictures.
    pub fn title(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::EarlyStopping => "early stopping",
            Self::L1 => "L1 (subgradient)",
            Self::L1Prox => "L1 (proximal)",
            Self::L2 => "L2",
            Self::ElasticNet => "elastic net (prox.)",
            Self::WeightDecay => "decoupled decay",
            Self::Dropout => "dropout",
            Self::BatchNorm => "batch norm",
            Self::Combined => "dropout + BN + L2",
        }
    }

    /// Its strengths.
    pub fn knobs(self) -> &'static [Knob] {
        match self {
            Self::None | Self::EarlyStopping | Self::BatchNorm => &[],
            Self::L1 => &[L1],
            Self::L1Prox => &[PROX_L1],
            Self::L2 => &[L2],
            Self::ElasticNet => &[ELASTIC_L1, ELASTIC_L2],
            Self::WeightDecay => &[DECAY],
            Self::Dropout => &[P],
            Self::Combined => &[COMBINED_P, COMBINED_L2],
        }
    }

    /// What it does, with its numbers.
    pub fn settings(self, s: &Strengths) -> String {
        let [l1, prox_l1, l2, decay, p] = [s.l1, s.prox_l1, s.l2, s.decay, s.p].map(exact);
        let [elastic_l1, elastic_l2, combined_p, combined_l2] =
            [s.elastic_l1, s.elastic_l2, s.combined_p, s.combined_l2].map(exact);
        match self {
            Self::None => "no regularization".into(),
            Self::EarlyStopping => "the weights of the epoch with the lowest validation loss".into(),
            Self::L1 => format!("λ = {l1}: gradient + λ·sign(w)"),
            Self::L1Prox => format!("λ = {prox_l1}: soft threshold lr·λ after each step"),
            Self::L2 => format!("λ = {l2}: gradient + 2λ·w"),
            Self::ElasticNet => format!("λ1 = {elastic_l1}, λ2 = {elastic_l2}: soft threshold lr·λ1, then ÷(1 + 2·lr·λ2)"),
            Self::WeightDecay => format!("λ = {decay}: w − lr·λ·w at each step"),
            Self::Dropout => format!("p = {p} after each hidden layer"),
            Self::BatchNorm => "before the ReLU of each hidden layer".into(),
            Self::Combined => format!("p = {combined_p}, batch norm, L2 with λ = {combined_l2}"),
        }
    }

    /// The treatment whose network it is: that of `early-stopping` is trained as with `none`, to the end.
    pub fn trained_as(self) -> Self {
        if self == Self::EarlyStopping { Self::None } else { self }
    }

    /// As a recipe for training.
    pub fn recipe(self, s: &Strengths) -> Recipe {
        let mut r = Recipe::default();
        match self {
            Self::None | Self::EarlyStopping => {}
            Self::L1 => r.group.coupled = ElasticNet { l1: s.l1, ..ElasticNet::NONE },
            Self::L1Prox => r.group.prox = ElasticNet { l1: s.prox_l1, ..ElasticNet::NONE },
            Self::L2 => r.group.coupled = ElasticNet { l2: s.l2, ..ElasticNet::NONE },
            Self::ElasticNet => r.group.prox = ElasticNet { l1: s.elastic_l1, l2: s.elastic_l2, ..ElasticNet::NONE },
            Self::WeightDecay => r.group.decay = s.decay,
            Self::Dropout => r.p = s.p,
            Self::BatchNorm => r.batch_norm = true,
            Self::Combined => {
                r.group.coupled = ElasticNet { l2: s.combined_l2, ..ElasticNet::NONE };
                (r.p, r.batch_norm) = (s.combined_p, true);
            }
        }
        r
    }
}

impl Strengths {
    /// Of treatments that do nothing.
    pub const NONE: Self = Self {
        l1: 0.0,
        prox_l1: 0.0,
        l2: 0.0,
        elastic_l1: 0.0,
        elastic_l2: 0.0,
        decay: 0.0,
        p: 0.0,
        combined_l2: 0.0,
        combined_p: 0.0,
    };

    /// # Errors
    /// [`Failure::Usage`] names the option that is out of range.
    pub fn check(&self) -> Result<(), Failure> {
        for knob in Treatment::ALL.iter().flat_map(|t| t.knobs()) {
            let (value, (most, shown)) = (knob.get(self), if knob.is_share() { (1.0, "1") } else { (1e6, "1e6") });
            if !(0.0..=most).contains(&value) {
                return Err(Failure::usage(format!("--{} is {}, must be from 0 to {shown}", knob.option, exact(value))));
            }
        }
        Ok(())
    }
}
