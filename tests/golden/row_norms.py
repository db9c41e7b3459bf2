"""Layer and RMS norm: output, saved statistics, gradients."""

import flax
import flax.linen as linen
import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F

from oracle import JAX, TORCH, File, agree, draw, stored

FLAX = f"flax {flax.__version__}, {JAX}"


def tensor(v):
    return None if v is None else torch.tensor(v)


def frozen(value, moving, slope):
    """`value`, with the derivative of `slope * moving`."""
    stop = jax.lax.stop_gradient
    return value + slope * (moving - stop(moving))


def layer_norms(forward, backward):
    rows, cols = 5, 11
    for i, (name, weight, bias, eps, shift, shape) in enumerate(
        (
            ("weight and bias", True, True, 1e-5, 0.0, (rows, cols)),
            ("neither weight nor bias", False, False, 1e-5, 0.0, (rows, cols)),
            ("weight only", True, False, 1e-5, 0.3, (3, 64)),
            ("bias only, eps 1e-3", False, True, 1e-3, 0.0, (rows, cols)),
            ("mean 10^4 times the spread", True, True, 1e-5, 1e4, (rows, cols)),
            ("Flax's eps 1e-6, one row", True, True, 1e-6, 0.0, (1, 20)),
        )
    ):
        m = shape[1]
        fields = {"dtype": "f32", "rows": shape[0], "cols": m, "weight": weight, "bias": bias}
        x, dy = draw(400 + i, *shape, mean=shift), draw(410 + i, *shape)
        p = {"weight": draw(420 + i, m, mean=1.0, spread=0.5)} if weight else {}
        p |= {"bias": draw(430 + i, m)} if bias else {}
        w, b = tensor(p.get("weight")), tensor(p.get("bias"))
        y, mean, rstd = torch.native_layer_norm(tensor(x), [m], w, b, eps)
        assert torch.equal(y, F.layer_norm(tensor(x), [m], w, b, eps))
        mean, rstd = mean.numpy().ravel(), rstd.numpy().ravel()
        params = {"scale": p.get("weight", np.ones(m)), "bias": p.get("bias", np.zeros(m))}
        layer = linen.LayerNorm(epsilon=eps, use_fast_variance=False, dtype=jnp.float64, param_dtype=jnp.float64)
        yj = np.asarray(layer.apply({"params": params}, jnp.asarray(x)))
        # Far from zero, both lose 4 of float64's 16 digits.
        agree(name, y.numpy() / (1 + shift), yj / (1 + shift))
        for framework, out in ((TORCH, y.numpy()), (FLAX, yj)):
            inputs = {"x": x} | p
            forward.add(name, framework, (fields | {"eps": eps}, inputs, {"y": out, "mean": mean, "rstd": rstd}))
        # The op is given statistics that a float32 forward saved: their rounding is not to be differentiated.
        mean, rstd = stored(mean), stored(rstd)
        if shift > 1:
            continue
        column = [tensor(v)[:, None] for v in (mean, rstd)]
        ones, zeros = tensor(params["scale"]), tensor(params["bias"])
        by_torch = torch.ops.aten.native_layer_norm_backward(tensor(dy), tensor(x), [m], *column, ones, zeros, [True] * 3)

        def apply(x, w, b, mean=mean[:, None], rstd=rstd[:, None]):
            mu = frozen(mean, x.mean(1, keepdims=True), 1.0)
            r = frozen(rstd, ((x - mean) ** 2).mean(1, keepdims=True), -0.5 * rstd**3)
            # The mean's part in the variance: the deviations sum to 0, but for the rounding of the mean.
            return (x - mu) * r * w + b

        _, pull = jax.vjp(apply, jnp.asarray(x), jnp.asarray(params["scale"]), jnp.asarray(params["bias"]))
        by_jax = pull(jnp.asarray(dy))
        for framework, grads in ((TORCH, by_torch), (JAX, by_jax)):
            expected = dict(zip(("dx", "dweight", "dbias"), (np.asarray(g) for g in grads)))
            expected = {k: v for k, v in expected.items() if k == "dx" or fields[k[1:]]}
            given = {"x": x, "dy": dy, "mean": mean, "rstd": rstd} | {k: v for k, v in p.items() if k == "weight"}
            backward.add(name, framework, (fields, given, expected))
        for a, b in zip(by_torch, by_jax):
            agree(f"{name}: gradients", a, b)


def rms_norms(forward, backward):
    for i, (name, weight, form, eps, shift, shape) in enumerate(
        (
            ("weight", True, "plain", 1e-6, 0.0, (5, 11)),
            ("no weight", False, "plain", 1e-6, 0.3, (5, 11)),
            ("Gemma's 1 + weight", True, "one_plus", 1e-6, 0.0, (3, 32)),
            ("PyTorch's eps 2^-23, mean 100", True, "plain", None, 100.0, (4, 8)),
            ("eps 1e-3, one row", True, "one_plus", 1e-3, 0.0, (1, 20)),
        )
    ):
        m = shape[1]
        fields = {"dtype": "f32", "rows": shape[0], "cols": m, "weight": weight, "weight_form": form}
        offset = 1.0 if form == "one_plus" else 0.0
        x, dy = draw(450 + i, *shape, mean=shift), draw(460 + i, *shape)
        p = {"weight": draw(470 + i, m, mean=1.0 - offset, spread=0.5)} if weight else {}
        factor = offset + p["weight"] if weight else np.ones(m)
        if eps is None:
            eps = 2.0**-23
            assert torch.finfo(torch.float32).eps == eps
        y = F.rms_norm(tensor(x), [m], tensor(factor) if weight else None, eps).numpy()
        layer = linen.RMSNorm(epsilon=eps, use_fast_variance=False, dtype=jnp.float64, param_dtype=jnp.float64)
        yj = np.asarray(layer.apply({"params": {"scale": factor}}, jnp.asarray(x)))
        agree(name, y, yj)
        rstd = 1 / np.sqrt((x**2).mean(1) + eps)
        for framework, out in ((TORCH, y), (FLAX, yj)):
            forward.add(name, framework, (fields | {"eps": eps}, {"x": x} | p, {"y": out, "rstd": rstd}))
        # As for layer norm: what was saved is rounded, and the rounding is not to be differentiated.
        rstd = stored(rstd)
        tx, tw = tensor(x).requires_grad_(), tensor(factor).requires_grad_()
        square = (tx**2).mean(1)
        r = tensor(rstd) - 0.5 * tensor(rstd) ** 3 * (square - square.detach())
        by_torch = torch.autograd.grad(tx * r[:, None] * tw, (tx, tw), tensor(dy))

        def apply(x, w, rstd=rstd):
            return x * frozen(rstd, (x**2).mean(1), -0.5 * rstd**3)[:, None] * w

        _, pull = jax.vjp(apply, jnp.asarray(x), jnp.asarray(factor))
        by_jax = pull(jnp.asarray(dy))
        for framework, grads in ((TORCH, by_torch), (JAX, by_jax)):
            expected = dict(zip(("dx", "dweight") if weight else ("dx",), (np.asarray(g) for g in grads)))
            backward.add(name, framework, (fields, {"x": x, "dy": dy, "rstd": rstd} | p, expected))
        for a, b in zip(by_torch, by_jax):
            agree(f"{name}: gradients", a.numpy(), b)


def files():
    layer, rms = (File("layer_norm"), File("layer_norm_backward")), (File("rms_norm"), File("rms_norm_backward"))
    layer_norms(*layer)
    rms_norms(*rms)
    return [*layer, *rms]
