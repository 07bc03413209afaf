#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""light.py VOC LABEL DIR: a VOC folder of pictures of VOC's set "train" that show a LABEL, an animal. Its set "found" are
those in which a coat is light, as they are; its set "made" are those in which a coat was made as light as that of a
white one. What of a box is the animal is found by GrabCut (Rother et al. 2004); where that fails
there is no such picture. Needs python3-opencv."""
import os
import shutil
import sys
import xml.etree.ElementTree as tree
import zlib

import cv2
import numpy

LEAST_AREA = 3000  # pixels of a box
ITERATIONS = 4
COVERED = 0.2, 0.85  # part of a box that an animal can take
LIGHT = 0.3  # part of the middle of a box that is light and has little colour, for a light coat


def read_objects(path):
    """[(label, (left, top, right, bottom))]"""
    sides = "xmin", "ymin", "xmax", "ymax"
    return [(item.findtext("name"), tuple(int(float(item.findtext("bndbox/" + side))) for side in sides))
            for item in tree.parse(path).iter("object")]


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def rows_and_columns(box):
    left, top, right, bottom = box
    return slice(max(top - 1, 0), bottom), slice(max(left - 1, 0), right)


def cut_out(picture, box, others):
    """1 where the animal is, or None. Smaller objects of other labels are not part of it."""
    kind = numpy.full(picture.shape[:2], cv2.GC_BGD, numpy.uint8)
    kind[rows_and_columns(box)] = cv2.GC_PR_FGD
    for other in others:
        if area(other) < area(box) / 2:
            kind[rows_and_columns(other)] = cv2.GC_BGD
    if len(numpy.unique(kind)) < 2:  # a box without a surrounding, or nothing left of it
        return None
    cv2.grabCut(picture, kind, None, numpy.zeros((1, 65)), numpy.zeros((1, 65)), ITERATIONS, cv2.GC_INIT_WITH_MASK)
    found = ((kind == cv2.GC_FGD) | (kind == cv2.GC_PR_FGD)).astype(numpy.float32)
    return found if COVERED[0] <= found.sum() / area(box) <= COVERED[1] else None


def lighten(picture, found, random):
    """The coat's greys become those of a light one, with its shades and a trace of its colours."""
    picture = picture.astype(numpy.float32)
    grey = picture.mean(2, keepdims=True)
    darkest, lightest = numpy.percentile(grey[found > 0], (5, 95))
    shade = numpy.clip((grey - darkest) / max(lightest - darkest, 30), 0, 1) ** random.uniform(0.5, 0.9)
    bottom, top = random.uniform(110, 150), random.uniform(205, 245)
    tint = numpy.array([0.97, 1.0, 1.01]) + random.uniform(-0.03, 0.03, 3)
    light = numpy.clip((shade * (top - bottom) + bottom) * tint + (picture - grey) * 0.1, 0, 255)
    part = cv2.GaussianBlur(found, (0, 0), 1.2)[..., None]
    return (picture * (1 - part) + light * part).clip(0, 255).astype(numpy.uint8)


def is_light(picture, box):
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    middle = picture[int(top + 0.2 * height):int(top + 0.6 * height) + 1, int(left + 0.25 * width):int(left + 0.75 * width) + 1]
    middle = middle.astype(int)
    return ((middle.min(2) > 135) & (middle.max(2) - middle.min(2) < 45)).mean() > LIGHT


def make(picture, animals, others, name):
    """The picture with light coats, or None."""
    seed = zlib.crc32(name.encode())
    cv2.setRNGSeed(seed & 0x7fffffff)
    masks = [mask for mask in (cut_out(picture, box, others) for box in animals) if mask is not None]
    return lighten(picture, numpy.maximum.reduce(masks), numpy.random.default_rng(seed)) if masks else None


def main():
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} VOC LABEL DIR")
    voc, label, folder = sys.argv[1], sys.argv[2], sys.argv[3].rstrip("/")
    if os.path.exists(folder):
        sys.exit(f"{folder}: exists")
    shutil.rmtree(folder + ".new", ignore_errors=True)
    for part in "JPEGImages", "Annotations", "ImageSets/Main":
        os.makedirs(f"{folder}.new/{part}")
    sets = {"found": [], "made": []}

    def add(kind, name, picture):
        sets[kind].append(f"{name}-{kind}")
        cv2.imwrite(f"{folder}.new/JPEGImages/{name}-{kind}.jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
        shutil.copy(f"{voc}/Annotations/{name}.xml", f"{folder}.new/Annotations/{name}-{kind}.xml")

    with open(f"{voc}/ImageSets/Main/train.txt") as listed:
        for name in (line.split()[0] for line in listed if line.strip()):
            objects = read_objects(f"{voc}/Annotations/{name}.xml")
            animals = [box for kind, box in objects if kind == label and area(box) > LEAST_AREA]
            if not animals:
                continue
            picture = cv2.imread(f"{voc}/JPEGImages/{name}.jpg")
            if any(is_light(picture, box) for box in animals):
                add("found", name, picture)
            lightened = make(picture, animals, [box for kind, box in objects if kind != label], name)
            if lightened is not None:
                add("made", name, lightened)
    for kind, names in sets.items():
        with open(f"{folder}.new/ImageSets/Main/{kind}.txt", "w") as listed:
            listed.writelines(name + "\n" for name in names)
    os.rename(folder + ".new", folder)


main()
