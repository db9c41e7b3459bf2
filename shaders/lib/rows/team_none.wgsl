// A share of each lane becomes the sum over the `params.lanes` lanes of a row, by a tree in workgroup memory. Every lane gets the
// result. In uniform control flow. Needs Share, numbers of some kind.
var<workgroup> of_shares: array<Share, WG>;

fn of_team(lane: u32, part: u32, mine: Share) -> Share {
    // Slower lanes may still read the last one's.
    workgroupBarrier();
    of_shares[lane] = mine;
    workgroupBarrier();
    for (var half = params.lanes / 2u; half > 0u; half /= 2u) {
        if part < half { of_shares[lane] += of_shares[lane + half]; }
        workgroupBarrier();
    }
    return of_shares[lane - part];
}
