// What a linear model expects where the linear predictor is z.
fn model_mean(z: vec4<f32>) -> vec4<f32> { return z; }
