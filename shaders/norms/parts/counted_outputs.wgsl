// norms/parts/batch_outputs where only the kernel knows how many values there are. Without any, running statistics stay; an unbiased
// variance divides by one less, but by 1 at least. `counted` forgets the K of no values. Parameters: less (1 or 0), eps, momentum, keep. Returns rstd.
//!use norms/parts/batch_outputs
fn counted(all: vec4<f32>) -> vec4<f32> { return select(all, vec4<f32>(0.0), all.x == 0.0); }

fn counted_outputs(c: u32, all: vec4<f32>) -> f32 {
    let before = vec2<f32>(running_mean_at(c), running_var_at(c));
    let rstd_ = batch_outputs(c, all, max(all.x, 1.0), max(all.x - params.less, 1.0));
    if all.x == 0.0 {
        running_mean_put(c, before.x);
        running_var_put(c, before.y);
    }
    return rstd_;
}
