// One step of FISTA for a batch of models, from the gradient at the extrapolated point: the proximal step of the elastic net, then
// the next point, or a restart where the step turned against the momentum. A lane for each model, models side by side. Models whose
// gap is at most their tolerance stay as they are.
// Buffers: grad (Xᵀ·r: minus the gradient), settings (rows λ1, λ2, step, tolerance), gap, coef, point, momentum (updated).
//!use lib/partition/grid
//!use lib/arena/elastic

override WG: u32 = 256;

struct Model { threshold: f32, divisor: f32, step: f32 }

fn moved(by: Model, j: u32, place: f32, slope: f32) -> f32 {
    let v = place + by.step * slope;
    return select(v, elastic_prox(vec4<f32>(v), by.threshold, by.divisor).x, j < params.penalized);
}

@compute @workgroup_size(WG)
fn fista_step(@builtin(workgroup_id) wid: vec3<u32>,
              @builtin(num_workgroups) count: vec3<u32>,
              @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let model = block * WG + lane_of(index, WG);
    if model >= params.models { return; }
    // As bits: neither is negative, and NaN is larger than every tolerance.
    if bitcast<u32>(gap[model]) <= bitcast<u32>(settings[3u * params.models + model]) { return; }
    let step = settings[2u * params.models + model];
    let by = Model(step * settings[model], 1.0 + step * settings[params.models + model], step);
    var along = 0.0;
    for (var j = 0u; j < params.features; j++) {
        let at = j * params.models + model;
        let here = moved(by, j, point[at], grad[at]);
        along += (point[at] - here) * (here - coef[at]);
    }
    // Positive, by the bits: a NaN is no reason for a restart.
    let bits = bitcast<u32>(along);
    let restart = bits > 0u && bits <= 0x7f800000u;
    let t = momentum[model];
    let grown = 0.5 * (1.0 + sqrt(1.0 + 4.0 * t * t));
    let carry = (t - 1.0) / grown;
    for (var j = 0u; j < params.features; j++) {
        let at = j * params.models + model;
        let here = moved(by, j, point[at], grad[at]);
        let beyond = here + carry * (here - coef[at]);
        coef[at] = here;
        point[at] = select(beyond, here, restart);
    }
    momentum[model] = select(grown, 1.0, restart);
}
