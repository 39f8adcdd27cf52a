"""Paper 32: supervised contrastive and multi-similarity losses."""

import torch
import torch.nn.functional as F
from oracle import let, near, write

torch.manual_seed(32)
n, d = 7, 3
raw = torch.randn(n, d, requires_grad=True)
label = torch.tensor([0, 1, 0, 1, 2, 0, 2])
z = F.normalize(raw, dim=1)
s = z @ z.T
same = label[:, None] == label
itself = torch.eye(n, dtype=torch.bool)
positive = same & ~itself

log_share = s / 0.3 - torch.logsumexp((s / 0.3).masked_fill(itself, -torch.inf), 1, keepdim=True)
supcon = (-(log_share * positive).sum(1) / positive.sum(1)).mean()

nearest = s.masked_fill(same, -torch.inf).max(1, keepdim=True).values
farthest = s.masked_fill(~positive, torch.inf).min(1, keepdim=True).values
near_pairs = positive & (s < nearest + 0.1)
far_pairs = ~same & (s > farthest - 0.1)
mined = (
    torch.log1p((torch.exp(-2 * (s - 0.5)) * near_pairs).sum(1)) / 2
    + torch.log1p((torch.exp(10 * (s - 0.5)) * far_pairs).sum(1)) / 10
).mean()


def gradient(loss):
    return torch.autograd.grad(loss, raw, retain_graph=True)[0]


with torch.no_grad():
    distance = torch.cdist(z, z)
    widths = []
    for i in range(n):
        own = distance[i][positive[i]].mean()
        other = min(distance[i][label == c].mean() for c in range(3) if c != label[i])
        widths.append((other - own) / max(own, other))
    silhouette = sum(widths) / n

in_ansatz = {
    "supcon": "mean(supcon[I, D, C](normalize(raw, D), label, temperature = 0.3), I)",
    "mined": "mean(multi_similarity[I, J](sum(normalize(raw, D) * normalize(raw, D)[I as J], D), label == label[I as J], beta = 10, margin = 0.1), I)",
}
write(
    "metric_learning.py",
    ["use std.loss (multi_similarity, supcon)", "use std.metric (silhouette)"],
    "seven items of three classes",
    [
        "  axis I = 7, J = I, D = 3, C = 3",
        let("raw", "Float[I, D]", raw),
        let("label", "C[I]", label),
        near(in_ansatz["supcon"], None, supcon.item()),
        near(f"grad({in_ansatz['supcon']}, raw)", "Float[I, D]", gradient(supcon)),
        near(in_ansatz["mined"], None, mined.item()),
        near(f"grad({in_ansatz['mined']}, raw)", "Float[I, D]", gradient(mined)),
        near("silhouette[I, D, C](normalize(raw, D), label)", None, silhouette.item()),
    ],
)
