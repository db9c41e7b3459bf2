// ln(1 + x) for x >= 0, with a small relative error: WGSL's log of 1 + x keeps only 2^-21 absolute near 1, and 1 + x has lost
// what a small x is. Up to 1 by 2·atanh(x/(2+x)), whose series needs eight terms there: the next is below 2^-30.
fn ln_1p(x: f32) -> f32 {
    if x > 1.0 { return log(1.0 + x); }
    let t = x / (2.0 + x);
    let s = t * t;
    let tail = s * (1.0 / 3.0 + s * (1.0 / 5.0 + s * (1.0 / 7.0 + s * (1.0 / 9.0 + s * (1.0 / 11.0 + s * (1.0 / 13.0 + s * (1.0 / 15.0)))))));
    return 2.0 * t * (1.0 + tail);
}
