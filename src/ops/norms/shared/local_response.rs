//! Local response normalisation: its neighbourhood, its power, its dispatches, and how far a power may be off.
#[cfg(feature = "verify")]
use crate::kernels::channels::sum_of;
#[cfg(feature = "verify")]
use crate::verify::{Approx, reference};
use crate::{
    kernels::partition::{self, Window},
    op::{Arg, ByName, Caps, Lowered, Step, check_float},
    options::{AlphaForm, check_derived, check_scalar},
    params,
    types::{DType, Error, Layout, Space},
    wgsl::{Decl, Source, Spec, View, parts},
};

const E: f64 = DType::F32.epsilon();
const LEAST: f64 = DType::F32.least_normal();
/// The widest neighbourhood: the longest loop of the backward pass goes over its square.
pub(crate) const WIDEST: usize = 63;
/// The largest β: WGSL knows a logarithm near 0 to 2^-21, and β times that is what the exponent is off by.
const MOST: f64 = 100.0;

params! {
    ResponseParams {
        window: Window, origin: u32, channels: u32, inner: u32,
        size: u32, before: u32, k: f32, alpha: f32, beta: f32, slope: f32
    }
}

/// The description that forward and backward op have in common.
#[derive(Clone, Copy)]
pub(crate) struct Response {
    pub op: &'static str,
    pub space: Space,
    pub size: usize,
    pub k: f64,
    pub alpha: f64,
    pub beta: f64,
    pub form: AlphaForm,
}

impl Response {
    /// `more` is what the pass has in its exponent beside β.
    pub fn check(&self, tensor: &Arg, more: f64) -> Result<(), Error> {
        check_float(self.op, tensor)?;
        self.space.check(self.op)?;
        if !(1..=WIDEST).contains(&self.size) {
            let why = format!("is {}, must be in 1..={WIDEST}: channels of a neighbourhood", self.size);
            return Err(Error::argument(self.op, "size", why));
        }
        [("k", self.k, f64::INFINITY), ("alpha", self.alpha, f64::INFINITY), ("beta", self.beta, MOST)]
            .into_iter()
            .try_for_each(|(name, v, most)| check_scalar(self.op, name, v, [0.0, most]))?;
        check_derived(self.op, "alpha", "alpha / size", self.factor())?;
        check_derived(self.op, "beta", "2 · beta · alpha, or that over size,", self.slope())?;
        // The largest power. That a term beside it vanishes does no harm.
        let power = |more: f64| self.k.powf(-self.beta - more);
        if self.k != 0.0 {
            check_derived(self.op, "k", "k^-beta", power(0.0))?;
            check_derived(self.op, "k", "k^(-beta - 1)", power(more).max(f64::from(f32::MIN_POSITIVE)))?;
        }
        let Space { c, s, .. } = self.space;
        if !self.space.is_empty() && c as u64 * s as u64 >= 1 << 31 {
            let why = format!("a sample of {c} x {s} elements must have fewer than 2^31: split it by positions");
            return Err(Error::unsupported(self.op, why));
        }
        Ok(())
    }

    /// Channels of the neighbourhood before its middle, and behind it: PyTorch's, for an even size too.
    pub fn sides(&self) -> [usize; 2] {
        [self.size / 2, (self.size - 1) / 2]
    }

    /// What the sum of squares is multiplied by.
    pub fn factor(&self) -> f64 {
        if self.form == AlphaForm::Mean { self.alpha / self.size as f64 } else { self.alpha }
    }

    /// What the sum of the backward pass is multiplied by.
    pub fn slope(&self) -> f64 {
        2.0 * self.factor() * self.beta
    }

    fn power(&self) -> Source {
        match self.beta {
            0.5 => parts::norms::POWER_HALF,
            0.75 => parts::norms::POWER_THREE_QUARTERS,
            1.0 => parts::norms::POWER_ONE,
            _ => parts::norms::POWER_ANY,
        }
    }

    /// The dispatches: tensors that are read near by, and the one that is written. A lane reads up to `reach` neighbourhoods about its
    /// elements, and makes `turns` loop trips for each quad.
    pub fn lower(
        &self,
        caps: &Caps,
        args: &[Arg],
        source: Source,
        (reads, written): (&[&'static str], &'static str),
        (reach, turns): (u64, u64),
    ) -> Result<Lowered, Error> {
        let mut out = Lowered::default();
        if self.space.is_empty() {
            return Ok(out);
        }
        let Space { c, s, layout, .. } = self.space;
        let inner = if layout == Layout::ChannelsFirst { s as u64 } else { 1 };
        let sample = c as u64 * s as u64;
        let whole = inner.is_multiple_of(4);
        let quads = [u64::from(caps.quads), 4].into_iter().find(|q| q * turns <= 4096).unwrap_or(1);
        let [before, behind] = self.sides().map(|v| v as u64);
        // A neighbourhood reaches no further than the channels do.
        let halo = (reach * before.max(behind)).min(c as u64 - 1) * inner;
        let dtype = args.arg("x").dtype;
        let mut parts = vec![self.power()];
        for name in reads {
            parts.push(match (*name, whole) {
                ("x", true) => parts::norms::NEAR_QUADS,
                ("x", false) => parts::norms::NEAR_ELEMENTS,
                (_, true) => parts::norms::NEAR_QUADS_DY,
                (_, false) => parts::norms::NEAR_ELEMENTS_DY,
            });
        }
        let view = if whole { View::Four(true) } else { View::Elements };
        let len = self.space.len() as u64;
        for piece in partition::near(self.op, caps, len, dtype.size(), u64::from(caps.lanes) * quads, halo)? {
            let mut bindings: Vec<Decl> = reads.iter().map(|&name| Decl { name, dtype, view, writes: false }).collect();
            bindings.push(Decl { name: written, dtype, view: piece.view(), writes: true });
            out.steps.push(Step {
                spec: Spec {
                    shader: source,
                    entry: self.op,
                    parts: parts.clone(),
                    bindings,
                    consts: vec![("WG", caps.lanes), ("QUADS", quads as u32)],
                },
                params: ResponseParams {
                    window: piece.window(),
                    // Modulo a sample, whose channels these are.
                    origin: (piece.elements.start % sample) as u32,
                    channels: c as u32,
                    inner: inner as u32,
                    size: self.size as u32,
                    before: before as u32,
                    k: self.k as f32,
                    alpha: self.factor() as f32,
                    beta: self.beta as f32,
                    slope: self.slope() as f32,
                }
                .into(),
                slots: args.iter().enumerate().map(|(i, a)| piece.slot(i, a)).collect(),
                workgroups: piece.workgroups(),
                trips: quads * (1 + turns),
            });
        }
        Ok(out)
    }

    /// The neighbourhood about each of one position's channels, in order: the denominator and its power, as the kernel finds them.
    #[cfg(feature = "verify")]
    pub fn powers(&self, x: &[f64]) -> Vec<[Approx; 2]> {
        let [before, behind] = self.sides();
        let of = |c: usize| {
            let near = &x[c.saturating_sub(before)..(c + behind + 1).min(x.len())];
            let squares: Vec<Approx> = near.iter().map(|v| Approx::exact(*v).times(Approx::exact(*v))).collect();
            let sum = sum_of(&squares);
            let d = Approx::sum([Approx::host(self.k), sum.times(Approx::host(self.factor()))]);
            let value = reference::response_denominator(x, c, [before, behind], self.k, self.factor());
            // What is not finite in f32 becomes NaN.
            if !value.is_finite() || value > f64::from(f32::MAX) {
                return [Approx::exact(f64::NAN); 2];
            }
            [d, inverse_power(Approx { value, ..d }, self.beta)]
        };
        (0..x.len()).map(of).collect()
    }
}

/// d^-β by the kernel's way for this β, 0 below the normal numbers.
#[cfg(feature = "verify")]
fn inverse_power(d: Approx, beta: f64) -> Approx {
    let at = |v: f64| if v < LEAST { 0.0 } else { v.powf(-beta) };
    if d.value + d.error < LEAST {
        return Approx::exact(0.0);
    }
    if d.value - d.error < LEAST {
        // 0, or anything up to this.
        return Approx { value: at(d.value), error: 2.0 * LEAST.powf(-beta) };
    }
    let value = at(d.value);
    let moved = (at(d.value - d.error) - value).max(value - at(d.value + d.error));
    let relative = match beta {
        0.5 => 2.0 * E,
        // inverseSqrt, the root of it (half of its 2 ulp, and 4.5), their product.
        0.75 => (2.0 + 1.0 + 4.5 + 1.0) * E,
        1.0 => 2.5 * E,
        _ => {
            // WGSL: log2 is off by 2^-21 in [0.5, 2] and by 3 ulp elsewhere, exp2(y) by 3 + 2|y| ulp. An error of the exponent
            // is relative to the power, times ln 2; the product with β rounds, and so did β.
            let log = d.value.log2().abs() + d.error / (d.value - d.error) * 1.5;
            let off = if log <= 1.0 + 1e-6 { f64::max(2f64.powi(-21), 3.0 * E) } else { 3.0 * E * log };
            let exponent = beta * off * (1.0 + E) + 2.0 * E * beta * log;
            exponent.exp2() - 1.0 + (3.0 + 2.0 * (beta * log + exponent)) * E
        }
    };
    Approx { value, error: moved + relative * (value + moved) * (1.0 + 1e-3) + LEAST }
}
