/// What the gradients of a unit are multiplied by, given the norms of its weights and of its gradients: 1 where ‖g‖ is below
/// most = `clipping`·max(‖w‖, `eps`), else most / max(‖g‖, 1e-6).
pub fn adaptive_clip(clipping: f64, eps: f64, weight_norm: f64, grad_norm: f64) -> f64 {
    let most = clipping * weight_norm.max(eps);
    if grad_norm < most { 1.0 } else { most / grad_norm.max(1e-6) }
}
