/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Platt's sigmoid (Platt 1999, with the Newton iteration of Lin, Lin, Weng 2007): confidence = 1 / (1 + exp (a * score
 * + b)). weights: (nullable) how often each example counts, >= 0. FALSE, and a = -1, b = 0, where one of the two sides
 * is empty. */
gboolean sppnet_platt_fit (const gfloat *scores, const gboolean *correct, const gfloat *weights, gsize n, gfloat *a,
                           gfloat *b);
