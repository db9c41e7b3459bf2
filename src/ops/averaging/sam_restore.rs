//! The way back from the perturbed weights. Kernel: `shaders/averaging/sam_restore.wgsl`. Reference: `cpu::sam_restore`.
use super::shared::copied;
#[cfg(feature = "verify")]
use crate::kernels::arena::arena_benches;
use crate::{
    kernel,
    kernels::arena::Arena,
    op::{Arg, Caps, Cost, Lowered, Op, Slot, Step, check_float},
    types::{DType, Error, HostData, Segment},
    wgsl::{Decl, Spec, View},
};
#[cfg(feature = "verify")]
use crate::{
    kernels::arena::arena_cases,
    op::{Expected, Pattern, Rng, Verify},
};
use ridgepole_derive::op;

/// Sharpness-aware minimisation (SAM), second half: restores the weights that [`SamPerturb`](super::SamPerturb) saved, w =
/// saved, bit for bit, including NaN and subnormal numbers.
///
/// Reads `saved`, updates `weight` (both of the same type, with the arena's elements; groups do not matter). What lies between
/// tensors keeps its bits too. Deterministic, no scratch; one dispatch per window, one more for an end inside a quad. A copy:
/// there is no backward op.
///
/// Foret et al., "Sharpness-aware minimization for efficiently improving generalization", 2021.
#[op(
    name = "sam_restore",
    summary = "second half of a SAM or ASAM step: restores the saved weights, bit for bit",
    formula = "w = saved"
)]
pub struct SamRestore {
    /// How weights and saved weights are stored.
    pub dtype: DType,
    /// The tensors of the arena, in ascending order.
    pub segments: Vec<Segment>,
}

impl Op for SamRestore {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = Segment::arena_len(&self.segments);
        vec![Arg::read("saved", self.dtype, len), Arg::update("weight", self.dtype, len)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let args = self.args();
        check_float(NAME, &args[0])?;
        let arena = Arena::new(NAME, &self.segments, usize::MAX, caps)?;
        let mut out = Lowered::default();
        if arena.blocks == 0 {
            return Ok(out);
        }
        let table = out.table(&arena.table([]), caps);
        for piece in arena.pieces(NAME, caps, self.dtype.size())? {
            let bits = |name, writes| Decl { name, dtype: self.dtype, view: View::Bits(piece.ragged), writes };
            out.steps.push(Step {
                spec: Spec {
                    shader: kernel!("averaging/sam_restore"),
                    entry: NAME,
                    parts: vec![],
                    bindings: vec![
                        bits("saved", false),
                        bits("weight", true),
                        Decl { name: "table", dtype: DType::U32, view: View::Raw("vec4<u32>"), writes: false },
                    ],
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: arena.window(&piece).into(),
                slots: vec![piece.slot(0, &args[0]), piece.slot(1, &args[1]), Slot::Table(table.clone())],
                workgroups: piece.workgroups(),
                trips: u64::from(caps.quads) + 32,
            });
        }
        Ok(out)
    }

    /// f32: 8 bytes an element, f16 and bf16: 4. The weight that is written over is not read.
    fn cost(&self) -> Cost {
        let live = self.segments.iter().map(|s| s.len as u64).sum::<u64>();
        Cost { bytes: live * self.dtype.size() * 2, elements: live }
    }
}

#[cfg(feature = "verify")]
impl Verify for SamRestore {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary]
    }

    /// Any bits at all, NaN with payloads and subnormal numbers among them.
    fn fill(&self, arg: &Arg, rng: &mut Rng, _: Pattern) -> HostData {
        let words: Vec<u32> = (0..arg.len.div_ceil(if arg.dtype.size() == 2 { 2 } else { 1 })).map(|_| rng.word()).collect();
        let bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).take(arg.bytes() as usize).collect();
        HostData::from_bytes(arg.dtype, &bytes)
    }

    /// What is saved is what comes out: see `cpu::sam_restore`.
    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        vec![Expected::Exact(copied(&self.segments, &args[0], &args[1]))]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    arena_cases(2, |dtype, segments, _| Box::new(SamRestore { dtype, segments }))
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    arena_benches(elements, |dtype, segments| Box::new(SamRestore { dtype, segments }))
}
