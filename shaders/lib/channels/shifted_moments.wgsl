// (count, K, mean - K, sum of squared deviations): each part measures its values from a K of its own, one of its values.
// Means are compared as (Kb - Ka) + (db - da), so a mean far larger than the spread costs no precision. Merged by the
// formula of Chan, Golub and LeVeque, 1979.
alias Partial = vec4<f32>;
const NOTHING: Partial = vec4<f32>(0.0);
fn merge(a: Partial, b: Partial) -> Partial {
    let n = a.x + b.x;
    let share = vec2<f32>(a.x, b.x) / max(n, 1.0);
    let delta = (b.y - a.y) + (b.z - a.z);
    // The K that is nearer to its mean stays: one that was an outlier would cost the mean its last digits.
    let first = abs(a.z) <= abs(b.z);
    let both = vec4<f32>(n, select(b.y, a.y, first), select(b.z - delta * share.x, a.z + delta * share.y, first),
                         a.w + b.w + delta * delta * (a.x * share.y));
    // A part without values changes nothing, even where the other's mean is not finite.
    return select(select(both, a, b.x == 0.0), b, a.x == 0.0);
}
