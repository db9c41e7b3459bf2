// AMSGrad: the root is of the largest second moment so far. Numbers that are not negative order as their bits do, and a NaN
// is above them all, so it stays, which `max` of floats leaves open.
fn largest(i: u32, v1: vec4<f32>, alive: vec4<bool>) -> vec4<f32> {
    let old = v_max_load(i);
    let magnitude = vec4<u32>(0x7fffffffu);
    let most = bitcast<vec4<f32>>(max(bitcast<vec4<u32>>(old) & magnitude, bitcast<vec4<u32>>(v1) & magnitude));
    v_max_store(i, select(old, most, alive));
    return most;
}
