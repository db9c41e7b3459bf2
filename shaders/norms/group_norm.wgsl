// For lib/channels/line_merge: the moments of the channels of a group, `width` of them side by side for each chunk. Where a group's values lie
// one behind the other, it was reduced as one channel; after a reduction level fewer partials are left, further apart.
fn term(line: u32, k: u32) -> Partial {
    let first = line / params.groups * params.sample + line % params.groups * params.channel_group;
    return partials[first + k / params.width * params.run + k % params.width * params.place];
}
