//! Raw random words. Kernel: `shaders/dropouts/philox.wgsl`. Reference: `cpu::philox`.
use crate::{
    kernel,
    kernels::{
        partition::{self, Window},
        philox::{self, Draw},
    },
    op::{Arg, Caps, Expected, Lowered, Op, Step, Verify},
    options::Key,
    params,
    types::{DType, Error, HostData},
    verify::reference,
    wgsl::{Decl, Spec, View},
};
use ridgepole_derive::op;

params! { PhiloxParams { window: Window, draw: Draw } }

/// The random words of Philox4x32-10, the counter-based generator behind every mask of this crate, call after call.
///
/// Writes `words`, `len` of them, four to a call. Call b has the counter (low word of b, high word of b, `step`, `stream`)
/// and the key (low word of `seed`, high word of `seed`). Exact on every device. No scratch.
///
/// Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11.
#[op(
    name = "philox",
    summary = "random words of Philox4x32-10, the counter-based generator behind every mask",
    formula = "words[4b..4b+4] = philox(counter = (first_block + b, step, stream), key = seed)"
)]
pub struct Philox {
    /// How many 32-bit words.
    #[field(max = 2^34 - 4)]
    pub len: usize,
    /// The 64-bit key.
    pub seed: u64,
    /// The fourth word of the counter.
    #[field(default)]
    pub stream: u32,
    /// The third word of the counter.
    #[field(default)]
    pub step: u32,
    /// The first call's number; the last one's must not pass 2^64.
    #[field(default)]
    pub first_block: u64,
}

impl Op for Philox {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![Arg::write("words", DType::U32, self.len)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, len) = (self.args(), self.len as u64);
        crate::types::Space::flat(self.len).check(NAME).map_err(|_| {
            Error::argument(
                NAME,
                "len",
                format!("is {len}, must be at most {}: split it by first_block", crate::types::Space::MAX_LEN),
            )
        })?;
        // Of the last call only the number must fit.
        if self.first_block.checked_add(len.div_ceil(4).saturating_sub(1)).is_none() {
            return Err(Error::argument(
                NAME,
                "first_block",
                format!("is {}: with {len} words it passes 2^64", self.first_block),
            ));
        }
        let mut out = Lowered::default();
        let block_quads = u64::from(caps.lanes) * u64::from(caps.quads);
        let key = Key { seed: self.seed, stream: self.stream, step: self.step, first_element: 0 };
        for piece in partition::flat(NAME, caps, len, 4, block_quads)? {
            out.steps.push(Step {
                spec: Spec {
                    shader: kernel!("dropouts/philox"),
                    entry: "philox_words",
                    parts: vec![philox::mul_wide(caps)],
                    bindings: vec![Decl { name: "words", dtype: DType::U32, view: View::Raw("u32"), writes: true }],
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: PhiloxParams { window: piece.window(), draw: Draw::new(&key, self.first_block) }.into(),
                slots: vec![piece.of(&args, "words")],
                workgroups: piece.workgroups(),
                trips: u64::from(caps.quads) * 11,
            });
        }
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for Philox {
    fn reference(&self, _: &[HostData]) -> Vec<Expected> {
        let key = [self.seed as u32, (self.seed >> 32) as u32];
        let call = |i: usize| self.first_block + i as u64;
        let words = (0..self.len.div_ceil(4))
            .flat_map(|i| reference::philox([call(i) as u32, (call(i) >> 32) as u32, self.step, self.stream], key));
        vec![Expected::Exact(HostData::U32(words.take(self.len).collect()))]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let case =
        |len, seed, stream, step, first_block| Box::new(Philox { len, seed, stream, step, first_block }) as Box<dyn Verify>;
    let mut out: Vec<_> = [0, 1, 2, 3, 4, 2047, 4096, 40_003].map(|len| case(len, 0x0123_4567_89ab_cdef, 3, 7, 0)).into();
    // Carries into the high word of the call's number, inside the tensor and before it; the last number there is.
    out.push(case(9001, 1, u32::MAX, 0, (1 << 32) - 1000));
    out.push(case(4096, u64::MAX, 0, u32::MAX, u64::MAX - 1023));
    out
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    vec![Box::new(Philox { len: elements, seed: 1, stream: 0, step: 0, first_block: 0 })]
}
