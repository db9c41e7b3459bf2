// Finds the matrix of an arena that a block works on; see src/kernels/unitwise/cut.rs. Needs the binding `table: array<vec4<u32>>` with four
// rows for each of `params.matrices` matrices, and first_block(m), the first block of the m-th one:
// (first block, first quad, rows, columns), (1 if columns are the units, width, parts of a unit, span of a part),
// (first partial, first unit, first block of the second stage, its team), and four f32 of the op.
fn find_matrix(block: u32) -> u32 {
    var low = 0u;
    var high = params.matrices - 1u;
    while low < high {
        let middle = (low + high + 1u) / 2u;
        if first_block(middle) <= block { low = middle; } else { high = middle - 1u; }
    }
    return low;
}
