//! What an op must compute, and on which data that is tried.
use crate::{
    op::{Arg, Op, Pattern, Rng},
    types::HostData,
};

/// An op that says what it must compute. The checks and the benchmarks ask for it; to run an op needs [`Op`] alone.
///
/// It is there with the crate's feature `verify`, which is on by default. What is missing is said by the compiler:
///
/// ```compile_fail,E0277
/// # use ridgepole::{Arg, Caps, Error, Lowered, Op};
/// #[derive(Debug)]
/// struct Mine;
/// impl Op for Mine {
///     // ...
/// #   fn name(&self) -> &'static str { "mine" }
/// #   fn args(&self) -> Vec<Arg> { vec![] }
/// #   fn lower(&self, _: &Caps) -> Result<Lowered, Error> { Ok(Lowered::default()) }
/// }
/// // `Mine` can run, but it does not say what it must compute, so it cannot be checked
/// let data = ridgepole::verify::results(&Mine, &[]);
/// ```
///
/// With its reference it can:
///
/// ```
/// # use ridgepole::{Arg, Caps, Error, Expected, HostData, Lowered, Op, Verify};
/// # #[derive(Debug)]
/// # struct Mine;
/// # impl Op for Mine {
/// #   fn name(&self) -> &'static str { "mine" }
/// #   fn args(&self) -> Vec<Arg> { vec![] }
/// #   fn lower(&self, _: &Caps) -> Result<Lowered, Error> { Ok(Lowered::default()) }
/// # }
/// impl Verify for Mine {
///     fn reference(&self, args: &[HostData]) -> Vec<Expected> {
///         vec![]
///     }
/// }
/// let data = ridgepole::verify::results(&Mine, &[]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can run, but it does not say what it must compute, so it cannot be checked",
    label = "this op has no reference",
    note = "implement `ridgepole::Verify` for it beside `ridgepole::Op`: `reference` gives each written argument in f64, with the error bound"
)]
pub trait Verify: Op {
    /// What each written or updated argument must hold, in their order, from the contents of all arguments.
    fn reference(&self, args: &[HostData]) -> Vec<Expected>;

    /// The most bytes of the host's memory that [`Verify::reference`] takes at once, what it returns included.
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
}

/// What the CPU reference says one written argument must hold.
#[derive(Clone, Debug)]
pub enum Expected {
    /// Bit for bit.
    Exact(HostData),
    /// `|got - value| <= bound`, element by element; NaN where `value` is NaN.
    Within {
        /// The value in f64.
        value: Vec<f64>,
        /// The derived error bound.
        bound: Vec<f64>,
    },
}
