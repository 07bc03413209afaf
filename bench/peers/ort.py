# SPDX-License-Identifier: LGPL-2.1-or-later
"""ONNX Runtime on an exported backbone: Debian 13's python3-onnxruntime."""
import onnxruntime

import peer

arguments = peer.parse()
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = arguments.threads
options.inter_op_num_threads = 1
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
session = onnxruntime.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
feed = {"input": peer.load_input(arguments)}
peer.measure(arguments, "ONNX Runtime", onnxruntime.__version__, lambda: session.run(["map"], feed)[0])
