// masked = scale·weight where a weight is kept, +0 where not: x is weight or bias, y what is masked. Serves the backward pass
// too where it writes its gradients anew.
//!use dropouts/parts/masked_map
//!use dropouts/parts/keep_scaled

@compute @workgroup_size(WG)
fn drop_connect(@builtin(workgroup_id) wid: vec3<u32>,
                @builtin(num_workgroups) count: vec3<u32>,
                @builtin(local_invocation_index) index: u32) {
    masked_map(wid, count, index);
}
