// What gradients of this norm are multiplied with: min(1, max_norm / (norm + eps)). Needs params.max_norm, params.eps and
// params.policy. A norm that is not finite is told by its bits: NaN gives NaN and infinity 0 (policy 0), or both give 0
// (policy 1) or 1 (policy 2).

fn clip_factor(norm: f32) -> f32 {
    let bits = bitcast<u32>(norm);
    let sum = norm + params.eps;
    // Not the minimum of 1 and a quotient: with eps = 0 a norm of 0 has none.
    let factor = select(min(params.max_norm / sum, 1.0), 1.0, sum <= params.max_norm);
    let propagated = select(norm, 0.0, bits == 0x7f800000u);
    let policy = select(select(propagated, 0.0, params.policy == 1u), 1.0, params.policy == 2u);
    return select(factor, policy, bits >= 0x7f800000u);
}
