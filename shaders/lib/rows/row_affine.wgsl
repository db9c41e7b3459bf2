// Layer norm, and norms of groups of channels, for lib/rows/rows_forward.
// Open: Columns (lib/rows/affine_*: weight and bias). Buffers: mean, rstd; those of the parts.
//!use lib/rows/row_moments
//!use lib/channels/finite_moments
//!use lib/channels/inverse_std

// (K, mean - K, rstd, unused)
fn settle(row: u32, sums: Partial, kept: bool) -> vec4<f32> {
    let all = finite_moments(sums);
    var rstd = inverse_std(all.w / params.values, params.eps);
    if (bitcast<u32>(all.z) & 0x7fffffffu) >= 0x7f800000u { rstd = all.z; }
    if kept {
        mean_put(row, all.y + all.z);
        rstd_put(row, rstd);
    }
    return vec4<f32>(all.y, all.z, rstd, 0.0);
}

// The mean is taken off first and in two parts, as in norms/parts/normalize_rows.
fn normalized(v: vec4<f32>, c: vec4<f32>, at: Columns) -> vec4<f32> {
    return ((v - c.x) - c.y) * c.z * at.weight + at.bias;
}
