//! What the gradient transforms share: the arena of gradients, passes over it, references over its live elements.
mod norm;
mod range;
mod tensors;

#[cfg(feature = "verify")]
pub(crate) use norm::norm_after;
pub(crate) use norm::{Clip, norm_scale, norm_ulps};
pub(crate) use range::ValueRange;

#[cfg(feature = "verify")]
use crate::kernels::arena::sparse;
use crate::{
    kernels::arena::{Arena, ArenaWindow, poison_gaps},
    op::{Arg, Caps, Cost, Lowered, Params, Slot, Step, check_float},
    types::{DType, Error, HostData, Segment},
    wgsl::{Decl, Source, Spec, View},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Rng},
    verify::Approx,
};

/// The gradients of an arena, under the name of an op. The tensors' groups are not looked at.
pub(crate) struct Gradients<'a> {
    pub name: &'static str,
    pub dtype: DType,
    pub segments: &'a [Segment],
}

/// A kernel that visits the arena's quads. It binds `grad`, the table, and what is in `extra`, in this order.
pub(crate) struct Pass {
    pub shader: Source,
    pub entry: &'static str,
    pub parts: Vec<Source>,
    /// Whether it changes the gradients.
    pub writes: bool,
    pub extra: Vec<(Decl, Slot)>,
    /// Loop trips beside those for the lane's quads and the search of the tensor.
    pub trips: u64,
}

impl Pass {
    /// One that changes each number by itself.
    pub fn map(shader: Source, entry: &'static str) -> Self {
        Self { shader, entry, parts: vec![], writes: true, extra: vec![], trips: 0 }
    }
}

const TABLE: Decl = Decl { name: "table", dtype: DType::U32, view: View::Raw("vec4<u32>"), writes: false };

impl Gradients<'_> {
    /// The updated argument.
    pub fn updated(&self) -> Arg {
        Arg::update("grad", self.dtype, Segment::arena_len(self.segments))
    }

    /// The same for weights, which constraints pass over with the same kernels.
    pub fn weights(&self) -> Arg {
        Arg { name: "weight", ..self.updated() }
    }

    /// The arena in blocks.
    ///
    /// # Errors
    /// As [`Arena::new`], and names `dtype`.
    pub fn arena(&self, caps: &Caps) -> Result<Arena, Error> {
        check_float(self.name, &self.updated())?;
        Arena::new(self.name, self.segments, usize::MAX, caps)
    }

    /// Appends `pass` once for each piece of the arena. `grad` is the number of the argument; `params` gets the window and
    /// the piece's number.
    pub fn pass(
        &self,
        caps: &Caps,
        out: &mut Lowered,
        (arena, table): (&Arena, &std::ops::Range<u64>),
        grad: usize,
        pass: &Pass,
        params: impl Fn(ArenaWindow, usize) -> Params,
    ) -> Result<(), Error> {
        let arg = self.updated();
        for (n, piece) in arena.pieces(self.name, caps, self.dtype.size())?.iter().enumerate() {
            let mut bindings = vec![Decl { name: "grad", dtype: self.dtype, view: piece.view(), writes: pass.writes }, TABLE];
            let mut slots = vec![piece.slot(grad, &arg), Slot::Table(table.clone())];
            bindings.extend(pass.extra.iter().map(|(decl, _)| *decl));
            slots.extend(pass.extra.iter().map(|(_, slot)| slot.clone()));
            out.steps.push(Step {
                spec: Spec {
                    shader: pass.shader,
                    entry: pass.entry,
                    parts: pass.parts.clone(),
                    bindings,
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: params(arena.window(piece), n),
                slots,
                workgroups: piece.workgroups(),
                trips: u64::from(caps.quads) + 32 + pass.trips,
            });
        }
        Ok(())
    }

    /// The dispatches of an op that is such a pass over its one argument.
    pub fn map(&self, caps: &Caps, pass: Pass, params: impl Fn(ArenaWindow) -> Params) -> Result<Lowered, Error> {
        let arena = self.arena(caps)?;
        let mut out = Lowered::default();
        let table = out.table(&arena.table([]), caps);
        self.pass(caps, &mut out, (&arena, &table), 0, &pass, |window, _| params(window))?;
        Ok(out)
    }

    /// The places of the tensors' elements, tensor after tensor.
    pub fn live(&self) -> impl Iterator<Item = usize> {
        self.segments.iter().flat_map(|s| s.start..s.start + s.len)
    }

    /// What `grad` must hold if each live element becomes what `each` makes of it, given its place.
    #[cfg(feature = "verify")]
    pub fn mapped(&self, grad: &HostData, mut each: impl FnMut(usize, f64) -> Approx) -> Expected {
        let mut value = grad.to_f64();
        let mut bound = vec![0.0; value.len()];
        for i in self.live() {
            let before = value[i];
            let after = each(i, before);
            // What is past the storage type's range is infinite.
            let stored = self.dtype.nearest(after.value);
            value[i] = if stored.is_finite() { after.value } else { stored };
            bound[i] = match after {
                _ if !value[i].is_finite() => 0.0,
                // Copied, but what is subnormal may be flushed on the way.
                Approx { value, error: 0.0 } if value == before => {
                    if value.abs() < self.dtype.least_normal() {
                        value.abs()
                    } else {
                        0.0
                    }
                }
                other => other.stored(self.dtype),
            };
        }
        Expected::Within { value, bound }
    }

    /// Gradients with NaN between the tensors.
    #[cfg(feature = "verify")]
    pub fn fill(&self, arg: &Arg, domain: [f64; 2], rng: &mut Rng, pattern: Pattern) -> HostData {
        let mut data = rng.fill(arg, domain, pattern);
        if pattern == Pattern::NonFinite && arg.len.is_multiple_of(2) {
            // One NaN would hide what infinities do to a norm.
            data = HostData::from_f64(arg.dtype, data.to_f64().into_iter().map(|g| if g.is_nan() { 0.5 } else { g }));
        }
        // A norm hides one wrong element among many others, but not among few.
        let ours = matches!(arg.name, "grad" | "weight");
        let data = if pattern == Pattern::Zeros && ours { sparse(self.segments, data, rng) } else { data };
        if ours { poison_gaps(self.segments, data) } else { data }
    }

    /// Each live gradient crosses the bus `times` times.
    pub fn cost(&self, times: u64) -> Cost {
        let elements = self.segments.iter().map(|s| s.len as u64).sum();
        Cost { bytes: times * elements * self.dtype.size(), elements }
    }
}

/// The product of a number and a factor. Multiplication is correctly rounded, so what f32 holds comes out exactly, if nothing is
/// subnormal: a power of two moves the exponent alone.
#[cfg(feature = "verify")]
pub(crate) fn product(x: f64, factor: Approx) -> Approx {
    let value = x * factor.value;
    let normal = |v: f64| v == 0.0 || v.abs() >= DType::F32.least_normal();
    if factor.error == 0.0 && normal(x) && normal(factor.value) && normal(value) && f64::from(value as f32) == value {
        return Approx::exact(value);
    }
    Approx { value, ..factor.times(Approx::exact(x)) }
}

/// Values in f32, and how far they may be off.
#[cfg(feature = "verify")]
pub(crate) fn within(all: impl IntoIterator<Item = Approx>) -> Expected {
    let one = |a: Approx| (a.value, if a.value.is_finite() { a.error } else { 0.0 });
    let (value, bound) = all.into_iter().map(one).unzip();
    Expected::Within { value, bound }
}
