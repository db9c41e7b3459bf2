// What four neighbours of a Gram matrix differ by from the identity: the sum of its chunks less the diagonal's 1; 0 past the end
// of a row. Buffer: gram.
fn deviation(q: u32) -> vec4<f32> {
    var all = vec4<f32>(0.0);
    for (var c = 0u; c < params.chunks; c++) { all += gram[c * params.side * params.quads + q]; }
    let places = 4u * (q % params.quads) + vec4<u32>(0u, 1u, 2u, 3u);
    let one = select(vec4<f32>(0.0), vec4<f32>(1.0), places == vec4<u32>(q / params.quads));
    return select(vec4<f32>(0.0), all - one, places < vec4<u32>(params.side));
}
