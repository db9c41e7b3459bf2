//! Access to elements as they are stored, for copies that must be exact: [`super::View::Bits`].
use super::Decl;

/// `x_bits` and, for a buffer that is written, `x_set`, beside the functions of quads or of a ragged end.
pub(super) fn accessors(decl: &Decl, ragged: bool) -> String {
    let (n, half) = (decl.name, decl.dtype.size() == 2);
    let get = match (ragged, half) {
        (false, false) => format!("return bitcast<vec4<u32>>({n}_quads[q]);"),
        (false, true) => format!("return vec4<u32>({n}_quads[q], 0u, 0u);"),
        (true, false) => {
            let item = |k: u32, part: char| {
                format!("if 4u * q + {k}u < params.end {{ b.{part} = bitcast<u32>({n}_items[4u * q + {k}u]); }}")
            };
            format!(
                "var b = vec4<u32>(0u);\n    {}\n    {}\n    {}\n    {}\n    return b;",
                item(0, 'x'),
                item(1, 'y'),
                item(2, 'z'),
                item(3, 'w')
            )
        }
        (true, true) => format!(
            "var b = vec4<u32>(0u);\n    if 4u * q < params.end {{ b.x = {n}_words[2u * q]; }}\n    \
             if 4u * q + 2u < params.end {{ b.y = {n}_words[2u * q + 1u]; }}\n    return b;"
        ),
    };
    let get = format!("fn {n}_bits(q: u32) -> vec4<u32> {{\n    {get}\n}}\n");
    if !decl.writes {
        return get;
    }
    // Which bits of two words the halves are that may change.
    let masks = "let none = vec2<u32>(0u);\n    let mine = select(none, vec2<u32>(0xffffu), vec2<bool>(alive.x, alive.z)) | \
                 select(none, vec2<u32>(0xffff0000u), vec2<bool>(alive.y, alive.w));\n    ";
    let set = match (ragged, half) {
        (false, false) => format!(
            "var b = bits;\n    if !all(alive) {{ b = select({n}_bits(q), bits, alive); }}\n    {n}_quads[q] = bitcast<vec4<f32>>(b);"
        ),
        (false, true) => format!(
            "if all(alive) {{ {n}_quads[q] = bits.xy; return; }}\n    {masks}{n}_quads[q] = (bits.xy & mine) | ({n}_quads[q] & ~mine);"
        ),
        (true, false) => {
            let item =
                |k: u32, part: char| format!("if alive.{part} {{ {n}_items[4u * q + {k}u] = bitcast<f32>(bits.{part}); }}");
            format!("{}\n    {}\n    {}\n    {}", item(0, 'x'), item(1, 'y'), item(2, 'z'), item(3, 'w'))
        }
        (true, true) => {
            let word = |k: u32, part: char| {
                let at = format!("{n}_words[2u * q + {k}u]");
                format!("if mine.{part} != 0u {{ {at} = (bits.{part} & mine.{part}) | ({at} & ~mine.{part}); }}")
            };
            format!("{masks}{}\n    {}", word(0, 'x'), word(1, 'y'))
        }
    };
    format!("{get}fn {n}_set(q: u32, bits: vec4<u32>, alive: vec4<bool>) {{\n    {set}\n}}\n")
}
