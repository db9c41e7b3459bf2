//! What an op is: a description that lowers to dispatches, and says what they must compute.
use crate::{
    op::{Access, Arg, Caps, Expected, Lowered, Pattern, Rng},
    types::{Error, HostData},
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

    /// What each written or updated argument must hold, in their order, from the contents of all arguments.
    fn reference(&self, args: &[HostData]) -> Vec<Expected>;

    /// The most bytes of the host's memory that [`Op::reference`] takes at once, what it returns included.
    ///
    /// By default 96 for each element of the arguments; override where the reference makes tables of its own. Programs that take
    /// sizes from a user ask for them first ([`verify::results`](crate::verify::results)), while want of memory is an error yet and
    /// not the end of the process. A test holds every op of the table to it.
    fn reference_bytes(&self) -> u64 {
        let elements = self.args().iter().fold(0u64, |sum, a| sum.saturating_add(a.len as u64));
        elements.saturating_mul(96).saturating_add(1 << 16)
    }

    /// The kinds of data that the checks try.
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary]
    }

    /// The range that tests and benches draw an argument from.
    fn domain(&self, _arg: &Arg) -> [f64; 2] {
        [-1.0, 1.0]
    }

    /// Contents for an argument; override where a range does not say enough.
    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        rng.fill(arg, self.domain(arg), pattern)
    }

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
