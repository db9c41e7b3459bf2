//! What one optimizer is, beside what all have: a [`Rule`], of which the macro `optimizer` makes an op.
use super::{Counter, Words};
#[cfg(feature = "verify")]
use crate::{
    kernels::optimizer::{cases, expected::Element},
    op::Contents,
    options::Group,
    verify::Approx,
};
use crate::{op::Params, types::Error, wgsl::Source};

/// A buffer of the state: its name, and the range that the checks draw it from.
pub(crate) type State = (&'static str, [f64; 2]);

/// What an optimizer computes from a gradient and its state.
pub(crate) trait Rule {
    /// The f32 buffers that it may update beside the weights, in the order of its arguments.
    const STATE: &'static [State];
    /// The decays that frameworks have by default, where the op is known for its decoupled one: JSON must then say each group's.
    const DECAYS: Option<&'static str> = None;

    /// Whether the op's options ask for this buffer of the state.
    fn keeps(&self, _state: &str) -> bool {
        true
    }

    /// The learning rate of this step, and its number; 1 where the rule needs none.
    fn rate(&self) -> (f64, u64);

    /// What follows from a step counter on the GPU, where there is one.
    fn counter(&self) -> Option<Counter> {
        None
    }

    /// Checks the rule's own fields.
    fn check(&self) -> Result<(), Error>;

    /// The parts that fill the open names of the kernel's rule.
    fn parts(&self) -> Vec<Source> {
        vec![]
    }

    /// The kernel's parameters: these words, then the rule's own.
    fn params(&self, words: Words) -> Params;
}

/// How a rule is proved.
#[cfg(feature = "verify")]
pub(crate) trait VerifyRule: Rule + Sized {
    /// How many kinds of cases there are. Those of one kind and type share a pipeline.
    const KINDS: usize;

    /// Whether this step does not look at what a buffer held.
    fn overwrites(&self, _state: &str) -> bool {
        false
    }

    /// Whether something is promised where a device may flush numbers to 0. Nothing is where that decides whether there is a step.
    fn tiny(&self) -> bool {
        true
    }

    /// What the step makes of an element: its weight and its state, in the order of [`Rule::STATE`], as
    /// [`after`](super::after) has them. Buffers that are not kept hold 0, and what becomes of them does not matter.
    fn rule(&self, of: &Contents) -> impl Fn(&Element) -> [Approx; 4];

    /// The groups of the cases.
    fn groups() -> Vec<Group> {
        cases::groups()
    }

    /// Case `n`, which is of this kind, from a plain one with rate 0.1. Distinct pipelines cost compile time, so each half type takes
    /// its own part of what f32 takes whole.
    fn case(self, kind: usize, n: usize) -> Self;

    /// What is timed, from a plain one.
    fn timed(self) -> Self {
        self
    }

    /// What is timed besides, from one long bf16 tensor.
    fn timed_besides(self) -> Vec<Self> {
        vec![]
    }
}

/// What the file of an optimizer uses.
pub(crate) mod prelude {
    #[cfg(feature = "verify")]
    pub(crate) use super::VerifyRule;
    pub(crate) use super::{Rule, State};
    #[cfg(feature = "verify")]
    pub(crate) use crate::{
        kernels::optimizer::{
            Element,
            adaptive::{LEAST_ROOT, over_or_zero, quotient},
            after,
        },
        op::Contents,
        options::{Averaging, ElasticNet, Key, NonFinite, Rounding},
        verify::{Approx, reference},
    };
    pub(crate) use crate::{
        kernels::optimizer::{
            Words,
            adaptive::{check_beta, check_moments, reached},
            macros::{adaptive, optimizer, optimizer_words},
        },
        op::Params,
        options::{EpsPlace, Group, check_derived, check_scalar, nadam_momentum},
        types::{DType, Error},
        wgsl::{Source, parts},
    };
}
