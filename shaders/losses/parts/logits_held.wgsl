// The logits of a block are fetched once, in whole quads, and stay in workgroup memory. Buffer: logits (Quads or Ragged).
// A block has at most KEPT elements; a row may end within a quad.
const KEPT: u32 = 1536u;
var<workgroup> kept: array<f32, KEPT + 4u>;

fn fetch(lane: u32, first: u32, quads: u32) {
    for (var q = lane; q < quads; q += WG) {
        let v = logits_load(first / 4u + q);
        kept[4u * q] = v.x;
        kept[4u * q + 1u] = v.y;
        kept[4u * q + 2u] = v.z;
        kept[4u * q + 3u] = v.w;
    }
    workgroupBarrier();
}

// The four from element e of the block on.
fn four(first: u32, e: u32) -> vec4<f32> {
    return vec4<f32>(kept[e], kept[e + 1u], kept[e + 2u], kept[e + 3u]);
}
