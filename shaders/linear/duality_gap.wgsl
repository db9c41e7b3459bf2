// An upper bound on how far the objective of each model is above its minimum, from its weighted residuals r, their products
// g = Xᵀ·r and its coefficients b. A lane for each model, models side by side.
//   λ2 = 0: the dual point is s·r with s = min(1, λ1/max|g|); with the rows' spread S: (1-s)²·S + Σ|b|·(λ1 - sign(b)·s·g).
//   λ2 > 0: it is r. With c = g held to ±λ1: Σ|b|·(λ1 - sign(b)·c) + (λ2·b - (g - c))²/(2·λ2).
// Columns without a penalty add reach·|s·g|. All terms are at least 0, so nothing cancels.
// Buffers: grad, coef, settings (rows λ1 and λ2 of four), partials, gap (written).
//!use lib/partition/grid

override WG: u32 = 256;

// Magnitudes order as their bits do, NaN last, on every device.
fn magnitude(v: f32) -> u32 { return bitcast<u32>(v) & 0x7fffffffu; }

fn with_sign(size: f32, v: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(size) | (bitcast<u32>(v) & 0x80000000u));
}

@compute @workgroup_size(WG)
fn duality_gap(@builtin(workgroup_id) wid: vec3<u32>,
               @builtin(num_workgroups) count: vec3<u32>,
               @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let model = block * WG + lane_of(index, WG);
    if model >= params.models { return; }
    let l1 = settings[model];
    let l2 = settings[params.models + model];
    var most = 0u;
    for (var j = 0u; j < params.penalized; j++) {
        most = max(most, magnitude(grad[j * params.models + model]));
    }
    let largest = bitcast<f32>(most);
    // A gradient that a device may take for 0 divides nothing.
    let shrinks = most > max(bitcast<u32>(l1), 0x00800000u) && l2 == 0.0;
    var scale = 1.0;
    var sum = 0.0;
    if shrinks {
        scale = l1 / largest;
        let rest = (largest - l1) / largest;
        var spread = 0.0;
        for (var chunk = 0u; chunk < params.chunks; chunk++) {
            spread += partials[chunk * params.models + model];
        }
        sum = rest * rest * spread;
    }
    for (var j = 0u; j < params.features; j++) {
        let b = coef[j * params.models + model];
        let g = grad[j * params.models + model];
        let v = select(g, scale * g, shrinks);
        let held = select(with_sign(l1, v), v, magnitude(v) < bitcast<u32>(l1));
        let against = select(-held, held, (bitcast<u32>(b) & 0x80000000u) == 0u);
        let miss = l2 * b - (v - held);
        let ridge = select(miss * miss / (2.0 * l2), 0.0, l2 == 0.0);
        let penalized = abs(b) * (l1 - against) + ridge;
        sum += select(params.reach * abs(v), penalized, j < params.penalized);
    }
    gap[model] = sum;
}
