// Finds the tensor of an arena that a block works on; see src/kernels/arena.rs.
// Needs the binding `table: array<vec4<u32>>`: `params.segments` rows (first block, first quad, quads, 4 * group + live
// elements of the last quad), then the groups' rows. Needs `params.lo` and `params.hi`, the quads this dispatch may touch.

struct Block {
    // Quads of the arena: this lane starts at `start` (plus its lane number) and stays below `end`.
    start: u32,
    end: u32,
    // The tensor's last quad, and how many of its elements are live (0 = all four).
    last: u32,
    tail: u32,
    group: u32,
}

// `width` is the number of quads in a block.
fn find_block(block: u32, width: u32) -> Block {
    var low = 0u;
    var high = params.segments - 1u;
    while low < high {
        let middle = (low + high + 1u) / 2u;
        if table[middle].x <= block { low = middle; } else { high = middle - 1u; }
    }
    let row = table[low];
    let start = row.y + (block - row.x) * width;
    let stop = row.y + row.z;
    return Block(start, min(min(start + width, stop), params.hi), stop - 1u, row.w & 3u, row.w >> 2u);
}

// Which of quad q's elements belong to the tensor.
fn live(b: Block, q: u32) -> vec4<bool> {
    let n = select(4u, b.tail, q == b.last && b.tail != 0u);
    return vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(n);
}

// Row k of the group that the block's tensor belongs to; groups have `rows` rows.
fn group_row(b: Block, rows: u32, k: u32) -> vec4<f32> {
    return bitcast<vec4<f32>>(table[params.segments + b.group * rows + k]);
}
