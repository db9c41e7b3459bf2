// Weight and bias belong to channels, and a row is a group of channels of one sample, PER of them with PLANE values each. For
// lib/rows/row_affine with ROWS = 1, for neighbouring rows have different channels; buffers: weight, bias.
struct Columns { weight: vec4<f32>, bias: vec4<f32> }

override GROUPS: u32 = 1u;
override PER: u32 = 1u;
override PLANE: u32 = 4u;

fn columns(row: u32, q: u32) -> Columns {
    let first = row % GROUPS * PER;
    if PLANE % 4u == 0u {
        // No quad has values of two channels.
        let c = first + select(4u * q / PLANE, 0u, PER == 1u);
        return Columns(vec4<f32>(weight_at(c)), vec4<f32>(bias_at(c)));
    }
    let c = first + (4u * q + vec4<u32>(0u, 1u, 2u, 3u)) / PLANE;
    return Columns(vec4<f32>(weight_at(c.x), weight_at(c.y), weight_at(c.z), weight_at(c.w)),
                   vec4<f32>(bias_at(c.x), bias_at(c.y), bias_at(c.z), bias_at(c.w)));
}
