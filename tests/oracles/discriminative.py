"""Paper 16: direct discriminative optimization."""

import torch
import torch.nn.functional as F
from oracle import let, near, write

torch.manual_seed(16)
i, j, d = 4, 3, 3
said, before, noise = torch.randn(i, d, requires_grad=True), torch.randn(i, d), torch.randn(i, d)
drawn = torch.randn(j, requires_grad=True)
gap = -((said - noise).square().sum(1) - (before - noise).square().sum(1))
loss = F.softplus(-0.7 * gap).mean() + 0.4 * F.softplus(0.7 * drawn).mean()
by_said, by_drawn = torch.autograd.grad(loss, [said, drawn])

x, y = torch.randn(6, 2), 1.5 * torch.randn(5, 2) + 0.3
s1, s2 = torch.cov(x.T, correction=0), torch.cov(y.T, correction=0)
values, vectors = torch.linalg.eigh(s1)
root = vectors @ torch.diag(values.sqrt()) @ vectors.T
cross = torch.linalg.eigvalsh(root @ s2 @ root).clamp(min=0).sqrt().sum()
distance = (x.mean(0) - y.mean(0)).square().sum() + torch.trace(s1 + s2) - 2 * cross

call = "discriminative[I, J](denoising_gap[D](said, before, noise), drawn, alpha = 0.4, beta = 0.7)"
write(
    "discriminative.py",
    ["use std.loss (denoising_gap, discriminative)", "use std.metric (frechet_distance)"],
    "telling data from samples",
    [
        "  axis I = 4, J = 3, D = 3, A = 6, B = 5, E = 2",
        let("said", "Float[I, D]", said),
        let("before", "Float[I, D]", before),
        let("noise", "Float[I, D]", noise),
        let("drawn", "Float[J]", drawn),
        near("denoising_gap[D](said, before, noise)", "Float[I]", gap),
        near(call, None, loss.item()),
        near(f"grad({call}, said)", "Float[I, D]", by_said),
        near(f"grad({call}, drawn)", "Float[J]", by_drawn),
        let("x", "Float[A, E]", x),
        let("y", "Float[B, E]", y),
        near("frechet_distance[A, B, E](x, y)", None, distance.item()),
    ],
)
