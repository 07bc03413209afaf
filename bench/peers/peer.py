# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the Python peers have in common: [--input FILE] [--map FILE] MODEL WIDTHxHEIGHT THREADS REPEAT, a line of JSON."""
import argparse
import json
import time

import numpy


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--input", required=True, help="the network's input, [3][height][width] floats")
    parser.add_argument("--map", help="where to write the feature map, [channels][height][width] floats")
    parser.add_argument("model")
    parser.add_argument("size")
    parser.add_argument("threads", type=int)
    parser.add_argument("repeat", type=int)
    return parser.parse_args()


def load_input(arguments):
    width, height = map(int, arguments.size.split("x"))
    return numpy.fromfile(arguments.input, numpy.float32).reshape(1, 3, height, width)


def peak_memory():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def measure(arguments, name, version, run):
    """run() returns the feature map. The first call warms up."""
    run()
    ms = []
    for _ in range(arguments.repeat):
        start = time.perf_counter()
        result = run()
        ms.append((time.perf_counter() - start) * 1000)
    print(json.dumps({"name": name, "version": version, "size": arguments.size, "threads": arguments.threads,
                      "peak_kib": peak_memory(), "ms": ms}))
    if arguments.map:
        numpy.ascontiguousarray(result, numpy.float32).tofile(arguments.map)
