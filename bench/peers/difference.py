# SPDX-License-Identifier: LGPL-2.1-or-later
"""difference.py NAME OURS THEIRS: the largest difference of two maps, over the largest value; more than 1e-3 is a failure."""
import sys

import numpy

name, ours, theirs = sys.argv[1], *(numpy.fromfile(path, numpy.float32) for path in sys.argv[2:])
if ours.shape != theirs.shape:
    sys.exit(f"{name}: {theirs.size} values, not {ours.size}")
error = float(numpy.abs(ours - theirs).max() / numpy.abs(ours).max())
print(f"{name}: largest relative difference of the maps {error:.1e}")
if not error <= 1e-3:
    sys.exit(1)
