// As batch_norm_backward in each virtual batch; the gradients of weight and bias are sums over all of them. One lane per channel
// goes through the virtual batches in order and leaves (mean, weight * rstd, sum dy / m, rstd * sum dy xhat / m) of each for
// lib/channels/apply with lib/channels/normalize_backward_open. Before it: lib/channels/reduce with lib/channels/products_open, whose chunks lie
// in one virtual batch.
//!use lib/partition/grid
//!use lib/reduce/sum_vec4

// Buffers: partials (with the coefficients from entry `coefs` on), mean, rstd, weight, dweight, dbias.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn batch_norm_ghost_backward(@builtin(workgroup_id) wid: vec3<u32>,
                             @builtin(num_workgroups) count: vec3<u32>,
                             @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    let c = block * WG + lane_of(index, WG);
    if block >= params.blocks || c >= params.channels { return; }
    var total = NOTHING;
    for (var g = 0u; g < params.batches; g++) {
        var all = NOTHING;
        for (var i = 0u; i < params.runs; i++) {
            all = merge(all, partials[(g * params.runs + i) * params.channels + c]);
        }
        total = merge(total, all);
        let line = g * params.channels + c;
        let rstd = rstd_at(line);
        partials[params.coefs + line] =
            vec4<f32>(mean_at(line), weight_at(c) * rstd, all.x / params.values, rstd * (all.y / params.values));
    }
    dbias_put(c, total.x);
    dweight_put(c, total.y);
}
