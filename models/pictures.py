# SPDX-License-Identifier: LGPL-2.1-or-later
"""VOC folders, read and written by light.py and paste.py."""
import os
import shutil
import xml.etree.ElementTree as tree

import cv2

SIDES = "xmin", "ymin", "xmax", "ymax"


def names_of(voc, chosen):
    """Names of the pictures of a set."""
    with open(f"{voc}/ImageSets/Main/{chosen}.txt") as listed:
        return [line.split()[0] for line in listed if line.strip()]


def read_objects(voc, name):
    """[(label, (left, top, right, bottom))]"""
    return [(item.findtext("name"), tuple(int(float(item.findtext("bndbox/" + side))) for side in SIDES))
            for item in tree.parse(f"{voc}/Annotations/{name}.xml").iter("object")]


def read_picture(voc, name):
    return cv2.imread(f"{voc}/JPEGImages/{name}.jpg")


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


class Folder:
    """A VOC folder that is there under its name when it is complete."""

    def __init__(self, path, sets):
        self.path = path.rstrip("/")
        self.sets = {chosen: [] for chosen in sets}
        if os.path.exists(self.path):
            raise SystemExit(f"{self.path}: exists")
        shutil.rmtree(self.path + ".new", ignore_errors=True)
        for part in "JPEGImages", "Annotations", "ImageSets/Main":
            os.makedirs(f"{self.path}.new/{part}")

    def add(self, chosen, name, picture, quality):
        """Returns the path that its annotation is to have."""
        self.sets[chosen].append(name)
        cv2.imwrite(f"{self.path}.new/JPEGImages/{name}.jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return f"{self.path}.new/Annotations/{name}.xml"

    def finish(self):
        for chosen, names in self.sets.items():
            with open(f"{self.path}.new/ImageSets/Main/{chosen}.txt", "w") as listed:
                listed.writelines(name + "\n" for name in names)
        os.rename(self.path + ".new", self.path)


def write_objects(path, name, width, height, objects):
    """An annotation; objects: [(label, (left, top, right, bottom))], pixels from 0, right and bottom one past the last."""
    annotation = tree.Element("annotation")

    def add(parent, tag, text=None):
        child = tree.SubElement(parent, tag)
        child.text = text
        return child

    add(annotation, "filename", name + ".jpg")
    size = add(annotation, "size")
    for tag, value in ("width", width), ("height", height), ("depth", 3):
        add(size, tag, str(value))
    for label, (left, top, right, bottom) in objects:
        item = add(annotation, "object")
        add(item, "name", label)
        add(item, "difficult", "0")
        box = add(item, "bndbox")
        for tag, value in zip(SIDES, (max(left, 0) + 1, max(top, 0) + 1, min(right, width), min(bottom, height))):
            add(box, tag, str(value))
    tree.ElementTree(annotation).write(path)
