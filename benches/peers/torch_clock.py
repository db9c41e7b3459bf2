"""How a call of PyTorch is timed: as it is, or as a CUDA graph that replays it.

On CUDA, events on the stream time `repeats` calls. Where the host takes longer to launch a call than the device takes to run it, events
show the host: `tiny` makes the same call so small that nothing but the host's share is left, the host floor. A CUDA graph replays the
kernels of a call with one launch, so that events show the kernels.
"""

import math
import statistics
import time

import torch

GRAPH = "-graph"  # ends the name of a variant that is replayed from a CUDA graph


class Replayed:
    """`run`, captured as a CUDA graph once for each set of inputs, and replayed from then on.

    Not yet run on a GPU: written after PyTorch's notes on CUDA graphs. A result stays where the capture put it, so each set of inputs
    has results of its own, as in ridgepole; eager calls get the same memory for their results again and again.
    """

    def __init__(self, run):
        self.run, self.captured = run, {}
        # Forward passes that a backward pass needs run on the stream of the capture: autograd stays on a forward pass's stream.
        self.stream = torch.cuda.Stream()
        self.pool = torch.cuda.graph_pool_handle()

    def __call__(self, *inputs):
        key = inputs[0].data_ptr()
        if key not in self.captured:
            self.captured[key] = self.capture(inputs)
        graph, outputs = self.captured[key]
        graph.replay()
        return outputs

    def capture(self, inputs):
        before = [t.clone(memory_format=torch.preserve_format) for t in inputs]
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            for _ in range(3):
                self.run(*inputs)
        torch.cuda.current_stream().wait_stream(self.stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self.pool, stream=self.stream):
            outputs = self.run(*inputs)
        # The warm-up has taken steps: the first replay shall be the first step, which is what the check expects.
        for t, old in zip(inputs, before):
            if not torch.equal(t, old):
                t.copy_(old)
        if hasattr(self.run, "reset"):
            self.run.reset()
        return graph, outputs


def tiny(op):
    """The same op on at most a few thousand elements and one tensor: what it costs is what the host does for a call."""
    small = {name: value for name, value in op.items() if name != "case"}
    if "space" in op:
        space = op["space"]
        small["space"] = {"n": min(space["n"], 2), "c": min(space["c"], 16), "s": min(space["s"], 64)}
    if isinstance(op.get("groups"), int):
        small["groups"] = min(op["groups"], 8)
    if "rows" in op:
        small["rows"] = min(op["rows"], 4)
    for name in ("cols", "classes"):
        if name in op:
            small[name] = min(op[name], 1024)
    if "segments" in op:
        small["segments"] = [{"start": 0, "len": 1024, "group": 0}]
    return small


def clock(device, call, repeats):
    if device.type == "cuda":
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for i in range(repeats):
            call(i)
        end.record()
        end.synchronize()
        return start.elapsed_time(end) * 1e-3 / repeats
    start = time.perf_counter()
    for i in range(repeats):
        call(i)
    return (time.perf_counter() - start) / repeats


def measure(make, bytes_, run, device, args):
    """Seconds of a call: the median and the quartiles. Calls go through as many sets of inputs as fill the working set."""
    count = math.ceil((args.working_set << 20) / bytes_) if bytes_ else 1
    sets = [make() for _ in range(min(64, max(1, count)))]
    call = lambda i: run(*sets[i % len(sets)])
    for i in range(max(3, len(sets))):
        call(i)
    once = max(clock(device, call, 1), 1e-7)
    repeats = min(1000, max(1, math.ceil(args.sample * 1e-3 / once)))
    # The clocks of a GPU that was idle rise while it works.
    begin = time.perf_counter()
    while device.type == "cuda" and time.perf_counter() - begin < 0.3:
        clock(device, call, repeats)
    times = [clock(device, call, repeats) for _ in range(args.rounds)]
    quartiles = statistics.quantiles(times, n=4, method="inclusive") if len(times) > 1 else [times[0]] * 3
    return quartiles[1], quartiles[0], quartiles[2]
