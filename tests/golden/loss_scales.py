"""Loss scaling: PyTorch's GradScaler by the functions that it calls, Flax's DynamicScale."""

import flax
import jax.numpy as jnp
import numpy as np
import torch
from flax.training.dynamic_scale import DynamicScale

from oracle import JAX, TORCH, File, draw, segment

FLAX = f"Flax {flax.__version__}, {JAX}"
# Three tensors with gaps whose contents must stay, and count for nothing.
SEGMENTS = [segment(0, 17), segment(20, 3), segment(24, 16)]
LEN = 40
LIVE = np.concatenate([np.arange(s["start"], s["start"] + s["len"]) for s in SEGMENTS])


def by_torch(g, scale):
    """unscale_ of GradScaler: (gradients, whether it found anything)."""
    tensors = [torch.tensor(g[s["start"] : s["start"] + s["len"]]) for s in SEGMENTS]
    found = torch.zeros(1, dtype=torch.float32)
    inverse = torch.full((1,), scale, dtype=torch.float32).double().reciprocal().float()
    torch._amp_foreach_non_finite_check_and_unscale_(tensors, found, inverse)
    out = np.array(g)
    out[LIVE] = np.concatenate([t.numpy() for t in tensors])
    return out, float(found)


def by_flax(g, scale):
    """DynamicScale's division, of a loss whose gradient is `g`, which Flax multiplies with the scale first; in float32."""
    value, state = jnp.asarray(g[LIVE] / scale, jnp.float32), DynamicScale(scale=scale)
    new, finite, _, grad = state.value_and_grad(lambda w: jnp.sum(w * value))(jnp.zeros(len(LIVE), jnp.float32))
    out = np.array(g)
    out[LIVE] = np.asarray(grad)
    return out, 0.0 if finite else 1.0


def unscale(file):
    # Powers of two, so that PyTorch's inverse in float32 and Flax's float32 are exact.
    for n, scale in enumerate((65536.0, 0.25)):
        g = draw(30 + n, LEN, spread=scale)
        # Both find what is infinite, and not what lies between the tensors. Infinities have no distance for the test to compare,
        # so the values below are without.
        for broken in (False, True):
            odd = np.array(g)
            odd[[17, 23]] = np.inf, -np.inf
            odd[21] = np.inf if broken else 0.0
            assert by_torch(odd, scale)[1] == by_flax(odd, scale)[1] == float(broken)
        for framework, rule in (
            (f"{TORCH}, _amp_foreach_non_finite_check_and_unscale_", by_torch),
            (f"{FLAX}, DynamicScale", by_flax),
        ):
            out, found = rule(g, scale)
            expected = {"grad": out, "found": np.array([found], np.uint32)}
            for name, given, inputs in (("host", scale, {"grad": g}), ("GPU", None, {"grad": g, "scale": [scale]})):
                fields = {"dtype": "f32", "segments": SEGMENTS, "scale": given}
                file.add(f"by {scale:g}, {name}", framework, (fields, inputs, expected))


def torch_updates(fields, scale, finds):
    """Steps of torch.amp.GradScaler.update."""
    s, tracker = torch.tensor([scale], dtype=torch.float32), torch.zeros(1, dtype=torch.int32)
    for found in finds:
        torch._amp_update_scale_(
            s,
            tracker,
            torch.tensor([float(found)], dtype=torch.float32),
            fields["growth_factor"],
            fields["backoff_factor"],
            fields["growth_interval"],
        )
        yield float(s), int(tracker)


def flax_updates(fields, scale, finds):
    """Steps of DynamicScale, by a loss whose gradient is infinite where something is to be found."""
    state = DynamicScale(
        growth_factor=fields["growth_factor"],
        backoff_factor=fields["backoff_factor"],
        growth_interval=fields["growth_interval"] - 1,
        minimum_scale=fields["min"],
        scale=jnp.float32(scale),
    )
    for found in finds:
        slope = jnp.float32(np.inf if found else 0.0)
        state, finite, *_ = state.value_and_grad(lambda w: w * slope)(jnp.float32(0.0))
        assert bool(finite) != bool(found)
        yield float(state.scale), int(state.fin_steps)


def updates(file):
    finds = [0, 0, 0, 1, 1, 0]
    usual = {"growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 3}
    largest = float(np.finfo(np.float32).max)
    for name, framework, rule, fields, start in (
        ("usual factors", f"{TORCH}, _amp_update_scale_", torch_updates, usual, 65536.0),
        ("usual factors", f"{FLAX}, DynamicScale", flax_updates, usual | {"min": None, "max": None}, 65536.0),
        ("other factors", f"{TORCH}, _amp_update_scale_", torch_updates, usual | {"growth_factor": 1.5, "backoff_factor": 0.25}, 3.0),
        ("end of the range", f"{TORCH}, _amp_update_scale_", torch_updates, usual | {"growth_interval": 1}, 2.0**126),
        ("both bounds", f"{FLAX}, DynamicScale", flax_updates, usual | {"min": 2.0**126, "max": largest}, 2.0**127),
        ("a minimum", f"{FLAX}, DynamicScale", flax_updates, usual | {"min": 1.0, "max": None}, 1.0),
    ):
        steps, inputs = [], {"scale": [start], "growth_tracker": np.array([0], np.uint32)}
        for found, (scale, tracker) in zip(finds, rule(fields, start, finds)):
            given = inputs | {"found": np.array([found], np.uint32)}
            steps.append((fields, given, {"scale": [scale], "growth_tracker": np.array([tracker], np.uint32)}))
            inputs = {}
        file.add(name, framework, *steps)


def files():
    out = [File("unscale"), File("update_loss_scale")]
    unscale(out[0])
    updates(out[1])
    return out
