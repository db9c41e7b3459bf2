// Patience for models side by side: `state` has rows best loss, epoch of the best, epochs waited since, status (0 going on, 1 improved
// just now, 2 stopped). A lane for each model, which adds up the losses of all parts in order.
//!use lib/partition/grid

// Buffers: loss (read), state (updated).

override WG: u32 = 64;

const STOPPED: f32 = 2.0;

fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

@compute @workgroup_size(WG)
fn early_stopping(@builtin(workgroup_id) wid: vec3<u32>,
                  @builtin(num_workgroups) count: vec3<u32>,
                  @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let model = block * WG + lane_of(index, WG);
    if model >= params.models { return; }
    let status = model + 3u * params.models;
    if state[status] == STOPPED { return; }
    var sum = 0.0;
    // Counted in places, for the reason that `batched_relu_dropout` gives.
    for (var at = model; at < model + params.parts * params.models; at += params.models) { sum += loss[at]; }
    let limit = state[model] - params.min_delta;
    if sum < limit && !is_nan(sum) && !is_nan(limit) {
        state[model] = sum;
        state[model + params.models] = params.epoch;
        state[model + 2u * params.models] = 0.0;
        state[status] = 1.0;
        return;
    }
    let waited = state[model + 2u * params.models] + 1.0;
    state[model + 2u * params.models] = waited;
    state[status] = select(0.0, STOPPED, waited >= params.patience);
}
