"""Spectral normalisation by PyTorch's and Flax's modules, and its gradient by automatic differentiation."""

import flax
import flax.linen as linen
import jax
import jax.numpy as jnp
import numpy as np
import torch
from torch.nn.utils import parametrizations

from oracle import JAX, TORCH, File, agree, draw, stored

FLAX = f"flax {flax.__version__}, {JAX}"


def by_torch(w, u, v, iterations):
    layer = torch.nn.Linear(w.shape[1], w.shape[0], bias=False)
    parametrizations.spectral_norm(layer, n_power_iterations=max(iterations, 1))
    kept = layer.parametrizations.weight[0]
    with torch.no_grad():
        layer.parametrizations.weight.original.copy_(torch.tensor(w))
        kept._u.copy_(torch.tensor(u))
        kept._v.copy_(torch.tensor(v))
    layer.train(iterations > 0)
    y = layer.weight.detach().numpy()
    u, v = kept._u.numpy().copy(), kept._v.numpy().copy()
    return y, u, v, u @ w @ v


def by_flax(w, v, iterations):
    """A dense layer's kernel is (in, out); it keeps the vector of the latter, our v, and calls it u."""
    layer = linen.SpectralNorm(
        linen.Dense(w.shape[1], use_bias=False, param_dtype=jnp.float64), n_steps=iterations, epsilon=0.0, param_dtype=jnp.float64
    )
    eye = jnp.eye(w.shape[0])
    state = layer.init(jax.random.PRNGKey(0), eye, update_stats=False)
    params = jax.tree.map(lambda _: jnp.asarray(w), state["params"])
    stats = jax.tree_util.tree_map_with_path(
        lambda path, x: jnp.asarray(v)[None, :] if "u" in path[-1].key.split("/") else x, state["batch_stats"]
    )
    y, new = layer.apply({"params": params, "batch_stats": stats}, eye, update_stats=True, mutable=["batch_stats"])
    left = {path[-1].key.split("/")[-1]: np.asarray(x) for path, x in jax.tree_util.tree_leaves_with_path(new["batch_stats"])}
    return np.asarray(y), left["u"].ravel(), float(left["sigma"])


def files():
    forward, backward = File("spectral_norm"), File("spectral_norm_backward")
    for i, (name, rows, cols, iterations) in enumerate(
        (
            ("one iteration", 4, 6, 1),
            ("three iterations", 5, 3, 3),
            ("evaluation", 3, 8, 0),
            ("one row", 1, 5, 1),
        )
    ):
        w = draw(950 + i, rows, cols)
        u, v = draw(960 + i, rows), draw(970 + i, cols)
        u, v = stored(u / np.linalg.norm(u)), stored(v / np.linalg.norm(v))
        fields = {"dtype": "f32", "rows": rows, "cols": cols}
        y, nu, nv, sigma = by_torch(w, u, v, iterations)
        if iterations == 0:
            forward.add(
                name, TORCH, (fields | {"iterations": 0}, {"weight": w, "u": u, "v": v}, {"y": y, "sigma": [sigma]})
            )
        else:
            fy, fv, fsigma = by_flax(w, v, iterations)
            agree(name, y, fy)
            agree(name, nv, fv)
            agree(name, sigma, fsigma)
            for framework, (y, v_, s) in ((TORCH, (y, nv, sigma)), (FLAX, (fy, fv, fsigma))):
                expected = {"u": nu, "v": v_, "y": y, "sigma": [s]}
                forward.add(name, framework, (fields | {"iterations": iterations}, {"weight": w, "v": v}, expected))

        # What the forward op saved is float32, and sigma's rounding is not to be differentiated.
        dy = draw(980 + i, rows, cols)
        nu, nv, sigma = stored(nu), stored(nv), stored(sigma)
        t, tu, tv = torch.tensor(w, requires_grad=True), torch.tensor(nu), torch.tensor(nv)
        moving = tu @ t @ tv
        (by_autograd,) = torch.autograd.grad(t / (float(sigma) + moving - moving.detach()), t, torch.tensor(dy))

        def normalized(w, nu=jnp.asarray(nu), nv=jnp.asarray(nv), sigma=float(sigma)):
            moving = nu @ w @ nv
            return w / (sigma + moving - jax.lax.stop_gradient(moving))

        _, pull = jax.vjp(normalized, jnp.asarray(w))
        (by_jax,) = pull(jnp.asarray(dy))
        agree(f"{name}: gradient", by_autograd.numpy(), by_jax)
        for framework, d in ((TORCH, by_autograd.numpy()), (JAX, np.asarray(by_jax))):
            given = {"weight": w, "dy": dy, "u": nu, "v": nv, "sigma": [sigma]}
            backward.add(name, framework, (fields, given, {"dweight": d}))
    return [forward, backward]
