//! The yardstick: a plain copy, written and lowered as every other op is.
use crate::{
    kernels::partition,
    op::{Arg, Caps, Expected, Lowered, Op, Pattern, Rng, Step, Verify},
    types::{DType, Error, HostData},
    wgsl::{Decl, Source, Spec},
};

const NAME: &str = "copy";
const SOURCE: Source = Source { name: NAME, text: include_str!("copy.wgsl") };

/// y = x for `len` elements of f32: reads `x`, writes `y`, exactly. Not in the ops table, as `wgpu` itself copies
/// buffers; this one is here because its kernel moves data as the other kernels do.
#[derive(Clone, Debug, PartialEq)]
pub struct CopyOp {
    /// Elements.
    pub len: usize,
}

impl Op for CopyOp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![Arg::read("x", DType::F32, self.len), Arg::write("y", DType::F32, self.len)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out) = (self.args(), Lowered::default());
        for piece in partition::flat(NAME, caps, self.len as u64, 4, u64::from(caps.lanes * caps.quads))? {
            let decl = |name, writes| Decl { name, dtype: DType::F32, view: piece.view(), writes };
            out.steps.push(Step {
                spec: Spec {
                    shader: SOURCE,
                    entry: "copy",
                    parts: vec![],
                    bindings: vec![decl("x", false), decl("y", true)],
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: piece.window().into(),
                slots: vec![piece.slot(0, &args[0]), piece.slot(1, &args[1])],
                workgroups: piece.workgroups(),
                trips: u64::from(caps.quads),
            });
        }
        Ok(out)
    }
}

impl Verify for CopyOp {
    /// The same few values again and again: what they are does not matter to a copy, and to draw many takes long.
    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        let some = rng.fill(&Arg { len: arg.len.min(1 << 16), ..*arg }, self.domain(arg), pattern);
        let bytes: Vec<u8> = some.bytes().iter().copied().cycle().take(arg.bytes() as usize).collect();
        HostData::from_bytes(arg.dtype, &bytes)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        vec![Expected::Exact(args[0].clone())]
    }
}
