//! What a host with another wgpu, Dawn or a browser needs to run an op, as JSON: `cargo run --example lower`, or with an op of your own:
//! `cargo run --example lower '{"op": "clip_by_value", "dtype": "f32", "segments": [{"start": 0, "len": 5}], "max": 1}'`.
//!
//! No GPU is opened, and wgpu is not needed: `cargo run --no-default-features --example lower`. `ridgepole::op::portable` says what each
//! field is and what a host does with it.
use ridgepole::{Caps, DType, ElasticNet, Features, Limits, Op, Portable, Segment, ops};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let op: Box<dyn Op> = match std::env::args().nth(1) {
        Some(json) => ops::from_json(&json)?,
        None => Box::new(ops::PenaltyGrad::new(DType::F32, Segment::one(5), vec![ElasticNet::l1(0.5)])),
    };
    // A GPU with WebGPU's default limits and no features, which every device can run. With larger limits, long tensors take fewer
    // dispatches.
    let caps = Caps::new(Limits::default(), Features::default(), false);
    println!("{}", Portable::new(op.as_ref(), &caps)?.to_json());
    Ok(())
}
