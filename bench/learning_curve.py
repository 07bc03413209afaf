# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plots what learning-curve.sh measured: learning_curve.py LINES.json PLOT.png"""
import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plot

with open(sys.argv[1], encoding="utf-8") as lines:
    rows = [json.loads(line) for line in lines]
pictures = [row["train"] for row in rows]
labels = [label for label, result in rows[0]["result"]["classes"].items() if result["objects"] > 0]

figure, axes = plot.subplots(figsize=(6, 4))
for label in labels:
    axes.plot(pictures, [100 * row["result"]["classes"][label]["ap11"] for row in rows], marker=".", label=label)
axes.plot(pictures, [100 * row["result"]["map11"] for row in rows], "k", marker="o", linewidth=2, label="mean")
axes.set_xscale("log")
axes.set_xticks(pictures, [str(n) for n in pictures])
axes.minorticks_off()
axes.set_ylim(0, 100)
axes.set_xlabel("training pictures")
axes.set_ylabel("average precision, 11 points")
axes.grid(alpha=0.3)
axes.legend()
figure.tight_layout()
figure.savefig(sys.argv[2], dpi=110)
