// From the seeds of DropBlock to its mask, a bit for each decision, 1 = kept. A seed at (i, j) of an image drops rows i to
// i + side - 1 and columns j to j + side - 1; it counts where that lies within the image. A lane makes WORDS words.
// Open: keep_count (dropouts/parts/square_count, dropouts/parts/square_count_none), keep_mask (dropouts/parts/square_mask_stored, dropouts/parts/square_mask_held).
//!use lib/partition/grid

// Buffers: work, all scratch, which begins with the seeds; those of the parts.

override WG: u32 = 256;
override WORDS: u32 = 4;

// 32 seeds from this one on. Past the last word anything.
fn seeds_from(p: u32) -> u32 {
    let w = p >> 5u;
    let s = p & 31u;
    let here = work[min(w, params.words - 1u)];
    let next = work[min(w + 1u, params.words - 1u)];
    return select((here >> s) | (next << (32u - max(s, 1u))), here, s == 0u);
}

// The lowest n bits.
fn lowest(n: u32) -> u32 {
    return select((1u << min(n, 31u)) - 1u, 0xffffffffu, n >= 32u);
}

// The dropped ones of 32 elements from column `column` of row `row` on, rows being counted through all images. No square reaches past
// its row.
fn dropped(row: u32, column: u32) -> u32 {
    let i = row % params.height;
    let back = min(column, params.side - 1u);
    // Seeds that reach one of the elements: these rows, and these columns on, as far as whole squares fit.
    let top = i - min(i, params.side - 1u);
    let bottom = min(i, params.height - params.side);
    let left = column - back;
    let fit = max(params.width - params.side + 1u, left) - left;
    var low = 0u;
    var high = 0u;
    for (var t = top; t <= bottom; t++) {
        let p = (row - i + t) * params.width + left;
        low |= seeds_from(p);
        high |= seeds_from(p + 32u);
    }
    low &= lowest(fit);
    high &= lowest(max(fit, 32u) - 32u);
    // Each seed becomes `side` ones, by doublings.
    for (var reach = 1u; reach < params.side;) {
        let s = min(reach, params.side - reach);
        high |= (high << s) | (low >> (32u - s));
        low |= low << s;
        reach += s;
    }
    return select((low >> back) | (high << (32u - max(back, 1u))), low, back == 0u);
}

@compute @workgroup_size(WG)
fn square_mask(@builtin(workgroup_id) wid: vec3<u32>,
               @builtin(num_workgroups) count: vec3<u32>,
               @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    var ones = 0u;
    for (var k = 0u; k < WORDS; k++) {
        let w = block * WORDS * WG + k * WG + lane;
        if w >= params.words { continue; }
        var gone = 0u;
        for (var e = 0u; e < 32u;) {
            let column = (32u * w + e) % params.width;
            let n = min(params.width - column, 32u - e);
            gone |= dropped((32u * w + e) / params.width, column) << e;
            e += n;
        }
        let kept = ~gone & select(0xffffffffu, params.last_bits, w + 1u == params.words);
        keep_mask(w, kept);
        ones += countOneBits(kept);
    }
    keep_count(block, lane, ones);
}
