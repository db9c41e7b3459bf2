//! What arguments hold while an op is timed.
use crate::{
    op::{Pattern, Rng, Verify},
    types::{Error, HostData, memory},
};

/// What an op's arguments hold while it is timed. Drawing it takes the host longer than the GPU works, so it can be done ahead.
pub struct Inputs(Result<Vec<HostData>, Error>);

impl Inputs {
    /// For each argument. Where the host has no memory for them, timing says so.
    pub fn draw(op: &dyn Verify) -> Self {
        let (args, mut rng) = (op.args(), Rng::new(0));
        // Data are drawn in f64, then stored.
        let bytes = args.iter().fold(0u64, |sum, a| sum.saturating_add((a.len as u64).saturating_mul(16)));
        let enough = memory::check(&format!("{}: data", op.name()), bytes);
        Self(enough.map(|()| args.iter().map(|a| op.fill(a, &mut rng, Pattern::Ordinary)).collect()))
    }

    /// What was drawn.
    pub(super) fn data(&self) -> Result<&[HostData], Error> {
        self.0.as_deref().map_err(Clone::clone)
    }
}
