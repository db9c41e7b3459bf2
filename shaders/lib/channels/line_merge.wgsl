// What is normalised together is a line: a group of channels of one sample. Merges the partials of each line, of several channels
// and of several chunks, by TEAM neighbouring lanes: each takes every TEAM-th, a tree joins them, always in the same order. Before
// it: lib/channels/reduce, whose chunks lie in one sample.
// Open: the monoid (lib/channels/shifted_moments, lib/reduce/sum_vec4), term (norms/group_norm and the like: partial k of a line), finish
// (lib/channels/line_statistics, lib/channels/line_gradient: what is left of it, and coefficients for lib/channels/apply).
//!use lib/partition/grid

// Buffers: partials (with the coefficients from entry `coefs` on), and those of the parts.

override WG: u32 = 256;
// A power of two, at most WG.
override TEAM: u32 = 1;

var<workgroup> of_lanes: array<Partial, WG>;

@compute @workgroup_size(WG)
fn line_merge(@builtin(workgroup_id) wid: vec3<u32>,
              @builtin(num_workgroups) count: vec3<u32>,
              @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let line = block * (WG / TEAM) + lane / TEAM;
    let mate = lane % TEAM;
    var mine = NOTHING;
    if line < params.lines {
        for (var k = mate; k < params.terms; k += TEAM) { mine = merge(mine, term(line, k)); }
    }
    of_lanes[lane] = mine;
    workgroupBarrier();
    for (var half = TEAM / 2u; half > 0u; half /= 2u) {
        if mate < half { of_lanes[lane] = merge(of_lanes[lane], of_lanes[lane + half]); }
        workgroupBarrier();
    }
    if mate == 0u && line < params.lines { finish(line, of_lanes[lane]); }
}
