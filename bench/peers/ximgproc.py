# SPDX-License-Identifier: LGPL-2.1-or-later
"""Region proposals of OpenCV's ximgproc. Each gives (milliseconds, boxes [n][x, y, width, height], best first); clock() gives
seconds."""
import cv2
import numpy


def selective_search(image, most, clock):
    start = clock()
    search = cv2.ximgproc.segmentation.createSelectiveSearchSegmentation()
    search.setBaseImage(image)
    search.switchToSelectiveSearchFast()
    boxes = search.process()
    ms = (clock() - start) * 1000
    # smaller ones are dropped by the paper, too
    return ms, boxes[numpy.minimum(boxes[:, 2], boxes[:, 3]) >= 20][:most]


def edge_map(image):
    """Thin edges, 0..1, and the direction across them, 0..pi: the gradient of three opponent colours, the part of its tensor
    that has one direction, relative to its mean around, largest across the edge. As in engine/region/edge_map.c."""
    blue, green, red = cv2.split(image.astype(numpy.float32))
    xx = yy = xy = 0
    for colour in (red + 2 * green + blue) / 2, red - green, (red + green - 2 * blue) / 2:
        smooth = cv2.sepFilter2D(colour, -1, *[numpy.array([1, 4, 6, 4, 1]) / 16] * 2, borderType=cv2.BORDER_REPLICATE)
        gx = cv2.Sobel(smooth, -1, 1, 0, ksize=1, scale=.5, borderType=cv2.BORDER_REPLICATE)
        gy = cv2.Sobel(smooth, -1, 0, 1, ksize=1, scale=.5, borderType=cv2.BORDER_REPLICATE)
        xx, yy, xy = xx + gx * gx, yy + gy * gy, xy + gx * gy
    xx, yy, xy = (cv2.GaussianBlur(plane, (3, 3), 0, borderType=cv2.BORDER_REPLICATE) for plane in (xx, yy, xy))
    root = numpy.hypot(xx - yy, 2 * xy)
    strength = numpy.sqrt((xx + yy + root) / 2) - .5 * numpy.sqrt(numpy.maximum(xx + yy - root, 0) / 2)
    angle = .5 * numpy.arctan2(2 * xy, xx - yy)
    height, width = strength.shape
    x, y = numpy.meshgrid(numpy.arange(width, dtype=numpy.float32), numpy.arange(height, dtype=numpy.float32))
    thin = strength > 3
    for step in -2, -1, 1, 2:
        beside = cv2.remap(strength, x + step * numpy.cos(angle), y + step * numpy.sin(angle), cv2.INTER_LINEAR,
                           borderMode=cv2.BORDER_REPLICATE)
        thin &= beside <= 1.01 * strength
    mean = cv2.blur(strength, (24, 24), borderType=cv2.BORDER_REPLICATE)
    edges = numpy.where(thin, numpy.minimum(strength / (mean + 15), 1), 0)
    edges[:3] = edges[-3:] = edges[:, :3] = edges[:, -3:] = 0
    return edges.astype(numpy.float32), numpy.mod(angle, numpy.pi).astype(numpy.float32)


def edge_boxes(image, most, clock):
    edges, direction = edge_map(image)
    start = clock()
    boxes = cv2.ximgproc.createEdgeBoxes(maxBoxes=most).getBoundingBoxes(edges, direction)[0]
    return (clock() - start) * 1000, numpy.array(boxes).reshape(-1, 4)


METHODS = {"OpenCV Selective Search fast": selective_search, "OpenCV EdgeBoxes": edge_boxes}
