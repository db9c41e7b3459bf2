//! Every mistake that a caller can make, and the whole text of its error; and that nothing has happened then. Filed by family; what
//! ops of several families refuse alike is in `arenas` and `matrices`.
#[path = "../common/mod.rs"]
mod common;

mod arenas;
mod averaging;
mod batched;
mod binding;
mod constraints;
mod devices;
mod dropouts;
mod json;
mod kernels;
mod limits;
mod linear;
mod losses;
mod matrices;
mod mixing;
mod norms;
mod optimizers;
mod penalties;
mod reference_memory;
mod scalars;
mod transforms;

use common::{plain_cpu, plain_gpu};
use ridgepole::Op;

/// What lowering says is wrong, on a device with WebGPU's default limits: fields are checked before any GPU is asked.
fn text(op: &dyn Op) -> String {
    match op.lower(&plain_gpu()) {
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

/// What an op says of an argument that must be bound as a whole and is too large for that.
fn unbindable(name: &str, bytes: u64, arg: &str) -> String {
    let limit = plain_gpu().limits.max_storage_buffer_binding_size;
    format!(
        "{name}: not possible on this device: must bind {bytes} bytes of `{arg}` at once, max_storage_buffer_binding_size is {limit}"
    )
}
