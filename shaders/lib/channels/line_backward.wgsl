// The gradients of normalised groups of channels in one dispatch, for groups that stay on the chip between their sums and dx:
// x and dy are read once. A line is a group of one sample; with g = dy * weight and xhat = (x - mean) * rstd,
// dx = rstd * (g - (sum g + xhat * sum g * xhat) / values), the sums over the line. They come from those of dy and dy * xhat over each
// channel, which are left for the gradients of weight and bias. `lanes` lanes share a channel, quad by quad side by side, and `across`
// channels of a line are worked on at once, all of them where a lane holds its share; WG / (lanes * across) lines at once, and as
// many again, `turns` times, where a lane is alone. See src/kernels/channels/single_pass.rs.
// Open: HELD, ROOM (lib/rows/regs_*), mean_of (lib/channels/center_*); weight_of, settled, gradient (lib/channels/line_norm, and for filters, which are lines of
// one channel, norms/parts/line_direction and norms/parts/line_standard), leave (lib/line_sums_*, or as those).
//!use lib/partition/grid

// Buffers: x, dy, dx, rstd; those of the parts.

override WG: u32 = 256;
// One lane has a line to itself, and waits for no other.
override ALONE: bool = false;

// The most additions that a lane makes one after the other.
const RUN: u32 = 64u;

// A lane's share of its channel, x - mean and dy.
var<private> far: array<vec4<f32>, ROOM>;
var<private> held: array<vec4<f32>, ROOM>;

var<workgroup> of_lanes: array<vec2<f32>, WG>;

fn sum4(v: vec4<f32>) -> f32 { return (v.x + v.y) + (v.z + v.w); }

// The lane's part of a channel's sum dy and sum dy * xhat.
fn sums(at: u32, mean: f32, rstd: f32, trips: u32) -> vec2<f32> {
    var dy_sum = vec4<f32>(0.0);
    var product_sum = vec4<f32>(0.0);
    if HELD > 0u {
        for (var k = 0u; k < HELD; k++) {
            if k < trips {
                far[k] = x_load(at + k * params.lanes) - mean;
                held[k] = dy_load(at + k * params.lanes);
                dy_sum += held[k];
                product_sum += held[k] * (far[k] * rstd);
            }
        }
        return vec2<f32>(sum4(dy_sum), sum4(product_sum));
    }
    for (var run = 0u; run < trips; run += RUN) {
        var dy_some = vec4<f32>(0.0);
        var product_some = vec4<f32>(0.0);
        for (var k = run; k < min(run + RUN, trips); k++) {
            let dy = dy_load(at + k * params.lanes);
            dy_some += dy;
            product_some += dy * ((x_load(at + k * params.lanes) - mean) * rstd);
        }
        dy_sum += dy_some;
        product_sum += product_some;
    }
    return vec2<f32>(sum4(dy_sum), sum4(product_sum));
}

@compute @workgroup_size(WG)
fn line_backward(@builtin(workgroup_id) wid: vec3<u32>,
                 @builtin(num_workgroups) count: vec3<u32>,
                 @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let team = params.lanes * params.across;
    let part = lane % params.lanes;
    let mate = lane % team / params.lanes;
    // Channels that a lane has a part in, one after the other, and its quads of each.
    let deep = (params.per + params.across - 1u) / params.across;
    let trips = (params.quads - min(part, params.quads) + params.lanes - 1u) / params.lanes;
    for (var turn = 0u; turn < params.turns; turn++) {
        let line = (params.first + block) * params.block + turn * (WG / team) + lane / team;
        let some = min(line, params.lines - 1u);
        let mean = mean_of(some);
        let rstd = rstd_at(some);
        let first = some % params.groups * params.per;
        // Numbers of quads are modulo 2^32.
        let at = line * params.per * params.quads + part - params.base;
        var all = vec2<f32>(0.0);
        for (var m = 0u; m < deep; m++) {
            let c = m * params.across + mate;
            let live = line < params.lines && c < params.per;
            var mine = vec2<f32>(0.0);
            if live { mine = sums(at + c * params.quads, mean, rstd, trips); }
            if !ALONE {
                of_lanes[lane] = mine;
                workgroupBarrier();
                for (var half = params.lanes / 2u; half > 0u; half /= 2u) {
                    if part < half { of_lanes[lane] += of_lanes[lane + half]; }
                    workgroupBarrier();
                }
                // A lane reads its own entry only, so that it may write there at once.
                mine = of_lanes[lane];
            }
            if live && part == 0u {
                leave(line * params.per + c, mine);
                all += weight_of(first + c) * mine;
            }
        }
        if !ALONE {
            of_lanes[lane] = all;
            workgroupBarrier();
            for (var half = params.across / 2u; half > 0u; half /= 2u) {
                if mate < half { of_lanes[lane] += of_lanes[lane + half * params.lanes]; }
                workgroupBarrier();
            }
            all = of_lanes[lane - lane % team];
        }
        let coefs = settled(some, rstd, all);
        if HELD > 0u {
            if line < params.lines && mate < params.per {
                let weight = weight_of(first + mate);
                for (var k = 0u; k < HELD; k++) {
                    let q = at + mate * params.quads + k * params.lanes;
                    if k < trips { dx_store(q, gradient(held[k], weight, far[k], coefs)); }
                }
            }
        } else if line < params.lines {
            for (var c = mate; c < params.per; c += params.across) {
                let weight = weight_of(first + c);
                for (var k = 0u; k < trips; k++) {
                    let q = at + c * params.quads + k * params.lanes;
                    dx_store(q, gradient(dy_load(q), weight, x_load(q) - mean, coefs));
                }
            }
        }
    }
}
