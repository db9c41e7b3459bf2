// The spectral norm, by one lane, from sums that a part reads: norms/parts/sigma_norm, norms/parts/sigma_sum. What is not finite becomes NaN.
//!use lib/partition/grid
//!use norms/parts/last_sums

// Buffers: sums, sigma (written).

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn sigma(@builtin(workgroup_id) wid: vec3<u32>,
         @builtin(num_workgroups) count: vec3<u32>,
         @builtin(local_invocation_index) index: u32) {
    if workgroup_index(wid, count) >= params.blocks || lane_of(index, WG) > 0u { return; }
    sigma_put(0u, or_nan(sigma_of(last_sums())));
}
