/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * SPPNET_API:
 *
 * Marks the functions that libsppnet exports; everything else is hidden.
 */
#define SPPNET_API __attribute__ ((visibility ("default")))

G_BEGIN_DECLS

/**
 * SPPNET_ERROR:
 *
 * Error domain of the engine. Every message names the file or the input and the reason.
 */
#define SPPNET_ERROR (sppnet_error_quark ())

/**
 * SppnetError:
 * @SPPNET_ERROR_NOT_FOUND: a file does not exist
 * @SPPNET_ERROR_READ: a file could not be read
 * @SPPNET_ERROR_WRITE: a file could not be written
 * @SPPNET_ERROR_CORRUPT: a file's content contradicts itself or its format
 * @SPPNET_ERROR_VERSION: the file was made for another version of this library
 * @SPPNET_ERROR_SETTINGS: a setting is out of range, or does not fit the model
 * @SPPNET_ERROR_UNSUPPORTED: valid input that this build cannot process (a frame too large, a layer unknown)
 * @SPPNET_ERROR_MEMORY: the memory needed cannot be had
 * @SPPNET_ERROR_CANCELLED: the caller asked to stop
 */
typedef enum
{
  SPPNET_ERROR_NOT_FOUND,
  SPPNET_ERROR_READ,
  SPPNET_ERROR_WRITE,
  SPPNET_ERROR_CORRUPT,
  SPPNET_ERROR_VERSION,
  SPPNET_ERROR_SETTINGS,
  SPPNET_ERROR_UNSUPPORTED,
  SPPNET_ERROR_MEMORY,
  SPPNET_ERROR_CANCELLED,
} SppnetError;

SPPNET_API GQuark sppnet_error_quark (void);

G_END_DECLS
