// The gradients of weight norm for lib/channels/line_backward: dg = sum dw * v / norm, dv = (dw - v / norm * dg) / norm * g, with v for x, dw for dy
// and 1 / norm for rstd. Buffers: g, dg.
fn weight_of(c: u32) -> f32 { return 1.0; }

fn leave(line: u32, sums: vec2<f32>) { dg_put(line, sums.y); }

// (1 / norm, dg, g, unused)
fn settled(line: u32, rstd: f32, sums: vec2<f32>) -> vec4<f32> { return vec4<f32>(rstd, sums.y, g_at(line), 0.0); }

// As in norms/parts/scale_filters_backward.
fn gradient(dw: vec4<f32>, weight: f32, v: vec4<f32>, c: vec4<f32>) -> vec4<f32> { return (dw - v * c.x * c.y) * c.x * c.z; }
