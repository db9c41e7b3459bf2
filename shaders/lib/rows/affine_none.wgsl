// Nothing belongs to the columns. For lib/rows/rows_forward.
struct Columns { unused: u32 }
fn columns(row: u32, q: u32) -> Columns { return Columns(0u); }
