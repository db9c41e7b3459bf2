"""Alpha dropout, zoneout and drop-connect: the frameworks' formulas fed with our mask (`dropouts.keeps`).

`conventions` shows on draws of PyTorch's own that its alpha_dropout computes that formula.
"""

import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F

from dropouts import SEED, keeps, packed, threshold
from oracle import JAX, TORCH, File, agree, draw

ALPHA = 1.7580993408473766
LAST = {"n": 3, "c": 4, "s": 5, "layout": "channels_last"}
FIRST = LAST | {"layout": "channels_first"}


def op(p, **changes):
    base = {
        "dtype": "f32",
        "space": FIRST,
        "p": p,
        "key": {"seed": SEED, "stream": 1, "step": 7, "first_element": 0},
        "share": "element",
        "bits": "sixteen",
        "mask": "recompute",
    }
    assert not set(changes) - set(base)
    return base | changes


def realised(fields):
    """The probability of dropping that the mask's bits realise."""
    bits = 16 if fields["bits"] == "sixteen" else 32
    return 1 - threshold(fields["p"], bits) / (1 << bits)


def cases():
    yield "p = 0.2", op(0.2)
    yield "p = 0.05, 32 bits", op(0.05, bits="thirty_two")
    yield "mask per channel, channels last", op(0.5, share="channel", space=LAST)
    yield "stored mask", op(0.5, mask="store")
    yield "p = 0", op(0.0)
    yield "p = 1", op(1.0)


def both(forward, backward, inputs, outputs, name, fields, xs, dys, torch_map, jax_map):
    """Values and gradients of a map by both frameworks: `inputs` and `outputs` name arguments and gradients."""
    kept = keeps(fields)
    mask = {"mask": packed(kept)} if fields["mask"] == "store" and fields.get("training", True) else {}
    ts = [torch.tensor(x, requires_grad=True) for x in xs]
    yt = torch_map(torch.tensor(kept), *ts)
    dts = torch.autograd.grad(yt, ts, torch.tensor(dys))
    yj, pull = jax.vjp(lambda *x: jax_map(jnp.asarray(kept), *x), *map(jnp.asarray, xs))
    djs = pull(jnp.asarray(dys))
    agree(name, yt.detach(), yj)
    for a, b in zip(dts, djs):
        agree(name, a, b)
    for framework, y, ds in ((TORCH, yt.detach().numpy(), [d.numpy() for d in dts]), (JAX, np.asarray(yj), [np.asarray(d) for d in djs])):
        forward.add(name, framework, (fields, dict(zip(inputs, xs)), {outputs["y"]: y} | mask))
        gradients = {k: v for k, v in fields.items() if k in outputs["fields"]}
        backward.add(name, framework, (gradients, {outputs["dy"]: dys} | mask, dict(zip(outputs["dx"], ds))))


FIELDS = set(op(0.0))


def alpha(forward, backward):
    for i, (name, fields) in enumerate(cases()):
        p = realised(fields)
        x, dy = draw(150 + i, 60), draw(170 + i, 60)

        # As in ATen's _dropout_impl, with the noise given.
        def torch_map(kept, x, p=p):
            if p == 1:
                return x * 0.0
            a = 1 / np.sqrt((ALPHA * ALPHA * p + 1) * (1 - p))
            noise = kept.to(torch.float64)
            b = (noise - 1) * (ALPHA * a) + ALPHA * a * p
            return x * (noise * a) + b

        # As in Keras' AlphaDropout.
        def jax_map(kept, x, p=p):
            if p == 1:
                return 0.0 * x
            a = ((1 - p) * (1 + p * ALPHA**2)) ** -0.5
            return a * jnp.where(kept, x, -ALPHA) + a * ALPHA * p

        outputs = {"y": "y", "dy": "dy", "dx": ["dx"], "fields": FIELDS}
        both(forward, backward, ["x"], outputs, name, fields, [x], dy, torch_map, jax_map)


def zone(forward, backward):
    all_cases = [(name, fields | {"training": True}) for name, fields in cases()]
    all_cases += [(f"{name}, after training", fields | {"training": False}) for name, fields in list(cases())[:2]]
    for i, (name, fields) in enumerate(all_cases):
        p = realised(fields)
        x, previous, dy = draw(190 + i, 60), draw(210 + i, 60), draw(230 + i, 60)

        def torch_map(kept, x, previous, p=p, training=fields["training"]):
            return torch.where(kept, x, previous) if training else torch.lerp(x, previous, p)

        def jax_map(kept, x, previous, p=p, training=fields["training"]):
            return jnp.where(kept, x, previous) if training else (1 - p) * x + p * previous

        outputs = {"y": "y", "dy": "dy", "dx": ["dx", "dprevious"], "fields": FIELDS | {"training"}}
        both(forward, backward, ["x", "previous"], outputs, name, fields, [x, previous], dy, torch_map, jax_map)


def conventions():
    """PyTorch's own draws, recognised by the value that dropped elements take, give that formula."""
    torch.manual_seed(2)
    x, p = torch.randn(10_000), 0.3
    a = 1 / np.sqrt((ALPHA * ALPHA * p + 1) * (1 - p))
    low = -ALPHA * a + ALPHA * a * p
    y = F.alpha_dropout(x, p, training=True).numpy()
    dropped = np.abs(y - low) < 1e-12
    assert abs(dropped.mean() - p) < 0.03
    agree("alpha", y[~dropped], a * x.numpy()[~dropped] + a * ALPHA * p)
    assert (F.alpha_dropout(x, 1.0, training=True) == 0).all(), "p = 1 gives zeros"
    assert (F.alpha_dropout(x, 0.0, training=True) == x).all()
    whole = F.feature_alpha_dropout(torch.ones(64, 16, 25), p, training=True).numpy()
    assert (whole == whole[:, :, :1]).all() and len(np.unique(whole)) == 2


def files():
    names = ("alpha_dropout", "alpha_dropout_backward", "zoneout", "zoneout_backward")
    files = [File(name) for name in names]
    alpha(*files[:2])
    zone(*files[2:4])
    conventions()
    return files
