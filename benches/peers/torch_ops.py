#!/usr/bin/env python3
"""The bench cases of ridgepole in PyTorch, for `cargo xtask race --torch`.

Reads ops as JSON, one to a line, from stdin (`cargo xtask race --list` prints them), and writes comma-separated times to
stdout: peer, variant, case, seconds, lower_quartile, upper_quartile, error, host_floor. Each result is checked against formulas in
float64 first; a wrong one gets an error and no time. Ops that PyTorch does not have are left out.

Variants: eager, compiled (torch.compile), of optimizers also foreach and fused, of row norms cudnn where `import cudnn` works. On CUDA
each is timed once more as a CUDA graph (eager-graph, ...), whose host floor is one launch; see torch_clock.py. Calls go through several
sets of inputs, `--working-set` MiB together, so that data come from memory. The host floor of a call is the time of the same call
on a few elements. Without graphs and cuDNN it ran with torch 2.11 (CUDA) and 2.15 (CPU); those two have not run on a GPU yet.
"""

import argparse
import csv
import json
import math
import sys
import time

import torch
import torch._dynamo
import torch._functorch.config
import torch.nn.functional as F

import cudnn_norms
from torch_clock import GRAPH, Replayed, measure, tiny

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
# Of the largest value: what the type's rounding, and sums of some thousand terms in f32, allow.
TOLERANCE = {torch.float32: 1e-4, torch.float16: 4e-3, torch.bfloat16: 3e-2}
WORK = {}  # op name -> function(op, device) -> Work


class Work:
    """One case: `make()` gives inputs, each variant maps inputs to results, `expected` maps float64 inputs to float64 ones."""

    def __init__(self, make, variants, expected=None, check=None, bytes_=0, gated=False, tolerance=TOLERANCE, capturable=None):
        self.make, self.variants, self.expected, self.check, self.bytes = make, variants, expected, check, bytes_
        # Whether a sign decides: where it is in doubt, a few elements may come out on the other side.
        self.gated = gated
        self.tolerance = tolerance
        # Variants that a CUDA graph needs in another form.
        self.capturable = capturable or {}

    def has(self, variant):
        return variant.removesuffix(GRAPH) in self.variants

    def build(self, variant):
        """What maps inputs to results, new each time: it may keep something for each set of inputs."""
        name = variant.removesuffix(GRAPH)
        if name == variant:
            return self.variants[name]()
        return Replayed(self.capturable.get(name, self.variants[name])())


def work(*names):
    def register(function):
        for name in names:
            WORK[name] = function
        return function

    return register


def compiled(function):
    return torch.compile(function, dynamic=False)


def both(function):
    return {"eager": lambda: function, "compiled": lambda: compiled(function)}


def draw(shape, op, device):
    return torch.empty(shape, dtype=DTYPES[op["dtype"]], device=device).uniform_(-1.0, 1.0)


def vector(n, device, low=0.5, high=1.5):
    return torch.empty(n, device=device).uniform_(low, high)


def space(op, device):
    """A tensor n x c x s in the layout that the op asks for, as PyTorch would hold images."""
    s = op["space"]
    side = math.isqrt(s["s"])
    plane = (side, side) if side * side == s["s"] else (s["s"], 1)
    x = draw((s["n"], s["c"], *plane), op, device)
    last = s.get("layout", "channels_first") == "channels_last"
    return x.contiguous(memory_format=torch.channels_last) if last else x


def size(op):
    return 2 if op["dtype"] != "f32" else 4


# --- dropout ---------------------------------------------------------------------------------------------------------


def is_dropped(p):
    """Of a dropout's results: each is 0 or x/(1-p), as many as p says."""

    def check(inputs, outputs):
        x, y = inputs[0].double(), outputs.double()
        kept = y != 0
        wrong = (y - torch.where(kept, x / (1 - p), torch.zeros_like(x))).abs().max().item()
        share = 1 - kept.double().mean().item()
        if wrong > TOLERANCE[inputs[0].dtype] * 2 or abs(share - p) > 0.01:
            return f"off by {wrong:.2e}, {share:.4f} dropped"

    return check


@work("dropout")
def dropout(op, device):
    n, p = op["space"]["n"] * op["space"]["c"] * op["space"]["s"], op["p"]
    return Work(lambda: (draw(n, op, device),), both(lambda x: F.dropout(x, p, True)), check=is_dropped(p), bytes_=2 * n * size(op))


@work("dropout_backward")
def dropout_backward(op, device):
    n, p = op["space"]["n"] * op["space"]["c"] * op["space"]["s"], op["p"]
    scale = 1 / (1 - p)

    def run(dy, mask):
        return torch.ops.aten.native_dropout_backward(dy, mask, scale)

    def make():
        return draw(n, op, device), torch.rand(n, device=device) >= p

    return Work(make, both(run), lambda dy, mask: dy * mask * scale, bytes_=2 * n * size(op))


@work("bias_act_dropout_add")
def bias_act_dropout_add(op, device):
    rows, cols, p = op["space"]["n"], op["space"]["c"], op["p"]
    act = {"none": lambda x: x, "relu": F.relu, "gelu": F.gelu, "silu": F.silu}[op.get("act", "none")]

    def run(x, bias, residual):
        return residual + F.dropout(act(x + bias), p, True)

    def check(inputs, outputs):
        x, bias, residual = (t.double() for t in inputs)
        got, full = outputs.double() - residual, act(x + bias) / (1 - p)
        nearer = torch.minimum(got.abs(), (got - full).abs()).max().item()
        if nearer > 4 * TOLERANCE[inputs[0].dtype]:
            return f"off by {nearer:.2e}"

    def make():
        return draw((rows, cols), op, device), draw(cols, op, device), draw((rows, cols), op, device)

    return Work(make, both(run), check=check, bytes_=3 * rows * cols * size(op))


@work("dropout_add_layer_norm")
def dropout_add_layer_norm(op, device):
    rows, cols, p = op["rows"], op["cols"], op["p"]

    def run(x, residual, weight, bias):
        z = residual + F.dropout(x, p, True)
        return z, F.layer_norm(z, (cols,), weight, bias, 1e-5)

    def check(inputs, outputs):
        z, y = (t.double() for t in outputs)
        want = row_norm(z, inputs[2].double(), inputs[3].double())[0]
        wrong = (y - want).abs().max().item()
        if wrong > 8 * TOLERANCE[inputs[0].dtype]:
            return f"off by {wrong:.2e}"

    def make():
        a, b = draw((rows, cols), op, device), draw((rows, cols), op, device)
        return a, b, vector(cols, device).to(a.dtype), vector(cols, device).to(a.dtype)

    return Work(make, both(run), check=check, bytes_=4 * rows * cols * size(op))


# --- norms -----------------------------------------------------------------------------------------------------------


def row_norm(x, weight, bias, centered=True):
    x = x.double()
    far = x - x.mean(-1, keepdim=True) if centered else x
    xhat = far / (far.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    return (xhat * weight + bias if bias is not None else xhat * weight), xhat


def line_gradient(dy, weight, x, centered=True):
    """The gradient through a normalisation over the last axis."""
    xhat = row_norm(x, 1.0, None, centered)[1]
    far = x - x.mean(-1, keepdim=True) if centered else x
    rstd = 1 / (far.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    g = dy * weight
    middle = g.mean(-1, keepdim=True) if centered else 0.0
    return rstd * (g - middle - xhat * (g * xhat).mean(-1, keepdim=True)), dy * xhat


def gradients(forward, leaves):
    """Variants that send a gradient through `forward(*inputs)`, whose graphs were made beforehand, set by set."""

    def variant(function):
        graphs = {}

        def run(dy, *inputs):
            key = inputs[0].data_ptr()
            if key not in graphs:
                made = [t.detach().requires_grad_(i in leaves) for i, t in enumerate(inputs)]
                graphs[key] = function(*made), [made[i] for i in leaves]
            y, wanted = graphs[key]
            return torch.autograd.grad(y, wanted, dy, retain_graph=True)

        return run

    return {"eager": lambda: variant(forward), "compiled": lambda: variant(compiled(forward))}


def rows_inputs(op, device, bias):
    x = draw((op["rows"], op["cols"]), op, device)
    vectors = [vector(op["cols"], device).to(x.dtype) for _ in range(2 if bias else 1)]
    return x, *vectors


@work("layer_norm")
def layer_norm(op, device):
    rows, cols = op["rows"], op["cols"]
    run = {**both(lambda x, w, b: F.layer_norm(x, (cols,), w, b, 1e-5)), **cudnn_norms.forward(True)}
    return Work(lambda: rows_inputs(op, device, True), run, lambda x, w, b: row_norm(x, w, b)[0], bytes_=2 * rows * cols * size(op))


@work("rms_norm")
def rms_norm(op, device):
    rows, cols = op["rows"], op["cols"]
    run = {**both(lambda x, w: F.rms_norm(x, (cols,), w, 1e-5)), **cudnn_norms.forward(False)}
    make = lambda: rows_inputs(op, device, False)
    return Work(make, run, lambda x, w: row_norm(x, w, None, False)[0], bytes_=2 * rows * cols * size(op))


@work("layer_norm_backward", "rms_norm_backward")
def rows_backward(op, device):
    rows, cols, layer = op["rows"], op["cols"], op["op"] == "layer_norm_backward"
    if layer:
        variants = gradients(lambda x, w, b: F.layer_norm(x, (cols,), w, b, 1e-5), [0, 1, 2])
    else:
        variants = gradients(lambda x, w: F.rms_norm(x, (cols,), w, 1e-5), [0, 1])
    variants.update(cudnn_norms.backward(layer))

    def expected(dy, x, w, b=None):
        dx, product = line_gradient(dy, w, x, layer)
        return (dx, product.sum(0)) + ((dy.sum(0),) if layer else ())

    def make():
        inputs = rows_inputs(op, device, layer)
        return torch.empty_like(inputs[0]).uniform_(-1, 1), *inputs

    return Work(make, variants, expected, bytes_=3 * rows * cols * size(op))


def activation(op):
    kind = op.get("activation", "none")
    return {"none": lambda x: x, "relu": F.relu}[kind]


def per_channel(v):
    return v.view(1, -1, 1, 1)


def channel_norm(x, weight, bias):
    x = x.double()
    far = x - x.mean((0, 2, 3), keepdim=True)
    xhat = far / (far.square().mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()
    return xhat * per_channel(weight) + per_channel(bias)


@work("batch_norm")
def batch_norm(op, device):
    act, residual, channels = activation(op), op.get("residual", False), op["space"]["c"]

    def run(x, w, b, mean, var, *more):
        y = F.batch_norm(x, mean, var, w, b, True, 0.1, 1e-5)
        return act(y + more[0] if more else y)

    def expected(x, w, b, mean, var, *more):
        y = channel_norm(x, w, b)
        return act(y + more[0] if more else y)

    def make():
        x = space(op, device)
        more = (torch.empty_like(x).uniform_(-1, 1),) if residual else ()
        zeros, ones = torch.zeros(channels, device=device), torch.ones(channels, device=device)
        return x, vector(channels, device), vector(channels, device, -0.5, 0.5), zeros, ones, *more

    total = op["space"]["n"] * channels * op["space"]["s"]
    return Work(make, both(run), expected, bytes_=(3 if residual else 2) * total * size(op))


@work("batch_norm_backward")
def batch_norm_backward(op, device):
    act, channels = activation(op), op["space"]["c"]
    variants = gradients(lambda x, w, b: act(F.batch_norm(x, None, None, w, b, True, 0.1, 1e-5)), [0, 1, 2])

    def expected(dy, x, w, b):
        gate = act(channel_norm(x, w, b)) > 0 if op.get("activation", "none") == "relu" else 1.0
        rows = lambda t: t.transpose(0, 1).reshape(channels, -1)
        g = dy * gate
        dx, product = line_gradient(rows(g), w.view(-1, 1), rows(x))
        shape = (channels, x.shape[0], *x.shape[2:])
        return dx.view(shape).transpose(0, 1), product.sum(1), rows(g).sum(1)

    def make():
        x = space(op, device)
        dy = torch.empty_like(x).uniform_(-1, 1)
        return dy, x, vector(channels, device), vector(channels, device, -0.5, 0.5)

    total = op["space"]["n"] * channels * op["space"]["s"]
    return Work(make, variants, expected, bytes_=3 * total * size(op), gated=op.get("activation", "none") != "none")


@work("batch_norm_inference")
def batch_norm_inference(op, device):
    channels = op["space"]["c"]
    run = lambda x, w, b, m, v: F.batch_norm(x, m, v, w, b, False, 0.1, 1e-5)

    def expected(x, w, b, m, v):
        return (x - per_channel(m)) / (per_channel(v) + 1e-5).sqrt() * per_channel(w) + per_channel(b)

    def make():
        x = space(op, device)
        return x, vector(channels, device), vector(channels, device), vector(channels, device, -0.1, 0.1), vector(channels, device)

    total = op["space"]["n"] * channels * op["space"]["s"]
    return Work(make, both(run), expected, bytes_=2 * total * size(op))


@work("group_norm", "group_norm_backward")
def group_norm(op, device):
    groups, channels = op["groups"], op["space"]["c"]
    forward = lambda x, w, b: F.group_norm(x, groups, w, b, 1e-5)
    backward = op["op"] == "group_norm_backward"
    lines = lambda t: t.reshape(t.shape[0], groups, -1)

    def expected(*inputs):
        x, w, b = inputs[-3:]
        if not backward:
            return row_norm(lines(x), 1.0, None)[1].view_as(x) * per_channel(w) + per_channel(b)
        dy = inputs[0]
        dx = line_gradient(lines(dy * per_channel(w)), 1.0, lines(x))[0].view_as(x)
        xhat = row_norm(lines(x), 1.0, None)[1].view_as(x)
        return dx, (dy * xhat).sum((0, 2, 3)), dy.sum((0, 2, 3))

    def make():
        x = space(op, device)
        vectors = vector(channels, device).to(x.dtype), vector(channels, device, -0.5, 0.5).to(x.dtype)
        return ((torch.empty_like(x).uniform_(-1, 1),) if backward else ()) + (x, *vectors)

    total = op["space"]["n"] * channels * op["space"]["s"]
    variants = gradients(forward, [0, 1, 2]) if backward else both(forward)
    return Work(make, variants, expected, bytes_=(3 if backward else 2) * total * size(op))


# --- losses ----------------------------------------------------------------------------------------------------------


@work("cross_entropy")
def cross_entropy(op, device):
    rows, classes = op["rows"], op["classes"]

    def variant(wrap):
        function = wrap(lambda z, t: F.cross_entropy(z, t))

        def run(z, t):
            z = z.detach().requires_grad_()
            loss = function(z, t)
            return loss.detach(), torch.autograd.grad(loss, z)[0]

        return run

    def expected(z, t):
        p = torch.softmax(z, 1)
        loss = -torch.log(p.gather(1, t.view(-1, 1))).mean()
        return loss, (p - F.one_hot(t, classes)) / rows

    def make():
        return draw((rows, classes), op, device), torch.randint(classes, (rows,), device=device)

    variants = {"eager": lambda: variant(lambda f: f), "compiled": lambda: variant(compiled)}
    return Work(make, variants, expected, bytes_=2 * rows * classes * size(op))


# --- weights: penalties, norms, optimizers ---------------------------------------------------------------------------


def tensors(op, device, low=-1.0):
    dtype = DTYPES[op["dtype"]]
    return [torch.empty(s["len"], dtype=dtype, device=device).uniform_(low, 1.0) for s in op["segments"]]


def elements(op):
    return sum(s["len"] for s in op["segments"])


@work("penalty")
def penalty(op, device):
    l1, l2 = op["groups"][0]["l1"], op["groups"][0]["l2"]

    def run(*weights):
        return sum(l1 * w.abs().sum() + l2 * w.square().sum() for w in weights)

    return Work(lambda: tensors(op, device), both(run), run, bytes_=elements(op) * size(op))


@work("penalty_grad")
def penalty_grad(op, device):
    l1, l2, n = op["groups"][0]["l1"], op["groups"][0]["l2"], len(op["segments"])

    def gradient(*inputs):
        weights, grads = inputs[:n], inputs[n:]
        return [g + l1 * w.sign() + 2 * l2 * w for w, g in zip(weights, grads)]

    def run(*inputs):
        weights, grads = inputs[:n], inputs[n:]
        for w, g in zip(weights, grads):
            g.add_(l1 * w.sign() + 2 * l2 * w)
        return grads

    make = lambda: (*tensors(op, device), *tensors(op, device))
    return Work(make, both(run), gradient, bytes_=3 * elements(op) * size(op))


@work("global_norm")
def global_norm(op, device):
    eager = lambda *grads: torch.nn.utils.get_total_norm(grads)
    expected = lambda *grads: sum(g.square().sum() for g in grads).sqrt()
    return Work(lambda: tensors(op, device), both(eager), expected, bytes_=elements(op) * size(op))


@work("ema")
def ema(op, device):
    rest, n = 1 - op["decay"], len(op["segments"])

    def run(*inputs):
        torch._foreach_lerp_(list(inputs[n:]), list(inputs[:n]), rest)
        return inputs[n:]

    expected = lambda *inputs: [a + rest * (w - a) for w, a in zip(inputs[:n], inputs[n:])]
    make = lambda: (*tensors(op, device), *[t.float() for t in tensors(op, device)])
    return Work(make, {"foreach": lambda: run}, expected, bytes_=3 * elements(op) * size(op))


def soft(w, threshold, divisor):
    return w.sign() * (w.abs() - threshold).clamp(min=0) / divisor


@work("adamw", "sgd")
def optimizer(op, device):
    n, lr, adam, group = len(op["segments"]), op["lr"], op["op"] == "adamw", op["groups"][0]
    coupled, prox, decay = group.get("coupled"), group.get("prox"), group.get("decay", 0.0)
    momentum = op.get("momentum", 0.0)

    def penalised(weights, grads):
        """What one writes by hand: the penalty's gradient by autograd."""
        loss = sum(coupled["l1"] * w.abs().sum() + coupled["l2"] * w.square().sum() for w in weights)
        return torch._foreach_add(grads, list(torch.autograd.grad(loss, weights)))

    def variant(compile_=False, capturable=False, **how):
        made, optimizers = {}, []

        def build(weights, grads):
            weights = [w.detach().requires_grad_() for w in weights]
            kinds = {"betas": (op.get("beta1", 0.9), op.get("beta2", 0.999)), "eps": op.get("eps", 1e-8)} if adam else {"momentum": momentum}
            # In a CUDA graph Adam counts its steps on the device; SGD counts none.
            kinds.update({"capturable": True} if adam and capturable else {})
            kind = torch.optim.AdamW if adam else torch.optim.SGD
            opt = kind(weights, lr=lr, weight_decay=decay, **kinds, **how)
            optimizers.append(opt)
            for w, g in zip(weights, grads):
                w.grad = g
            grads = list(grads)

            def step():
                if coupled:
                    for w, g in zip(weights, penalised(weights, grads)):
                        w.grad = g
                opt.step()
                if prox:
                    with torch.no_grad():
                        for w in weights:
                            w.copy_(soft(w, lr * prox["l1"], 1 + 2 * lr * prox["l2"]))

            return weights, compiled(step) if compile_ else step

        def run(*inputs):
            key = inputs[0].data_ptr()
            if key not in made:
                made[key] = build(inputs[:n], inputs[n:])
            weights, step = made[key]
            step()
            return [w.detach() for w in weights]

        def reset():
            for state in (state for opt in optimizers for state in opt.state.values()):
                for moment in filter(torch.is_tensor, state.values()):
                    moment.zero_()

        run.reset = reset
        return run

    def expected(*inputs):
        out = []
        for w, g in zip(inputs[:n], inputs[n:]):
            g = g + coupled["l1"] * w.sign() + 2 * coupled["l2"] * w if coupled else g
            # The first step: the corrected moments are g and its square; the buffer of momentum is g.
            new = w - lr * decay * w - lr * (g / (g.abs() + op.get("eps", 1e-8))) if adam else w - lr * (g + decay * w)
            out.append(soft(new, lr * prox["l1"], 1 + 2 * lr * prox["l2"]) if prox else new)
        return out

    forms = {"foreach": {"foreach": True}, "fused": {"fused": True}}
    if not coupled:
        forms["compiled"] = {"compile_": True, "foreach": True}
    variants = {name: (lambda how=how: variant(**how)) for name, how in forms.items()}
    capturable = {name: (lambda how=how: variant(capturable=True, **how)) for name, how in forms.items()}
    make = lambda: (*tensors(op, device), *tensors(op, device))
    # A step moves a weight by a thousandth, its decay by a hundred-thousandth: what f32 keeps of the weight must be right.
    tolerance = {**TOLERANCE, torch.float32: 1e-6}
    bytes_ = (7 if adam else 5) * elements(op) * size(op)
    return Work(make, variants, expected, bytes_=bytes_, tolerance=tolerance, capturable=capturable)


# --- the race ---------------------------------------------------------------------------------------------------------


def problem(job, inputs, run):
    """What is wrong with the result of one call on copies of `inputs`."""
    copies = [t.clone(memory_format=torch.preserve_format) for t in inputs]
    outputs = run(*copies)
    if job.check:
        return job.check(inputs, outputs)
    want = job.expected(*[t.double() if t.is_floating_point() else t for t in inputs])
    outputs, want = ([t] if torch.is_tensor(t) else list(t) for t in (outputs, want))
    for i, (got, wanted) in enumerate(zip(outputs, want, strict=True)):
        far = (got.double() - wanted).abs().max().item()
        # A vector in f32 may come from tensors of halves.
        loosest = max((got.dtype, inputs[0].dtype), key=lambda dtype: job.tolerance.get(dtype, 0.0))
        most = job.tolerance[loosest] * max(1e-6, wanted.abs().max().item())
        if job.gated and ((got.double() - wanted).abs() > most).double().mean().item() < 1e-5:
            continue
        if not far <= most:
            return f"result {i} is off by {far:.2e}, allowed {most:.2e}"
    return None


def host_floor(op, variant, device, args, known):
    """Seconds of the same call on a few elements, or None if it cannot be made. `known` has those of the race so far: neither the
    type nor the size of a case matters to the host."""
    small = tiny(op)
    key = variant, json.dumps({name: value for name, value in small.items() if name != "dtype"}, sort_keys=True)
    if key not in known:
        try:
            job = WORK[op["op"]](small, device)
            known[key] = measure(job.make, 0, job.build(variant), device, args)[0]
        except Exception as e:
            print(f"{op['case']}, {variant}: no host floor: {e}".splitlines()[0], file=sys.stderr)
            return None
    return known[key]


def variants(args, device):
    """The names to go through. Compiling is slow, so it comes late; a failed capture may leave CUDA unwell, so graphs come last."""
    names = args.variants.split(",")
    cuda = device.type == "cuda"
    if not cuda and (args.graphs or any(name.endswith(GRAPH) for name in names)):
        remedy = "--device cuda" if torch.cuda.is_available() else "PyTorch sees no CUDA device; leave out --graphs"
        sys.exit(f"CUDA graphs need CUDA, and the device is {device}: {remedy}")
    if args.graphs if args.graphs is not None else cuda:
        names += [name + GRAPH for name in names if not name.endswith(GRAPH) and name + GRAPH not in names]
    if cuda and "cudnn" in names and not cudnn_norms.cudnn:
        print("cuDNN's norms are left out: there is no module cudnn (pip install nvidia-cudnn-frontend)", file=sys.stderr)
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sample", type=int, default=20, help="milliseconds of a sample")
    parser.add_argument("--working-set", type=int, default=256, help="MiB of inputs to go through")
    parser.add_argument("--threads", type=int, help="threads of a CPU")
    parser.add_argument("--variants", default="eager,foreach,fused,cudnn,compiled", help="those of these that an op has")
    graphs = "each variant as a CUDA graph, too; on where the device is CUDA"
    parser.add_argument("--graphs", action=argparse.BooleanOptionalAction, default=None, help=graphs)
    parser.add_argument("--seconds", type=float, default=1e9, help="start no variant after so many seconds")
    args = parser.parse_args()
    begin, device = time.perf_counter(), torch.device(args.device)
    names, floors = variants(args, device), {}
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    # The graphs of the backward passes are kept, and their tensors must be too.
    torch._functorch.config.donated_buffer = False
    torch._dynamo.config.recompile_limit = 10_000
    what = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} threads"
    print(f"torch {torch.__version__} on {what}", file=sys.stderr)
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["peer", "variant", "case", "seconds", "lower_quartile", "upper_quartile", "error", "host_floor"])
    ops = [json.loads(line) for line in sys.stdin if line.strip()]
    for variant in names:
        for op in ops:
            if op["op"] not in WORK or time.perf_counter() - begin > args.seconds:
                continue
            seconds, error, floor = ("", "", ""), "", None
            try:
                job = WORK[op["op"]](op, device)
                if not job.has(variant):
                    continue
                error = problem(job, job.make(), job.build(variant)) or ""
                if not error:
                    seconds = measure(job.make, job.bytes, job.build(variant), device, args)
                    floor = host_floor(op, variant, device, args, floors)
            except Exception as e:  # Whatever a peer cannot do is a line of the record.
                error = f"{type(e).__name__}: {e}".splitlines()[0][:200]
            out.writerow(["torch", variant, op["case"], *seconds, error, floor])
            sys.stdout.flush()
            job = None
            if device.type == "cuda":
                torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
