"""What the scripts share: how arrays and tests are written in Ansatz."""

import torch

torch.set_default_dtype(torch.float64)


def shown(x):
    """A number, a truth value or a list, to twelve digits."""
    if isinstance(x, torch.Tensor):
        x = x.detach().tolist()
    if isinstance(x, (list, tuple)):
        return "[" + ", ".join(shown(part) for part in x) + "]"
    if isinstance(x, bool):
        return "true" if x else "false"
    return f"{x:.12g}" if "e" not in f"{x:.12g}" else f"{x:.15f}"


def let(name, kind, x):
    return f"  let {name}: {kind} = {shown(x)}"


def near(expression, kind, x, count=[0]):
    """Asserts a number, or an array through a name of its own."""
    if kind is None:
        return [f"  assert {expression} ~= {shown(x)} within 1e-5"]
    count[0] += 1
    return [let(f"expected_{count[0]}", kind, x), f"  assert {expression} ~= expected_{count[0]} within 1e-5"]


def write(script, uses, title, lines):
    print(f"//! Written by {script}; see README.md.\n")
    for use in uses:
        print(use)
    print(f'\ntest "{title}" {{')
    for line in lines:
        print("\n".join(line) if isinstance(line, list) else line)
    print("}")
