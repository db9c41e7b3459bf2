// For lib/channels/line_merge: as norms/group_norm, where a group is one channel.
fn term(line: u32, k: u32) -> Partial {
    return partials[line / params.groups * params.sample + line % params.groups * params.channel_group + k * params.run];
}
