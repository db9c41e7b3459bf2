//! An op of your own through the public trait, checked as the library checks its own: `cargo run --example custom_op`.
//!
//! The op keeps an exponential moving average of weights: a ← d·a + (1-d)·w.
use ridgepole::{
    Approx, Arg, Caps, DType, Error, Expected, HostData, Lowered, Op, Pattern, Session, Step, Verify, check, params,
    tile::{self, Window},
    wgsl::{Decl, Source, Spec},
};

/// The kernel: it reads `params` and calls the functions that reach `weight` and `average`; the host says what is in the one,
/// and how the others are stored.
const KERNEL: Source = Source {
    name: "moving_average",
    text: "
//!use lib/partition/grid
override WG: u32 = 256;
override QUADS: u32 = 4;

@compute @workgroup_size(WG)
fn moving_average(@builtin(workgroup_id) wid: vec3<u32>,
                  @builtin(num_workgroups) count: vec3<u32>,
                  @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    for (var k = 0u; k < QUADS; k++) {
        let q = ((params.first + block) * QUADS + k) * WG + lane_of(index, WG);
        if q < params.lo || q >= params.hi { continue; }
        let i = q - params.base;
        average_store(i, params.decay * average_load(i) + params.rest * weight_load(i));
    }
}",
};

// The words of the window are read by their own names: `params.first`, `params.blocks` and so on.
params! { AverageParams { window: Window, decay: f32, rest: f32 } }

/// Reads `weight`, updates `average`; both hold `len` elements.
#[derive(Clone, Debug)]
struct MovingAverage {
    dtype: DType,
    len: usize,
    /// In 0..=1.
    decay: f64,
}

/// That is all it takes to run.
impl Op for MovingAverage {
    fn name(&self) -> &'static str {
        "moving_average"
    }

    fn args(&self) -> Vec<Arg> {
        vec![Arg::read("weight", self.dtype, self.len), Arg::update("average", self.dtype, self.len)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        if !(0.0..=1.0).contains(&self.decay) {
            return Err(Error::argument(self.name(), "decay", format!("is {}, must be in 0..=1", self.decay)));
        }
        let (args, block) = (self.args(), u64::from(caps.lanes * caps.quads));
        let mut out = Lowered::default();
        // A piece is what one dispatch can bind; the last one may be an incomplete quad.
        for piece in tile::flat(self.name(), caps, self.len as u64, self.dtype.size(), block)? {
            let decl = |name, writes| Decl { name, dtype: self.dtype, view: piece.view(), writes };
            out.push(Step {
                spec: Spec {
                    shader: KERNEL,
                    entry: "moving_average",
                    parts: vec![],
                    bindings: vec![decl("weight", false), decl("average", true)],
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: AverageParams { window: piece.window(), decay: self.decay as f32, rest: (1.0 - self.decay) as f32 }
                    .into(),
                slots: vec![piece.slot(0, &args[0]), piece.slot(1, &args[1])],
                workgroups: piece.workgroups(),
                trips: u64::from(caps.quads),
            });
        }
        Ok(out)
    }
}

/// And this to be checked: what it must compute, in f64, and how far off a result may be. An op that runs and has none needs nothing of
/// the library's feature `verify`; `check::Case` of such an op does not compile, and the compiler says that this is what is missing.
impl Verify for MovingAverage {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny]
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (w, a, d) = (args[0].to_f64(), args[1].to_f64(), self.decay);
        let value: Vec<f64> = a.iter().zip(&w).map(|(a, w)| d * a + (1.0 - d) * w).collect();
        let bound = a.iter().zip(&w).zip(&value).map(|((a, w), v)| {
            // In each term the factor and the product are rounded, then the sum is; a term may be flushed to zero. Then
            // the store is rounded.
            let terms = d * a.abs() + (1.0 - d) * w.abs();
            let b = 3.0 * DType::F32.epsilon() * terms + 2.0 * DType::F32.least_normal();
            Approx { value: *v, error: b }.stored_with_ulp(self.dtype)
        });
        let bound = bound.collect();
        vec![Expected::Within { value, bound }]
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::new()?;
    let op = MovingAverage { dtype: DType::F32, len: 3, decay: 0.9 };
    let out = session.run(&op, &[vec![10.0, 0.0, -10.0].into(), vec![1.0, 1.0, 1.0].into()])?;
    println!("0.9·a + 0.1·w = {:?}", out[0].to_f64());

    let (mut runs, mut failed) = (0, 0);
    for (mode, caps) in check::modes(session.device()) {
        let gpu = ridgepole::Gpu::with_caps(session.device(), caps);
        for dtype in DType::FLOATS {
            for len in [0, 1, 2, 3, 4, 255, 4096, 100_001] {
                let op = MovingAverage { dtype, len, decay: 0.99 };
                for pattern in op.patterns() {
                    runs += 1;
                    if let Err(why) = check::Case::new(&op, pattern, len as u64).run(&gpu, session.queue()) {
                        failed += 1;
                        println!("{op:?}, {pattern:?}, {mode}: {why}");
                    }
                }
            }
        }
    }
    println!("{runs} runs on {}, {failed} failed", session.info().name);
    if failed > 0 { Err("the cross-check found a difference".into()) } else { Ok(()) }
}
