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
    return kept(columns) | {"order": order.reshape(-1)} | layout(definition.name, definition.params())


def kept(columns: dict) -> dict:
    return {name: array for name, array in columns.items() if not name.endswith("_test")}


def layout(name: str, params: dict) -> dict:
    """The parameters under the names and in the shapes of our layers."""
    if name == "W4":
        return {key: array for key, value in params.items() for key, array in block_arrays(key, value)}
    if name == "W5":
        head = {key: params[key] for key in ("head.weight", "head.bias")}
        return head | {"embedding.table": params["embedding"]} | both_ways(params)
    return params


def block_arrays(key: str, value: np.ndarray, heads: int = 4):
    """W4: queries, keys and values apart, by heads; scales and shifts as LayerNorm calls them."""
    path, _, last = key.rpartition(".")
    block, _, part = path.rpartition(".")
    if part == "qkv":
        suffix = "" if last == "weight" else "_bias"
        for name, third in zip(("query", "key", "value"), np.split(value, 3, axis=-1)):
            yield f"{block}.attention.{name}{suffix}", third.reshape(*third.shape[:-1], heads, -1)
    elif part == "out":
        weight = last == "weight"
        yield f"{block}.attention.out{'' if weight else '_bias'}", value.reshape(heads, -1, 64) if weight else value
    elif part in ("up", "down"):
        yield f"{block}.dense.{'first' if part == 'up' else 'last'}{'' if last == 'weight' else '_bias'}", value
    else:
        yield key.replace(".shift", ".offset"), value


def both_ways(params: dict) -> dict:
    """W5: [in, gate, out] of the two directions side by side, the second axis the direction."""
    found = {}
    for ours, theirs in (("input", "input"), ("recurrent", "hidden")):
        for suffix, last in (("", "weight"), ("_bias", "bias")):
            ways = [params[f"{way}.{theirs}.{last}"] for way in ("forward", "backward")]
            ways = [way.reshape(*way.shape[:-1], 3, -1) for way in ways]
            found[f"states.{ours}{suffix}"] = np.stack(ways, axis=ways[0].ndim - 2)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bench", type=Path, required=True, help="folder of workloads.py")
    parser.add_argument("--data", type=Path, help="folder of data sets (default: data beside --bench)")
    parser.add_argument("--workloads", help="only these, such as W1,W2")
    args = parser.parse_args()
    sys.path.insert(0, str(args.bench.resolve()))
    import workloads

    data = args.data or args.bench.resolve().parent / "data"
    names = args.workloads.split(",") if args.workloads else [*workloads.STEPPED, "W9"]
    for name in names:
        definition = workloads.WORKLOADS[name]
        arrays = definition.data(data) if name == "W9" else stepped(definition, data)
        write(HERE / "data" / f"{name}.safetensors", arrays)
        print(f"{name}: {sum(a.nbytes for a in arrays.values()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
