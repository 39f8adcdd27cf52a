"""Paper 10: supervised fine-tuning or contrastive learning for reranking."""

import torch
import torch.nn.functional as F
from oracle import let, near, write

torch.manual_seed(10)
n, d = 5, 4
h = torch.randn(n, d, requires_grad=True)
m_yes, m_no = torch.randn(d), torch.randn(d)
relevant = torch.tensor([False, False, True, False, False])
target = relevant.double()
yes, no = h @ m_yes, h @ m_no

contrastive = F.cross_entropy(yes[None], torch.tensor([2]))
pairs = torch.stack([no, yes], 1)
supervised = F.cross_entropy(pairs, relevant.long(), reduction="sum")
w_contrastive = (F.softmax(yes, 0) - target).abs().detach()
w_supervised = (F.softmax(pairs, 1)[:, 1] - target).abs().detach()
sign = 1 - 2 * target


def gradient(loss):
    return torch.autograd.grad(loss, h, retain_graph=True)[0]


crossed = (sign * w_supervised * yes).sum()
other = (sign * w_contrastive * (yes - no)).sum()
score = yes - no
order = torch.argsort(score, descending=True)
place = int((order == 2).nonzero()) + 1
ndcg = 1.0 / torch.log2(torch.tensor(place + 1.0))

score_list = "rerank_contrastive, rerank_supervised, contrastive_weight, supervised_weight, unified_reranking"
write(
    "reranking.py",
    [f"use std.loss ({score_list})", "use std.metric (ndcg)"],
    "reranking",
    [
        "  axis I = 5, D = 4",
        let("h", "Float[I, D]", h),
        let("m", "Float[D]", m_yes),
        let("n", "Float[D]", m_no),
        let("relevant", "Bool[I]", relevant),
        "  let yes = sum(h * m, D)",
        "  let no = sum(h * n, D)",
        near("rerank_contrastive(yes, relevant)", None, contrastive.item()),
        near("grad(rerank_contrastive(yes, relevant), h)", "Float[I, D]", gradient(contrastive)),
        near("rerank_supervised(yes, no, relevant)", None, supervised.item()),
        near("grad(rerank_supervised(yes, no, relevant), h)", "Float[I, D]", gradient(supervised)),
        near("contrastive_weight(yes, relevant)", "Float[I]", w_contrastive),
        near("supervised_weight(yes, no, relevant)", "Float[I]", w_supervised),
        near("unified_reranking(yes, supervised_weight(yes, no, relevant), relevant)", None, crossed.item()),
        near("grad(unified_reranking(yes, supervised_weight(yes, no, relevant), relevant), h)", "Float[I, D]", gradient(crossed)),
        near("grad(unified_reranking(yes - no, contrastive_weight(yes, relevant), relevant), h)", "Float[I, D]", gradient(other)),
        near("ndcg[I](yes - no, number(relevant))", None, ndcg.item()),
    ],
)
