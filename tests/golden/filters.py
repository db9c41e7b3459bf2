"""Weight norm and weight standardization: the weights, what is saved, gradients."""

import flax
import flax.linen as linen
import jax
import jax.numpy as jnp
import numpy as np
import torch
from torch.nn.utils import parametrizations

from oracle import JAX, TORCH, File, agree, draw, stored

FLAX = f"flax {flax.__version__}, {JAX}"


def frozen(value, moving, slope):
    """`value`, with the derivative of `slope * moving`."""
    return value + slope * (moving - jax.lax.stop_gradient(moving))


def weight_norms(forward, backward):
    for i, (name, axis, shape) in enumerate(
        (
            ("rows, dim=0", "rows", (4, 11)),
            ("columns, the last axis", "columns", (9, 5)),
            ("whole tensor, dim=None", "rows", (1, 24)),
        )
    ):
        over, dim = (1, 0) if axis == "rows" else (0, 1)
        fields = {"dtype": "f32", "rows": shape[0], "cols": shape[1], "axis": axis}
        v, dw = draw(800 + i, *shape), draw(810 + i, *shape)
        g = draw(820 + i, shape[dim], mean=1.0, spread=0.5)
        layer = torch.nn.Linear(shape[1], shape[0], bias=False)
        parametrizations.weight_norm(layer, dim=None if shape[0] == 1 else dim)
        weight = layer.parametrizations.weight
        with torch.no_grad():
            weight.original0.copy_(torch.tensor(g).reshape(weight.original0.shape))
            weight.original1.copy_(torch.tensor(v))
        w = layer.weight.detach().numpy()
        if axis == "columns":
            dense = linen.WeightNorm(linen.Dense(shape[1], use_bias=False, param_dtype=jnp.float64), epsilon=0.0)
            start = dense.init(jax.random.key(0), jnp.zeros((1, shape[0])))
            variables = jax.tree.unflatten(
                jax.tree.structure(start), [jnp.asarray(g if a.ndim == 1 else v) for a in jax.tree.leaves(start)]
            )
            wj, by = np.asarray(dense.apply(variables, jnp.eye(shape[0]))), FLAX
        else:
            wj, by = np.asarray(jnp.asarray(g)[:, None] * v / jnp.linalg.norm(jnp.asarray(v), axis=1, keepdims=True)), JAX
        agree(name, w, wj)
        inverse = 1 / np.sqrt((v**2).sum(over))
        for framework, out in ((TORCH, w), (by, wj)):
            forward.add(name, framework, (fields, {"v": v, "g": g}, {"w": out, "inverse_norm": inverse}))
        # The op is given a norm that a float32 forward saved: its rounding is not to be differentiated.
        inverse = stored(inverse)
        tv, tg = (torch.tensor(a).requires_grad_() for a in (v, g))
        half = -0.5 * torch.tensor(inverse) ** 3
        square = (tv**2).sum(over)
        r = torch.tensor(inverse) + half * (square - square.detach())
        by_torch = torch.autograd.grad(tv * r.unsqueeze(over) * tg.unsqueeze(over), (tv, tg), torch.tensor(dw))

        def apply(v, g, inverse=inverse, over=over):
            r = frozen(inverse, (v**2).sum(over), -0.5 * inverse**3)
            return v * jnp.expand_dims(r * g, over)

        _, pull = jax.vjp(apply, jnp.asarray(v), jnp.asarray(g))
        by_jax = pull(jnp.asarray(dw))
        for framework, grads in ((TORCH, by_torch), (JAX, by_jax)):
            expected = dict(zip(("dv", "dg"), (np.asarray(a) for a in grads)))
            backward.add(name, framework, (fields, {"v": v, "dw": dw, "g": g, "inverse_norm": inverse}, expected))
        for a, b in zip(by_torch, by_jax):
            agree(f"{name}: gradients", a.numpy(), b)


def deviation(form, m, eps, lib):
    """1 / deviation of a variance, in one of the forms."""
    return {
        "inside": lambda v: 1 / lib.sqrt(v + eps),
        "outside": lambda v: 1 / (lib.sqrt(v) + eps),
        "fan_in_floor": lambda v: 1 / lib.sqrt(lib.maximum(m * v, lib.full_like(v, eps))),
        "fan_in_inside": lambda v: 1 / lib.sqrt(m * (v + eps)),
    }[form]


def weight_standardizations(forward, backward):
    for i, (name, axis, shape, form, eps, unbiased, gain, spread) in enumerate(
        (
            ("the paper", "rows", (4, 9), "inside", 1e-5, False, False, 1.0),
            ("the authors' code", "rows", (3, 12), "outside", 1e-5, True, False, 0.05),
            ("NF-nets", "columns", (12, 4), "fan_in_floor", 1e-4, False, True, 0.2),
            ("NF-nets, below the floor", "columns", (9, 3), "fan_in_floor", 1e-4, False, True, 1e-3),
            ("timm's ScaledStdConv2d", "rows", (4, 9), "fan_in_inside", 1e-6, False, True, 0.1),
            ("mean 10^3 times the spread", "rows", (2, 16), "inside", 1e-10, False, True, 1e-3),
        )
    ):
        over = 1 if axis == "rows" else 0
        m, count = shape[over], shape[1 - over]
        d = m - 1 if unbiased else m
        fields = {"dtype": "f32", "rows": shape[0], "cols": shape[1], "axis": axis, "gain": gain}
        how = fields | {"form": form, "eps": eps, "variance": "unbiased" if unbiased else "biased"}
        x, dy = draw(830 + i, *shape, mean=1.0, spread=spread), draw(840 + i, *shape)
        p = {"gain": draw(850 + i, count, mean=1.0, spread=0.5)} if gain else {}
        factor = p.get("gain", np.ones(count))
        tx = torch.tensor(x)
        # The slope -2 / (d r^2) dr/dv by each framework's own derivative of the form.
        tv = torch.var(tx, over, unbiased=unbiased).requires_grad_()
        tr = deviation(form, m, eps, torch)(tv)
        (dr,) = torch.autograd.grad(tr.sum(), tv)
        mean, r, slope = tx.mean(over), tr.detach(), -2 * dr / (d * tr.detach() ** 2)
        y = (tx - mean.unsqueeze(over)) * (r * torch.tensor(factor)).unsqueeze(over)
        if form == "inside" and axis == "rows":
            same = torch.nn.functional.batch_norm(tx.unsqueeze(0), None, None, torch.tensor(factor), None, True, 0.0, eps)
            agree(f"{name}: by batch norm", y, same[0])
        jx = jnp.asarray(x)
        jv = jnp.var(jx, axis=over, ddof=int(unbiased))
        jr = deviation(form, m, eps, jnp)(jv)
        js = -2 * jax.grad(lambda v: deviation(form, m, eps, jnp)(v).sum())(jv) / (d * jr**2)
        yj = (jx - jx.mean(over, keepdims=True)) * jnp.expand_dims(jr * factor, over)
        agree(name, y.numpy(), yj)
        for framework, saved in ((TORCH, (y, mean, r, slope)), (JAX, (yj, jx.mean(over), jr, js))):
            out = dict(zip(("y", "mean", "rstd", "slope"), (np.asarray(a) for a in saved)))
            forward.add(name, framework, (how, {"x": x} | p, out))
        # As for layer norm: what was saved is rounded, and the rounding is not to be differentiated.
        mean, r, slope = (stored(a.numpy()) for a in (mean, r, slope))
        # dr/dv from the slope, and v by its deviations from the saved mean.
        pull_v = -0.5 * slope * d * r**2
        vx, vg = torch.tensor(x).requires_grad_(), torch.tensor(factor).requires_grad_()
        mu, t = torch.tensor(mean), torch.tensor(pull_v)
        v = ((vx - mu.unsqueeze(over)) ** 2).sum(over) / d
        moving = vx.mean(over)
        rr = torch.tensor(r) + t * (v - v.detach())
        centred = vx - (mu + moving - moving.detach()).unsqueeze(over)
        by_torch = torch.autograd.grad(centred * (rr * vg).unsqueeze(over), (vx, vg), torch.tensor(dy))

        def apply(x, gain, mean=mean, r=r, pull_v=pull_v, over=over, d=d):
            v = ((x - jnp.expand_dims(mean, over)) ** 2).sum(over) / d
            mu = frozen(mean, x.mean(over), 1.0)
            return (x - jnp.expand_dims(mu, over)) * jnp.expand_dims(frozen(r, v, pull_v) * gain, over)

        _, pull = jax.vjp(apply, jx, jnp.asarray(factor))
        by_jax = pull(jnp.asarray(dy))
        given = {"x": x, "dy": dy, "mean": mean, "rstd": r, "slope": slope} | p
        for framework, grads in ((TORCH, by_torch), (JAX, by_jax)):
            expected = dict(zip(("dx", "dgain") if gain else ("dx",), (np.asarray(a) for a in grads)))
            backward.add(name, framework, (fields, given, expected))
        for a, b in zip(by_torch, by_jax):
            agree(f"{name}: gradients", a.numpy(), b)


def files():
    norm = (File("weight_norm"), File("weight_norm_backward"))
    standard = (File("weight_standardization"), File("weight_standardization_backward"))
    weight_norms(*norm)
    weight_standardizations(*standard)
    return [*norm, *standard]
