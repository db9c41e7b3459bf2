// Every value counts.
const SOME: bool = false;
fn kept(e: u32, at: u32, live: vec4<bool>) -> vec4<bool> { return live; }
