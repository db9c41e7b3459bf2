// What batch norm leaves of a channel's statistics (count, K, mean - K, M2): mean = K + d, variance = M2 / values,
// rstd = 1 / sqrt(variance + eps), and running <- keep * running + momentum * batch with the variance M2 / divisor.
// Returns rstd. Parameters: eps, momentum, keep. Buffers: mean, rstd, running_mean, running_var.
//!use lib/channels/inverse_std
fn batch_outputs(c: u32, all: vec4<f32>, values: f32, divisor: f32) -> f32 {
    let mean_ = all.y + all.z;
    var estimate = all.w / divisor;
    var rstd_ = inverse_std(all.w / values, params.eps);
    if (bitcast<u32>(all.z) & 0x7fffffffu) >= 0x7f800000u {
        rstd_ = all.z;
        estimate = all.z;
    }
    mean_put(c, mean_);
    rstd_put(c, rstd_);
    running_mean_put(c, params.keep * running_mean_at(c) + params.momentum * mean_);
    running_var_put(c, params.keep * running_var_at(c) + params.momentum * estimate);
    return rstd_;
}
