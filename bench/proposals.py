# SPDX-License-Identifier: LGPL-2.1-or-later
"""The measurements of proposals.sh, which see."""
import argparse
import functools
import json
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

import numpy

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers"))
try:
    import cv2

    import ximgproc as peers
except ImportError:
    cv2 = None

NUMBERS = 100, 300, 1000, 2000


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sppnet", required=True)
    parser.add_argument("--root", required=True)
    parser.add_argument("--voc")
    parser.add_argument("--set", default="val")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--methods", default="rpn selective-search selective-search-quality edge-boxes grid")
    parser.add_argument("--model")
    parser.add_argument("--picture", default="/usr/share/darknet/data/dog.jpg")
    parser.add_argument("--sizes", default="320x240 640x480 1280x720 1920x1080")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", choices=("wall", "processor"), default="wall")
    parser.add_argument("--plot")
    arguments = parser.parse_args()
    arguments.model = arguments.model or os.path.join(arguments.root, "models", "voc20.safetensors")
    arguments.voc = arguments.voc or os.path.join(arguments.root, "..", "shared", "data", "voc")
    return arguments


def load(arguments):
    """[(picture, boxes of its objects [n][x0, y0, x1, y1])]; x1 and y1 are behind the last pixel"""
    with open(os.path.join(arguments.voc, "ImageSets", "Main", arguments.set + ".txt")) as lines:
        names = [line.split()[0] for line in lines if line.strip()][:: arguments.every]
    pictures = []
    for name in names:
        tree = xml.etree.ElementTree.parse(os.path.join(arguments.voc, "Annotations", name + ".xml"))
        boxes = []
        for thing in tree.iter("object"):
            if thing.findtext("difficult", "0") != "1":
                x0, y0, x1, y1 = (float(thing.findtext("bndbox/" + corner)) for corner in ("xmin", "ymin", "xmax", "ymax"))
                boxes.append((x0 - 1, y0 - 1, x1, y1))
        pictures.append((os.path.join(arguments.voc, "JPEGImages", name + ".jpg"), numpy.array(boxes).reshape(-1, 4)))
    return pictures


def ours(arguments, method, most, files):
    """[(ms, boxes)] of files"""
    command = [arguments.sppnet, "propose", "--json", "--method", method, "--model", arguments.model, "--max-proposals", str(most), "--threads",
               str(arguments.threads), *files]
    run = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    clock = {"wall": "ms", "processor": "cpu_ms"}[arguments.clock]
    return [(line[clock], numpy.array(line["boxes"]).reshape(-1, 4)) for line in lines]


def theirs(arguments, method, most, files):
    clock = {"wall": time.perf_counter, "processor": time.process_time}[arguments.clock]
    return [peers.METHODS[method](cv2.imread(file), most, clock) for file in files]


def best_overlaps(objects, boxes):
    x0, y0 = boxes[:, 0], boxes[:, 1]
    x1, y1 = x0 + boxes[:, 2], y0 + boxes[:, 3]
    best = []
    for left, top, right, bottom in objects:
        both = (numpy.clip(numpy.minimum(x1, right) - numpy.maximum(x0, left), 0, None)
                * numpy.clip(numpy.minimum(y1, bottom) - numpy.maximum(y0, top), 0, None))
        union = boxes[:, 2] * boxes[:, 3] + (right - left) * (bottom - top) - both
        best.append((both / union).max(initial=0))
    return best


def quality(method, run, pictures):
    """{number: (recall at .5, at .7, mean best overlap, boxes, ms)}"""
    files = [file for file, _ in pictures]
    # The ranking of Selective Search does not depend on how many boxes are wanted: its first are cut off.
    cut = "elective" in method
    results = {}
    for number in sorted(NUMBERS, reverse=True):
        if not cut or not results:
            found = run(method, number, files)
        overlaps = numpy.array([overlap for (_, objects), (_, boxes) in zip(pictures, found)
                                for overlap in best_overlaps(objects, boxes[:number])])
        results[number] = ((overlaps >= .5).mean(), (overlaps >= .7).mean(), overlaps.mean(),
                           numpy.mean([len(boxes[:number]) for _, boxes in found]), numpy.median([ms for ms, _ in found]))
    return results


def print_quality(methods):
    print("| method | boxes wanted | recall at .5 | recall at .7 | average best overlap | boxes | ms |")
    print("|---|---|---|---|---|---|---|")
    for method, results in methods.items():
        for number in NUMBERS:
            recall50, recall70, overlap, boxes, ms = results[number]
            print(f"| {method} | {number} | {recall50:.3f} | {recall70:.3f} | {overlap:.3f} | {boxes:.0f} | {ms:.1f} |")


def print_times(arguments, runs):
    sizes = arguments.sizes.split()
    image = cv2.imread(arguments.picture)
    print("\n| ms, 1000 boxes | " + " | ".join(sizes) + " |\n|---|" + "---|" * len(sizes))
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for size in sizes:
            width, height = map(int, size.split("x"))
            files.append(os.path.join(folder, size + ".png"))
            cv2.imwrite(files[-1], cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC))
        for method, run in runs.items():
            repeat = 1 if method == "OpenCV Selective Search fast" else arguments.repeat
            times = [min(ms for ms, _ in run(method, 1000, [file] * repeat)) for file in files]
            print(f"| {method} | " + " | ".join(f"{ms:.1f}" for ms in times) + " |", flush=True)


def plot(path, methods):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(12, 3.6))
    for method, results in methods.items():
        boxes = [results[number][3] for number in NUMBERS]
        line = "--" if method.startswith("OpenCV") else "-"
        for axis, value in zip(axes[:2], (0, 2)):
            axis.plot(boxes, [results[number][value] for number in NUMBERS], line, marker="o", markersize=3, label=method)
        axes[2].plot([results[n][4] for n in NUMBERS], [results[n][0] for n in NUMBERS], line, marker="o", markersize=3)
    for axis, name in zip(axes, ("recall at .5", "average best overlap", "recall at .5")):
        axis.set_xscale("log")
        axis.set_ylabel(name)
        axis.set_xlabel("boxes")
        axis.grid(True, alpha=.3)
    axes[2].set_xlabel("milliseconds a picture")
    axes[0].legend(fontsize=6.5)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main():
    arguments = parse()
    pictures = load(arguments)
    runs = dict.fromkeys(arguments.methods.split(), functools.partial(ours, arguments))
    if cv2:
        cv2.setNumThreads(arguments.threads)
        runs.update(dict.fromkeys(peers.METHODS, functools.partial(theirs, arguments)))
    else:
        print("without OpenCV: python3-opencv is not installed", file=sys.stderr)
    print(f"{len(pictures)} pictures, {sum(len(objects) for _, objects in pictures)} objects, {arguments.threads} threads"
          + (f", OpenCV {cv2.__version__}" if cv2 else "") + f"; ms of {arguments.clock} time, median over the pictures\n")
    methods = {method: quality(method, run, pictures) for method, run in runs.items()}
    print_quality(methods)
    if cv2:
        print_times(arguments, runs)
    if arguments.plot:
        plot(arguments.plot, methods)


main()
