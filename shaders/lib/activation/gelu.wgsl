// u·Phi(u), Phi being the normal distribution function, within 1e-7 by Abramowitz and Stegun, "Handbook of mathematical
// functions", 1964, 7.1.26. Beyond 14, u does not matter.
const EDGE: f32 = 14.0;

// exp(-u²/2), and Phi(u).
fn tail(u: vec4<f32>) -> vec4<f32> { return exp(-min(0.5 * (u * u), vec4<f32>(87.0))); }
fn phi(u: vec4<f32>, tail: vec4<f32>) -> vec4<f32> {
    let t = 1.0 / (1.0 + (0.3275911 * 0.7071067811865476) * abs(u));
    let p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    let far = 0.5 * p * tail;
    return select(1.0 - far, far, u < vec4<f32>(0.0));
}

fn act(u: vec4<f32>) -> vec4<f32> { return select(u * phi(u, tail(u)), vec4<f32>(0.0), u < vec4<f32>(-EDGE)); }
fn act_slope(u: vec4<f32>) -> vec4<f32> {
    let e = tail(u);
    let slope = select(phi(u, e) + u * (0.3989422804014327 * e), vec4<f32>(1.0), u > vec4<f32>(EDGE));
    return select(slope, vec4<f32>(0.0), u < vec4<f32>(-EDGE));
}
