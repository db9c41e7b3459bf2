// The step is taken by the buffer `master`, in f32; the weight is its rounded copy, and read only where a tensor ends within
// a quad: the rest of that quad belongs to someone else.
fn weight_before(i: u32) -> vec4<f32> { return master_load(i); }

fn weight_after(i: u32, q: u32, old: vec4<f32>, next: vec4<f32>, alive: vec4<bool>) -> vec4<f32> {
    master_store(i, select(old, next, alive));
    if all(alive) { weight_store(i, next); } else { weight_store(i, select(weight_load(i), next, alive)); }
    return next;
}
