"""The PyTorch peers of the benchmark on a GPU: eager, compiled, and compiled with CUDA graphs.

    python peer_gpu.py --bench DIR --workloads W1,W2 [--check] [--modes eager,compile,graphs]

DIR is the folder of the benchmark (peer_torch.py, workloads.py, expected.json). One JSON line a workload and mode: microseconds a
step, the median of 7 blocks after an untimed one, each ended by fetching its last loss; arithmetic is f32 throughout (no TF32), unless
`--bf16` runs the steps under autocast. `losses` are the first 20, for comparison with expected.json.
"""
from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bench", type=Path, required=True)
    parser.add_argument("--data", type=Path, help="folder of data sets (default: beside the benchmark)")
    parser.add_argument("--workloads", default="W1,W2,W3,W4,W5,W6,W7,W8,W10")
    parser.add_argument("--modes", default="eager,compile,graphs")
    parser.add_argument("--bf16", action="store_true")
    return parser.parse_args()


def main():
    args = arguments()
    sys.path.insert(0, str(args.bench))
    import torch
    import peer_torch
    import workloads

    torch.set_default_device("cuda")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    data_folder = args.data or args.bench.parent / "data"
    expected = json.loads((args.bench / "expected.json").read_text())

    def options(mode):
        chosen = {"guard_filter_fn": torch.compiler.skip_all_guards_unsafe}
        return chosen | ({"triton.cudagraphs": True} if mode == "graphs" else {})

    def time_blocks(run, block):
        run(1, block)
        times = []
        for number in range(1, 8):
            torch.cuda.synchronize()
            start = time.perf_counter()
            run(1 + number * block, block)
            torch.cuda.synchronize()
            times.append((time.perf_counter() - start) / block * 1e6)
        return sorted(times)[3]

    def trained(w, mode):
        data = w.data(data_folder)
        params, batches = w.params(), w.batches(data, 1 + 8 * block(w))
        p, d = peer_torch.layout(w, params, data, torch.float32)
        p = {k: v.cuda() for k, v in p.items()}
        d = {k: v.cuda() for k, v in d.items()}
        rows = torch.from_numpy(batches).long().cuda()
        torch._dynamo.reset()  # guards are skipped: what was compiled for another workload must not be met
        peer_torch.compile_step = lambda step: torch.compile(step, fullgraph=True, dynamic=False, options=options(mode))
        return (peer_torch.Eager if mode == "eager" else peer_torch.Compiled)(w, p, d, rows)

    def block(w):
        return min(max(w.block, 20), 200)

    def product(_mode):
        a, b = (torch.from_numpy(v).cuda() for v in workloads.contraction_arrays().values())
        a, b = (a.bfloat16(), b.bfloat16()) if args.bf16 else (a, b)
        out = torch.empty(1024, 1024, dtype=a.dtype)

        def run(_start, n):
            for _ in range(n):
                torch.mm(a, b, out=out)
            return out[0, 0].item()

        return run

    for name in args.workloads.split(","):
        w = workloads.WORKLOADS[name]
        for mode in ["eager"] if name == "W12" else args.modes.split(","):
            line = {"workload": name, "impl": f"torch-{mode}", "bf16": args.bf16}
            start = time.perf_counter()
            try:
                with torch.autocast("cuda", torch.bfloat16, enabled=args.bf16):
                    if name == "W12":
                        line["us_per_step"] = round(time_blocks(product(mode), 200), 2)
                    else:
                        losses = trained(w, mode).run(0, 20, keep=True)
                        error = max(abs(a - b) / abs(b) for a, b in zip(losses, expected[name], strict=True))
                        line |= {"error": error}
                        line["us_per_step"] = round(time_blocks(trained(w, mode).run, block(w)), 2)
            except Exception as failure:  # one mode that does not work is no reason to lose the others
                line["failed"] = f"{type(failure).__name__}: {str(failure)[:300]}"
            line["seconds"] = round(time.perf_counter() - start, 1)
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
