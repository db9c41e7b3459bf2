// (count, mean, sum of squared deviations from the mean, unused), merged by the formula of Chan, Golub and LeVeque,
// "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
alias Partial = vec4<f32>;
const NOTHING: Partial = vec4<f32>(0.0);
fn merge(a: Partial, b: Partial) -> Partial {
    let n = a.x + b.x;
    let share = b.x / max(n, 1.0);
    let delta = b.y - a.y;
    let both = vec4<f32>(n, a.y + delta * share, a.z + b.z + delta * delta * (a.x * share), 0.0);
    // A part without values changes nothing, even where the other's mean is not finite.
    return select(select(both, a, b.x == 0.0), b, a.x == 0.0);
}
