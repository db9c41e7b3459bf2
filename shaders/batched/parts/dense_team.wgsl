// What the kernels of dense layers have in common where a workgroup is one subgroup of 8 lanes. See `Dense::team` in src/ops/batched/shared/dense.rs.
//!use lib/partition/grid

struct Eight {
    a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>, e: vec4<f32>, f: vec4<f32>, g: vec4<f32>, h: vec4<f32>
}

// A lane's model, its quad of columns, and how many tiles lie above its own. Lanes past the last column repeat it, for the others need
// what they load; they store nothing.
struct Place { model: u32, down: u32, column: u32, stores: bool }

// Of a lane of this number in its subgroup, if there are so many quads side by side.
fn place_of(tile: u32, quads: u32, lane: u32) -> Place {
    let across = (quads + 7u) / 8u;
    let place = tile % params.per_model;
    let column = place % across * 8u + lane_of(lane, 8u);
    return Place(tile / params.per_model, place / across, min(column, quads - 1u), column < quads);
}

// The number of a row of a model among those of all models. Rows past the end repeat the last one; they are not stored.
fn line_of(row: u32, model: u32) -> u32 {
    return min(row, params.rows - 1u) * params.models + model;
}
