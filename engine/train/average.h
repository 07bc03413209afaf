/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/model.h"

/**
 * sppnet_average:
 * @models: [n], n at least 1; one that is given twice counts twice
 *
 * Writes the model whose weights are the means of theirs (Wortsman et al. 2022, uniform soups), in the type and with
 * the settings of the first, but without what was fitted to its confidences: thresholds, calibration, context. All must
 * be the same network with the same labels, SETTINGS otherwise; the mean is worth something only where they were
 * trained further from one and the same.
 */
gboolean sppnet_average (SppnetModel *const *models, guint n, const gchar *output, GError **error);
