# SPDX-License-Identifier: LGPL-2.1-or-later
"""The measurement of people.sh, which see: people.py BOXES <DETECTIONS"""
import json
import os
import sys

FALSE_A_FRAME = .25, .5, 1., 2.
THRESHOLDS = .05, .1, .2, .3, .4


def load(path):
    """{frame: [(x, y, width, height)]}"""
    people = {}
    with open(path) as lines:
        for line in lines:
            if line[:1].isdigit():
                frame, *box = line.split()
                people.setdefault(frame, []).append(tuple(map(float, box)))
    return people


def overlap(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(width, 0) * max(height, 0)
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def match(people, boxes):
    """[(confidence, height of the person or None)]: boxes in the order of confidence, each person found once"""
    left = list(people)
    result = []
    for confidence, box in sorted(boxes, reverse=True):
        best = max(left, key=lambda person: overlap(person, box), default=None)
        found = best is not None and overlap(best, box) >= .5
        if found:
            left.remove(best)
        result.append((confidence, best[3] if found else None))
    return result


def main():
    people = load(sys.argv[1])
    matches = []
    for line in sys.stdin:
        result = json.loads(line)
        frame = os.path.basename(result["image"]).split(".")[0]
        matches += match(people[frame], [(found["confidence"], found["box"]) for found in result["detections"]])
    total = sum(map(len, people.values()))
    print(f"{len(people)} frames, {total} people, {min(p[3] for f in people.values() for p in f):.0f} to "
          f"{max(p[3] for f in people.values() for p in f):.0f} pixels tall\n")
    print("| false boxes a frame, at most | threshold | people found | |\n|---|---|---|---|")
    for allowed in FALSE_A_FRAME:
        wrong = right = 0
        threshold = 1.
        best = 0
        for confidence, height in sorted(matches, key=lambda m: -m[0]):
            wrong += height is None
            right += height is not None
            if wrong > allowed * len(people):
                break
            threshold, best = confidence, right
        print(f"| {allowed} | {threshold:.2f} | {best} | {100 * best / total:.0f} % |")
    print("\n| threshold | people found | | false boxes a frame |\n|---|---|---|---|")
    for threshold in THRESHOLDS:
        right = sum(confidence >= threshold and height is not None for confidence, height in matches)
        wrong = sum(confidence >= threshold and height is None for confidence, height in matches)
        print(f"| {threshold:.2f} | {right} | {100 * right / total:.0f} % | {wrong / len(people):.2f} |")


main()
