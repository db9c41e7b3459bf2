// For lib/matmul/product: Z = X·B for a batch of models, a column each, and the weighted residual w·(y - μ(z)) in place of z. Tiles
// are four rows of X by four models; `per_set` neighbouring models share a set of row weights. A row of weight 0 has residual 0
// whatever is in it. Parts: linear/parts/mean_*, lib/linear_models/*. Buffers: x, models (B), target, weight (sets, one behind the other),
// out (written).
//!use linear/parts/matrix_models

fn left(k: u32, i: u32) -> mat4x4<f32> { return transpose(x_block(i, k)); }

fn weights(i: u32, j: u32) -> vec4<f32> {
    if params.per_set % 4u == 0u { return vec4<f32>(weight[j / params.per_set * params.rows + i]); }
    let model = min(vec4<u32>(j, j + 1u, j + 2u, j + 3u), vec4<u32>(params.cols - 1u));
    let at = model / params.per_set * params.rows + i;
    return vec4<f32>(weight[at.x], weight[at.y], weight[at.z], weight[at.w]);
}

fn keep_row(i: u32, j: u32, z: vec4<f32>) {
    if i >= params.rows { return; }
    let w = weights(i, j);
    let out_of_set = (bitcast<vec4<u32>>(w) & vec4<u32>(0x7fffffffu)) == vec4<u32>(0u);
    put_models(i, j, select(w * (target_of[i] - model_mean(z)), vec4<f32>(0.0), out_of_set));
}

fn keep(chunk: u32, i: u32, j: u32, t: mat4x4<f32>) {
    keep_row(i, j, t[0]);
    keep_row(i + 1u, j, t[1]);
    keep_row(i + 2u, j, t[2]);
    keep_row(i + 3u, j, t[3]);
}
