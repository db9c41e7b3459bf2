// Weight standardization for lib/rows/rows_forward; a row is a filter. Buffers: gain, mean, rstd, slope; those of the parts.
//!use lib/rows/row_moments
//!use lib/channels/finite_moments
//!use norms/parts/standard_spread
//!use lib/rows/affine_none

// (K, mean - K, gain * rstd, unused)
fn settle(row: u32, sums: Partial, kept: bool) -> vec4<f32> {
    let all = finite_moments(sums);
    var s = spread(all.w / params.divisor);
    if (bitcast<u32>(all.z) & 0x7fffffffu) >= 0x7f800000u { s = vec2<f32>(all.z); }
    if kept {
        mean_put(row, all.y + all.z);
        rstd_put(row, s.x);
        slope_put(row, s.y);
    }
    return vec4<f32>(all.y, all.z, gain_at(row) * s.x, 0.0);
}

// The mean is taken off first and in two parts, as in lib/channels/normalize_open.
fn normalized(v: vec4<f32>, c: vec4<f32>, at: Columns) -> vec4<f32> { return ((v - c.x) - c.y) * c.z; }
