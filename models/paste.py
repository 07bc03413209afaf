#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""paste.py VOC N DIR: a VOC folder of N pictures, its set "train", each made of one of VOC's set "train" and of animals,
people and vehicles that were cut out of others of them, most of them smaller than they were (copy-paste, Ghiasi et al.
2021). They are cut out along their outlines, found by GrabCut (Rother et al. 2004), where that leaves one part as large as the
annotated box. Needs python3-opencv."""
import collections
import random
import sys

import cv2
import numpy

import pictures

# How often an object of each label is pasted.
OFTEN = {"person": 0.25, "cow": 2, "sheep": 1.5, "horse": 2, "dog": 1.2, "cat": 1, "bird": 0.05, "bicycle": 0.05,
         "motorbike": 0.05, "car": 0.1, "bus": 0.05, "chair": 0.05}
LEAST_AREA = 2500  # pixels of a box that something is cut out of
HIDDEN = 0.08  # part of such a box that another may cover
COVERED = 0.3, 0.9  # part of the box that its object can take
FILLED = 0.88  # part of the box's width and height that it takes at least
WINDOW = 256  # pixels of the longer side that GrabCut sees
ITERATIONS = 5
LARGER = 1.5  # at most so many times as large as it was
SIZES = 0.2, 0.75  # the longer side in those of the picture's shorter one
SIZES_OF_PEOPLE = 0.12, 0.6
LEAST_SIDE = 16
OVERLAP = 0.35  # part of a box, old or new, that a new one may share with another

# edges: how many of the picture's edges it touches, where it looks cut off; mask: 0 .. 1
Cut = collections.namedtuple("Cut", "label edges pixels mask")


def read_objects(voc, name):
    """[(label, (left, top, right, bottom))], pixels from 0, right and bottom one past the last."""
    return [(label, (left - 1, top - 1, right, bottom))
            for label, (left, top, right, bottom) in pictures.read_objects(voc, name)]


def shared(one, other):
    return (max(0, min(one[2], other[2]) - max(one[0], other[0]))
            * max(0, min(one[3], other[3]) - max(one[1], other[1])))


def outline(picture, box):
    """What of a box its object takes, 0 .. 1, or None."""
    height, width = picture.shape[:2]
    more = int(0.35 * max(box[2] - box[0], box[3] - box[1])) + 8
    left, top = max(box[0] - more, 0), max(box[1] - more, 0)
    right, bottom = min(box[2] + more, width), min(box[3] + more, height)
    window = picture[top:bottom, left:right]
    scale = min(1, WINDOW / max(window.shape[:2]))
    small = cv2.resize(window, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    x0, y0, x1, y1 = (int(round(v * scale)) for v in (box[0] - left, box[1] - top, box[2] - left, box[3] - top))
    kind = numpy.zeros(small.shape[:2], numpy.uint8)
    kind[y0:y1, x0:x1] = cv2.GC_PR_FGD
    if (kind == cv2.GC_BGD).sum() < 200:
        return None
    cv2.setRNGSeed(7)
    try:
        cv2.grabCut(small, kind, None, numpy.zeros((1, 65)), numpy.zeros((1, 65)), ITERATIONS, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # too little of one colour
        return None
    found = ((kind == cv2.GC_FGD) | (kind == cv2.GC_PR_FGD)).astype(numpy.uint8)
    parts, part_of, statistics, _ = cv2.connectedComponentsWithStats(found)
    if parts < 2:
        return None
    largest = 1 + int(numpy.argmax(statistics[1:, cv2.CC_STAT_AREA]))
    _, _, part_width, part_height, part_area = statistics[largest]
    covered = part_area / ((x1 - x0) * (y1 - y0))
    if (not COVERED[0] < covered < COVERED[1] or part_area <= 0.9 * found.sum()
            or part_width / (x1 - x0) <= FILLED or part_height / (y1 - y0) <= FILLED):
        return None
    full = cv2.resize((part_of == largest).astype(numpy.float32), (right - left, bottom - top),
                      interpolation=cv2.INTER_LINEAR)
    return full[box[1] - top:box[3] - top, box[0] - left:box[2] - left]


def cut_all(voc, names, objects):
    """{label: [Cut]}"""
    cuts = collections.defaultdict(list)
    for name in names:
        picture = None
        for k, (label, box) in enumerate(objects[name]):
            others = (other for i, (_, other) in enumerate(objects[name]) if i != k)
            if (label not in OFTEN or pictures.area(box) < LEAST_AREA
                    or any(shared(other, box) > HIDDEN * pictures.area(box) for other in others)):
                continue
            if picture is None:
                picture = pictures.read_picture(voc, name)
            height, width = picture.shape[:2]
            edges = (box[0] <= 1) + (box[1] <= 1) + (box[2] >= width - 2) + (box[3] >= height - 2)
            mask = outline(picture, box) if edges <= 1 else None
            if mask is not None:
                cuts[label].append(Cut(label, edges, picture[box[1]:box[3], box[0]:box[2]].copy(),
                                       mask.astype(numpy.float16)))
    return cuts


def paste_one(canvas, cut, boxes, chance):
    """The box that it takes, or None where it does not fit."""
    height, width = canvas.shape[:2]
    lowest, highest = SIZES_OF_PEOPLE if cut.label == "person" else SIZES
    longest = min(width, height) * lowest * (highest / lowest) ** chance.random()
    scale = min(longest / max(cut.pixels.shape[:2]), LARGER)
    w, h = int(cut.pixels.shape[1] * scale), int(cut.pixels.shape[0] * scale)
    if not (LEAST_SIDE <= w <= width and LEAST_SIDE <= h <= height):
        return None
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    pixels = cv2.resize(cut.pixels, (w, h), interpolation=method).astype(numpy.float32)
    mask = cv2.resize(cut.mask.astype(numpy.float32), (w, h), interpolation=method)
    if chance.random() < 0.5:
        pixels, mask = pixels[:, ::-1], mask[:, ::-1]
    x = chance.randint(0, width - w)
    y = chance.randint(0 if chance.random() < 0.3 else (height - h) // 2, height - h)
    if cut.edges:
        y = height - h
    box = x, y, x + w, y + h
    if any(shared(box, other) > OVERLAP * min(pictures.area(other), pictures.area(box)) for other in boxes):
        return None
    gain = chance.uniform(0.85, 1.15)
    pixels = numpy.clip(pixels * gain + chance.uniform(-10, 10), 0, 255)
    soft = cv2.GaussianBlur((mask > 0.5).astype(numpy.float32), (0, 0), chance.uniform(0.7, 1.5))
    part = numpy.clip(soft, 0, 1)[..., None]
    canvas[y:y + h, x:x + w] = canvas[y:y + h, x:x + w] * (1 - part) + pixels * part
    return box


def make(picture, objects, cuts, labels, chance):
    """The picture with something pasted and its objects, or None where nothing was."""
    often = [OFTEN[label] for label in labels]
    width = picture.shape[1]
    canvas = picture.astype(numpy.float32)
    objects = list(objects)
    if chance.random() < 0.5:
        canvas = canvas[:, ::-1].copy()
        objects = [(label, (width - box[2], box[1], width - box[0], box[3])) for label, box in objects]
    most, pasted = chance.choice([1, 1, 2, 2, 3, 4]), 0
    favourite = chance.choices(labels, often)[0]
    for _ in range(most * 4):
        if pasted == most:
            break
        label = favourite if chance.random() < 0.6 else chance.choices(labels, often)[0]
        box = paste_one(canvas, chance.choice(cuts[label]), [box for _, box in objects], chance)
        if box:
            objects.append((label, box))
            pasted += 1
    return (canvas.clip(0, 255).astype(numpy.uint8), objects) if pasted else None


def main():
    if len(sys.argv) != 4 or not sys.argv[2].isdecimal():
        sys.exit(f"usage: {sys.argv[0]} VOC N DIR")
    voc, number = sys.argv[1], int(sys.argv[2])
    folder = pictures.Folder(sys.argv[3], ["train"])
    names = pictures.names_of(voc, "train")
    objects = {name: read_objects(voc, name) for name in names}
    cuts = cut_all(voc, names, objects)
    labels = [label for label in OFTEN if cuts[label]]
    if not labels:
        sys.exit(f"{voc}: no object could be cut out")
    chance = random.Random(5)
    failures = 0
    while len(folder.sets["train"]) < number:
        if failures > 100 * number + 1000:
            sys.exit(f"{voc}: there is no place in these pictures")
        name = chance.choice(names)
        made = make(pictures.read_picture(voc, name), objects[name], cuts, labels, chance)
        failures += not made
        if made:
            name = f"p{len(folder.sets['train']):05d}"
            path = folder.add("train", name, made[0], 90)
            pictures.write_objects(path, name, made[0].shape[1], made[0].shape[0], made[1])
    folder.finish()


main()
