"""Batch norm: inference and both backwards."""

import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F

from batch_norms import FLAX, C, N, S, flat, flax_params, layer, moved, parameters, saved, space, spread, tensor
from oracle import TORCH, File, agree, draw, stored


def frozen(inference, backward):
    """With the running statistics: the output, and PyTorch's and JAX's gradients of it."""
    for i, (name, layout, weight, bias) in enumerate(
        (
            ("channels first", "channels_first", True, True),
            ("channels last", "channels_last", True, True),
            ("neither weight nor bias", "channels_first", False, False),
            ("weight only, channels last", "channels_last", True, False),
            ("bias only", "channels_first", False, True),
        )
    ):
        at = space(layout)
        fields = {"dtype": "f32", "space": at, "eps": 1e-5, "weight": weight, "bias": bias}
        x, dy, p = draw(200 + i, N * C * S), draw(210 + i, N * C * S), parameters(220 + 2 * i, fields)
        stats = {"running_mean": draw(240 + i, C), "running_var": stored(draw(250 + i, C) ** 2 + 0.1)}
        leaves = {k: tensor(v, True) for k, v in ({"x": spread(x, at)} | p).items()}
        y = F.batch_norm(
            leaves["x"],
            tensor(stats["running_mean"]),
            tensor(stats["running_var"]),
            leaves.get("weight"),
            leaves.get("bias"),
            False,
            0,
            1e-5,
        )
        grads = dict(zip(leaves, torch.autograd.grad(y, list(leaves.values()), tensor(spread(dy, at)))))

        def apply(x, params, fields=fields, stats=stats):
            running = {"mean": jnp.asarray(stats["running_mean"]), "var": jnp.asarray(stats["running_var"])}
            return layer(fields).apply({"params": params, "batch_stats": running}, x, use_running_average=True)

        yj, pull = jax.vjp(apply, jnp.asarray(moved(spread(x, at))), flax_params(p))
        dxj, dpj = pull(jnp.asarray(moved(spread(dy, at))))
        agree(name, y.detach(), moved(np.asarray(yj)))
        both(backward, name, fields, {"x": x, "dy": dy} | stats | weight_of(p), grads, dxj, dpj)
        for framework, out in ((TORCH, y.detach().numpy()), (FLAX, moved(np.asarray(yj)))):
            inference.add(name, framework, (fields, {"x": x} | stats | p, {"y": flat(out, at)}))


def weight_of(p):
    """A backward reads no bias."""
    return {k: v for k, v in p.items() if k == "weight"}


def both(file, name, fields, inputs, grads, dxj, dpj):
    """The gradients of both frameworks, as one case each."""
    at = fields["space"]
    by_torch = {"dx": flat(grads["x"].numpy(), at)} | {"d" + k: grads[k].numpy() for k in ("weight", "bias") if k in grads}
    by_jax = {"dx": flat(moved(np.asarray(dxj)), at)}
    by_jax |= {"d" + ours: np.asarray(dpj[k]) for k, ours in (("scale", "weight"), ("bias", "bias")) if k in dpj}
    for k in by_torch:
        agree(f"{name}: {k}", by_torch[k], by_jax[k])
    file.add(name, TORCH, (fields, inputs, by_torch))
    file.add(name, FLAX, (fields, inputs, by_jax))


def backward(file):
    for i, (name, at, weight, bias) in enumerate(
        (
            ("channels first", space("channels_first"), True, True),
            ("channels last", space("channels_last"), True, True),
            ("neither weight nor bias", space("channels_first"), False, False),
            ("weight only", space("channels_first"), True, False),
            ("bias only, channels last", space("channels_last"), False, True),
            ("plain rows (S = 1)", space("channels_last", 23, 1), True, True),
        )
    ):
        fields = {"dtype": "f32", "space": at, "weight": weight, "bias": bias, "eps": 1e-5}
        n = at["n"] * C * at["s"]
        x, dy, p = draw(260 + i, n, mean=0.3), draw(270 + i, n), parameters(280 + 2 * i, fields)
        # The op is given the mean and rstd that a float32 forward saved, so autograd must take those as they are:
        # their dependence on x is in the formula, their rounding is not.
        mean, rstd = (stored(v) for v in saved(spread(x, at), 1e-5))
        grads = torch_backward(spread(x, at), spread(dy, at), mean, rstd, p)
        dxj, dpj = jax_backward(spread(x, at), spread(dy, at), mean, rstd, p)
        del fields["eps"]
        both(file, name, fields, {"x": x, "dy": dy, "mean": mean, "rstd": rstd} | weight_of(p), grads, dxj, dpj)


def torch_backward(x, dy, mean, rstd, p):
    """PyTorch's own kernel behind autograd, called with the saved statistics."""
    weight = tensor(p.get("weight"))
    dx, dweight, dbias = torch.ops.aten.native_batch_norm_backward(
        tensor(dy), tensor(x), weight, None, None, tensor(mean), tensor(rstd), True, 1e-5, [True, True, True]
    )
    out = {"x": dx}
    # Autograd of the whole layer, to show that this is what a user of PyTorch gets: equal but for the rounding of the statistics.
    leaves = [tensor(x, True), tensor(p.get("weight", np.ones(C)), True), tensor(p.get("bias", np.zeros(C)), True)]
    y = F.batch_norm(leaves[0], None, None, leaves[1], leaves[2], True, 0, 1e-5)
    for a, b in zip((dx, dweight, dbias), torch.autograd.grad(y, leaves, tensor(dy))):
        assert a is None or (a - b).abs().max() < 1e-5 * b.abs().max().clamp(min=1)
    if "weight" in p:
        out["weight"] = dweight
    if "bias" in p:
        out["bias"] = dbias
    return out


def jax_backward(x, dy, mean, rstd, p):
    """The chain rule by `jax.vjp`, through functions whose values are the saved statistics and whose derivatives are
    those of the batch's mean and 1/sqrt(variance + eps)."""
    m = x.shape[0] * x.shape[2]
    column = lambda v: v[:, None]

    @jax.custom_jvp
    def statistics(x):
        return jnp.asarray(mean), jnp.asarray(rstd)

    @statistics.defjvp
    def _(primals, tangents):
        (x,), (dx,) = primals, tangents
        dvar = 2 * ((x - column(mean)) * dx).sum((0, 2)) / m
        return statistics(x), (dx.sum((0, 2)) / m, -0.5 * rstd**3 * dvar)

    def apply(x, params):
        mu, r = statistics(x)
        return (x - column(mu)) * column(r) * column(params["scale"]) + column(params["bias"])

    params = {"scale": jnp.asarray(p.get("weight", np.ones(C))), "bias": jnp.asarray(p.get("bias", np.zeros(C)))}
    _, pull = jax.vjp(apply, jnp.asarray(x), params)
    dx, grads = pull(jnp.asarray(dy))
    names = {"scale": "weight", "bias": "bias"}
    return moved(np.asarray(dx)), {k: v for k, v in grads.items() if names[k] in p}


def files():
    import batch_norm_fused

    inference, back, frozen_back = (File("batch_norm" + rest) for rest in ("_inference", "_backward", "_frozen_backward"))
    frozen(inference, frozen_back)
    backward(back)
    batch_norm_fused.frozen(inference, frozen_back)
    batch_norm_fused.backward(back)
    return [inference, back, frozen_back]
