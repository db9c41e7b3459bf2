"""The end of a layer's branch: bias, activation, dropout, residual. The mask is ours (`dropouts.keeps`); the rest is the
frameworks' own functions and their autograd."""

import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F

from dropouts import SEED, keeps, scale
from oracle import JAX, TORCH, File, agree, draw

ACTS = {
    "none": (lambda u: u, lambda u: u),
    "relu": (F.relu, jax.nn.relu),
    "silu": (F.silu, jax.nn.silu),
    "gelu": (F.gelu, lambda u: jax.nn.gelu(u, approximate=False)),
    "gelu_tanh": (lambda u: F.gelu(u, approximate="tanh"), lambda u: jax.nn.gelu(u, approximate=True)),
    "leaky": (lambda u: F.leaky_relu(u, 0.125), lambda u: jax.nn.leaky_relu(u, 0.125)),
}


def branches(forward, backward):
    for i, (act, bias, residual, p, layout) in enumerate(
        (
            ("none", True, True, 0.5, "channels_first"),
            ("relu", True, True, 0.3, "channels_last"),
            ("silu", True, False, 0.1, "channels_first"),
            ("gelu", True, True, 0.2, "channels_last"),
            ("gelu_tanh", False, True, 0.5, "channels_first"),
            ("leaky", True, False, 0.25, "channels_last"),
            ("gelu", True, True, 0.0, "channels_first"),
            ("relu", True, True, 1.0, "channels_first"),
        )
    ):
        n, c, s = 2, 3, 5
        space = {"n": n, "c": c, "s": s, "layout": layout}
        key = {"seed": SEED, "stream": 4, "step": i, "first_element": 0}
        fields = {"dtype": "f32", "space": space, "p": p, "key": key, "share": "element", "bits": "sixteen", "bias": bias}
        fields["act"] = {"leaky_relu": {"slope": 0.125}} if act == "leaky" else act
        kept = keeps(fields) * scale(fields | {"scaling": "inverted"})
        x, dy = draw(700 + i, n * c * s, spread=2.0), draw(720 + i, n * c * s)
        given = {"x": x}
        if bias:
            given["bias"] = draw(740 + i, c)
        if residual:
            given["residual"] = draw(760 + i, n * c * s)
        last = layout == "channels_last"

        def run(module, function, x, bias=None, residual=None):
            shape, wide = ((n, s, c), (1, 1, c)) if last else ((n, c, s), (1, c, 1))
            u = x if bias is None else (x.reshape(shape) + bias.reshape(wide)).reshape(-1)
            y = function(u) * module.asarray(kept)
            return y if residual is None else y + residual

        tensors = {k: torch.tensor(v, requires_grad=True) for k, v in given.items()}
        y = run(torch, ACTS[act][0], **tensors)
        grads = torch.autograd.grad(y, list(tensors.values()), torch.tensor(dy))
        by_torch = dict(zip(tensors, (g.numpy() for g in grads)))
        arrays = {k: jnp.asarray(v) for k, v in given.items()}
        yj, pull = jax.vjp(lambda kw: run(jnp, ACTS[act][1], **kw), arrays)
        by_jax = {k: np.asarray(v) for k, v in pull(jnp.asarray(dy))[0].items()}
        name = f"{act}, p = {p}, {layout}"
        agree(name, y.detach().numpy(), yj)
        for framework, out, grads in ((TORCH, y.detach().numpy(), by_torch), (JAX, np.asarray(yj), by_jax)):
            forward.add(name, framework, (fields | {"residual": residual}, given, {"y": out}))
            expected = {"dx": grads["x"]} | ({"dbias": grads["bias"]} if bias else {})
            inputs = {"dy": dy} | ({k: v for k, v in given.items() if k != "residual"} if act != "none" else {})
            backward.add(name, framework, (fields, inputs, expected))
            if residual:
                agree(f"{name}: the residual's gradient is dy", grads["residual"], dy)


def files():
    forward, backward = File("bias_act_dropout_add"), File("bias_act_dropout_add_backward")
    branches(forward, backward)
    return [forward, backward]
