/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/map_cache.h"

#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sppnet/error.h>

#include "base/memory.h"
#include "base/random.h"
#include "train/map_file.h"

#define PICTURES 5
#define KEY "backbone 0123, pictures abcd"

typedef struct
{
  gchar *folder, *file;
  gfloat *data;
  gsize data_floats;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  fixture->folder = g_dir_make_tmp ("sppnet-cache-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->file = g_build_filename (fixture->folder, "maps", NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  g_unlink (fixture->file);
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  g_free (fixture->file);
  g_free (fixture->folder);
  sppnet_aligned_free (fixture->data);
}

/* Each picture has its own size, an odd number of values among them; the values are exact in half precision. */
static gfloat
value_of (guint picture, gsize i)
{
  return (gfloat) ((picture * 37 + i * 11) % 1999) / 8 - 64;
}

static SppnetMap
make_map (guint picture, gfloat *data)
{
  SppnetMap map = { data, 1 + (gint) picture * 2, 3, 5, { 16, .5f * picture, -.25f } };

  for (gsize i = 0; i < (gsize) map.width * map.height * map.channels; i++)
    data[i] = value_of (picture, i);
  return map;
}

static gboolean
put (SppnetMapCache *cache, guint picture, GError **error)
{
  gfloat data[3 * 5 * (1 + 2 * PICTURES)];
  SppnetMap map = make_map (picture, data);

  return sppnet_map_cache_put (cache, picture, &map, error);
}

static SppnetMapCache *
open_cache (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  SppnetMapCache *cache = sppnet_map_cache_open (fixture->file, KEY, PICTURES, &error);

  g_assert_no_error (error);
  g_assert_nonnull (cache);
  return cache;
}

static void
expect_map (Fixture *fixture, SppnetMapCache *cache, guint picture)
{
  g_autoptr (GError) error = NULL;
  gfloat data[3 * 5 * (1 + 2 * PICTURES)];
  SppnetMap expected = make_map (picture, data), map;

  g_assert_true (sppnet_map_cache_has (cache, picture));
  sppnet_map_cache_get (cache, picture, &map, &fixture->data, &fixture->data_floats, &error);
  g_assert_no_error (error);
  g_assert_true (map.data == fixture->data);
  g_assert_cmpint (map.width, ==, expected.width);
  g_assert_cmpint (map.height, ==, expected.height);
  g_assert_cmpint (map.channels, ==, expected.channels);
  g_assert_cmpint (map.geometry.stride, ==, expected.geometry.stride);
  g_assert_cmpfloat (map.geometry.offset_x, ==, expected.geometry.offset_x);
  g_assert_cmpfloat (map.geometry.offset_y, ==, expected.geometry.offset_y);
  for (gsize i = 0; i < (gsize) map.width * map.height * map.channels; i++)
    g_assert_cmpfloat (map.data[i], ==, expected.data[i]);
}

static void
fill (Fixture *fixture, guint n)
{
  g_autoptr (SppnetMapCache) cache = open_cache (fixture);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < n; i++)
    if (!sppnet_map_cache_has (cache, i)) {
      put (cache, i, &error);
      g_assert_no_error (error);
    }
}

static GBytes *
read_file (Fixture *fixture)
{
  gchar *content;
  gsize length;

  g_assert_true (g_file_get_contents (fixture->file, &content, &length, NULL));
  return g_bytes_new_take (content, length);
}

/* A new file: file systems flush one that is emptied and written again. */
static void
write_file (Fixture *fixture, gconstpointer data, gsize length)
{
  FILE *stream;

  g_unlink (fixture->file);
  stream = g_fopen (fixture->file, "wb");
  g_assert_nonnull (stream);
  g_assert_cmpuint (fwrite (data, 1, length, stream), ==, length);
  g_assert_cmpint (fclose (stream), ==, 0);
}

static guint messages;

static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  if (level & G_LOG_LEVEL_MESSAGE)
    messages++;
  return G_LOG_WRITER_HANDLED;
}

static void
test_round_trip (Fixture *fixture, gconstpointer unused)
{
  static const guint order[] = { 3, 0, 4, 1, 2 };
  g_autoptr (SppnetMapCache) cache = open_cache (fixture);
  g_autoptr (GError) error = NULL;
  SppnetMap map;

  for (guint i = 0; i < PICTURES; i++) { /* what was put can be had at once, also between two puts */
    g_assert_false (sppnet_map_cache_has (cache, order[i]));
    g_assert_true (put (cache, order[i], &error));
    for (guint k = 0; k <= i; k++)
      expect_map (fixture, cache, order[k]);
  }
  g_assert_false (sppnet_map_cache_has (cache, PICTURES));
  g_assert_false (sppnet_map_cache_get (cache, PICTURES, &map, &fixture->data, &fixture->data_floats, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_NOT_FOUND);

  g_clear_pointer (&cache, sppnet_map_cache_free);
  cache = open_cache (fixture);
  for (guint i = 0; i < PICTURES; i++)
    expect_map (fixture, cache, i);
}

static void
test_replace (Fixture *fixture, gconstpointer unused)
{
  gfloat data[3 * 5 * (1 + 2 * PICTURES)];
  SppnetMap map = make_map (1, data);

  fill (fixture, PICTURES);
  for (guint round = 0; round < 2; round++) {
    g_autoptr (SppnetMapCache) cache = open_cache (fixture);
    g_autoptr (GError) error = NULL;

    if (round == 0)
      g_assert_true (sppnet_map_cache_put (cache, 3, &map, &error));
    g_assert_true (sppnet_map_cache_get (cache, 3, &map, &fixture->data, &fixture->data_floats, &error));
    g_assert_cmpint (map.width, ==, 3);
    expect_map (fixture, cache, 2);
  }
}

static void
test_resume_at_every_byte (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GBytes) two = NULL, three = NULL;
  gsize before, all;
  const guint8 *content;

  fill (fixture, 2);
  two = read_file (fixture);
  fill (fixture, 3);
  three = read_file (fixture);
  before = g_bytes_get_size (two);
  content = g_bytes_get_data (three, &all);
  g_assert_cmpuint (all, >, before + 50);

  for (gsize length = before; length <= all; length++) {
    write_file (fixture, content, length);
    for (guint round = 0; round < 2; round++) {
      g_autoptr (SppnetMapCache) cache = open_cache (fixture);
      g_autoptr (GError) error = NULL;

      g_assert_cmpint (sppnet_map_cache_has (cache, 2), ==, length == all || round == 1);
      g_assert_false (sppnet_map_cache_has (cache, 3));
      expect_map (fixture, cache, 0);
      expect_map (fixture, cache, 1);
      if (round == 0)
        g_assert_true (put (cache, 2, &error));
      expect_map (fixture, cache, 2);
    }
  }
}

/* A run that stopped while it wrote the header. */
static void
test_torn_header (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GBytes) whole = NULL;

  fill (fixture, 0);
  whole = read_file (fixture);
  for (gsize length = 0; length < g_bytes_get_size (whole); length++) {
    g_autoptr (SppnetMapCache) cache = NULL;

    write_file (fixture, g_bytes_get_data (whole, NULL), length);
    cache = open_cache (fixture);
    g_assert_true (put (cache, 2, NULL));
    expect_map (fixture, cache, 2);
  }
}

static void
test_other_key (Fixture *fixture, gconstpointer unused)
{
  static const struct
  {
    const gchar *key;
    guint n_pictures;
  } others[] = { { "another backbone", PICTURES }, { KEY " ", PICTURES }, { "", PICTURES }, { KEY, PICTURES + 1 } };

  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autoptr (SppnetMapCache) cache = NULL;
    g_autoptr (GError) error = NULL;

    g_unlink (fixture->file);
    fill (fixture, PICTURES);
    messages = 0;
    cache = sppnet_map_cache_open (fixture->file, others[i].key, others[i].n_pictures, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (messages, ==, 1);
    for (guint k = 0; k < PICTURES; k++)
      g_assert_false (sppnet_map_cache_has (cache, k));
    g_assert_true (put (cache, 1, &error));
    expect_map (fixture, cache, 1);
  }
}

/* Something else by this name is not overwritten. */
static void
test_other_file (Fixture *fixture, gconstpointer unused)
{
  static const gchar *const contents[] = { "holiday.jpg", "s", "spp", "sppmapsX", "\x7f" };

  for (guint i = 0; i < G_N_ELEMENTS (contents); i++) {
    g_autoptr (SppnetMapCache) cache = NULL;
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) after = NULL;

    write_file (fixture, contents[i], strlen (contents[i]));
    cache = sppnet_map_cache_open (fixture->file, KEY, PICTURES, &error);
    if (g_str_has_prefix ("sppmaps", contents[i])) { /* a torn header */
      g_assert_no_error (error);
      continue;
    }
    g_assert_null (cache);
    g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT);
    g_assert_nonnull (strstr (error->message, fixture->file));
    after = read_file (fixture);
    g_assert_cmpmem (g_bytes_get_data (after, NULL), g_bytes_get_size (after), contents[i], strlen (contents[i]));
  }
}

/* One byte changed anywhere: never a wrong map, and the others can be made again. */
static void
test_every_byte_damaged (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GBytes) whole = NULL;
  g_autofree guint8 *content = NULL;
  gsize length;

  fill (fixture, 3);
  whole = read_file (fixture);
  content = g_memdup2 (g_bytes_get_data (whole, &length), g_bytes_get_size (whole));
  for (gsize at = sizeof SPPNET_MAP_MAGIC; at < length; at++) {
    g_autoptr (SppnetMapCache) cache = NULL;
    guint missing = 0;

    content[at] ^= (guint8) (1 << at % 8);
    write_file (fixture, content, length);
    content[at] ^= (guint8) (1 << at % 8);
    cache = open_cache (fixture);
    for (guint i = 0; i < 3; i++) {
      if (!sppnet_map_cache_has (cache, i)) {
        missing++;
        g_assert_true (put (cache, i, NULL));
      }
      expect_map (fixture, cache, i);
    }
    g_assert_cmpuint (missing, >, 0);
  }
}

/* An entry in the middle with damaged numbers costs only itself. */
static void
test_damaged_numbers (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (SppnetMapCache) cache = NULL;
  g_autoptr (GBytes) one = NULL, all = NULL;
  g_autofree guint8 *content = NULL;
  gsize length;

  fill (fixture, 1);
  one = read_file (fixture);
  fill (fixture, PICTURES);
  all = read_file (fixture);
  g_unlink (fixture->file);
  length = g_bytes_get_size (all);
  content = g_memdup2 (g_bytes_get_data (all, NULL), length);
  content[g_bytes_get_size (one) - 20] ^= 1; /* the last numbers of picture 0 */
  write_file (fixture, content, length);
  messages = 0;
  cache = open_cache (fixture);
  g_assert_cmpuint (messages, ==, 1);
  g_assert_false (sppnet_map_cache_has (cache, 0));
  for (guint i = 1; i < PICTURES; i++)
    expect_map (fixture, cache, i);
}

/* A right checksum over wrong sizes, and noise behind a right header. */
static void
test_hostile (Fixture *fixture, gconstpointer unused)
{
  static const gint32 sizes[] = { 0, -1, 1, 4096, 8192, 8193, G_MAXINT32, G_MININT32, 65536 };
  SppnetRandom random = { (guint64) g_test_rand_int () };
  g_autoptr (GByteArray) header = sppnet_map_file_header_new (KEY, PICTURES);
  g_autofree guint8 *content = g_malloc0 (header->len + 4096);

  memcpy (content, header->data, header->len);
  for (guint round = 0; round < 1000; round++) {
    SppnetMapEntry entry = { sppnet_random_below (&random, 8), 1, 1, 1, 16, 0, 0, 0, 0 };
    g_autoptr (SppnetMapCache) cache = NULL;
    SppnetMap map;

    if (round % 3 == 0) {
      for (gsize i = 0; i < 4096; i++)
        content[header->len + i] = (guint8) sppnet_random_next (&random);
    } else {
      entry.width = sizes[sppnet_random_below (&random, G_N_ELEMENTS (sizes))];
      entry.height = sizes[sppnet_random_below (&random, G_N_ELEMENTS (sizes))];
      entry.channels = sizes[sppnet_random_below (&random, G_N_ELEMENTS (sizes))];
      entry.stride = sizes[sppnet_random_below (&random, 4)];
      entry.offset_x = sppnet_random_below (&random, 9) ? 0 : NAN;
      if (sppnet_map_entry_bytes (&entry) <= 4096 - sizeof entry)
        entry.checksum = sppnet_map_entry_checksum (&entry, content + header->len + sizeof entry);
      memcpy (content + header->len, &entry, sizeof entry);
    }
    write_file (fixture, content, header->len + 4096);
    cache = open_cache (fixture);
    for (guint i = 0; i < PICTURES; i++)
      if (sppnet_map_cache_has (cache, i)) {
        g_assert_true (sppnet_map_cache_get (cache, i, &map, &fixture->data, &fixture->data_floats, NULL));
        g_assert_cmpint (map.width, >, 0);
      }
    g_assert_true (put (cache, 4, NULL));
    expect_map (fixture, cache, 4);
  }
}

/* A write that runs out of room leaves a cache that goes on once there is room again. */
static void
test_disk_full (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GBytes) two = NULL;
  struct rlimit limit, small;
  gsize before;

  fill (fixture, 2);
  two = read_file (fixture);
  before = g_bytes_get_size (two);
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  for (gsize room = 0; room < 100; room += 9) {
    g_autoptr (SppnetMapCache) cache = open_cache (fixture);
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) after = NULL;
    gboolean done;

    small = limit;
    small.rlim_cur = before + room;
    g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
    done = put (cache, 2, &error);
    g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);

    g_assert_false (done);
    g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_WRITE);
    g_assert_nonnull (strstr (error->message, fixture->file));
    g_assert_false (sppnet_map_cache_has (cache, 2));
    expect_map (fixture, cache, 1);
    after = read_file (fixture);
    g_assert_cmpuint (g_bytes_get_size (after), ==, before);
  }
  signal (SIGXFSZ, SIG_DFL);
  fill (fixture, 3);
}

static void
expect_no_open (const gchar *file, SppnetError code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (sppnet_map_cache_open (file, KEY, PICTURES, &error));
  g_assert_error (error, SPPNET_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, file));
}

static void
test_no_file (Fixture *fixture, gconstpointer unused)
{
  g_autofree gchar *missing = g_build_filename (fixture->folder, "no", "maps", NULL);
  g_autoptr (SppnetMapCache) cache = NULL;

  expect_no_open ("/dev/full", SPPNET_ERROR_WRITE);
  expect_no_open (fixture->folder, SPPNET_ERROR_WRITE);
  expect_no_open (missing, SPPNET_ERROR_WRITE);
  cache = open_cache (fixture);
  expect_no_open (fixture->file, SPPNET_ERROR_WRITE); /* two runs at once */
}

static void
test_bad_maps (Fixture *fixture, gconstpointer unused)
{
  static const gfloat bad[] = { NAN, INFINITY, 1e6f, -1e6f };
  g_autoptr (SppnetMapCache) cache = open_cache (fixture);
  gfloat data[3 * 5 * (1 + 2 * PICTURES)];

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    SppnetMap map = make_map (2, data);
    g_autoptr (GError) error = NULL;

    data[74] = bad[i];
    g_assert_false (sppnet_map_cache_put (cache, 2, &map, &error));
    g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED);
    g_assert_nonnull (strstr (error->message, "picture 2"));
  }
  for (guint i = 0; i < 4; i++) {
    SppnetMap map = make_map (2, data);
    g_autoptr (GError) error = NULL;

    *(i == 0 ? &map.width : i == 1 ? &map.height : i == 2 ? &map.channels : &map.geometry.stride) = 0;
    g_assert_false (sppnet_map_cache_put (cache, 2, &map, &error));
    g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED);
  }
  g_assert_false (sppnet_map_cache_has (cache, 2));
  g_assert_true (put (cache, 2, NULL));
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const gchar *path;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/train/map-cache/round-trip", test_round_trip },
    { "/train/map-cache/replace", test_replace },
    { "/train/map-cache/resume-at-every-byte", test_resume_at_every_byte },
    { "/train/map-cache/torn-header", test_torn_header },
    { "/train/map-cache/other-key", test_other_key },
    { "/train/map-cache/other-file", test_other_file },
    { "/train/map-cache/every-byte-damaged", test_every_byte_damaged },
    { "/train/map-cache/damaged-numbers", test_damaged_numbers },
    { "/train/map-cache/hostile", test_hostile },
    { "/train/map-cache/disk-full", test_disk_full },
    { "/train/map-cache/no-file", test_no_file },
    { "/train/map-cache/bad-maps", test_bad_maps },
  };

  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (write_log, NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
  return g_test_run ();
}
