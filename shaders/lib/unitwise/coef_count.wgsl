// A unit's coefficient, and whether it is 0, to be counted.
fn coef_store(unit: u32, c: f32) {
    scratch[params.coefs + unit] = bitcast<u32>(c);
    scratch[params.beside + unit] = select(0u, 1u, c == 0.0);
}
