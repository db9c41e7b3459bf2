// Weight and bias belong to the places in a row, four neighbours at a time. For lib/rows/row_affine; buffers: weight, bias (Quads).
//!use lib/rows/row_weight_quads
struct Columns { weight: vec4<f32>, bias: vec4<f32> }

fn columns(row: u32, q: u32) -> Columns { return Columns(weights_of(q), bias_load(q)); }
