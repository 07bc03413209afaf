/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "train/svm.h"

/* One binary SVM by LIBLINEAR (solver 3), or logistic regression (solver 0) where settings say so, over the given
 * vectors, the first n_positive of which are the positives. The vectors are multiplied by scale and get one more
 * element, settings->bias, before LIBLINEAR sees them; both are folded into weight [length] and bias, so that
 * LIBLINEAR's decision value is weight . vector + bias. Both sides need a vector.
 *
 * Not to be called from two threads at once: LIBLINEAR draws from the process's rand(), which is seeded here. */
gboolean sppnet_svm_solve (const gfloat *const *vectors, gsize n_positive, gsize n, gsize length, gdouble scale,
                           const SppnetSvmSettings *settings, gfloat *weight, gfloat *bias, GError **error);
