//! What is promised beyond the cross-check, by family and by subject. `cargo test --test it norms` runs one of them.
#[path = "../common/mod.rs"]
mod common;
// Beside the corpora.
#[path = "../../fuzz/engine/mod.rs"]
mod fuzz;
#[path = "../../fuzz/ops/mod.rs"]
mod fuzz_ops;

mod batched;
mod bench;
mod binding;
mod constraints;
mod families;
mod fields;
mod frameworks;
mod golden;
mod halves;
mod large;
mod linear;
mod losses;
mod lowering;
mod measured;
mod norms;
mod optimizers;
mod paths;
mod penalties;
mod portable;
mod properties;
mod random;
mod readme;
mod reduce;
mod scalars;
mod session;
mod sizes;
mod transforms;
