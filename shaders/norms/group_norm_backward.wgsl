// For lib/channels/line_merge: sum dy and sum dy * xhat of the channels of a group, each times the channel's weight, are sum g and
// sum g * xhat of the group. Buffer: weight.
fn term(line: u32, k: u32) -> Partial {
    let c = line % params.groups * params.channel_group + k % params.width * params.place;
    return weight_at(c) * partials[line / params.groups * params.sample + k / params.width * params.run + c];
}
