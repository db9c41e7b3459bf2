//! Batches of linear models that share a design matrix: what the ops of the family `linear` have in common.
#[cfg(feature = "verify")]
use crate::op::{Pattern, Rng};
use crate::{
    op::{Arg, ByName, Caps, Slot},
    types::{DType, Error, HostData},
    wgsl::{Decl, Source, View, parts},
};

/// The most columns: a lane passes over them twice.
const MOST_FEATURES: usize = 4096;

/// Models × features (× rows): `sets` sets of row weights, with `per_set` neighbouring models each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GlmBatch {
    pub op: &'static str,
    pub rows: usize,
    pub features: usize,
    pub sets: usize,
    pub per_set: usize,
}

impl GlmBatch {
    pub fn models(&self) -> usize {
        self.sets.saturating_mul(self.per_set)
    }

    /// The shape, and that the device can bind each buffer whole.
    pub fn check(&self, caps: &Caps, penalized: Option<usize>, args: &[Arg]) -> Result<(), Error> {
        if !(1..=MOST_FEATURES).contains(&self.features) {
            let why = format!("is {}, must be from 1 to {MOST_FEATURES}", self.features);
            return Err(Error::argument(self.op, "features", why));
        }
        if let Some(p) = penalized.filter(|&p| p > self.features) {
            return Err(Error::argument(self.op, "penalized", format!("is {p}, must be at most features, {}", self.features)));
        }
        bindable(self.op, caps, args)
    }

    pub fn x(&self) -> Arg {
        Arg::read("x", DType::F32, self.rows.saturating_mul(self.features))
    }

    pub fn weight(&self) -> Arg {
        Arg::read("weight", DType::F32, self.sets.saturating_mul(self.rows))
    }

    /// The length of a matrix with a column for each model.
    pub fn matrix(&self, rows: usize) -> usize {
        rows.saturating_mul(self.models())
    }

    /// Whether four neighbouring models lie in one quad.
    fn quads(&self) -> bool {
        self.models().is_multiple_of(4)
    }

    /// Bindings of X, and of the matrix that is read by blocks of models.
    pub fn factors(&self) -> Vec<Decl> {
        let four = |name, whole| Decl { name, dtype: DType::F32, view: View::Four(whole), writes: false };
        vec![four("x", self.features.is_multiple_of(4)), four("models", self.quads())]
    }

    /// The binding of the matrix that is written by blocks, and the part that writes it.
    pub fn out(&self) -> (Decl, Source) {
        let (view, name) =
            if self.quads() { (View::Quads, parts::linear_models::QUADS) } else { (View::Elements, parts::linear_models::ITEMS) };
        (Decl { name: "out", dtype: DType::F32, view, writes: true }, name)
    }
}

/// Whether the device can bind each buffer whole, of elements of four bytes.
///
/// # Errors
/// Names the first that it cannot.
pub(crate) fn bindable(op: &'static str, caps: &Caps, args: &[Arg]) -> Result<(), Error> {
    let limit = caps.limits.max_storage_buffer_binding_size;
    for arg in args {
        // Lengths saturate, so that a product that overflows is refused here, too.
        let bytes = (arg.len as u64).saturating_mul(4);
        if bytes > limit {
            let why = format!("must bind {bytes} bytes of `{}` at once, max_storage_buffer_binding_size is {limit}", arg.name);
            return Err(Error::unsupported(op, why));
        }
    }
    Ok(())
}

/// A binding of single values.
pub(crate) fn items(name: &'static str, writes: bool) -> Decl {
    Decl { name, dtype: DType::F32, view: View::Raw("f32"), writes }
}

/// All of each argument.
pub(crate) fn all(args: &[Arg]) -> Vec<Slot> {
    args.iter().map(|arg| args.whole(arg.name)).collect()
}

/// How an argument of these ops is drawn.
pub(crate) enum Draw {
    /// Any numbers, of any pattern.
    Any,
    /// From a range, of any pattern but never NaN or infinite, whatever the pattern.
    Within([f64; 2]),
    /// Row weights: none, or from a half to 1.
    Weights,
    /// Any numbers, of any pattern but for infinities.
    Numbers,
    /// 0 or 1.
    Classes,
}

#[cfg(feature = "verify")]
pub(crate) fn fill(arg: &Arg, rng: &mut Rng, pattern: Pattern, how: &Draw) -> HostData {
    let mut each = |f: &mut dyn FnMut(&mut Rng) -> f64| HostData::from_f64(DType::F32, (0..arg.len).map(|_| f(rng)));
    match how {
        Draw::Any | Draw::Numbers if pattern == Pattern::NonFinite => {
            let mut data = HostData::from_f64(DType::F32, (0..arg.len).map(|_| 2.0 * rng.unit() - 1.0));
            // Few, so that they do not hide each other.
            if let HostData::F32(v) = &mut data {
                let len = v.len();
                let all = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
                for bad in &all[..if matches!(how, Draw::Any) { 3 } else { 1 }] {
                    if len > 0 {
                        v[(rng.unit() * len as f64) as usize] = *bad;
                    }
                }
            }
            data
        }
        Draw::Any | Draw::Numbers => rng.fill(arg, [-1.0, 1.0], pattern),
        Draw::Within([lo, hi]) => each(&mut |rng| lo + (hi - lo) * rng.unit()),
        Draw::Weights => each(&mut |rng| if rng.word().is_multiple_of(4) { 0.0 } else { 0.5 + 0.5 * rng.unit() }),
        Draw::Classes => each(&mut |rng| f64::from(rng.word() % 2)),
    }
}
