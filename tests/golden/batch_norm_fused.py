"""Batch norm with a residual and an activation in the same pass, forward and back."""

import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F

import batch_norm_gradients as gradients
from batch_norms import FLAX, C, flat, flax_params, layer, moved, parameters, saved, space, spread, tensor
from oracle import TORCH, agree, draw, stored

LEAKY = 0.1
RULES = (
    ("ReLU", "channels_first", "relu", False),
    ("residual and ReLU, channels last", "channels_last", "relu", True),
    ("leaky ReLU, channels last", "channels_last", {"leaky_relu": {"slope": LEAKY}}, False),
    ("residual and leaky ReLU", "channels_first", {"leaky_relu": {"slope": LEAKY}}, True),
    ("residual alone", "channels_first", "none", True),
    ("GELU", "channels_first", "gelu", False),
    ("residual and GELU by tanh", "channels_first", "gelu_tanh", True),
    ("residual and SiLU, channels last", "channels_last", "silu", True),
)


def by_torch(activation, v):
    named = {"none": lambda v: v, "relu": F.relu, "silu": F.silu, "gelu": F.gelu}
    named["gelu_tanh"] = lambda v: F.gelu(v, approximate="tanh")
    return named[activation](v) if isinstance(activation, str) else F.leaky_relu(v, LEAKY)


def by_jax(activation, v):
    named = {"none": lambda v: v, "relu": jax.nn.relu, "silu": jax.nn.silu, "gelu_tanh": jax.nn.gelu}
    named["gelu"] = lambda v: jax.nn.gelu(v, approximate=False)
    return named[activation](v) if isinstance(activation, str) else jax.nn.leaky_relu(v, LEAKY)


def cases(seed, eps=True):
    for i, (name, layout, activation, residual) in enumerate(RULES):
        at = space(layout, 2, 3)
        fields = {"dtype": "f32", "space": at, "eps": 1e-5, "weight": True, "bias": True}
        fields |= {"activation": activation, "residual": residual}
        n = at["n"] * C * at["s"]
        x, p = draw(seed + i, n), parameters(seed + 10 + 2 * i, fields)
        more = {"residual": draw(seed + 30 + i, n)} if residual else {}
        if not eps:
            del fields["eps"]
        yield name, fields, x, p, more, draw(seed + 40 + i, n)


def forward(file):
    for name, fields, x, p, more, _ in cases(900):
        at = fields["space"]
        cube = spread(x, at)
        rest = {k: spread(v, at) for k, v in more.items()}.get("residual", 0.0)
        mean, rstd = saved(cube, 1e-5)
        v = F.batch_norm(tensor(cube), None, None, tensor(p["weight"]), tensor(p["bias"]), True, 0, 1e-5)
        y = by_torch(fields["activation"], v + torch.tensor(rest)).numpy()
        variables = {"params": flax_params(p), "batch_stats": {"mean": jnp.zeros(C), "var": jnp.ones(C)}}
        vj, _ = layer(fields).apply(variables, jnp.asarray(moved(cube)), use_running_average=False, mutable=["batch_stats"])
        yj = by_jax(fields["activation"], moved(np.asarray(vj)) + rest)
        agree(name, y, yj)
        for framework, out in ((TORCH, y), (FLAX, np.asarray(yj))):
            file.add(name, framework, (fields, {"x": x} | p | more, {"y": flat(out, at), "mean": mean, "rstd": rstd}))


def frozen(inference, backward):
    for i, (name, fields, x, p, more, dy) in enumerate(cases(1000)):
        at = fields["space"]
        stats = {"running_mean": draw(1080 + i, C), "running_var": stored(draw(1090 + i, C) ** 2 + 0.1)}
        if name == "ReLU":
            # Exactly 0 before the ReLU, in a channel: its derivative there is 0.
            p["bias"][1], cube = 0.0, spread(x, at).copy()
            cube[0, 1, 0] = stats["running_mean"][1]
            x = flat(cube, at)
        leaves = {k: tensor(v, True) for k, v in ({"x": spread(x, at)} | p).items()}
        leaves |= {k: tensor(spread(v, at), True) for k, v in more.items()}
        running = tensor(stats["running_mean"]), tensor(stats["running_var"])
        v = F.batch_norm(leaves["x"], *running, leaves["weight"], leaves["bias"], False, 0, 1e-5)
        y = by_torch(fields["activation"], v + leaves.get("residual", 0.0))
        grads = dict(zip(leaves, torch.autograd.grad(y, list(leaves.values()), tensor(spread(dy, at)))))

        def apply(x, params, rest, fields=fields, stats=stats):
            running = {"mean": jnp.asarray(stats["running_mean"]), "var": jnp.asarray(stats["running_var"])}
            v = layer(fields).apply({"params": params, "batch_stats": running}, x, use_running_average=True)
            return by_jax(fields["activation"], v + rest)

        rest = jnp.asarray(moved(spread(more["residual"], at))) if more else 0.0
        yj, pull = jax.vjp(apply, jnp.asarray(moved(spread(x, at))), flax_params(p), rest)
        dxj, dpj, drj = pull(jnp.asarray(moved(spread(dy, at))))
        agree(name, y.detach(), moved(np.asarray(yj)))
        for framework, out in ((TORCH, y.detach().numpy()), (FLAX, moved(np.asarray(yj)))):
            inference.add(name, framework, (fields, {"x": x} | stats | p | more, {"y": flat(out, at)}))
        inputs = {"x": x, "dy": dy} | stats | activated(fields, p, more, flat(y.detach().numpy(), at))
        both(backward, name, fields, inputs, grads, dxj, dpj, drj)


def activated(fields, p, more, y):
    """What a backward reads beside x, dy and the statistics: a sign from y, or what was activated from x, bias and residual."""
    if fields["activation"] == "none":
        return {"weight": p["weight"]}
    by_sign = fields["activation"] == "relu" or isinstance(fields["activation"], dict)
    return {"weight": p["weight"], "y": y} if fields["residual"] and by_sign else p | more


def both(file, name, fields, inputs, grads, dxj, dpj, drj):
    at = fields["space"]
    one = {"dx": flat(grads["x"].numpy(), at), "dweight": grads["weight"].numpy(), "dbias": grads["bias"].numpy()}
    two = {"dx": flat(moved(np.asarray(dxj)), at), "dweight": np.asarray(dpj["scale"]), "dbias": np.asarray(dpj["bias"])}
    if fields["residual"]:
        one["dresidual"] = flat(grads["residual"].numpy(), at)
        two["dresidual"] = flat(moved(np.asarray(drj)), at)
    for k in one:
        agree(f"{name}: {k}", one[k], two[k])
    file.add(name, TORCH, (fields, inputs, one))
    file.add(name, FLAX, (fields, inputs, two))


def backward(file):
    column = lambda v: v[:, None]
    for name, fields, x, p, more, dy in cases(1100, eps=False):
        at = fields["space"]
        cube, up = spread(x, at), spread(dy, at)
        rest = spread(more["residual"], at) if more else np.zeros_like(cube)
        # As in `batch_norm_gradients`: the statistics are those that a float32 forward saved.
        mean, rstd = (stored(v) for v in saved(cube, 1e-5))
        v = (cube - column(mean)) * column(rstd) * column(p["weight"]) + column(p["bias"]) + rest
        leaf = tensor(v, True)
        y = by_torch(fields["activation"], leaf)
        (g,) = torch.autograd.grad(y, [leaf], tensor(up))
        grads = gradients.torch_backward(cube, g.numpy(), mean, rstd, p) | {"residual": g}
        gate = jax.vjp(lambda v, fields=fields: by_jax(fields["activation"], v), jnp.asarray(v))[1]
        (gj,) = gate(jnp.asarray(up))
        dxj, dpj = gradients.jax_backward(cube, np.asarray(gj), mean, rstd, p)
        inputs = {"x": x, "dy": dy, "mean": mean, "rstd": rstd} | activated(fields, p, more, flat(y.detach().numpy(), at))
        both(file, name, fields, inputs, grads, dxj, dpj, moved(np.asarray(gj)))
