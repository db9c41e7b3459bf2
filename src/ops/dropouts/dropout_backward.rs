//! Dropout, backward. Kernel: `shaders/dropouts/dropout_backward.wgsl` with a stored mask, else `shaders/dropouts/dropout.wgsl`. Reference:
//! `cpu::dropout_backward`.
use super::{
    Dropout,
    dropout::{
        mask_slot,
        reference::{expected, kept},
        table, windows,
    },
};
use crate::{
    Arg, Bits, Caps, DType, Error, Expected, HostData, Key, Lowered, MaskMode, Op, Pattern, Scaling, Share, Space, Step, cpu,
    kernel,
    ops::Entry,
    params, tile,
    wgsl::{Decl, Spec, View},
};
use serde::{Deserialize, Serialize};

params! { DropoutBackwardParams { first: u32, blocks: u32, lo: u32, hi: u32, base: u32, end: u32, scale: f32 } }

/// The backward pass of [`Dropout`] in training: dx = m·dy/(1-p), with the mask m of the forward pass.
///
/// Reads `dy`, and `mask` if it was stored; writes `dx`. Fields as in the forward pass. Without a stored mask it is the
/// forward map itself, kernel and all, drawn again from the same key, and takes no memory. Where p keeps all or nothing,
/// `mask` is not looked at. No scratch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropoutBackward {
    /// How dy and dx are stored.
    pub dtype: DType,
    /// The shape.
    pub space: Space,
    /// The probability of dropping, 0 to 1, both included.
    pub p: f64,
    /// What the mask was drawn from.
    pub key: Key,
    /// Which elements share a decision.
    #[serde(default)]
    pub share: Share,
    /// Where the factor goes.
    #[serde(default)]
    pub scaling: Scaling,
    /// Random bits per decision.
    #[serde(default)]
    pub bits: Bits,
    /// Whether the forward pass kept the mask.
    #[serde(default)]
    pub mask: MaskMode,
}

const NAME: &str = "dropout_backward";

impl DropoutBackward {
    fn forward(&self) -> Dropout {
        let Self { dtype, space, p, key, share, scaling, bits, mask } = *self;
        Dropout { dtype, space, p, key, share, scaling, bits, mask, training: true }
    }

    /// The steps that read a stored mask.
    fn stored(&self, caps: &Caps, args: &[Arg], factor: f64) -> Result<Vec<Step>, Error> {
        let mut out = Vec::new();
        let block_quads = u64::from(caps.lanes) * u64::from(caps.quads);
        for piece in tile::flat(NAME, caps, args[0].len as u64, self.dtype.size(), block_quads)? {
            let decl = |name, writes| Decl { name, dtype: self.dtype, view: piece.view(), writes };
            let blocks = piece.blocks.end - piece.blocks.start;
            out.push(Step {
                spec: Spec {
                    shader: kernel!("dropouts/dropout_backward"),
                    entry: "dropout_backward",
                    parts: vec![],
                    bindings: vec![
                        decl("dy", false),
                        Decl { name: "mask", dtype: DType::U32, view: View::Raw("u32"), writes: false },
                        decl("dx", true),
                    ],
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: DropoutBackwardParams {
                    first: piece.blocks.start as u32,
                    blocks: blocks as u32,
                    lo: piece.quads.start as u32,
                    hi: piece.quads.end as u32,
                    base: piece.base(),
                    end: piece.end(),
                    scale: factor as f32,
                }
                .into(),
                slots: vec![piece.slot(0, &args[0]), mask_slot(1, &piece), piece.slot(2, &args[2])],
                workgroups: blocks,
                trips: u64::from(caps.quads),
            });
        }
        Ok(out)
    }
}

impl Op for DropoutBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = self.space.len();
        let mut args = vec![Arg::read("dy", self.dtype, len)];
        if self.mask == MaskMode::Store {
            args.push(Arg::read("mask", DType::U32, len.div_ceil(32)));
        }
        args.push(Arg::write("dx", self.dtype, len));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, forward) = (self.args(), self.forward());
        let last = args.len() - 1;
        let (dy, dx) = ((0, &args[0]), (last, &args[last]));
        let steps = if self.mask == MaskMode::Recompute {
            forward.steps(NAME, caps, dy, dx, None)?
        } else {
            forward.check(NAME, &args[0])?;
            let caps = windows(caps);
            match forward.settled(NAME, &caps, dy, dx)? {
                Some(steps) => steps,
                None => self.stored(&caps, &args, forward.factor().0)?,
            }
        };
        Ok(Lowered { steps, ..Default::default() })
    }

    fn patterns(&self) -> Vec<Pattern> {
        self.forward().patterns()
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let kept = match self.mask {
            MaskMode::Recompute => kept(&self.space, self.p, &self.key, self.share, self.bits),
            MaskMode::Store => {
                let words = args[1].words().expect("masks are words");
                (0..self.space.len()).map(|e| words[e / 32] >> (e % 32) & 1 == 1).collect()
            }
        };
        let keep = cpu::keep(self.p, if self.bits == Bits::Sixteen { 16 } else { 32 });
        let factor = if self.scaling == Scaling::Inverted { 1.0 / keep } else { 1.0 };
        vec![expected(&args[0], &kept, keep, keep == 1.0, factor, cpu::dropout_backward)]
    }
}

pub(super) const ENTRY: Entry = Entry {
    name: NAME,
    summary: "sends the gradient through dropout: with the mask drawn again, or with the one that was kept",
    formula: "dx = m·dy/(1-p) (scale_at_test: dx = m·dy)",
    fields: table::BACKWARD_FIELDS,
    cases: table::backward,
    bench: table::backward_bench,
    parse: crate::ops::parse::<DropoutBackward>,
};
