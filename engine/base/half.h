/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <string.h>

#include <glib.h>

/* IEEE 754 binary16 and bfloat16 <-> float, rounding to nearest even. No branches on the value beyond selections, so
 * that loops over them vectorise; correct whatever the process says about flushing subnormals. */

static inline guint32
sppnet_float_bits (gfloat value)
{
  guint32 bits;

  memcpy (&bits, &value, sizeof bits);
  return bits;
}

static inline gfloat
sppnet_bits_float (guint32 bits)
{
  gfloat value;

  memcpy (&value, &bits, sizeof value);
  return value;
}

static inline gfloat
sppnet_half_to_float (guint16 half)
{
  guint32 magnitude = half & 0x7fff;
  guint32 normal = (magnitude << 13) + ((127u - 15u) << 23);
  guint32 special = (magnitude << 13) | 0x7f800000; /* infinity, NaN */
  guint32 subnormal = sppnet_float_bits ((gfloat) (gint32) magnitude * 0x1p-24f);
  guint32 bits = magnitude < 0x400 ? subnormal : magnitude < 0x7c00 ? normal : special;

  return sppnet_bits_float (bits | (guint32) (half & 0x8000) << 16);
}

/* Magnitudes from 65520 become infinity; NaN stays NaN. */
static inline guint16
sppnet_float_to_half (gfloat value)
{
  guint32 bits = sppnet_float_bits (value);
  guint32 magnitude = bits & 0x7fffffff;
  /* Below 2^-14 the half is subnormal: adding .5 leaves its units, 2^-24, in the last bits of the sum. */
  guint32 subnormal = sppnet_float_bits (sppnet_bits_float (magnitude) + 0.5f) - 0x3f000000;
  guint32 normal = (magnitude - ((127u - 15u) << 23) + 0xfff + (magnitude >> 13 & 1)) >> 13;
  guint32 nan = 0x7e00 | (magnitude >> 13 & 0x3ff);
  guint32 half = magnitude > 0x7f800000    ? nan
                 : magnitude >= 0x477ff000 ? 0x7c00
                 : magnitude < 0x38800000  ? subnormal
                                           : normal;

  return (guint16) (half | (bits >> 16 & 0x8000));
}

static inline gfloat
sppnet_bfloat_to_float (guint16 bfloat)
{
  return sppnet_bits_float ((guint32) bfloat << 16);
}

static inline guint16
sppnet_float_to_bfloat (gfloat value)
{
  guint32 bits = sppnet_float_bits (value);
  guint32 rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;

  return (guint16) ((bits & 0x7fffffff) > 0x7f800000 ? bits >> 16 | 0x40 : rounded);
}
