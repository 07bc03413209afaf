# SPDX-License-Identifier: LGPL-2.1-or-later
"""table.py [--plot FILE.png] RESULTS: the results of run.sh as tables in Markdown. A time is the median over a program's turns
of the best run in each."""
import argparse
import json
import platform
import statistics


def processor():
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def load(path):
    """{name: {size: (ms, MiB)}}, {name: version}, threads"""
    times, memory, versions, threads = {}, {}, {}, 0
    with open(path) as lines:
        for result in map(json.loads, lines):
            key = result["name"], result["size"]
            times.setdefault(key, []).append(min(result["ms"]))
            memory.setdefault(key, []).append(result["peak_kib"] / 1024)
            versions[result["name"]] = result["version"]
            threads = result["threads"]
    rows = {}
    for (name, size), values in times.items():
        rows.setdefault(name, {})[size] = statistics.median(values), max(memory[name, size])
    return rows, versions, threads


def pixels(size):
    width, height = map(int, size.split("x"))
    return width * height


def print_table(title, sizes, rows, cell):
    print(f"| {title} | " + " | ".join(sizes) + " |")
    print("|---|" + "---:|" * len(sizes))
    for name in rows:
        print(f"| {name} | " + " | ".join(cell(name, size) if size in rows[name] else "" for size in sizes) + " |")
    print()


def plot(path, sizes, rows):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (time, memory) = pyplot.subplots(1, 2, figsize=(10, 4))
    for name, row in rows.items():
        known = [size for size in sizes if size in row]
        million = [pixels(size) / 1e6 for size in known]
        time.plot(million, [row[size][0] / count for size, count in zip(known, million)], marker="o", label=name)
        memory.plot(million, [row[size][1] for size in known], marker="o", label=name)
    time.set(xscale="log", xlabel="million pixels", ylabel="ms per million pixels", ylim=(0, 1.4 * time.get_ylim()[1]))
    memory.set(xscale="log", yscale="log", xlabel="million pixels", ylabel="peak resident memory, MiB")
    for axes in time, memory:
        axes.grid(alpha=0.3)
        axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=100)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--plot")
    parser.add_argument("results")
    arguments = parser.parse_args()
    rows, versions, threads = load(arguments.results)
    ours = next(iter(rows))
    sizes = sorted(rows[ours], key=pixels)
    print(f"{processor()}, {threads} threads; " + ", ".join(f"{name} {versions[name]}" for name in rows) + "\n")
    print_table("ms", sizes, rows, lambda name, size: f"{rows[name][size][0]:.1f}")
    print_table(f"times as long as {ours}", sizes, rows,
                lambda name, size: f"{rows[name][size][0] / rows[ours][size][0]:.2f}")
    print_table("ns per pixel", sizes, rows, lambda name, size: f"{rows[name][size][0] * 1e6 / pixels(size):.1f}")
    print_table("peak resident MiB", sizes, rows, lambda name, size: f"{rows[name][size][1]:.0f}")
    if arguments.plot:
        plot(arguments.plot, sizes, rows)


main()
