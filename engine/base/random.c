/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/random.h"

#include <math.h>

gdouble
sppnet_random_normal (SppnetRandom *random)
{
  gdouble u = 1.0 - sppnet_random_uniform (random); /* (0, 1]: the logarithm is finite */
  gdouble v = sppnet_random_uniform (random);

  return sqrt (-2.0 * log (u)) * cos (2.0 * G_PI * v);
}
