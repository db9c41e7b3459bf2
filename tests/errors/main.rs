//! Every mistake that a caller can make, and the whole text of its error; and that nothing has happened then.
#[path = "../common/mod.rs"]
mod common;

mod batch_norms;
mod batched_dense;
mod batched_training;
mod binding;
mod blocks;
mod branches;
mod connections;
mod fields;
mod filters;
mod groups;
mod json;
mod limits;
mod linear;
mod loss_scales;
mod losses;
mod masks;
mod mixing;
mod noises;
mod normalisation;
mod optimizers;
mod orthogonal;
mod passes;
mod penalties;
mod projections;
mod random;
mod response;
mod rows;
mod spectral;
mod transforms;
mod units;
mod weights;

use ridgepole::{Caps, Op, wgpu};

/// A device with WebGPU's default limits: fields are checked before any GPU is asked.
fn caps() -> Caps {
    Caps::new(wgpu::Limits::default(), wgpu::Features::empty(), false)
}

/// What lowering says is wrong.
fn text(op: &dyn Op) -> String {
    match op.lower(&caps()) {
        Err(e) => e.to_string(),
        Ok(_) => panic!("{op:?} must be refused"),
    }
}

/// Each op is refused with its text; the first that is not, or not in these words, fails.
fn refused(cases: &[(Box<dyn Op>, &str)]) {
    for (op, want) in cases {
        assert_eq!(text(op.as_ref()), *want);
    }
}

fn op(op: impl Op + 'static) -> Box<dyn Op> {
    Box::new(op)
}
