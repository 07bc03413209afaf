/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/json.h"
#include "model/safetensors.h"

/* The JSON table at the beginning of a safetensors file, as it is read. */
typedef struct
{
  SppnetJsonCursor cursor;
  const gchar *file;
  SppnetSafetensors *out;
  GError **error;
} SppnetHeaderReader;

/* Reports the cursor's mistake, for a tensor if name is given. FALSE. */
gboolean sppnet_header_fail (SppnetHeaderReader *reader, const gchar *name);
/* One tensor's entry, an object, whose name is set; checks that type, shape and byte range agree. */
gboolean sppnet_header_read_tensor (SppnetHeaderReader *reader, SppnetStoredTensor *tensor);
