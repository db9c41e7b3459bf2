// Adam's rule: m, v = moments of g; d = m̂ / (√v̂ + eps) or m̂ / √(v̂ + eps). Open: largest, the second moment that the root is
// taken of, and corrections.
//!use lib/optimizer/update
//!use lib/optimizer/descend

fn direction(i: u32, g: vec4<f32>, alive: vec4<bool>) -> vec4<f32> {
    let m_old = m_load(i);
    let v_old = v_load(i);
    let m1 = params.beta1 * m_old + params.fresh1 * g;
    let v1 = params.beta2 * v_old + params.fresh2 * (g * g);
    m_store(i, select(m_old, m1, alive));
    v_store(i, select(v_old, v1, alive));
    // What m is multiplied with, what the root of v is, and what is added to v, which is eps over the correction: v̂ itself could
    // overflow.
    let correct = corrections();
    let root = sqrt(largest(i, v1, alive) + correct.z) * correct.y + params.eps_outside;
    // Only with eps = 0 can the root be 0, where no gradient was ever seen: then there is no step.
    return select(correct.x * m1 / root, vec4<f32>(0.0), root == vec4<f32>(0.0));
}
