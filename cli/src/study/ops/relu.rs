//! The rectifier by itself, for layers where something comes between it and the product. Kernel: `cli/shaders/relu.wgsl`.
use super::RELU;
use ridgepole::{
    Arg, Caps, DType, Error, Expected, HostData, Lowered, Op, Pattern, Step, params, tile,
    wgsl::{Decl, Spec},
};

params! { ReluParams { first: u32, blocks: u32, lo: u32, hi: u32, base: u32, end: u32 } }

/// `y = max(x, 0)`. Its backward is the gate of [`DenseInputGrad`](super::DenseInputGrad).
///
/// Reads `x` f32\[len], writes `y` f32\[len]; any length. NaN stays NaN. Deterministic. No scratch.
#[derive(Clone, Debug, PartialEq)]
pub struct Relu {
    /// Elements.
    pub len: usize,
}

const NAME: &str = "relu";

impl Op for Relu {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![Arg::read("x", DType::F32, self.len), Arg::write("y", DType::F32, self.len)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out) = (self.args(), Lowered::default());
        let quads = u64::from(caps.lanes) * u64::from(caps.quads);
        for piece in tile::flat(NAME, caps, self.len as u64, 4, quads)? {
            let decl = |name, writes| Decl { name, dtype: DType::F32, view: piece.view(), writes };
            out.push(Step {
                spec: Spec {
                    shader: RELU,
                    entry: "relu",
                    parts: vec![],
                    bindings: vec![decl("x", false), decl("y", true)],
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: ReluParams {
                    first: piece.blocks.start as u32,
                    blocks: (piece.blocks.end - piece.blocks.start) as u32,
                    lo: piece.quads.start as u32,
                    hi: piece.quads.end as u32,
                    base: piece.base(),
                    end: piece.end(),
                }
                .into(),
                slots: vec![piece.slot(0, &args[0]), piece.slot(1, &args[1])],
                workgroups: piece.blocks.end - piece.blocks.start,
                trips: caps.quads.into(),
            });
        }
        Ok(out)
    }

    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let value: Vec<f64> = args[0].to_f64().into_iter().map(|v| if v <= 0.0 { 0.0 } else { v }).collect();
        // A copy, but what is below the least normal number may be flushed.
        let bound = value.iter().map(|&v| if v < DType::F32.least_normal() { v } else { 0.0 }).collect();
        vec![Expected::Within { value, bound }]
    }
}

pub(super) fn cases() -> Vec<Box<dyn Op>> {
    // The last is longer than the smallest binding limit that the checks pretend.
    [0, 1, 3, 4, 7, 8, 2047, 2048, 2053, 66_000].into_iter().map(|len| Box::new(Relu { len }) as Box<dyn Op>).collect()
}
