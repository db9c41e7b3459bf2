// A unit's coefficient, and nothing else.
fn coef_store(unit: u32, c: f32) {
    scratch[params.coefs + unit] = bitcast<u32>(c);
}
