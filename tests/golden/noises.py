"""Gaussian dropout and noise: Keras' formulas by PyTorch and JAX, fed with our normal numbers.

The numbers are `oracle.philox` words through Box and Muller's transform in float64.
"""

import jax
import jax.numpy as jnp
import numpy as np
import torch

from dropouts import SEED
from oracle import JAX, TORCH, File, agree, draw, philox


def numbers(fields):
    """A normal number for every element, in memory order."""
    space, key = fields["space"], fields["key"]
    n, c, s = space["n"], space["c"], space["s"]
    shape, first = {
        "element": ((n, c, s), key["first_element"]),
        "channel": ((n, c, 1), key["first_element"] // s),
        "batch_position": ((1, 1, s), 0),
    }[fields["share"]]
    i = np.arange(np.prod(shape), dtype=np.uint64) + np.uint64(first)
    words = philox(i >> np.uint64(2), key["seed"], key["stream"], key["step"]) >> np.uint32(8)
    u = words / 2.0**24
    radius, angle = np.sqrt(-2 * np.log1p(-u[:, 0::2])), 2 * np.pi * u[:, 1::2]
    four = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1).reshape(len(i), 4)
    z = four[np.arange(len(i)), (i & np.uint64(3)).astype(int)]
    z = np.broadcast_to(z.reshape(shape), (n, c, s))
    return np.ascontiguousarray(np.moveaxis(z, 1, 2) if space["layout"] == "channels_last" else z).ravel()


def cases():
    first = {"n": 3, "c": 4, "s": 5, "layout": "channels_first"}
    last = first | {"layout": "channels_last"}
    key = {"seed": SEED, "stream": 1, "step": 7, "first_element": 0}
    base = {"dtype": "f32", "space": first, "key": key, "share": "element"}
    yield "a number for each element", base
    yield "channels last, from element 60", base | {"space": last, "key": key | {"first_element": 60}}
    yield "a number for each channel", base | {"space": last, "share": "channel"}
    yield "a number for each position", base | {"share": "batch_position"}


def files():
    forward, backward, noise = File("gaussian_dropout"), File("gaussian_dropout_backward"), File("gaussian_noise")
    for i, (name, fields) in enumerate(cases()):
        z, x, dy = numbers(fields), draw(250 + i, 60), draw(260 + i, 60)
        p, deviation = [0.5, 0.2, 0.0, 0.9][i], [1.0, 0.25, 0.0, 2.0][i]
        # As in Keras' GaussianDropout: a normal number of mean 1 and this standard deviation.
        factor = 1 + np.sqrt(p / (1 - p)) * z

        xt = torch.tensor(x, requires_grad=True)
        yt = xt * torch.tensor(factor)
        (dxt,) = torch.autograd.grad(yt, xt, torch.tensor(dy))
        yj, pull = jax.vjp(lambda x, factor=factor: x * factor, jnp.asarray(x))
        (dxj,) = pull(jnp.asarray(dy))
        agree(name, yt.detach(), yj)
        agree(name, dxt, dxj)
        for framework, y, dx in ((TORCH, yt.detach().numpy(), dxt.numpy()), (JAX, np.asarray(yj), np.asarray(dxj))):
            forward.add(name, framework, (fields | {"p": p, "training": True}, {"x": x}, {"y": y}))
            backward.add(name, framework, (fields | {"p": p}, {"dy": dy}, {"dx": dx}))

        yt = torch.add(torch.tensor(x), torch.tensor(z), alpha=deviation).numpy()
        yj = np.asarray(jnp.asarray(x) + deviation * jnp.asarray(z))
        agree(name, yt, yj)
        for framework, y in ((TORCH, yt), (JAX, yj)):
            noise.add(name, framework, (fields | {"deviation": deviation, "training": True}, {"x": x}, {"y": y}))
    return [forward, backward, noise]
