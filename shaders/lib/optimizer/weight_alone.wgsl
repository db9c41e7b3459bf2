// The weight takes the step as it is stored. Open: as_stored, what storing makes of a quad's weights.
fn weight_before(i: u32) -> vec4<f32> { return weight_load(i); }

// Stores what is `alive`, and gives back what a reader of the weights will find. q is the quad's number in the arena.
fn weight_after(i: u32, q: u32, old: vec4<f32>, next: vec4<f32>, alive: vec4<bool>) -> vec4<f32> {
    let stored = as_stored(q, next);
    weight_store(i, select(old, stored, alive));
    return stored;
}
