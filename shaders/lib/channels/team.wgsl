// TEAM lanes to a channel: they share its last partials, and one of them leads. Lanes of neighbouring channels are neighbours, as
// what they read is. Needs a monoid, WG, parameters row, stride, count and channels; buffer: partials.
override TEAM: u32 = 1;

var<workgroup> of_members: array<Partial, WG>;

fn channel_of(block: u32, lane: u32) -> u32 { return block * (WG / TEAM) + lane % (WG / TEAM); }

fn leads(lane: u32) -> bool { return lane < WG / TEAM; }

// All partials of a channel, merged in a fixed order; for the lane that leads. In uniform control flow.
fn channel_total(c: u32, lane: u32) -> Partial {
    var all = NOTHING;
    if c < params.channels {
        for (var i = lane / (WG / TEAM); i < params.count; i += TEAM) {
            all = merge(all, partials[c * params.row + i * params.stride]);
        }
    }
    if TEAM > 1u {
        of_members[lane] = all;
        workgroupBarrier();
        for (var half = WG / 2u; half >= WG / TEAM; half /= 2u) {
            if lane < half { of_members[lane] = merge(of_members[lane], of_members[lane + half]); }
            workgroupBarrier();
        }
        all = of_members[lane];
    }
    return all;
}
