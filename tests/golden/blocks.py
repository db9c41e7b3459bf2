"""DropBlock: the formula of torchvision's drop_block2d by PyTorch and JAX, fed with our seeds.

Two differences: the seeds are placed at the blocks' first elements, so that even sides work too, and the ones are counted without
torchvision's 1e-6.
"""

import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F

from dropouts import SEED, packed, philox, threshold
from oracle import JAX, TORCH, File, agree, draw, stored


def op(p, sizes, block, **changes):
    n, c, h, w = sizes
    base = {
        "dtype": "f32",
        "space": {"n": n, "c": c, "s": h * w, "layout": "channels_first"},
        "width": w,
        "block": block,
        "p": p,
        "key": {"seed": SEED, "stream": 1, "step": 7, "first_element": 0},
        "share": "element",
        "mask": "recompute",
    }
    return base | changes


def seeds(fields, shape):
    """1 where a block begins: in all places of the images, whether it fits or not."""
    n, c, h, w = shape
    b, key, two = fields["block"], fields["key"], np.uint64(2)
    gamma = fields["p"] * h * w / (b**2 * (h - b + 1) * (w - b + 1))
    own = {"element": (n, c), "position": (n, 1), "batch_element": (1, c), "batch_position": (1, 1)}[fields["share"]]
    first = key["first_element"] * own[1] // c if own[0] == n else 0
    i = np.arange(own[0] * own[1] * h * w, dtype=np.uint64) + np.uint64(first)
    words = philox(i >> two, key["seed"], key["stream"], key["step"])[np.arange(len(i)), (i & np.uint64(3)).astype(int)]
    return (words.astype(np.uint64) >= np.uint64(threshold(gamma, 32))).reshape(*own, h, w).astype(np.float64)


def cases():
    sizes = (2, 2, 4, 5)
    yield "block 3", op(0.2, sizes, 3)
    yield "block 2, channels last", op(0.3, sizes, 2, space={"n": 2, "c": 2, "s": 20, "layout": "channels_last"})
    second = {"seed": SEED, "stream": 2, "step": 8, "first_element": 80}
    yield "the same blocks in all channels", op(0.4, sizes, 3, share="position", key=second, mask="store")
    yield "the same blocks in all samples", op(0.3, sizes, 3, share="batch_element", mask="store")
    yield "p = 1 with blocks of 1", op(1.0, sizes, 1, mask="store")


def files():
    forward, backward = File("drop_block"), File("drop_block_backward")
    for case, (name, fields) in enumerate(cases()):
        shape = (2, 2, 4, 5)
        n, c, h, w = shape
        b = fields["block"]
        begins = seeds(fields, shape)[:, :, : h - b + 1, : w - b + 1]
        x, dy = draw(350 + case, *shape), draw(360 + case, *shape)

        # A block ends b - 1 further: the largest seed of the b × b places up to an element.
        kept = 1 - F.max_pool2d(F.pad(torch.tensor(begins), [b - 1] * 4), b, stride=1)
        ones = kept.sum()
        factor = kept.numel() / ones if ones else torch.tensor(0.0)
        xt = torch.tensor(x, requires_grad=True)
        yt = xt * kept * factor
        (dxt,) = torch.autograd.grad(yt, xt, torch.tensor(dy))

        window = jax.lax.reduce_window(
            jnp.pad(jnp.asarray(begins), [(0, 0), (0, 0), (b - 1, b - 1), (b - 1, b - 1)]),
            -jnp.inf, jax.lax.max, (1, 1, b, b), (1, 1, 1, 1), "VALID",
        )
        mask = 1 - window
        scale = jnp.where(mask.sum() > 0, mask.size / jnp.maximum(mask.sum(), 1), 0.0)
        yj, pull = jax.vjp(lambda x: x * mask * scale, jnp.asarray(x))
        (dxj,) = pull(jnp.asarray(dy))
        agree(name, yt.detach(), yj)
        agree(name, dxt, dxj)
        last = fields["space"]["layout"] == "channels_last"
        flat = lambda v: np.moveaxis(np.asarray(v).reshape(n, c, -1), 1, 2 if last else 1).ravel()
        bits = {"mask": packed(kept.numpy().ravel() > 0)} if fields["mask"] == "store" else {}
        for framework, y, factors in ((TORCH, yt.detach(), factor), (JAX, yj, scale)):
            result = {"y": flat(y), "factor": np.asarray([float(factors)])}
            forward.add(name, framework, (fields | {"training": True}, {"x": flat(x)}, result | bits))
            # The gradient for the factor that the forward pass stored.
            held = stored(float(factors))
            dx = (torch.tensor(dy) * kept * held).numpy() if framework == TORCH else np.asarray(jnp.asarray(dy) * mask * held)
            assert np.abs(dx - np.asarray(dxt)).max() <= 1e-6 * max(1, held)
            backward.add(name, framework, (fields, {"dy": flat(dy), "factor": np.asarray([held])} | bits, {"dx": flat(dx)}))
    return [forward, backward]
