//! What an op is: a description that lowers to dispatches.
use crate::{
    op::{Access, Arg, Caps, Lowered},
    types::Error,
};
use std::fmt::Debug;

/// Work that an op cannot avoid, for the benchmarks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The fewest bytes that can cross the memory bus.
    pub bytes: u64,
    /// Elements processed.
    pub elements: u64,
}

/// One kernel call, fully described: shapes, types, scalar parameters. Holds no GPU object.
///
/// That is all it takes to run. To be checked, an op says what it must compute: `Verify`, which is there with the feature `verify`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no op",
    note = "implement `ridgepole::Op` for it: its name, its arguments, and the dispatches that it lowers to"
)]
pub trait Op: Debug + Send + Sync {
    /// Names the shader, the CPU reference and the row of the ops table.
    fn name(&self) -> &'static str;

    /// The buffers: those read first, then those written or updated.
    fn args(&self) -> Vec<Arg>;

    /// The dispatches that compute it on such a device, or what is wrong with the description.
    ///
    /// # Errors
    /// [`Error::Argument`] names the field, its value and the allowed range; [`Error::Unsupported`] the limit.
    fn lower(&self, caps: &Caps) -> Result<Lowered, Error>;

    /// By default each buffer crosses the bus once, twice if updated; elements are those of the longest argument.
    fn cost(&self) -> Cost {
        let args = self.args();
        let times = |a: &Arg| if a.access == Access::Update { 2 } else { 1 };
        Cost {
            bytes: args.iter().map(|a| times(a) * a.bytes()).sum(),
            elements: args.iter().map(|a| a.len as u64).max().unwrap_or(0),
        }
    }
}
