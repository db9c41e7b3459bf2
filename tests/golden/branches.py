"""The end of a layer's branch: bias, activation, dropout, residual. The mask is ours (`dropouts.keeps`); the rest is the
frameworks' own functions and their autograd."""

import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F

from dropouts import SEED, keeps, scale
from oracle import JAX, TORCH, File, agree, draw, stored

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


def frozen(stop, value, moving, slope):
    """`value`, with the derivative of `slope * moving`: statistics that a float32 forward saved."""
    return value + slope * (moving - stop(moving))


def normalised(forward, backward):
    for i, (norm, residual, p, share, weight, bias, form, dz) in enumerate(
        (
            ("layer", True, 0.5, "element", True, True, "plain", True),
            ("layer", True, 0.3, "sample", True, False, "plain", False),
            ("layer", False, 0.1, "element", False, True, "plain", False),
            ("layer", True, 0.0, "element", True, True, "plain", True),
            ("rms", True, 0.5, "element", True, True, "plain", True),
            ("rms", False, 0.2, "element", True, True, "one_plus", False),
        )
    ):
        rows, cols, eps = 3, 7, 1e-5
        space = {"n": rows, "c": cols, "s": 1, "layout": "channels_last"}
        key = {"seed": SEED, "stream": 5, "step": i, "first_element": 0}
        mask = {"space": space, "p": p, "key": key, "share": share, "bits": "sixteen", "scaling": "inverted"}
        kept = (keeps(mask) * scale(mask)).reshape(rows, cols)
        shared = {"dtype": "f32", "rows": rows, "cols": cols, "p": p, "key": key, "share": share}
        shared |= {"norm": norm, "weight": weight, "bias": bias, "weight_form": form}
        layer = norm == "layer"
        given = {"x": draw(800 + i, rows, cols)}
        given |= {"residual": draw(820 + i, rows, cols)} if residual else {}
        vectors = {"weight": draw(840 + i, cols, mean=1.0, spread=0.5)} if weight else {}
        vectors |= {"bias": draw(860 + i, cols)} if bias and layer else {}
        w, b = vectors.get("weight", np.ones(cols)), vectors.get("bias", np.zeros(cols))
        factor = 1 + w if form == "one_plus" else w

        def by_torch():
            t = {k: torch.tensor(v) for k, v in given.items()}
            z = t["x"] * torch.tensor(kept) + t.get("residual", 0.0)
            if layer:
                y, mean, rstd = torch.native_layer_norm(z, [cols], torch.tensor(w), torch.tensor(b), eps)
                return {"z": z, "y": y, "mean": mean.ravel(), "rstd": rstd.ravel()}
            y = F.rms_norm(z, [cols], torch.tensor(factor), eps)
            return {"z": z, "y": y, "rstd": torch.rsqrt((z**2).mean(1) + eps)}

        def by_jax():
            z = jnp.asarray(given["x"]) * kept + given.get("residual", 0.0)
            if layer:
                mean, rstd = z.mean(1), 1 / jnp.sqrt(z.var(1) + eps)
                return {"z": z, "y": jax.nn.standardize(z, axis=1, epsilon=eps) * w + b, "mean": mean, "rstd": rstd}
            rstd = 1 / jnp.sqrt((z**2).mean(1) + eps)
            return {"z": z, "y": z * rstd[:, None] * factor, "rstd": rstd}

        one = {k: v.numpy() for k, v in by_torch().items()}
        two = {k: np.asarray(v) for k, v in by_jax().items()}
        name = f"{norm}, p = {p} by {share}" + ("" if residual else ", no residual")
        for k in one:
            agree(f"{name}: {k}", one[k], two[k])
        for framework, out in ((TORCH, one), (JAX, two)):
            forward.add(name, framework, (shared | {"residual": residual, "eps": eps}, given | vectors, out))

        z, rstd = stored(one["z"]), stored(one["rstd"])
        mean = stored(one["mean"]) if layer else np.zeros(rows)
        dy, others = draw(880 + i, rows, cols), draw(890 + i, rows, cols)

        def norm_of(stop, z, w, b, mean, rstd, cube):
            """The norm of z, with the saved statistics and the derivatives of their definitions."""
            m, r = mean[:, None], rstd[:, None]
            square = ((z - m) ** 2).mean(1)[:, None]
            mu = frozen(stop, m, z.mean(1)[:, None], 1.0) if layer else 0.0
            return (z - mu) * frozen(stop, r, square, -0.5 * cube[:, None]) * (1 + w if form == "one_plus" else w) + b

        t = [torch.tensor(v, requires_grad=True) for v in (z, w, b)]
        y = norm_of(lambda v: v.detach(), *t, torch.tensor(mean), torch.tensor(rstd), torch.tensor(rstd**3))
        torch_grads = [g.numpy() for g in torch.autograd.grad(y, t, torch.tensor(dy))]
        pulled = lambda z, w, b: norm_of(jax.lax.stop_gradient, z, w, b, mean, rstd, rstd**3)
        jax_grads = [np.asarray(g) for g in jax.vjp(pulled, *map(jnp.asarray, (z, w, b)))[1](jnp.asarray(dy))]
        for framework, (grad, dweight, dbias) in ((TORCH, torch_grads), (JAX, jax_grads)):
            dresidual = grad + others if dz else grad
            expected = {"dresidual": dresidual, "dx": kept * dresidual}
            expected |= {"dweight": dweight} if weight else {}
            expected |= {"dbias": dbias} if bias and layer else {}
            inputs = {"z": z, "dy": dy} | ({"mean": mean} if layer else {}) | {"rstd": rstd}
            inputs |= ({"weight": w} if weight else {}) | ({"dz": others} if dz else {})
            backward.add(name, framework, (shared | {"dz": dz}, inputs, expected))


def files():
    forward, backward = File("bias_act_dropout_add"), File("bias_act_dropout_add_backward")
    branches(forward, backward)
    sum_forward, sum_backward = File("dropout_add_layer_norm"), File("dropout_add_layer_norm_backward")
    normalised(sum_forward, sum_backward)
    return [forward, backward, sum_forward, sum_backward]
