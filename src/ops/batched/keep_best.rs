//! Keeps the weights of models that improved. Kernel: `shaders/batched/keep_best.wgsl`. Reference: `cpu::keep_best`.
use crate::{
    kernel,
    kernels::linear_models::all,
    op::{Arg, ByName, Caps, Lowered, MAX_TRIPS, Op, Step},
    ops::batched::shared::model_batch,
    params,
    types::{DType, Error, HostData},
    wgsl::{Decl, Spec, View},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Rng, Verify},
    verify::reference,
};
use ridgepole_derive::op;

params! { KeepBestParams { blocks: u32, models: u32, parts: u32, length: u32, items: u32 } }

/// Checkpoints per-model tensors, such as weights, of the models that improved this epoch; the checkpoints of the others are
/// unchanged.
///
/// Reads `state` f32\[4, models], as [`EarlyStopping`](super::EarlyStopping) updated it, and `from` f32\[models, len];
/// updates `best` f32\[models, len]: the rows of models whose status, the last row of `state`, is 1 become those of `from`,
/// bit for bit. Exact. Deterministic. One dispatch without scratch. A device must be able to bind each buffer whole; `from`
/// must have fewer than 2^31 elements.
#[op(
    name = "keep_best",
    summary = "checkpoint of per-model tensors, for the models that improved this epoch",
    formula = "best_m = from_m where status_m = 1"
)]
pub struct KeepBest {
    /// Models. May be 0.
    pub models: usize,
    /// Elements of each model. May be 0.
    pub len: usize,
}

impl Op for KeepBest {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = model_batch::len(&[self.models, self.len]);
        vec![
            Arg::read("state", DType::F32, model_batch::len(&[4, self.models])),
            Arg::read("from", DType::F32, len),
            Arg::update("best", DType::F32, len),
        ]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out) = (self.args(), Lowered::default());
        model_batch::check(NAME, caps, &args)?;
        if args.arg("from").len == 0 {
            return Ok(out);
        }
        let (ty, size) = if self.len.is_multiple_of(4) { ("vec4<u32>", 4) } else { ("u32", 1) };
        let (items, lanes) = ((self.len / size) as u64, model_batch::lanes(caps));
        // Each lane copies some, so that models that stay cost a block or a few.
        let length = u64::from(lanes) * if caps.cpu { 256 } else { 4 };
        let parts = items.div_ceil(length);
        let blocks = parts * self.models as u64;
        let decl = |name, writes| Decl { name, dtype: DType::F32, view: View::Raw(ty), writes };
        out.steps.push(Step {
            spec: Spec {
                shader: kernel!("batched/keep_best"),
                entry: NAME,
                parts: vec![],
                bindings: vec![model_batch::bits("state", false), decl("here", false), decl("best", true)],
                consts: vec![("WG", lanes)],
            },
            params: KeepBestParams {
                blocks: blocks as u32,
                models: self.models as u32,
                parts: parts as u32,
                length: length as u32,
                items: items as u32,
            }
            .into(),
            slots: all(&args),
            workgroups: blocks,
            trips: (length / u64::from(lanes)).min(MAX_TRIPS),
        });
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for KeepBest {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Tiny, Pattern::NonFinite]
    }

    /// A third of the models improved; among hostile data, some have a status that is none.
    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        if arg.name != "state" {
            return rng.fill(arg, [-1.0, 1.0], pattern);
        }
        let some = [0.0, 1.0, 2.0, 1.0f32.next_up(), -1.0, f32::NAN];
        let count = if pattern == Pattern::NonFinite { 6 } else { 3 };
        HostData::F32((0..arg.len).map(|_| some[rng.word() as usize % count]).collect())
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let of = Contents::new(self.args(), args);
        let words = |name| -> Vec<u32> {
            of.get(name).bytes().chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
        };
        let (status, here, best) = (of.f64("state"), words("from"), words("best"));
        let row = |m: usize| {
            let at = m * self.len..(m + 1) * self.len;
            reference::keep_best(status[3 * self.models + m], &here[at.clone()], &best[at]).to_vec()
        };
        let all = (0..self.models).flat_map(row).map(f32::from_bits);
        vec![Expected::Exact(HostData::F32(all.collect()))]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let shapes = [[1, 1], [0, 4], [4, 0], [3, 5], [5, 4], [150, 101], [7, 2048], [3, 5001], [40, 64], [16, 1000]];
    shapes.map(|[models, len]| Box::new(KeepBest { models, len }) as Box<dyn Verify>).into()
}

#[cfg(feature = "verify")]
/// Models of some 1000 weights.
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    vec![Box::new(KeepBest { models: (elements / 1024).max(1), len: 1024 })]
}
