"""cuDNN's layer norm and RMS norm by the Python package nvidia-cudnn-frontend, where that can be imported and CUDA is there.

Not yet run on a GPU: written after the package's samples (samples/python/20, 21 and 29) and its benchmark of norms; version 1.32
accepts the graphs as they are defined here. Rows lie as rows x cols x 1 x 1, statistics are in f32, and the forward pass writes
them, as a training step needs them.
"""

import functools

import torch

try:
    import cudnn
except (ImportError, OSError):  # The second where the package is there and cuDNN's library is not.
    cudnn = None

EPS = 1e-5


@functools.cache
def handle():
    return cudnn.create_handle()


class Plan:
    """A graph for tensors of one shape: `define(graph, inputs)` gives its results by name."""

    def __init__(self, inputs, dtypes, define):
        self.graph = cudnn.pygraph(
            handle=handle(), intermediate_data_type=cudnn.data_type.FLOAT, compute_data_type=cudnn.data_type.FLOAT
        )
        self.inputs = {name: self.graph.tensor_like(tensor) for name, tensor in inputs.items()}
        self.outputs = define(self.graph, self.inputs)
        for name, output in self.outputs.items():
            output.set_output(True).set_data_type(dtypes[name])
        self.graph.validate()
        self.graph.build_operation_graph()
        self.graph.create_execution_plans([cudnn.heur_mode.A, cudnn.heur_mode.FALLBACK])
        self.graph.check_support()
        self.graph.build_plans()
        self.workspace = torch.empty(max(1, self.graph.get_workspace_size()), dtype=torch.uint8, device="cuda")

    def __call__(self, inputs, outputs):
        cudnn.set_stream(handle=handle(), stream=torch.cuda.current_stream().cuda_stream)
        memory = {self.inputs[name]: tensor for name, tensor in inputs.items()}
        memory.update({self.outputs[name]: tensor for name, tensor in outputs.items()})
        self.graph.execute(memory, self.workspace, handle=handle())


def rows(t):
    return t.view(*t.shape, 1, 1)


def row(t):
    return t.view(1, -1, 1, 1)


def variant(build):
    """A builder of calls under its name, none where there is no cuDNN."""
    return {"cudnn": build} if cudnn and torch.cuda.is_available() else {}


def forward(layer):
    """Calls with x, weight and, of layer norm, bias."""

    def build():
        plans, eps = [], torch.full((1, 1, 1, 1), EPS)

        def define(graph, t):
            phase, bias = cudnn.norm_forward_phase.TRAINING, t.get("bias")
            kind = graph.layernorm if layer else graph.rmsnorm
            made = kind(name="norm", norm_forward_phase=phase, input=t["x"], scale=t["weight"], bias=bias, epsilon=t["eps"])
            return dict(zip(("y", "mean", "rstd") if layer else ("y", "rstd"), made))

        def run(x, weight, bias=None):
            inputs = {"x": rows(x), "weight": row(weight), "eps": eps, **({"bias": row(bias)} if layer else {})}
            if not plans:
                plans.append(Plan(inputs, {"y": x.dtype, "mean": torch.float32, "rstd": torch.float32}, define))
            y = torch.empty_like(x)
            kept = {name: torch.empty(x.shape[0], 1, 1, 1, device=x.device) for name in plans[0].outputs if name != "y"}
            plans[0](inputs, {"y": rows(y), **kept})
            return y

        return run

    return variant(build)


def backward(layer):
    """Calls with dy, x, weight and, of layer norm, bias; the statistics of a set of inputs are made before its first call."""

    def statistics(x):
        x = x.float()
        mean = x.mean(1) if layer else torch.zeros_like(x[:, 0])
        rstd = ((x - mean.view(-1, 1)).square().mean(1) + EPS).rsqrt()
        kept = {"rstd": rstd, **({"mean": mean} if layer else {})}
        return {name: t.view(-1, 1, 1, 1) for name, t in kept.items()}

    def build():
        plans, kept = [], {}

        def define(graph, t):
            common = {"name": "gradient", "grad": t["dy"], "input": t["x"], "scale": t["weight"], "inv_variance": t["rstd"]}
            if layer:
                return dict(zip(("dx", "dweight", "dbias"), graph.layernorm_backward(**common, mean=t["mean"])))
            return dict(zip(("dx", "dweight"), graph.rmsnorm_backward(**common, has_dbias=False)))

        def run(dy, x, weight, bias=None):
            key = x.data_ptr()
            if key not in kept:
                kept[key] = statistics(x)
            inputs = {"dy": rows(dy), "x": rows(x), "weight": row(weight), **kept[key]}
            if not plans:
                plans.append(Plan(inputs, {"dx": x.dtype, "dweight": weight.dtype, "dbias": weight.dtype}, define))
            dx, vectors = torch.empty_like(x), [torch.empty_like(weight) for _ in range(2 if layer else 1)]
            plans[0](inputs, {"dx": rows(dx), **{name: row(v) for name, v in zip(("dweight", "dbias"), vectors)}})
            return dx, *vectors

        return run

    return variant(build)
