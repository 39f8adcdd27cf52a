"""Paper 51: stationary representations."""

import torch
import torch.nn.functional as F
from oracle import let, near, write

torch.manual_seed(51)
n, d, mu = 5, 3, 10.0
old = F.normalize(torch.randn(n, d), dim=1)
raw = torch.randn(n, d, requires_grad=True)
label = torch.tensor([0, 1, 0, 2, 1])
new = F.normalize(raw, dim=1)
a = mu * old @ new.T
same = label[:, None] == label
itself = torch.eye(n, dtype=torch.bool)
plain = (torch.logsumexp(a.masked_fill(same, 0), 1) - a.diagonal()).mean()
masked = (torch.logsumexp(a.masked_fill(same & ~itself, -torch.inf), 1) - a.diagonal()).mean()


def gradient(loss):
    return torch.autograd.grad(loss, raw, retain_graph=True)[0]


k = 6
corners = torch.cat([torch.eye(k - 1), torch.full((1, k - 1), (1 - (k**0.5)) / (k - 1))])
vertices = F.normalize(corners - corners.mean(0), dim=1)

call = "higher_order_compatibility[I, D, C](old, normalize(raw, D), label)"
other = call.replace("label)", "label, masked = true)")
write(
    "stationary.py",
    ["use std.loss (higher_order_compatibility, simplex)"],
    "representations under two models",
    [
        "  axis I = 5, D = 3, C = 3, K = 6, E = 5",
        let("old", "Float[I, D]", old),
        let("raw", "Float[I, D]", raw),
        let("label", "C[I]", label),
        near(call, None, plain.item()),
        near(f"grad({call}, raw)", "Float[I, D]", gradient(plain)),
        near(other, None, masked.item()),
        near(f"grad({other}, raw)", "Float[I, D]", gradient(masked)),
        near("simplex[K, E]()", "Float[K, E]", vertices),
    ],
)
