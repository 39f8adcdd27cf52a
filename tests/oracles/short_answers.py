"""Paper 30: DRPO."""

import torch
from oracle import let, near, write

torch.manual_seed(30)
n, budget, lam, tau = 6, 16, 0.3, 1.0
score = (-torch.rand(n) * 2).requires_grad_()
length = torch.randint(2, 16, (n,)).double()
right = torch.tensor([True, False, True, True, False, False])
weight = torch.softmax((1 - length[right] / budget) / lam, 0)
negative = tau * (torch.logsumexp(score[~right] / tau, 0) - torch.log(torch.tensor(3.0)))
loss = negative - (weight * score[right]).sum()
(slope,) = torch.autograd.grad(loss, score)

reward = right.double()
z = (length - length.mean()) / length.std(correction=0)
penalised = reward * (1 - 0.4 * torch.sigmoid(z))
others = penalised - (penalised.sum() - penalised) / (n - 1)
standard = (penalised - penalised.mean()) / (penalised.std(correction=1) + 1e-6)


def efficiency(a, l, a0, l0):
    gain = (a - a0) / a0
    return (l0 - l) / l0 + 3 * max(gain, 0) - 10 * max(-gain, 0)


write(
    "short_answers.py",
    ["use std.loss (drpo, group_advantage, leave_one_out, length_penalised)", "use std.metric (efficiency)"],
    "right answers weighed by their length",
    [
        "  axis S = 6",
        let("score", "Float[S]", score),
        let("length", "Float[S]", length),
        let("right", "Bool[S]", right),
        near("drpo(score, right, length, 16, 0.3, tau = 1)", None, loss.item()),
        near("grad(drpo(score, right, length, 16, 0.3, tau = 1), score)", "Float[S]", slope),
        near("length_penalised(number(right), length, 0.4)", "Float[S]", penalised),
        near("leave_one_out(length_penalised(number(right), length, 0.4))", "Float[S]", others),
        near("group_advantage(length_penalised(number(right), length, 0.4), eps = 1e-6, correction = 1)", "Float[S]", standard),
        near("efficiency(0.62, 1500, 0.65, 3400)", None, efficiency(0.62, 1500, 0.65, 3400)),
        near("efficiency(0.7, 1500, 0.65, 3400)", None, efficiency(0.7, 1500, 0.65, 3400)),
    ],
)
