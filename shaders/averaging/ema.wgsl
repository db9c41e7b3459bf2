// The exponential moving average of the weights: fresh = 1 - decay, warmed up on the host.
//!use lib/weight_average/update

@compute @workgroup_size(WG)
fn ema(@builtin(workgroup_id) wid: vec3<u32>,
       @builtin(num_workgroups) count: vec3<u32>,
       @builtin(local_invocation_index) index: u32) {
    average_update(wid, count, index);
}
