// The last level: the norm of a tensor, and the factor that clips by it.
//!use lib/reduce/sum_vec4
//!use lib/reduce/scaled_squares
//!use lib/gradients/clip_factor
fn tensor_store(tensor: u32, first: u32, all: Partial) {
    let norm = norm_of(all);
    norm_put(tensor, norm);
    scale_put(tensor, clip_factor(norm));
}
