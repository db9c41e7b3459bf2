//! What the optimizers share: arguments, checks, the lowering of a pass over an arena, and the decision to skip a step.
pub(crate) mod adaptive;
mod adaptive_op;
#[cfg(feature = "verify")]
pub(crate) mod cases;
pub(crate) mod counter;
#[cfg(feature = "verify")]
mod element;
#[cfg(feature = "verify")]
pub(crate) mod expected;
pub(crate) mod json;
pub(crate) mod macros;
pub(crate) mod prelude;
pub(crate) mod rule;
mod weight;

pub(crate) use counter::Counter;
#[cfg(feature = "verify")]
pub(crate) use element::{Element, after};
pub(crate) use rule::Rule;
#[cfg(feature = "verify")]
pub(crate) use rule::VerifyRule;

use crate::{
    kernels::{
        arena::{Arena, ArenaWindow},
        philox::Draw,
    },
    op::{Access, Arg, ByName, Caps, Cost, Lowered, Params, Slot, Step, check_float},
    options::{Averaging, Group, NonFinite, Rounding, check_scalar},
    params,
    types::{DType, Error, Segment},
    wgsl::{Decl, Source, Spec, View, parts},
};
use std::ops::Range;

params! { OnceParams { blocks: u32 } }

/// An optimizer step as each op describes it.
pub(crate) struct Optimizer<'a> {
    pub name: &'static str,
    pub dtype: DType,
    pub segments: &'a [Segment],
    pub groups: &'a [Group],
    /// The f32 buffers that the step updates beside the weights.
    pub state: Vec<&'static str>,
    pub lr: f64,
    pub step: u64,
    pub grad_scale: f64,
    pub gpu_scale: bool,
    pub non_finite: NonFinite,
    pub ema: Option<Averaging>,
    pub master: bool,
    pub rounding: Rounding,
    /// What follows from a step counter on the GPU, where there is one.
    pub counter: Option<Counter>,
}

/// The words with which the optimizers' kernels begin their parameters.
pub(crate) struct Words {
    pub window: ArenaWindow,
    pub grad_scale: f32,
    pub average: f32,
    pub draw: Draw,
}

const TABLE: Decl = Decl { name: "table", dtype: DType::U32, view: View::Raw("vec4<u32>"), writes: false };
const FLAG: Decl = Decl { name: "flag", dtype: DType::U32, view: View::Raw("u32"), writes: false };
const SCALE: Decl = Decl { name: "scale", dtype: DType::F32, view: View::Elements, writes: false };

impl Optimizer<'_> {
    pub fn args(&self) -> Vec<Arg> {
        let len = Segment::arena_len(self.segments);
        let mut args = vec![Arg::read("grad", self.dtype, len)];
        args.extend(self.gpu_scale.then(|| Arg::read("scale", DType::F32, 1)));
        args.push(Arg::update("weight", self.dtype, len));
        args.extend(self.kept().map(|name| Arg::update(name, DType::F32, len)));
        args.extend(self.counter.map(|_| Arg::update("steps", DType::U32, 1)));
        args.extend(self.skips().then(|| Arg::update("skipped", DType::U32, 1)));
        args
    }

    fn skips(&self) -> bool {
        self.non_finite == NonFinite::Skip
    }

    fn check(&self) -> Result<(), Error> {
        check_float(self.name, self.args().arg("grad"))?;
        check_scalar(self.name, "lr", self.lr, [0.0, f64::INFINITY])?;
        check_scalar(self.name, "grad_scale", self.grad_scale, [f64::NEG_INFINITY, f64::INFINITY])?;
        self.check_weight()?;
        if self.step == 0 {
            return Err(Error::argument(self.name, "step", "is 0, must be at least 1: steps are counted from 1"));
        }
        for (i, group) in self.groups.iter().enumerate() {
            group.check(self.name, i)?;
            group.check_rates(self.name, i, self.lr)?;
        }
        Ok(())
    }

    /// `shader` once for each piece of the arena, after the kernels that decide whether the step is made.
    pub fn lower(
        &self,
        caps: &Caps,
        shader: Source,
        parts: &[Source],
        params: impl Fn(Words) -> Params,
    ) -> Result<Lowered, Error> {
        self.check()?;
        let args = self.args();
        let arena = Arena::new(self.name, self.segments, self.groups.len(), caps)?;
        let mut out = Lowered::default();
        if arena.blocks == 0 {
            return Ok(out);
        }
        let rows = self.groups.iter().flat_map(|g| g.rates(self.lr).rows());
        let table = out.table(&arena.table(rows), caps);
        // The flag and the scale; behind them, a counter's corrections.
        let words = if self.counter.is_some() { 5 } else { 2 };
        let flag = (self.skips() || self.counter.is_some()).then(|| out.scratch(4 * words, caps));
        if let (Some(flag), true) = (&flag, self.skips()) {
            self.decide(caps, &arena, &table, flag, &mut out)?;
        }
        if let (Some(flag), Some(counter)) = (&flag, self.counter) {
            let flag = (Decl { writes: true, ..FLAG }, Slot::Scratch(flag.clone()));
            counter.lower(args.whole("steps"), flag, self.update_part(), caps, &mut out);
        }
        // Who decides about the step has read the scale, and keeps it beside the flag.
        let scale = if self.skips() && self.gpu_scale { parts::optimizer::SCALE_FLAG } else { self.scale_part() };
        let parts = parts.iter().copied().chain([scale, self.update_part()]);
        let parts: Vec<Source> = parts.chain(self.weight_parts(caps)).collect();
        let widest = if self.kept().next().is_none() { self.dtype.size() } else { 4 };
        // Ten rounds of the generator for each quad.
        let rounds = if matches!(self.rounding, Rounding::Stochastic(_)) { 10 } else { 0 };
        for piece in arena.pieces(self.name, caps, widest)? {
            let (mut bindings, mut slots) = (Vec::new(), Vec::new());
            for arg in &args {
                match arg.name {
                    "skipped" | "steps" => {}
                    "scale" if self.skips() => {}
                    "scale" => self.bind_scale(&args, &mut bindings, &mut slots),
                    name => {
                        bindings.push(Decl { name, dtype: arg.dtype, view: piece.view(), writes: name != "grad" });
                        slots.push(piece.of(&args, name));
                    }
                }
            }
            bindings.push(TABLE);
            slots.push(Slot::Table(table.clone()));
            if let Some(flag) = &flag {
                bindings.push(FLAG);
                slots.push(Slot::Scratch(flag.clone()));
            }
            self.check_buffers(caps, &bindings)?;
            let spec = Spec {
                shader,
                entry: self.name,
                parts: parts.clone(),
                bindings,
                consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
            };
            let average = self.ema.map_or(0.0, |a| a.fresh() as f32);
            let window = arena.window(&piece);
            let params = params(Words { window, grad_scale: self.grad_scale as f32, average, draw: self.draw() });
            let trips = u64::from(caps.quads) * (1 + rounds) + 32;
            out.steps.push(Step { spec, params, slots, workgroups: piece.workgroups(), trips });
        }
        Ok(out)
    }

    fn update_part(&self) -> Source {
        if self.skips() { parts::optimizer::UPDATE_UNLESS } else { parts::optimizer::UPDATE_ALWAYS }
    }

    fn scale_part(&self) -> Source {
        if self.gpu_scale { parts::optimizer::SCALE_GPU } else { parts::optimizer::SCALE_HOST }
    }

    fn bind_scale(&self, args: &[Arg], bindings: &mut Vec<Decl>, slots: &mut Vec<Slot>) {
        if self.gpu_scale {
            bindings.push(SCALE);
            slots.push(args.whole("scale"));
        }
    }

    /// Clears a flag in scratch (and puts the scale behind it), sets it if anything is not finite, counts it.
    fn decide(&self, caps: &Caps, arena: &Arena, table: &Range<u64>, flag: &Range<u64>, out: &mut Lowered) -> Result<(), Error> {
        let args = self.args();
        let once = |(shader, entry): (Source, &'static str), parts: Vec<Source>, bindings: Vec<Decl>, slots: Vec<Slot>| {
            let spec = Spec { shader, entry, parts, bindings, consts: vec![] };
            Step { spec, params: OnceParams { blocks: 1 }.into(), slots, workgroups: 1, trips: 0 }
        };
        let (mut bindings, mut slots) = (vec![Decl { writes: true, ..FLAG }], vec![Slot::Scratch(flag.clone())]);
        self.bind_scale(&args, &mut bindings, &mut slots);
        out.steps.push(once((parts::optimizer::SKIP_BEGIN, "skip_begin"), vec![self.scale_part()], bindings, slots));
        for piece in arena.pieces(self.name, caps, self.dtype.size())? {
            out.steps.push(Step {
                spec: Spec {
                    shader: parts::optimizer::SKIP_SCAN,
                    entry: "skip_scan",
                    parts: vec![],
                    bindings: vec![
                        Decl { name: "grad", dtype: self.dtype, view: piece.view(), writes: false },
                        TABLE,
                        Decl { view: View::Raw("atomic<u32>"), writes: true, ..FLAG },
                    ],
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: arena.window(&piece).into(),
                slots: vec![piece.of(&args, "grad"), Slot::Table(table.clone()), Slot::Scratch(flag.clone())],
                workgroups: piece.workgroups(),
                trips: u64::from(caps.quads) + 32,
            });
        }
        let skipped = Decl { name: "skipped", dtype: DType::U32, view: View::Raw("u32"), writes: true };
        let slots = vec![Slot::Scratch(flag.clone()), args.whole("skipped")];
        out.steps.push(once((parts::optimizer::SKIP_END, "skip_end"), vec![], vec![FLAG, skipped], slots));
        Ok(())
    }

    /// Each live element of each buffer once, twice if updated; the gradients once more if the step may be skipped. A weight that
    /// has a master is not read.
    pub fn cost(&self) -> Cost {
        let (args, live) = (self.args(), self.segments.iter().map(|s| s.len as u64).sum::<u64>());
        let elements = |a: &Arg| if matches!(a.name, "scale" | "steps" | "skipped") { 1 } else { live };
        let times = |a: &Arg| match a.access {
            _ if a.name == "weight" && self.master => 1,
            Access::Update => 2,
            _ if a.name == "grad" && self.skips() => 2,
            _ => 1,
        };
        Cost { bytes: args.iter().map(|a| times(a) * elements(a) * a.dtype.size()).sum(), elements: live }
    }
}
