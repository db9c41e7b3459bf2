// For lib/channels/line_merge: mean = K + d, variance = M2 / values, rstd = 1 / sqrt(variance + eps), and what lib/channels/apply needs with
// lib/channels/normalize_groups: (K, d, rstd, 0). Buffers: mean, rstd.
//!use lib/channels/finite_moments
//!use lib/channels/inverse_std
fn finish(line: u32, merged: Partial) {
    let all = finite_moments(merged);
    var rstd = inverse_std(all.w / params.values, params.eps);
    if (bitcast<u32>(all.z) & 0x7fffffffu) >= 0x7f800000u { rstd = all.z; }
    mean_put(line, all.y + all.z);
    rstd_put(line, rstd);
    partials[params.coefs + line] = vec4<f32>(all.y, all.z, rstd, 0.0);
}
