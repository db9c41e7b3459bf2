//! What the file of an optimizer uses.
#[cfg(feature = "verify")]
pub(crate) use super::VerifyRule;
pub(crate) use super::{Rule, rule::State};
#[cfg(feature = "verify")]
pub(crate) use crate::{
    kernels::optimizer::{
        Element,
        adaptive::{LEAST_ROOT, over_or_zero, quotient},
        after,
    },
    op::Contents,
    options::{Averaging, ElasticNet, Key, NonFinite, Rounding},
    verify::{Approx, reference},
};
pub(crate) use crate::{
    kernels::optimizer::{
        Words,
        adaptive::{check_beta, check_moments, reached},
        adaptive_op::adaptive,
        macros::{optimizer, optimizer_words},
    },
    op::Params,
    options::{EpsPlace, Group, check_derived, check_scalar, nadam_momentum},
    types::{DType, Error},
    wgsl::{Source, parts},
};
