// Mean and rstd of each channel in each virtual batch, and the running statistics after all of them. One lane per channel: goes
// through the virtual batches in order, merges the partials of each in order and leaves (K, mean - K, weight * rstd, bias) for
// lib/channels/apply with lib/channels/normalize_open. Before it: lib/channels/reduce with lib/channels/moments, whose chunks lie in one virtual batch.
//!use lib/partition/grid
//!use lib/channels/shifted_moments
//!use lib/channels/finite_moments
//!use lib/channels/inverse_std

// Buffers: partials (with the coefficients from entry `coefs` on), weight, bias, mean, rstd, running_mean, running_var.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn batch_norm_ghost(@builtin(workgroup_id) wid: vec3<u32>,
                    @builtin(num_workgroups) count: vec3<u32>,
                    @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    let c = block * WG + lane_of(index, WG);
    if block >= params.blocks || c >= params.channels { return; }
    var running = vec2<f32>(running_mean_at(c), running_var_at(c));
    var sum = vec2<f32>(0.0);
    for (var g = 0u; g < params.batches; g++) {
        var all = NOTHING;
        for (var i = 0u; i < params.runs; i++) {
            all = merge(all, partials[(g * params.runs + i) * params.channels + c]);
        }
        all = finite_moments(all);
        var rstd = inverse_std(all.w / params.values, params.eps);
        var batch = vec2<f32>(all.y + all.z, all.w / params.divisor);
        if (bitcast<u32>(all.z) & 0x7fffffffu) >= 0x7f800000u {
            rstd = all.z;
            batch.y = all.z;
        }
        let line = g * params.channels + c;
        mean_put(line, batch.x);
        rstd_put(line, rstd);
        partials[params.coefs + line] = vec4<f32>(all.y, all.z, weight_at(c) * rstd, bias_at(c));
        if params.sequential == 1u {
            running = params.keep * running + params.momentum * batch;
        } else {
            sum += batch;
        }
    }
    if params.sequential == 0u { running = params.keep * running + params.momentum * (sum / f32(params.batches)); }
    running_mean_put(c, running.x);
    running_var_put(c, running.y);
}
