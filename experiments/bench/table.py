"""Writes the table of ratios of docs/performance.md from what compare.py has recorded.

    python compare.py --ours "..." --out runs.jsonl
    python table.py runs.jsonl

Of each program the median of its rounds is taken, with the number of threads that suits it best. A ratio is the peer's over ours: above 1
Ansatz is ahead. Peaks of memory are compared with PyTorch, the first step with the best peer.
"""

import json
import statistics
import sys


def medians(rows, key):
    """The median over rounds, for each (implementation, threads)."""
    found = {}
    for row in rows:
        if row.get(key) is not None:
            found.setdefault((row["impl"], row["threads"]), []).append(row[key])
    return {name: statistics.median(values) for name, values in found.items()}


def best(values, ours):
    """The best value with its name and threads."""
    chosen = {name: value for name, value in values.items() if (name[0] == "ours") == ours}
    return min(((value, name) for name, value in chosen.items()), default=(None, None))


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def main(paths):
    rows = [json.loads(line) for path in paths for line in open(path)]
    order = sorted({row["workload"] for row in rows}, key=lambda name: int(name[1:]))
    print("| | ours | threads | best peer | | threads | ratio | first step, s | ratio | peak MB | PyTorch's |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for workload in order:
        # NumPy stands for the bandwidth of a copy in W11: it computes nothing there.
        of = [row for row in rows if row["workload"] == workload and not (workload == "W11" and row["impl"] == "numpy")]
        key, unit = ("total_s", " s") if workload == "W9" else ("us_per_step", " us")
        mine, my = best(medians(of, key), True)
        theirs, peer = best(medians(of, key), False)
        first, _ = best(medians(of, "first_step_s"), True)
        peer_first, _ = best(medians(of, "first_step_s"), False)
        memory = medians(of, "peak_rss_mb")
        peak = memory.get(my)
        torch = min((value for name, value in memory.items() if name[0] == "torch"), default=None)
        print(
            f"| {workload} | {number(mine)}{unit} | {my[1]} | {number(theirs)}{unit} | {peer[0]} | {peer[1]} | {theirs / mine:.2f} "
            f"| {first:.2f} | {peer_first / first:.0f} | {peak:.0f} | {torch:.0f} |"
            if first and peer_first
            else f"| {workload} | {number(mine)}{unit} | {my[1]} | {number(theirs)}{unit} | {peer[0]} | {peer[1]} | {theirs / mine:.2f} "
            f"| | | {peak:.0f} | {torch and f'{torch:.0f}' or ''} |"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
