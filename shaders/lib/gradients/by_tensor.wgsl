// Every number of an arena times the factor of its tensor, whose number is the block's group.
//!use lib/arena/map
//!use lib/gradients/by_factor

// Buffers: grad (updated), table, scale (read).

fn mapped(b: Block, q: u32, g: vec4<f32>) -> vec4<f32> { return by_factor(scale_at(b.group), g); }
