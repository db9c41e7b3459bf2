//! What arguments hold while an op is timed.
use crate::{
    op::{Op, Pattern, Rng},
    types::HostData,
};

/// What an op's arguments hold while it is timed. Drawing it takes the host longer than the GPU works, so it can be done ahead.
pub struct Inputs(pub(super) Vec<HostData>);

impl Inputs {
    /// For each argument.
    pub fn draw(op: &dyn Op) -> Self {
        let mut rng = Rng::new(0);
        Self(op.args().iter().map(|a| op.fill(a, &mut rng, Pattern::Ordinary)).collect())
    }
}
