/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluate/voc.h"

#include <stdio.h>
#include <string.h>

#include "../tree.h"

#define SIZE "<size><width>100</width><height>50</height><depth>3</depth></size>\n"
#define BOX(x0, y0, x1, y1)                                                                                            \
  "<bndbox><xmin>" #x0 "</xmin><ymin>" #y0 "</ymin><xmax>" #x1 "</xmax><ymax>" #y1 "</ymax></bndbox>\n"
#define OBJECT(content) "<object>\n" content "</object>\n"
#define ANNOTATION(content) "<annotation>\n" content "</annotation>\n"

/* A VOC folder that goes away with the test. */
typedef struct
{
  gchar *dir;
} Folder;

/* Without g_file_set_contents(), which waits for the disk: this happens a thousand times. */
static void
write_file (Folder *folder, const gchar *name, const gchar *text)
{
  g_autofree gchar *path = g_build_filename (folder->dir, name, NULL);
  FILE *file = g_fopen (path, "wb");

  g_assert_nonnull (file);
  g_assert_cmpint (fputs (text, file), >=, 0);
  g_assert_cmpint (fclose (file), ==, 0);
}

static void
set_up (Folder *folder, gconstpointer data)
{
  static const gchar *const rooms[] = { "Annotations", "ImageSets/Main", "JPEGImages" };
  g_autoptr (GError) error = NULL;

  folder->dir = g_dir_make_tmp ("sppnet-voc-XXXXXX", &error);
  g_assert_no_error (error);
  for (gsize i = 0; i < G_N_ELEMENTS (rooms); i++) {
    g_autofree gchar *path = g_build_filename (folder->dir, rooms[i], NULL);

    g_assert_cmpint (g_mkdir_with_parents (path, 0700), ==, 0);
  }
  write_file (folder, "JPEGImages/one.jpg", "");
  write_file (folder, "ImageSets/Main/set.txt", "one\n");
}

static void
tear_down (Folder *folder, gconstpointer data)
{
  remove_tree (folder->dir);
  g_free (folder->dir);
}

static const SppnetObject *
object_of (GPtrArray *annotations, guint picture, guint i)
{
  const SppnetAnnotation *annotation = g_ptr_array_index (annotations, picture);

  g_assert_cmpuint (i, <, annotation->objects->len);
  return &g_array_index (annotation->objects, SppnetObject, i);
}

static void
assert_box (const SppnetBox *box, gfloat x, gfloat y, gfloat width, gfloat height)
{
  g_assert_cmpfloat (box->x, ==, x);
  g_assert_cmpfloat (box->y, ==, y);
  g_assert_cmpfloat (box->width, ==, width);
  g_assert_cmpfloat (box->height, ==, height);
}

static void
test_reads (Folder *folder, gconstpointer data)
{
  g_autoptr (GPtrArray) annotations = NULL;
  g_autoptr (GError) error = NULL;
  const SppnetAnnotation *annotation;

  /* Objects before the size, parts of an object, a comment, blanks, a byte order mark, all four edges. */
  write_file (folder, "Annotations/one.xml",
              "\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- by hand -->\n" ANNOTATION (OBJECT (
                  "<name> dog </name><difficult>1</difficult>" BOX (1, 1, 100, 50) "<part><name>head</name>" BOX (
                      5, 5, 9, 9) "</part>") SIZE OBJECT ("<name>a &amp; "
                                                          "b</name>"
                                                          "<confidence>0.25</"
                                                          "confidence>" BOX (10, 20, 10, 20))));
  write_file (folder, "Annotations/two.xml", ANNOTATION (SIZE));
  write_file (folder, "JPEGImages/two.png", "");
  write_file (folder, "ImageSets/Main/both.txt", "two  -1\r\n\n  one 1\n");
  annotations = sppnet_voc_load (folder->dir, "both", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (annotations->len, ==, 2);

  annotation = g_ptr_array_index (annotations, 0);
  g_assert_cmpstr (annotation->id, ==, "two");
  g_assert_true (g_str_has_suffix (annotation->picture, "JPEGImages/two.png"));
  g_assert_cmpint (annotation->width, ==, 100);
  g_assert_cmpint (annotation->height, ==, 50);
  g_assert_cmpuint (annotation->objects->len, ==, 0);

  annotation = g_ptr_array_index (annotations, 1);
  g_assert_cmpstr (annotation->id, ==, "one");
  g_assert_cmpuint (annotation->objects->len, ==, 2);
  g_assert_cmpstr (object_of (annotations, 1, 0)->label, ==, "dog");
  g_assert_true (object_of (annotations, 1, 0)->difficult);
  g_assert_cmpfloat (object_of (annotations, 1, 0)->confidence, ==, 1);
  assert_box (&object_of (annotations, 1, 0)->box, 0, 0, 100, 50);
  g_assert_cmpstr (object_of (annotations, 1, 1)->label, ==, "a & b");
  g_assert_false (object_of (annotations, 1, 1)->difficult);
  g_assert_cmpfloat (object_of (annotations, 1, 1)->confidence, ==, 0.25f);
  assert_box (&object_of (annotations, 1, 1)->box, 9, 19, 1, 1);
}

static void
test_overhang (Folder *folder, gconstpointer data)
{
  g_autoptr (GPtrArray) annotations = NULL;
  g_autoptr (GError) error = NULL;

  write_file (
      folder, "Annotations/one.xml",
      ANNOTATION (SIZE OBJECT ("<name>x</name>" BOX (0, 0, 101, 51)) OBJECT ("<name>x</name>" BOX (45.5, 2, 99.5, 4))));
  annotations = sppnet_voc_load (folder->dir, "set", &error);
  g_assert_no_error (error);
  assert_box (&object_of (annotations, 0, 0)->box, 0, 0, 100, 50);
  assert_box (&object_of (annotations, 0, 1)->box, 44.5f, 1, 55, 3);
}

typedef struct
{
  const gchar *name, *xml;
  gint line; /* 0: where GMarkup sees it */
  const gchar *reason;
} BadFile;

static const BadFile bad_files[] = {
  { "empty", "", 1, "" },
  { "not-xml", "\n\nhello", 0, "" },
  { "cut", "<annotation>\n" SIZE, 0, "" },
  { "crossed", "<annotation>\n<size></annotation></size>", 2, "" },
  { "entity", "<annotation>\n&nothing;</annotation>", 2, "" },
  { "other-root", "<annotations>" SIZE "</annotations>", 1, "<annotations>" },
  { "no-size", ANNOTATION (""), 1, "no <size>" },
  { "half-size", ANNOTATION ("<size><width>3</width></size>"), 2, "<size>" },
  { "zero-size", ANNOTATION ("\n<size><width>0</width><height>5</height></size>"), 3, "<size>" },
  { "negative-size", ANNOTATION ("<size><width>5</width><height>-5</height></size>"), 2, "<size>" },
  { "huge-size", ANNOTATION ("<size><width>1e30</width><height>5</height></size>"), 2, "<size>" },
  { "broken-size", ANNOTATION ("<size><width>5.5</width><height>5</height></size>"), 2, "whole" },
  { "size-no-number", ANNOTATION ("<size>\n<width>wide</width><height>5</height></size>"), 3, "\"wide\"" },
  { "size-nan", ANNOTATION ("<size>\n\n<width>nan</width><height>5</height></size>"), 4, "\"nan\"" },
  { "no-name", ANNOTATION (SIZE OBJECT (BOX (1, 1, 5, 5))), 3, "<name>" },
  { "blank-name", ANNOTATION (SIZE OBJECT ("<name> </name>" BOX (1, 1, 5, 5))), 3, "<name>" },
  { "no-box", ANNOTATION (SIZE OBJECT ("<name>x</name>")), 3, "xmin" },
  { "half-box", ANNOTATION (SIZE OBJECT ("<name>x</name>\n<bndbox><xmin>4</xmin></bndbox>")), 5, "xmin" },
  { "box-no-number", ANNOTATION (SIZE OBJECT ("<name>x</name>" BOX (1, one, 5, 5))), 4, "\"one\"" },
  { "box-infinite", ANNOTATION (SIZE OBJECT ("<name>x</name>" BOX (1, 1, inf, 5))), 4, "\"inf\"" },
  { "box-empty-number", ANNOTATION (SIZE OBJECT ("<name>x</name>" BOX (1, 1, , 5))), 4, "number" },
  { "empty-box", ANNOTATION (SIZE OBJECT ("<name>x</name>" BOX (10, 1, 9, 5))), 4, "empty box" },
  { "turned-box", ANNOTATION (SIZE OBJECT ("<name>x</name>" BOX (1, 9, 5, 2))), 4, "empty box" },
  { "outside-left", ANNOTATION (SIZE OBJECT ("<name>x</name>" BOX (-1, 1, 5, 5))), 4, "outside" },
  { "outside-right", ANNOTATION (SIZE OBJECT ("<name>x</name>" BOX (1, 1, 102, 5))), 4, "outside" },
  { "outside-below", ANNOTATION (SIZE OBJECT ("<name>x</name>" BOX (1, 1, 5, 52))), 4, "outside" },
  { "beyond", ANNOTATION (SIZE OBJECT ("<name>x</name>" BOX (101, 1, 101, 5))), 4, "outside" },
  { "bad-confidence", ANNOTATION (SIZE OBJECT ("<name>x</name>\n<confidence>?</confidence>")), 5, "\"?\"" },
  { "bad-difficult", ANNOTATION (SIZE OBJECT ("<name>x</name>\n<difficult>no</difficult>")), 5, "\"no\"" },
};

static void
test_bad_file (Folder *folder, gconstpointer data)
{
  const BadFile *bad = data;
  g_autofree gchar *place
      = bad->line ? g_strdup_printf ("Annotations/one.xml:%d: ", bad->line) : g_strdup ("Annotations/one.xml:");
  g_autoptr (GPtrArray) annotations = NULL;
  g_autoptr (GError) error = NULL;

  write_file (folder, "Annotations/one.xml", bad->xml);
  annotations = sppnet_voc_load (folder->dir, "set", &error);
  g_assert_null (annotations);
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, place));
  g_assert_nonnull (strstr (error->message, bad->reason));
}

static void
assert_list_error (Folder *folder, const gchar *list, gint code, const gchar *text)
{
  g_autoptr (GPtrArray) annotations = NULL;
  g_autoptr (GError) error = NULL;

  if (list)
    write_file (folder, "ImageSets/Main/list.txt", list);
  annotations = sppnet_voc_load (folder->dir, "list", &error);
  g_assert_null (annotations);
  g_assert_error (error, SPPNET_ERROR, code);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "ImageSets/Main/list.txt"));
  g_assert_nonnull (strstr (error->message, text));
}

static void
test_bad_list (Folder *folder, gconstpointer data)
{
  write_file (folder, "Annotations/one.xml", ANNOTATION (SIZE));
  write_file (folder, "Annotations/blind.xml", ANNOTATION (SIZE));
  assert_list_error (folder, NULL, SPPNET_ERROR_NOT_FOUND, "");
  assert_list_error (folder, "", SPPNET_ERROR_CORRUPT, "no pictures");
  assert_list_error (folder, " \n\t\n", SPPNET_ERROR_CORRUPT, "no pictures");
  assert_list_error (folder, "one\n\nother\n", SPPNET_ERROR_NOT_FOUND, "list.txt:3: no annotation");
  assert_list_error (folder, "one\nblind\n", SPPNET_ERROR_NOT_FOUND, "list.txt:2: no picture");
  assert_list_error (folder, "one\n\none -1\n", SPPNET_ERROR_CORRUPT, "list.txt:3: one is listed twice");
}

/* A byte order mark, names with blanks, lists of one class with their second column. */
static void
test_list (Folder *folder, gconstpointer data)
{
  g_autoptr (GPtrArray) annotations = NULL;
  g_autoptr (GError) error = NULL;

  write_file (folder, "Annotations/one.xml", ANNOTATION (SIZE));
  write_file (folder, "Annotations/my cat 1.xml", ANNOTATION (SIZE));
  write_file (folder, "JPEGImages/my cat 1.jpg", "");
  write_file (folder, "Annotations/my dog.xml", ANNOTATION (SIZE));
  write_file (folder, "JPEGImages/my dog.jpg", "");
  write_file (folder, "ImageSets/Main/list.txt", "\xef\xbb\xbfone  1\r\nmy cat 1\nmy dog -1\n");
  annotations = sppnet_voc_load (folder->dir, "list", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (annotations->len, ==, 3);
  g_assert_true (g_str_has_suffix (((SppnetAnnotation *) g_ptr_array_index (annotations, 0))->picture, "/one.jpg"));
  g_assert_true (
      g_str_has_suffix (((SppnetAnnotation *) g_ptr_array_index (annotations, 1))->picture, "/my cat 1.jpg"));
  g_assert_true (g_str_has_suffix (((SppnetAnnotation *) g_ptr_array_index (annotations, 2))->picture, "/my dog.jpg"));
}

/* Whatever is cut off or changed in a good file gives a result or an error, never a crash. */
static void
test_damage (Folder *folder, gconstpointer data)
{
  const gchar *good = ANNOTATION (SIZE OBJECT ("<name>x</name>" BOX (1, 1, 5, 5)));
  gsize length = strlen (good);

  for (gsize i = 0; i < length; i++) {
    static const gchar bytes[] = { '\xff', '<', '/', '9', '&' };
    g_autofree gchar *cut = g_strndup (good, i);
    g_autoptr (GPtrArray) none = NULL;
    g_autoptr (GError) error = NULL;

    write_file (folder, "Annotations/one.xml", cut);
    none = sppnet_voc_load (folder->dir, "set", &error);
    /* all but the last byte, a line break, is needed */
    g_assert_true (i == length - 1 ? none != NULL : none == NULL && error != NULL);
    for (gsize b = 0; b < sizeof bytes; b++) {
      g_autofree gchar *changed = g_strdup (good);
      g_autoptr (GPtrArray) some = NULL;
      g_autoptr (GError) reason = NULL;

      changed[i] = bytes[b];
      write_file (folder, "Annotations/one.xml", changed);
      some = sppnet_voc_load (folder->dir, "set", &reason);
      g_assert_true ((some == NULL) == (reason != NULL));
    }
  }
}

static void
test_shared (void)
{
  static const struct
  {
    const gchar *dir, *set;
    guint pictures;
  } sets[]
      = { { "voc", "train", 1979 }, { "voc", "val", 307 }, { "extra", "train", 2146 }, { "bccd/BCCD", "train", 205 } };
  const gchar *shared = g_getenv ("SPPNET_SHARED");

  for (gsize i = 0; i < G_N_ELEMENTS (sets); i++) {
    g_autofree gchar *dir = g_build_filename (shared ? shared : "", "data", sets[i].dir, NULL);
    g_autoptr (GPtrArray) annotations = NULL;
    g_autoptr (GError) error = NULL;

    if (!shared || !g_file_test (dir, G_FILE_TEST_IS_DIR)) {
      g_test_skip ("no data in SPPNET_SHARED");
      return;
    }
    annotations = sppnet_voc_load (dir, sets[i].set, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (annotations->len, ==, sets[i].pictures);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/voc/reads", Folder, NULL, set_up, test_reads, tear_down);
  g_test_add ("/voc/overhang", Folder, NULL, set_up, test_overhang, tear_down);
  for (gsize i = 0; i < G_N_ELEMENTS (bad_files); i++) {
    g_autofree gchar *path = g_strconcat ("/voc/bad-file/", bad_files[i].name, NULL);

    g_test_add (path, Folder, &bad_files[i], set_up, test_bad_file, tear_down);
  }
  g_test_add ("/voc/bad-list", Folder, NULL, set_up, test_bad_list, tear_down);
  g_test_add ("/voc/list", Folder, NULL, set_up, test_list, tear_down);
  g_test_add ("/voc/damage", Folder, NULL, set_up, test_damage, tear_down);
  g_test_add_func ("/voc/shared", test_shared);
  return g_test_run ();
}
