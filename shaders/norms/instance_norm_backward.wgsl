// For lib/channels/line_merge: as norms/group_norm_backward, where a group is one channel. Buffer: weight.
fn term(line: u32, k: u32) -> Partial {
    let c = line % params.groups;
    return weight_at(c) * partials[line / params.groups * params.sample + k * params.run + c];
}
