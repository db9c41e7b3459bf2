// As lib/rows/team_none, first within subgroups, without a barrier; then, where a row has several subgroups, over them. Neighbouring
// lanes share a subgroup of SUBGROUP lanes; a lane's place in it is its number's last bits, or their complement if lanes are reversed:
// to change some of the one is to change the same of the other.
override SUBGROUP: u32 = 32;
// WG / SUBGROUP.
override TEAM_COUNT: u32 = 8;

var<workgroup> of_teams: array<Share, TEAM_COUNT>;

fn of_team(lane: u32, part: u32, mine: Share) -> Share {
    var all = mine;
    for (var half = min(params.lanes, SUBGROUP) / 2u; half > 0u; half /= 2u) { all += subgroupShuffleXor(all, half); }
    if params.lanes <= SUBGROUP { return all; }
    // Slower lanes may still read the last one's.
    workgroupBarrier();
    if lane % SUBGROUP == 0u { of_teams[lane / SUBGROUP] = all; }
    workgroupBarrier();
    let first = (lane - part) / SUBGROUP;
    let teams = params.lanes / SUBGROUP;
    if teams <= SUBGROUP {
        // Each lane takes one, and shuffles again.
        all = of_teams[first + lane % teams];
        for (var half = teams / 2u; half > 0u; half /= 2u) { all += subgroupShuffleXor(all, half); }
        return all;
    }
    all = of_teams[first];
    for (var i = 1u; i < teams; i++) { all += of_teams[first + i]; }
    return all;
}
