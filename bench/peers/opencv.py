# SPDX-License-Identifier: LGPL-2.1-or-later
"""OpenCV's DNN module on an exported backbone: Debian's python3-opencv."""
import cv2

import peer

arguments = peer.parse()
cv2.setNumThreads(arguments.threads)
network = cv2.dnn.readNetFromONNX(arguments.model)
network.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
network.setInput(peer.load_input(arguments))
peer.measure(arguments, "OpenCV DNN", cv2.__version__, network.forward)
