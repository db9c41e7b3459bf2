// For lib/channels/line_merge: with g = dy * weight, dx = rstd * (g - (sum g + xhat * sum g * xhat) / values). Leaves what lib/channels/apply
// needs with lib/channels/normalize_groups_backward: (mean, rstd, sum g / values, rstd * sum g xhat / values). Buffers: mean, rstd.
fn finish(line: u32, all: Partial) {
    let rstd = rstd_at(line);
    partials[params.coefs + line] = vec4<f32>(mean_at(line), rstd, all.x / params.values, rstd * (all.y / params.values));
}
