#!/usr/bin/env python3
"""Writes what the experiments of this folder read, to data/: one safetensors file a workload.

    python prepare.py --bench ../../../shared/bench              # all
    python prepare.py --bench ../../../shared/bench --workloads W1,W2

`--bench` is the folder of the benchmark that holds workloads.py, which defines data, initial parameters and the order of
the rows; `--data` the folder of its data sets. A file holds the columns, `order` (the rows of all steps of a default run,
one after the other), and the initial parameters by their names there. Needs NumPy only.
"""
from __future__ import annotations

import argparse
import json
import struct
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
TYPES = {"float32": "F32", "int32": "I32"}
BLOCKS = 8  # one untimed and seven timed


def write(path: Path, arrays: dict) -> None:
    """The safetensors format: the length of a JSON header, the header, the arrays."""
    header, parts, at = {}, [], 0
    for name, array in arrays.items():
        array = np.ascontiguousarray(array)
        raw = array.tobytes()
        header[name] = {"dtype": TYPES[str(array.dtype)], "shape": list(array.shape),
                        "data_offsets": [at, at + len(raw)]}
        parts.append(raw)
        at += len(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join([struct.pack("<Q", len(text)), text, *parts]))


def stepped(definition, data: Path) -> dict:
    """Columns, the order of rows, parameters."""
    columns = definition.data(data)
    order = definition.batches(columns, 1 + BLOCKS * definition.block)
    keep = {name: array for name, array in columns.items() if not name.endswith("_test")}
    return keep | {"order": order.reshape(-1)} | definition.params()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bench", type=Path, required=True, help="folder of workloads.py")
    parser.add_argument("--data", type=Path, help="folder of data sets (default: data beside --bench)")
    parser.add_argument("--workloads", help="only these, such as W1,W2")
    args = parser.parse_args()
    sys.path.insert(0, str(args.bench.resolve()))
    import workloads

    data = args.data or args.bench.resolve().parent / "data"
    names = args.workloads.split(",") if args.workloads else list(workloads.STEPPED)
    for name in names:
        arrays = stepped(workloads.WORKLOADS[name], data)
        write(HERE / "data" / f"{name}.safetensors", arrays)
        print(f"{name}: {sum(a.nbytes for a in arrays.values()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
