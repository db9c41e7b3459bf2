// Grids longer than the device's limit are wrapped into rows by `Step::grid` in src/op/lowered.rs;
// this gives back the linear workgroup number.
fn workgroup_index(wid: vec3<u32>, count: vec3<u32>) -> u32 {
    return (wid.z * count.y + wid.y) * count.x + wid.x;
}

// The checks set this: a missing barrier that one lane order hides, the other shows.
override REVERSE_LANES: bool = false;
fn lane_of(index: u32, count: u32) -> u32 {
    return select(index, count - 1u - index, REVERSE_LANES);
}
