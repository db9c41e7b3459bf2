//! The dispatches of cross-entropy.
use super::{CrossEntropy, NAME};
use crate::{
    kernel,
    kernels::{
        channels::vector,
        partition::{self, Piece},
        reduce::{Monoid, Partials},
    },
    op::{Arg, ByName, Caps, Lowered, MAX_TRIPS, Op, Slot, Step},
    options::{LossReduction, Targets},
    params,
    types::{DType, Error},
    wgsl::{Decl, Spec, View, parts},
};

params! {
    CrossEntropyParams {
        rows: u32, classes: u32, first: u32, blocks: u32, block: u32, lanes: u32, turns: u32, base: u32, end: u32, partial: u32,
        scale: f32, grad_scale: f32, keep: f32, share: f32, z_loss: f32, confidence: f32, gamma: f32,
        ignores: u32, ignored: u32, nan: u32
    }
}
params! { TargetWeightsParams { blocks: u32, rows: u32, classes: u32, ignores: u32, ignored: u32, unknown: f32 } }

/// How rows are laid out over workgroups.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shape {
    /// Lanes of a workgroup.
    pub width: u64,
    /// Lanes that share a row.
    pub lanes: u64,
    /// Rows of a block, done in `turns`; a block is whole quads.
    pub rows: u64,
    pub turns: u64,
    /// Whether a block stays in workgroup memory.
    pub held: bool,
    pub trips: u64,
}

/// The most rows of a block. Workgroup memory holds 28 bytes for each, 24 for a lane, and `KEPT` logits: below 16 KiB in all.
fn most_rows(caps: &Caps) -> u64 {
    if caps.cpu { 256 } else { 128 }
}

/// The most logits that a block keeps, `KEPT` in `losses/parts/logits_held`.
const KEPT: u64 = 1536;

impl Shape {
    pub fn new(classes: u64, caps: &Caps) -> Result<Self, Error> {
        let quads = classes.div_ceil(4);
        // After so many rows a row begins at a whole quad again.
        let period = 4 >> classes.trailing_zeros().min(2);
        let mut width = u64::from(caps.lanes);
        loop {
            // A software driver likes long loops.
            // Joining lanes takes longer than a few quads more for each.
            let apart = if caps.cpu { quads.div_ceil(16) } else { quads.div_ceil(8) };
            let lanes = apart.next_power_of_two().clamp((width / most_rows(caps)).max(1), width);
            let at_once = width / lanes;
            let few = if caps.cpu { (2048 / (classes * at_once)).clamp(1, most_rows(caps) / at_once) } else { 1 };
            let rows = (few * at_once).next_multiple_of(period.max(at_once));
            let turns = rows / at_once;
            let held = !caps.cpu && rows * classes <= KEPT;
            let over = (rows * classes).div_ceil(4 * width);
            let trips = turns * (quads.div_ceil(lanes) + u64::from(lanes.ilog2()))
                + over * (1 + u64::from(held))
                + u64::from(width.ilog2());
            if trips <= MAX_TRIPS {
                return Ok(Self { width, lanes, rows, turns, held, trips });
            }
            width *= 2;
            let most = caps.limits.max_compute_invocations_per_workgroup.min(caps.limits.max_compute_workgroup_size_x);
            // Workgroup memory is for 256 lanes.
            if width > u64::from(most).min(256) {
                let why = format!(
                    "rows of {classes} classes take loops of {trips} trips, at most {MAX_TRIPS} are safe: pad them to a multiple of 4"
                );
                return Err(Error::unsupported(NAME, why));
            }
        }
    }

    /// The dispatches: whole quads, then a last block whose end is none.
    fn pieces(&self, op: &CrossEntropy, caps: &Caps, bytes: u64) -> Result<Vec<Piece>, Error> {
        let (len, block) = (op.len() as u64, self.rows * op.classes as u64);
        let span = |len: u64| move |i: u64| i * block / 4..((i + 1) * block).min(len) / 4;
        let blocks = len.div_ceil(block);
        if len.is_multiple_of(4) {
            return partition::pieces(NAME, caps, len, bytes, blocks, span(len));
        }
        let whole = (blocks - 1) * block;
        let mut pieces = partition::pieces(NAME, caps, whole, bytes, blocks - 1, span(whole))?;
        let start =
            if len <= caps.binding_limit() / bytes { 0 } else { whole / partition::WINDOW_ALIGN * partition::WINDOW_ALIGN };
        if (len - start) * bytes > caps.binding_limit() {
            let (need, have) = ((len - start) * bytes, caps.limits.max_storage_buffer_binding_size);
            return Err(Error::unsupported(
                NAME,
                format!("must bind {need} bytes of the logits at once, max_storage_buffer_binding_size is {have}"),
            ));
        }
        pieces.push(Piece { blocks: blocks - 1..blocks, quads: 0..len.div_ceil(4), elements: start..len, ragged: true });
        Ok(pieces)
    }
}

fn words(name: &'static str) -> Decl {
    Decl { name, dtype: DType::U32, view: View::Raw("u32"), writes: false }
}

/// What the targets weigh together, as the first entry of the scratch that it gives.
fn divisor(op: &CrossEntropy, args: &[Arg], out: &mut Lowered, caps: &Caps) -> Result<Partials, Error> {
    let (rows, span) = (op.rows as u64, u64::from(caps.quads));
    let blocks = rows.div_ceil(u64::from(caps.lanes) * span);
    let partials = Partials::new(NAME, out, caps, Monoid::SUM, 1, blocks)?;
    let mut bindings = vec![words("target_class"), Monoid::SUM.decl("partials", true)];
    let mut slots = vec![args.whole("target"), partials.slot()];
    let weights = if op.class_weight { parts::losses::CLASS_WEIGHTS } else { parts::losses::CLASS_WEIGHTS_NONE };
    if op.class_weight {
        bindings.push(vector("class_weight", false));
        slots.push(args.whole("class_weight"));
    }
    out.steps.push(Step {
        spec: Spec {
            shader: parts::losses::TARGET_WEIGHTS,
            entry: "target_weights",
            parts: vec![weights],
            bindings,
            consts: vec![("WG", caps.lanes), ("SPAN", caps.quads)],
        },
        params: TargetWeightsParams {
            blocks: blocks as u32,
            rows: op.rows as u32,
            classes: op.classes as u32,
            ignores: u32::from(op.ignore_index.is_some()),
            ignored: op.ignore_index.unwrap_or(0),
            unknown: if op.class_weight { 0.0 } else { 1.0 },
        }
        .into(),
        slots,
        workgroups: blocks,
        trips: span + u64::from(caps.lanes.ilog2()),
    });
    Ok(partials.until(out, caps, 1))
}

impl CrossEntropy {
    pub(super) fn lowered(&self, caps: &Caps) -> Result<Lowered, Error> {
        let caps = &caps.summing();
        let (args, mut out) = (self.args(), Lowered::default());
        let (classes, each) = (self.target == Targets::Classes, self.reduction == LossReduction::None);
        let shape = Shape::new(self.classes as u64, caps)?;
        let bytes = if classes { self.dtype.size() } else { 4 };
        let pieces = if self.rows == 0 { vec![] } else { shape.pieces(self, caps, bytes)? };
        let total = if self.counts() && self.rows > 0 { Some(divisor(self, &args, &mut out, caps)?) } else { None };
        let (partials, first) = Partials::of_pieces(NAME, &mut out, caps, Monoid::SUM, &pieces)?;
        // One binding holds the divisor and the partial sums: a buffer has one usage in a dispatch.
        let scratch = total.as_ref().map_or(partials.range.start, |t| t.range.start)..partials.range.end;
        let offset = ((partials.range.start - scratch.start) / 4) as u32;
        let aligned = self.classes.is_multiple_of(4);
        let smooths = classes.then(|| ("SMOOTHS", u32::from(self.label_smoothing > 0.0)));
        for (piece, first) in pieces.iter().zip(first) {
            let four = |name, dtype| Decl { name, dtype, view: View::Four(aligned), writes: false };
            let mut parts = vec![];
            let (mut bindings, mut slots) = (vec![], vec![piece.of(&args, "logits")]);
            if shape.held {
                parts.push(parts::losses::LOGITS_HELD);
                bindings.push(Decl { name: "logits", dtype: self.dtype, view: piece.view(), writes: false });
            } else {
                parts.push(parts::losses::LOGITS_STREAMED);
                bindings.push(four("logits", self.dtype));
            }
            if self.class_weight {
                parts.push(parts::losses::CLASS_WEIGHTS);
                bindings.push(vector("class_weight", false));
                slots.push(args.whole("class_weight"));
            } else {
                parts.push(parts::losses::CLASS_WEIGHTS_NONE);
            }
            if classes {
                parts.push(parts::losses::TARGET_CLASSES);
                bindings.push(words("target_class"));
                slots.push(args.whole("target"));
            } else {
                parts.push(parts::losses::TARGET_SHARES);
                bindings.push(four("shares_of", DType::F32));
                slots.push(piece.of(&args, "target"));
            }
            parts.push(if total.is_some() { parts::losses::DIVISOR_GPU } else { parts::losses::DIVISOR_HOST });
            if each {
                parts.push(parts::losses::LOSSES_EACH);
                bindings.push(vector("loss", true));
                slots.push(args.whole("loss"));
            } else {
                parts.push(parts::losses::LOSSES_SUM);
                bindings.push(Monoid::SUM.decl("partials", true));
                slots.push(Slot::Scratch(scratch.clone()));
            }
            if self.grad {
                parts.push(parts::losses::GRADIENT_KEPT);
                bindings.push(Decl { name: "gradient_out", dtype: self.dtype, view: piece.view(), writes: true });
                slots.push(piece.of(&args, "dlogits"));
            } else {
                parts.push(parts::losses::GRADIENT_NONE);
            }
            let mut consts = vec![("WG", shape.width as u32), ("ROWS", most_rows(caps) as u32)];
            consts.push(("WHOLE", u32::from(aligned)));
            consts.extend(smooths);
            out.steps.push(Step {
                spec: Spec { shader: kernel!("losses/cross_entropy"), entry: NAME, parts, bindings, consts },
                params: CrossEntropyParams {
                    rows: self.rows as u32,
                    classes: self.classes as u32,
                    first: piece.blocks.start as u32,
                    blocks: piece.workgroups() as u32,
                    block: shape.rows as u32,
                    lanes: shape.lanes as u32,
                    turns: shape.turns as u32,
                    base: piece.elements.start as u32,
                    end: piece.end(),
                    partial: offset + first,
                    scale: if self.reduction == LossReduction::Mean { (1.0 / self.rows as f64) as f32 } else { 1.0 },
                    grad_scale: self.grad_scale as f32,
                    keep: (1.0 - self.label_smoothing) as f32,
                    share: (self.label_smoothing / self.classes as f64) as f32,
                    z_loss: self.z_loss as f32,
                    confidence: self.confidence_penalty as f32,
                    gamma: self.focal_gamma as f32,
                    ignores: u32::from(self.ignore_index.is_some()),
                    ignored: self.ignore_index.unwrap_or(0),
                    nan: 0x7fc0_0000,
                }
                .into(),
                slots,
                workgroups: piece.workgroups(),
                trips: shape.trips,
            });
        }
        if !each {
            let (place, loss) = args.at("loss");
            partials.into_arg(&mut out, caps, place, loss);
        }
        Ok(out)
    }
}
