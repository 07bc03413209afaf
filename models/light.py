#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""light.py VOC LABEL DIR: a VOC folder of pictures of VOC's set "train" that show a LABEL, an animal. Its set "found" are
those in which a coat is light, as they are; its set "made" are those in which a coat was made as light as that of a
white one. What of a box is the animal is found by GrabCut (Rother et al. 2004); where that fails
there is no such picture. Needs python3-opencv."""
import shutil
import sys
import zlib

import cv2
import numpy

import pictures

LEAST_AREA = 3000  # pixels of a box
ITERATIONS = 4
COVERED = 0.2, 0.85  # part of a box that an animal can take
LIGHT = 0.3  # part of the middle of a box that is light and has little colour, for a light coat


def rows_and_columns(box):
    left, top, right, bottom = box
    return slice(max(top - 1, 0), bottom), slice(max(left - 1, 0), right)


def cut_out(picture, box, others):
    """1 where the animal is, or None. Smaller objects of other labels are not part of it."""
    kind = numpy.full(picture.shape[:2], cv2.GC_BGD, numpy.uint8)
    kind[rows_and_columns(box)] = cv2.GC_PR_FGD
    for other in others:
        if pictures.area(other) < pictures.area(box) / 2:
            kind[rows_and_columns(other)] = cv2.GC_BGD
    if len(numpy.unique(kind)) < 2:  # a box without a surrounding, or nothing left of it
        return None
    cv2.grabCut(picture, kind, None, numpy.zeros((1, 65)), numpy.zeros((1, 65)), ITERATIONS, cv2.GC_INIT_WITH_MASK)
    found = ((kind == cv2.GC_FGD) | (kind == cv2.GC_PR_FGD)).astype(numpy.float32)
    return found if COVERED[0] <= found.sum() / pictures.area(box) <= COVERED[1] else None


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
    voc, label = sys.argv[1], sys.argv[2]
    folder = pictures.Folder(sys.argv[3], ["found", "made"])

    def add(kind, name, picture):
        shutil.copy(f"{voc}/Annotations/{name}.xml", folder.add(kind, f"{name}-{kind}", picture, 92))

    for name in pictures.names_of(voc, "train"):
        objects = pictures.read_objects(voc, name)
        animals = [box for kind, box in objects if kind == label and pictures.area(box) > LEAST_AREA]
        if not animals:
            continue
        picture = pictures.read_picture(voc, name)
        if any(is_light(picture, box) for box in animals):
            add("found", name, picture)
        lightened = make(picture, animals, [box for kind, box in objects if kind != label], name)
        if lightened is not None:
            add("made", name, lightened)
    folder.finish()


main()
