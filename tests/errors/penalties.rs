//! What a penalty on activations is divided by.
use super::{op, refused};
use ridgepole::{DType, ElasticNet, Per, Segment, ops::*};

#[test]
fn a_batch_has_a_sample() {
    let (dtype, groups, per) = (DType::F32, vec![ElasticNet::l1(0.5)], Per::Batch(0));
    let why = "`per` is a batch of 0, must be at least 1: the samples that the arena holds";
    refused(&[
        (op(Penalty { per, ..Penalty::new(dtype, Segment::one(0), groups.clone()) }), &format!("penalty: {why}")),
        (op(PenaltyGrad { per, ..PenaltyGrad::new(dtype, Segment::one(4), groups) }), &format!("penalty_grad: {why}")),
    ]);
}
