/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <math.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/safetensors.h"
#include "sample.h"

#define FILE_NAME "folder/hostile.safetensors"

/* One 1x1 convolution: 16 bytes of data. The tests change this header. */
#define DOCUMENT                                                                                                       \
  "\"sppnet\":\"{\\\"version\\\":1,\\\"layers\\\":[{\\\"type\\\":\\\"conv\\\",\\\"name\\\":\\\"c\\\","                 \
  "\\\"filters\\\":1,\\\"kernel\\\":1}]}\""
#define META "\"__metadata__\":{" DOCUMENT "}"
#define WEIGHT "\"c.weight\":{\"dtype\":\"F32\",\"shape\":[1,3,1,1],\"data_offsets\":[0,12]}"
#define BIAS "\"c.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[12,16]}"
#define GOOD "{" META "," WEIGHT "," BIAS "}"

static const gfloat numbers[4] = { 1, -2, 0.5f, 3 };

/* A file of a header and data. */
static GBytes *
make_file (const gchar *header, gconstpointer data, gsize length)
{
  guint64 bytes = GUINT64_TO_LE ((guint64) strlen (header));
  GByteArray *file = g_byte_array_new ();

  g_byte_array_append (file, (const guint8 *) &bytes, 8);
  g_byte_array_append (file, (const guint8 *) header, (guint) strlen (header));
  g_byte_array_append (file, data, (guint) length);
  return g_byte_array_free_to_bytes (file);
}

static void
check_refused (GBytes *bytes, SppnetError code, const gchar *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (sppnet_model_new_from_bytes (bytes, FILE_NAME, &error));
  assert_refused (error, code, FILE_NAME ": ", text);
  g_assert_null (sppnet_model_new_from_bytes (bytes, FILE_NAME, NULL));
}

static void
test_good (void)
{
  static const gchar *const headers[] = {
    GOOD,
    "{" BIAS "," WEIGHT "," META "}   ",
    " { \n" META ",\t" WEIGHT " ,\r" BIAS "}",
    "{\"__metadata__\":{\"format\":\"pt\"," DOCUMENT "}," WEIGHT "," BIAS "}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (headers); i++) {
    g_autoptr (GBytes) bytes = make_file (headers[i], numbers, sizeof numbers);
    g_autoptr (GError) error = NULL;
    g_autoptr (SppnetModel) model = sppnet_model_new_from_bytes (bytes, FILE_NAME, &error);
    const gfloat *data;
    gsize count;

    g_assert_no_error (error);
    data = sppnet_model_get_tensor (model, "c.weight", &count);
    g_assert_cmpmem (data, count * sizeof (gfloat), numbers, 12);
    data = sppnet_model_get_tensor (model, "c.bias", &count);
    g_assert_cmpmem (data, count * sizeof (gfloat), numbers + 3, 4);
    g_assert_null (sppnet_model_get_tensor (model, "d.bias", &count));
    g_assert_cmpuint (count, ==, 0);
    g_assert_cmpstr (sppnet_model_get_name (model), ==, "");
    g_assert_cmpstr (sppnet_model_get_path (model), ==, FILE_NAME);
    g_assert_cmpuint (sppnet_model_get_n_labels (model), ==, 0);
    g_assert_null (sppnet_model_get_label (model, 0));
  }
}

/* The data may begin at any address; the sanitizer sees a wrong access. */
static void
test_alignment (void)
{
  for (guint pad = 0; pad < 8; pad++) {
    g_autofree gchar *spaces = g_strnfill (pad, ' ');
    g_autofree gchar *header = g_strconcat (GOOD, spaces, NULL);
    g_autoptr (GBytes) bytes = make_file (header, numbers, sizeof numbers);
    g_autoptr (GError) error = NULL;
    g_autoptr (SppnetModel) model = sppnet_model_new_from_bytes (bytes, FILE_NAME, &error);
    const gfloat *data;

    g_assert_no_error (error);
    data = sppnet_model_get_tensor (model, "c.weight", NULL);
    g_assert_cmpuint ((guintptr) data % sizeof (gfloat), ==, 0);
    g_assert_cmpmem (data, 12, numbers, 12);
  }
}

#define SHAPED(shape, begin, end)                                                                                      \
  "{" META ",\"c.weight\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}," BIAS "}"
#define TYPED(type, begin, end)                                                                                        \
  "{" META ",\"c.weight\":{\"dtype\":" type ",\"shape\":[1,3,1,1],\"data_offsets\":[" begin "," end "]}," BIAS "}"
/* A document that asks for the tensors of a region proposal network. */
#define RPN_META                                                                                                       \
  "\"__metadata__\":{\"sppnet\":\"{\\\"version\\\":1,\\\"layers\\\":[{\\\"type\\\":\\\"conv\\\",\\\"name\\\":"         \
  "\\\"c\\\","                                                                                                         \
  "\\\"filters\\\":1,\\\"kernel\\\":1}],\\\"rpn\\\":{\\\"filters\\\":1,\\\"anchors\\\":[[16,16]]}}\"}"
#define DEEP "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["

static const struct
{
  const gchar *header;
  SppnetError code;
  const gchar *text;
} headers[] = {
  { "", SPPNET_ERROR_CORRUPT, "text ends too early" },
  { "null", SPPNET_ERROR_CORRUPT, "unexpected character at byte 0 of the header" },
  { "{" RPN_META "," WEIGHT "," BIAS "}", SPPNET_ERROR_CORRUPT, "tensor 'rpn.weight': missing" },
  { "{" RPN_META "," WEIGHT ",\"rpn.bias\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[12,16]}}",
    SPPNET_ERROR_CORRUPT, "tensor 'rpn.bias': its shape is [1,1]" },
  { "{" META "," WEIGHT ",\"rpn.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[12,16]}}",
    SPPNET_ERROR_CORRUPT, "tensor 'rpn.bias': the configuration has no such tensor" },
  { "[]", SPPNET_ERROR_CORRUPT, "unexpected character" },
  { "{}", SPPNET_ERROR_CORRUPT, "16 bytes of data" },
  { "{" META "}", SPPNET_ERROR_CORRUPT, "the tensors have 0 bytes" },
  { "{" META "," WEIGHT "}", SPPNET_ERROR_CORRUPT, "the tensors have 12 bytes" },
  { "{" META "," WEIGHT "," BIAS, SPPNET_ERROR_CORRUPT, "text ends too early" },
  { GOOD "x", SPPNET_ERROR_CORRUPT, "text after the end" },
  { GOOD GOOD, SPPNET_ERROR_CORRUPT, "text after the end" },
  { "{" META "," WEIGHT "," BIAS ",}", SPPNET_ERROR_CORRUPT, "unexpected character" },
  { "{" META "," WEIGHT " " BIAS "}", SPPNET_ERROR_CORRUPT, "unexpected character" },
  { "{" META "," WEIGHT "," WEIGHT "," BIAS "}", SPPNET_ERROR_CORRUPT, "tensor 'c.weight' occurs twice" },
  { "{" META "," META "," WEIGHT "," BIAS "}", SPPNET_ERROR_CORRUPT, "tensor '__metadata__' occurs twice" },
  { "{" WEIGHT "," BIAS "}", SPPNET_ERROR_UNSUPPORTED, "not a model of this library" },
  { "{\"__metadata__\":{}," WEIGHT "," BIAS "}", SPPNET_ERROR_UNSUPPORTED, "not a model of this library" },
  { "{\"__metadata__\":{\"sppnet\":\"\"}," WEIGHT "," BIAS "}", SPPNET_ERROR_CORRUPT, "configuration: text ends" },
  { "{\"__metadata__\":{\"sppnet\":\"{\"}," WEIGHT "," BIAS "}", SPPNET_ERROR_CORRUPT, "configuration: text ends" },
  { "{\"__metadata__\":{\"sppnet\":\"{}\"}," WEIGHT "," BIAS "}", SPPNET_ERROR_CORRUPT, "'version' is missing" },
  { "{\"__metadata__\":{\"sppnet\":{}}," WEIGHT "," BIAS "}", SPPNET_ERROR_CORRUPT, "'__metadata__'" },
  { "{\"__metadata__\":{\"sppnet\":\"\",\"sppnet\":\"\"}," WEIGHT "," BIAS "}", SPPNET_ERROR_CORRUPT, "given twice" },
  { "{\"__metadata__\":3," WEIGHT "," BIAS "}", SPPNET_ERROR_CORRUPT, "'__metadata__'" },
  { "{\"__metadata__\":{\"x\":" DEEP, SPPNET_ERROR_CORRUPT, "nested too deeply" },
  { "{\"c\":" DEEP, SPPNET_ERROR_CORRUPT, "tensor 'c': unexpected character" },
  { "{\"\":{}}", SPPNET_ERROR_CORRUPT, "a tensor's name" },
  { "{\"a\\nb\":{}}", SPPNET_ERROR_CORRUPT, "a tensor's name" },
  { "{\"a\\u0000b\":{}}", SPPNET_ERROR_CORRUPT, "NUL" },
  { "{\"a\nb\":{}}", SPPNET_ERROR_CORRUPT, "control character" },
  { "{\"\xc3\":{}}", SPPNET_ERROR_CORRUPT, "not UTF-8" },
  { "{\"a\\q\":{}}", SPPNET_ERROR_CORRUPT, "unknown escape" },
  { "{\"a\\u12g4\":{}}", SPPNET_ERROR_CORRUPT, "hexadecimal" },
  { "{\"a\\udc00\":{}}", SPPNET_ERROR_CORRUPT, "surrogate" },
  { "{\"a\\ud800\\u0041\":{}}", SPPNET_ERROR_CORRUPT, "surrogate" },
  { "{\"a", SPPNET_ERROR_CORRUPT, "ends within a string" },
  { "{\"a\\", SPPNET_ERROR_CORRUPT, "text ends too early" },
  { "{\"c.weight\":[]}", SPPNET_ERROR_CORRUPT, "tensor 'c.weight': unexpected" },
  { "{\"c.weight\":{}}", SPPNET_ERROR_CORRUPT, "tensor 'c.weight': no 'dtype'" },
  { "{\"c.weight\":{\"dtype\":\"F32\",\"shape\":[1]}}", SPPNET_ERROR_CORRUPT, "tensor 'c.weight': no 'data_offsets'" },
  { "{\"c.weight\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", SPPNET_ERROR_CORRUPT, "'c.weight': key given twice" },
  { "{\"c.weight\":{\"zip\":\"F32\"}}", SPPNET_ERROR_CORRUPT, "tensor 'c.weight': unknown key" },
  { TYPED ("\"I64\"", "0", "12"), SPPNET_ERROR_UNSUPPORTED, "tensor 'c.weight': its type 'I64' is none of" },
  { TYPED ("\"f32\"", "0", "12"), SPPNET_ERROR_UNSUPPORTED, "tensor 'c.weight': its type" },
  { TYPED ("4", "0", "12"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight'" },
  { TYPED ("\"F16\"", "0", "12"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight': F16 of shape [1,3,1,1] needs 6 bytes" },
  { TYPED ("\"BF16\"", "0", "12"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight': BF16 of shape [1,3,1,1] needs 6 bytes" },
  { TYPED ("\"F32\"", "0", "11"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight': F32 of shape [1,3,1,1] needs 12 bytes" },
  { TYPED ("\"F32\"", "12", "0"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight'" },
  { TYPED ("\"F32\"", "4", "16"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight': its data begins at byte 4, leaving a gap" },
  { TYPED ("\"F32\"", "16", "28"), SPPNET_ERROR_CORRUPT, "leaving a gap" },
  { TYPED ("\"F32\"", "8", "20"), SPPNET_ERROR_CORRUPT, "its data ends at byte 20" },
  { TYPED ("\"F32\"", "18446744073709551604", "18446744073709551615"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight'" },
  { TYPED ("\"F32\"", "18446744073709551616", "12"), SPPNET_ERROR_CORRUPT, "number too large" },
  { TYPED ("\"F32\"", "-1", "11"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight': expected a whole number" },
  { TYPED ("\"F32\"", "0.0", "12"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight': expected a whole number" },
  { TYPED ("\"F32\"", "0e1", "12"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight': expected a whole number" },
  { TYPED ("\"F32\"", "00", "12"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight': expected a whole number" },
  { TYPED ("\"F32\"", "0,0", "12"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight': too many numbers" },
  { SHAPED ("[1,1,3,1]", "0", "12"), SPPNET_ERROR_CORRUPT, "is [1,1,3,1], the configuration needs [1,3,1,1]" },
  { SHAPED ("[3]", "0", "12"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight': its shape is [3]" },
  { SHAPED ("[1,3,1,1,1]", "0", "12"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight': its shape is [1,3,1,1,1]" },
  { SHAPED ("[1,1,1,1,1,1,1,1,3]", "0", "12"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight': too many numbers" },
  { SHAPED ("3", "0", "12"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight': unexpected" },
  { SHAPED ("[null]", "0", "12"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight': expected a whole number" },
  { SHAPED ("[4294967296,4294967296]", "0", "12"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight': its shape" },
  { SHAPED ("[4611686018427387904]", "0", "0"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight': its shape" },
  { SHAPED ("[4294967296,4294967296,0]", "0", "0"), SPPNET_ERROR_CORRUPT, "tensor 'c.weight': its shape" },
  { "{" META ",\"c.bias\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}", SPPNET_ERROR_CORRUPT,
    "tensor 'c.bias': its shape is [4]" },
  { "{" META ",\"c.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
    "\"d\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[4,16]}}",
    SPPNET_ERROR_CORRUPT, "tensor 'd': the configuration has no such tensor" },
  { "{" META "," WEIGHT ",\"c.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}", SPPNET_ERROR_CORRUPT,
    "tensor 'c.bias': its data begins at byte 8, overlapping" },
  { "{" META "," WEIGHT ",\"c.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[16,20]}}", SPPNET_ERROR_CORRUPT,
    "tensor 'c.bias': its data ends at byte 20" },
};

static void
test_headers (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (headers); i++) {
    g_autoptr (GBytes) bytes = make_file (headers[i].header, numbers, sizeof numbers);

    g_test_message ("header %u: %s", i, headers[i].text);
    check_refused (bytes, headers[i].code, headers[i].text);
  }
}

static void
test_missing (void)
{
  g_autoptr (GBytes) no_bias = make_file ("{" META "," WEIGHT "}", numbers, 12);
  g_autoptr (GBytes) none = make_file ("{" META "}", numbers, 0);

  check_refused (no_bias, SPPNET_ERROR_CORRUPT, "tensor 'c.bias': missing");
  check_refused (none, SPPNET_ERROR_CORRUPT, "tensor 'c.weight': missing");
}

/* Lengths in front of the header that the file does not have. */
static void
test_lengths (void)
{
  static const struct
  {
    guint64 length;
    const gchar *text;
  } lengths[] = {
    { 17, "longer than the file" },
    { 100000000, "longer than the file" },
    { 100000001, "is not a safetensors file" },
    { G_MAXUINT64, "is not a safetensors file" },
    { G_MAXUINT64 - 7, "is not a safetensors file" },
    { 1ULL << 63, "is not a safetensors file" },
    { 16, "the header" },
    { 0, "text ends too early" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    guint64 words[3] = { GUINT64_TO_LE (lengths[i].length), 0, 0 };
    g_autoptr (GBytes) bytes = g_bytes_new (words, sizeof words);

    check_refused (bytes, SPPNET_ERROR_CORRUPT, lengths[i].text);
  }
  for (gsize n = 0; n < 8; n++) {
    g_autoptr (GBytes) bytes = g_bytes_new ("\0\0\0\0\0\0\0\0", n);

    check_refused (bytes, SPPNET_ERROR_CORRUPT, "too few for a safetensors file");
  }
}

/* Every shorter and one longer file. */
static void
test_truncated (void)
{
  g_autoptr (GBytes) good = make_file (GOOD, numbers, sizeof numbers);
  g_autoptr (GBytes) longer = make_file (GOOD "", (const gfloat[]) { 1, 2, 3, 4, 5 }, 17);
  gsize length;
  const guint8 *data = g_bytes_get_data (good, &length);

  for (gsize n = 0; n < length; n++) {
    g_autoptr (GBytes) part = g_bytes_new (data, n);

    check_refused (part, SPPNET_ERROR_CORRUPT, "");
  }
  check_refused (longer, SPPNET_ERROR_CORRUPT, "the file holds 17 bytes of data");
}

static void
test_not_finite (void)
{
  const gfloat bad[] = { NAN, INFINITY, -INFINITY };
  static const guint16 bad_half[][4] = { { 0, 0x7c00, 0, 0 }, { 0, 0xfe01, 0, 0 } };

  for (guint i = 0; i < 3; i++) {
    gfloat values[4] = { 0, 0, bad[i], 0 };
    g_autoptr (GBytes) bytes = make_file (GOOD, values, sizeof values);

    check_refused (bytes, SPPNET_ERROR_CORRUPT, "tensor 'c.weight': element 2 is not a finite number");
  }
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GBytes) bytes
        = make_file ("{" META ",\"c.weight\":{\"dtype\":\"F16\",\"shape\":[1,3,1,1],\"data_offsets\":[0,6]},"
                     "\"c.bias\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[6,8]}}",
                     bad_half[i], 8);

    check_refused (bytes, SPPNET_ERROR_CORRUPT, "tensor 'c.weight': element 1 is not a finite number");
  }
}

static void
test_many_tensors (void)
{
  g_autoptr (GString) header = g_string_new ("{" META);
  g_autoptr (GBytes) bytes = NULL;

  for (guint i = 0; i < 5000; i++)
    g_string_append_printf (header, ",\"t%u\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}", i);
  g_string_append_c (header, '}');
  bytes = make_file (header->str, numbers, 0);
  check_refused (bytes, SPPNET_ERROR_CORRUPT, "too many tensors");
}

static void
check_path (const gchar *path, SppnetError code, const gchar *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (sppnet_model_load (path, &error));
  assert_refused (error, code, path, text);
}

static void
test_places (void)
{
  gchar *folder = sample_folder ();
  g_autofree gchar *file = g_build_filename (folder, "empty.safetensors", NULL);
  g_autofree gchar *below = g_build_filename (file, "x", NULL);
  g_autofree gchar *absent = g_build_filename (folder, "absent", NULL);
  g_autofree gchar *pipe = g_build_filename (folder, "pipe", NULL);
  g_autofree gchar *dangling = g_build_filename (folder, "link", NULL);

  g_assert_true (g_file_set_contents (file, "", 0, NULL));
  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  g_assert_cmpint (symlink (absent, dangling), ==, 0);
  check_path (absent, SPPNET_ERROR_NOT_FOUND, "cannot be opened");
  check_path (below, SPPNET_ERROR_NOT_FOUND, "cannot be opened");
  check_path (dangling, SPPNET_ERROR_NOT_FOUND, "cannot be opened");
  check_path (folder, SPPNET_ERROR_READ, "not a regular file");
  check_path (pipe, SPPNET_ERROR_READ, "not a regular file");
  check_path ("/dev/zero", SPPNET_ERROR_READ, "not a regular file");
  check_path (file, SPPNET_ERROR_CORRUPT, "0 bytes are too few");
  check_path ("", SPPNET_ERROR_NOT_FOUND, "");
  sample_remove_folder (folder);
}

/* Permissions mean nothing to root: a child process gives them up. */
static void
test_unreadable (void)
{
  gchar *folder = sample_folder ();
  g_autofree gchar *file = g_build_filename (folder, "secret.safetensors", NULL);
  gint status;
  pid_t child;

  sample_save (file, 1);
  g_assert_cmpint (g_chmod (folder, 0755), ==, 0);
  g_assert_cmpint (g_chmod (file, 0), ==, 0);
  child = fork ();
  if (child == 0) {
    g_autoptr (GError) error = NULL;

    if (geteuid () == 0 && setuid (65534) != 0)
      _exit (77);
    _exit (!sppnet_model_load (file, &error) && g_error_matches (error, SPPNET_ERROR, SPPNET_ERROR_READ)
                   && g_str_has_prefix (error->message, file)
               ? 0
               : 1);
  }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  if (WIFEXITED (status) && WEXITSTATUS (status) == 77)
    g_test_skip ("cannot give up root's permissions");
  else
    g_assert_cmpint (status, ==, 0);
  sample_remove_folder (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostile/good", test_good);
  g_test_add_func ("/hostile/alignment", test_alignment);
  g_test_add_func ("/hostile/headers", test_headers);
  g_test_add_func ("/hostile/missing", test_missing);
  g_test_add_func ("/hostile/lengths", test_lengths);
  g_test_add_func ("/hostile/truncated", test_truncated);
  g_test_add_func ("/hostile/not-finite", test_not_finite);
  g_test_add_func ("/hostile/many-tensors", test_many_tensors);
  g_test_add_func ("/hostile/places", test_places);
  g_test_add_func ("/hostile/unreadable", test_unreadable);
  return g_test_run ();
}
