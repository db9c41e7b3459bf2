//! What is promised beyond the cross-check, by family and by subject. `cargo test --test it norms` runs one of them.
#[path = "../common/mod.rs"]
mod common;

mod batched;
mod bench;
mod binding;
mod constraints;
mod families;
mod golden;
mod large;
mod linear;
mod losses;
mod lowering;
mod measured;
mod norms;
mod optimizers;
mod paths;
mod penalties;
mod properties;
mod random;
mod readme;
mod reduce;
mod reference_memory;
mod session;
mod sizes;
mod transforms;
