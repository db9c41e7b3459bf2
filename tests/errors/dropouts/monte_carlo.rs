//! Monte-Carlo dropout.
use crate::{op, refused};
use ridgepole::{DType, RunningVariance, ops::MonteCarloAccumulate};

#[test]
fn passes_of_monte_carlo_dropout() {
    let pass = |dtype, len, seen, variance| op(MonteCarloAccumulate { dtype, len, seen, variance });
    let unbiased = Some(RunningVariance::Unbiased);
    refused(&[
        (pass(DType::U32, 4, 1, None), "monte_carlo_accumulate: `dtype` is U32, must be f32, f16 or bf16"),
        (
            pass(DType::F32, (1 << 34) - 3, 1, None),
            "monte_carlo_accumulate: `len` is 17179869181, must be at most 2^34 - 4: split it",
        ),
        (pass(DType::F32, 4, 1 << 32, None), "monte_carlo_accumulate: `seen` is 4294967296, must be below 2^32"),
        (
            pass(DType::F32, 4, 0, unbiased),
            "monte_carlo_accumulate: `variance` is Unbiased with seen = 0: one pass has no unbiased variance, 0/0",
        ),
    ]);
}
