// For lib/matmul/product: blocks of a design matrix X of `height` by `width`, and of the matrix with a column for each of `cols`
// models that it is multiplied by. What is past a last row repeats it; what is past the end of a row is anything. Another part
// says how X lies in the product (left), and where tiles go (keep). Buffers: x, models.
fn x_block(r: u32, c: u32) -> mat4x4<f32> {
    let at = min(vec4<u32>(r, r + 1u, r + 2u, r + 3u), vec4<u32>(params.height - 1u)) * params.width + c;
    return mat4x4<f32>(x_four(at.x), x_four(at.y), x_four(at.z), x_four(at.w));
}

fn right(k: u32, j: u32) -> mat4x4<f32> {
    let at = min(vec4<u32>(k, k + 1u, k + 2u, k + 3u), vec4<u32>(params.inner - 1u)) * params.cols + j;
    return mat4x4<f32>(models_four(at.x), models_four(at.y), models_four(at.z), models_four(at.w));
}

fn wanted(i: u32, j: u32) -> bool { return true; }
