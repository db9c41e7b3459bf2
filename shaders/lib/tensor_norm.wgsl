// The last level: the norm of a tensor, and the factor that clips by it.
//!use lib/sum_vec4
//!use lib/scaled_squares
//!use lib/clip_factor
fn tensor_store(tensor: u32, first: u32, all: Partial) {
    let norm = norm_of(all);
    norm_put(tensor, norm);
    scale_put(tensor, clip_factor(norm));
}
