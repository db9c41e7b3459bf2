"""Penalties: value, gradient, proximal operator."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
import torch.nn.functional as F
from jaxopt import prox as jaxopt_prox

from oracle import JAX, TORCH, File, agree, draw, segment, stored, weights

N = 103
KINDS = {
    "L1": {"l1": 0.01, "l2": 0.0, "l2_form": "sum"},
    "L2, lambda*sum(w^2)": {"l1": 0.0, "l2": 0.3, "l2_form": "sum"},
    "L2, half lambda*sum(w^2)": {"l1": 0.0, "l2": 0.3, "l2_form": "half"},
    "elastic net": {"l1": 0.2, "l2": 0.3, "l2_form": "sum"},
}


def arenas():
    """(name, segments, groups): one tensor under each kind, then three tensors with gaps, each of a group of its own."""
    for name, kind in KINDS.items():
        yield name, [segment(0, N)], [kind]
    groups = [KINDS["L1"], KINDS["L2, half lambda*sum(w^2)"], KINDS["elastic net"]]
    yield "three tensors, a group each", [segment(0, 10, 2), segment(12, 33, 0), segment(48, N - 48, 1)], groups


def factor(kind):
    """What multiplies the sum of squares."""
    return kind["l2"] if kind["l2_form"] == "sum" else kind["l2"] / 2


def torch_value(w, kind):
    return kind["l1"] * w.abs().sum() + factor(kind) * w.pow(2).sum()


def jax_value(w, kind):
    """JAX differentiates jnp.abs to +1 at both zeros, PyTorch to 0 as we do; sign(0) is 0 in all three."""
    size = w * jax.lax.stop_gradient(jnp.sign(w))
    return kind["l1"] * size.sum() + factor(kind) * jnp.square(w).sum()


def parts(segments):
    return [(slice(s["start"], s["start"] + s["len"]), s["group"]) for s in segments]


def values_and_gradients(value, grad):
    for i, (name, segments, groups) in enumerate(arenas()):
        w, g = weights(10 + i, N), draw(20 + i, N)
        fields = {"dtype": "f32", "segments": segments, "groups": groups}

        wt = torch.tensor(w, requires_grad=True)
        omega = sum(torch_value(wt[at], groups[group]) for at, group in parts(segments))
        omega.backward()

        def omega_jax(w, segments=segments, groups=groups):
            return sum(jax_value(w[at], groups[group]) for at, group in parts(segments))

        vj, gj = jax.value_and_grad(omega_jax)(jnp.asarray(w))
        agree(name, omega.detach(), vj)
        agree(name, wt.grad, gj)
        for framework, v, d in ((TORCH, omega.item(), wt.grad.numpy()), (JAX, float(vj), np.asarray(gj))):
            value.add(f"{name}, by autograd's forward", framework, (fields, {"weight": w}, {"value": [v]}))
            grad.add(f"{name}, by autograd", framework, (fields, {"weight": w, "grad": g}, {"grad": g + d}))

    activities(value, grad)
    assert jax.grad(jnp.abs)(0.0) == 1.0, "JAX has changed its subgradient: jax_value can be written with jnp.abs"
    # The conventions by name: both frameworks' "weight decay" is the half form.
    decay = {"dtype": "f32", "segments": [segment(0, N)], "groups": [KINDS["L2, half lambda*sum(w^2)"]]}
    w, g = weights(30, N), draw(31, N)
    wt = torch.tensor(w)
    wt.grad = torch.tensor(g)
    torch.optim.SGD([wt], lr=1.0, weight_decay=0.3).step()
    grad.add(
        "weight_decay of torch.optim.SGD is the half form", TORCH, (decay, {"weight": w, "grad": g}, {"grad": w - wt.numpy()})
    )
    rule = optax.add_decayed_weights(0.3)
    update, _ = rule.update(jnp.asarray(g), rule.init(jnp.asarray(w)), jnp.asarray(w))
    grad.add(
        "optax.add_decayed_weights is the half form",
        f"optax {optax.__version__}, {JAX}",
        (decay, {"weight": w, "grad": g}, {"grad": np.asarray(update)}),
    )


def activities(value, grad):
    """Keras' ActivityRegularization(l1, l2): l1*sum|x| + l2*sum(x^2) over a layer's output, divided by the batch size."""
    batch, features = 5, 7
    x, g = weights(36, batch * features), draw(37, batch * features)
    for kind in (KINDS["elastic net"], KINDS["L2, half lambda*sum(w^2)"]):
        fields = {"dtype": "f32", "segments": [segment(0, x.size)], "groups": [kind], "per": {"batch": batch}}
        xt = torch.tensor(x, requires_grad=True)
        omega = torch_value(xt, kind) / batch
        omega.backward()
        vj, gj = jax.value_and_grad(lambda x: jax_value(x, kind) / batch)(jnp.asarray(x))
        name = f"activations, {kind['l2_form']} form, divided by the batch"
        for framework, v, d in ((TORCH, omega.item(), xt.grad.numpy()), (JAX, float(vj), np.asarray(gj))):
            value.add(name, framework, (fields, {"weight": x}, {"value": [v]}))
            grad.add(name, framework, (fields, {"weight": x, "grad": g}, {"grad": g + d}))


def torch_prox(w, kind, step):
    return F.softshrink(w, step * kind["l1"]) / (1 + 2 * step * factor(kind))


def jaxopt_step(w, kind, step):
    """jaxopt's ridge is the half form whatever its documentation says: its factor is 1/(1 + scaling*l2reg)."""
    if kind["l1"] == 0.0:
        return jaxopt_prox.prox_ridge(w, 2 * factor(kind), step)
    if kind["l2"] == 0.0:
        return jaxopt_prox.prox_lasso(w, kind["l1"], step)
    # Its second parameter is relative to the first.
    return jaxopt_prox.prox_elastic_net(w, (kind["l1"], 2 * factor(kind) / kind["l1"]), step)


def minimised(w, kind, step):
    """argmin of (v-w)^2/2 + step*penalty(v) by ternary search: what the closed form claims to be."""
    low, high = torch.full_like(w, -10.0), torch.full_like(w, 10.0)
    cost = lambda v: 0.5 * (v - w) ** 2 + step * (kind["l1"] * v.abs() + factor(kind) * v**2)
    for _ in range(200):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        left = cost(a) < cost(b)
        low, high = torch.where(left, low, a), torch.where(left, b, high)
    return (low + high) / 2


def proximal(file):
    step = 0.7
    for i, (name, segments, groups) in enumerate(arenas()):
        w = weights(40 + i, N)
        fields = {"dtype": "f32", "segments": segments, "groups": groups, "step": step}
        by_torch, by_jaxopt, zeros = w.copy(), w.copy(), 0
        for at, group in parts(segments):
            kind = groups[group]
            by_torch[at] = torch_prox(torch.tensor(w[at]), kind, step).numpy()
            by_jaxopt[at] = np.asarray(jaxopt_step(jnp.asarray(w[at]), kind, step))
            searched = minimised(torch.tensor(w[at]), kind, step).numpy()
            # A minimum found by comparing costs is known to the square root of their precision.
            assert np.abs(searched - by_torch[at]).max() < 1e-7, name
            zeros += int((stored(by_torch[at]) == 0).sum())
        agree(name, by_torch, by_jaxopt)
        for framework, out in ((TORCH, by_torch), (f"jaxopt 0.8.5, {JAX}", by_jaxopt)):
            file.add(name, framework, (fields, {"weight": w}, {"weight": out, "zeros": np.array([zeros], np.uint32)}))


def files():
    value, grad, prox = File("penalty"), File("penalty_grad"), File("prox")
    values_and_gradients(value, grad)
    proximal(prox)
    return [value, grad, prox]
