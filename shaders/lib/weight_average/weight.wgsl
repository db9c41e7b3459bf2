// The buffer `ema` follows the new weights of quad i.
//!use lib/weight_average/average
fn note_average(i: u32, w: vec4<f32>, alive: vec4<bool>) {
    let old = ema_load(i);
    ema_store(i, select(old, averaged(old, w, params.average), alive));
}
