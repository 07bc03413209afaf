/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <math.h>
#include <string.h>

#if defined(__SSE__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

/* One vector of floats of the instruction set that the including file is compiled for. The plain level has one float in
 * a vector. Products and sums are fused where the instruction set can: levels agree within rounding, not bit by bit. */

#if defined(SPPNET_PLAIN)
#define LANES 1
typedef gfloat Vector;
typedef gint32 Mask;
#else
#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX2__)
#define LANES 8
#else
#define LANES 4
#endif
typedef gfloat Vector __attribute__ ((vector_size (LANES * 4)));
typedef gint32 Mask __attribute__ ((vector_size (LANES * 4)));
#endif

/* Before a loop of a constant number of rounds over an array that is to stay in registers, and before one of rounds so
 * large that their code must not be multiplied. */
#if defined(__clang__)
#define UNROLL _Pragma ("clang loop unroll(full)")
#define KEEP_LOOP _Pragma ("clang loop unroll(disable)")
#else
#define UNROLL _Pragma ("GCC unroll 40")
#define KEEP_LOOP _Pragma ("GCC unroll 1")
#endif

#define INLINE static inline __attribute__ ((always_inline))

INLINE Vector
load (const gfloat *p)
{
  Vector v;

  memcpy (&v, p, sizeof v);
  return v;
}

INLINE void
store (gfloat *p, Vector v)
{
  memcpy (p, &v, sizeof v);
}

INLINE Vector
splat (gfloat x)
{
#if LANES == 16
  return (Vector) _mm512_set1_ps (x);
#elif LANES == 8
  return (Vector) _mm256_set1_ps (x);
#elif LANES == 4
  return (Vector) { x, x, x, x };
#else
  return x;
#endif
}

/* a * b + c */
INLINE Vector
multiply_add (Vector a, Vector b, Vector c)
{
#if LANES == 16
  return (Vector) _mm512_fmadd_ps ((__m512) a, (__m512) b, (__m512) c);
#elif LANES == 8
  return (Vector) _mm256_fmadd_ps ((__m256) a, (__m256) b, (__m256) c);
#elif defined(__ARM_NEON) && LANES == 4
  return (Vector) vfmaq_f32 ((float32x4_t) c, (float32x4_t) a, (float32x4_t) b);
#else
  return a * b + c;
#endif
}

/* a > b ? a : b, which is what x86's instruction does with NaN and zeros, too. */
INLINE Vector
maximum (Vector a, Vector b)
{
#if LANES == 16
  return (Vector) _mm512_max_ps ((__m512) a, (__m512) b);
#elif LANES == 8
  return (Vector) _mm256_max_ps ((__m256) a, (__m256) b);
#elif defined(__SSE__) && LANES == 4
  return (Vector) _mm_max_ps ((__m128) a, (__m128) b);
#elif LANES == 1
  return a > b ? a : b;
#else
  Mask greater = a > b;

  return (Vector) ((greater & (Mask) a) | (~greater & (Mask) b));
#endif
}

/* v < 0 ? slope * v : v, for a slope of at most 1 */
INLINE Vector
activate (Vector v, Vector slope)
{
  return maximum (v * slope, v);
}

INLINE Mask
maximum_integers (Mask a, Mask b)
{
#if LANES == 16
  return (Mask) _mm512_max_epi32 ((__m512i) a, (__m512i) b);
#elif LANES == 8
  return (Mask) _mm256_max_epi32 ((__m256i) a, (__m256i) b);
#elif defined(__ARM_NEON) && LANES == 4
  return (Mask) vmaxq_s32 ((int32x4_t) a, (int32x4_t) b);
#elif LANES == 1
  return MAX (a, b);
#else
  Mask greater = a > b;

  return (greater & a) | (~greater & b);
#endif
}

INLINE Vector
to_floats (Mask v)
{
#if defined(SPPNET_PLAIN)
  return (gfloat) v;
#else
  return __builtin_convertvector(v, Vector);
#endif
}

/* LANES pairs of 16-bit numbers; p: [2 LANES] */
INLINE Mask
load_pairs (const gint16 *p)
{
  Mask v;

  memcpy (&v, p, sizeof v);
  return v;
}

/* One pair LANES times. */
INLINE Mask
splat_pair (const gint16 *p)
{
  gint32 pair;

  memcpy (&pair, p, sizeof pair);
#if LANES == 16
  return (Mask) _mm512_set1_epi32 (pair);
#elif LANES == 8
  return (Mask) _mm256_set1_epi32 (pair);
#elif LANES == 4
  return (Mask) { pair, pair, pair, pair };
#else
  return pair;
#endif
}

/* sum + a[0] b[0] + a[1] b[1] */
INLINE Mask
multiply_add_pairs (Mask a, Mask b, Mask sum)
{
#if LANES == 16
  return (Mask) _mm512_add_epi32 ((__m512i) sum, _mm512_madd_epi16 ((__m512i) a, (__m512i) b));
#elif LANES == 8
  return (Mask) _mm256_add_epi32 ((__m256i) sum, _mm256_madd_epi16 ((__m256i) a, (__m256i) b));
#elif defined(__SSE2__) && LANES == 4
  return (Mask) _mm_add_epi32 ((__m128i) sum, _mm_madd_epi16 ((__m128i) a, (__m128i) b));
#elif defined(__aarch64__) && LANES == 4
  int32x4_t low = vmull_s16 (vget_low_s16 ((int16x8_t) a), vget_low_s16 ((int16x8_t) b));

  return (Mask) vaddq_s32 ((int32x4_t) sum, vpaddq_s32 (low, vmull_high_s16 ((int16x8_t) a, (int16x8_t) b)));
#elif LANES == 4
  Mask low = ((a << 16) >> 16) * ((b << 16) >> 16);

  return sum + low + (a >> 16) * (b >> 16);
#else
  gint16 left[2], right[2];

  memcpy (left, &a, sizeof left);
  memcpy (right, &b, sizeof right);
  return sum + left[0] * right[0] + left[1] * right[1];
#endif
}

/* The steps of pooled regions, so many at a time. */
#if defined(SPPNET_PLAIN)
#define STEPS 1
typedef guint8 Steps;
#else
#if defined(__AVX512BW__)
#define STEPS 64
#elif defined(__AVX2__)
#define STEPS 32
#else
#define STEPS 16
#endif
typedef guint8 Steps __attribute__ ((vector_size (STEPS)));
#endif

INLINE Steps
load_steps (const guint8 *p)
{
  Steps v;

  memcpy (&v, p, sizeof v);
  return v;
}

INLINE void
store_steps (guint8 *p, Steps v)
{
  memcpy (p, &v, sizeof v);
}

INLINE Steps
maximum_steps (Steps a, Steps b)
{
#if STEPS == 64
  return (Steps) _mm512_max_epu8 ((__m512i) a, (__m512i) b);
#elif STEPS == 32
  return (Steps) _mm256_max_epu8 ((__m256i) a, (__m256i) b);
#elif defined(__SSE2__) && STEPS == 16
  return (Steps) _mm_max_epu8 ((__m128i) a, (__m128i) b);
#elif defined(__ARM_NEON) && STEPS == 16
  return (Steps) vmaxq_u8 ((uint8x16_t) a, (uint8x16_t) b);
#elif STEPS == 1
  return MAX (a, b);
#else
  Steps greater = (Steps) (a > b);

  return (greater & a) | (~greater & b);
#endif
}

/* LANES steps less zero as floats; what is all ones, which is no number, for an excluded one. */
INLINE Vector
steps_to_floats (const guint8 *p, gint32 zero, gint32 excluded)
{
#if defined(SPPNET_PLAIN)
  return *p == excluded ? NAN : (gfloat) (*p - zero);
#else
  guint8 steps __attribute__ ((vector_size (LANES)));
  Mask wide;

  memcpy (&steps, p, sizeof steps);
#if LANES == 16
  wide = (Mask) _mm512_cvtepu8_epi32 ((__m128i) steps);
#elif LANES == 8
  wide = (Mask) _mm256_cvtepu8_epi32 (_mm_loadl_epi64 ((const __m128i *) p));
#else
  wide = __builtin_convertvector(steps, Mask);
#endif
  return (Vector) ((Mask) __builtin_convertvector(wide - zero, Vector) | (wide == excluded));
#endif
}
