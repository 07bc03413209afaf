/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* COCO files, folders without lists, the split, label files. */
#include "evaluate/sets.h"

#include <string.h>

#include "../tree.h"
#include "evaluate/coco.h"

typedef struct
{
  gchar *dir;
} Folder;

static gchar *
write_file (Folder *folder, const gchar *name, const gchar *text)
{
  gchar *path = g_build_filename (folder->dir, name, NULL);
  g_autofree gchar *parent = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (parent, 0700), ==, 0);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
  return path;
}

static void
set_up (Folder *folder, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  folder->dir = g_dir_make_tmp ("sppnet-sets-XXXXXX", &error);
  g_assert_no_error (error);
  g_free (write_file (folder, "a/one.jpg", ""));
  g_free (write_file (folder, "a/two.png", ""));
}

static void
tear_down (Folder *folder, gconstpointer data)
{
  remove_tree (folder->dir);
  g_free (folder->dir);
}

#define IMAGES                                                                                                         \
  "\"images\":[{\"id\":7,\"file_name\":\"a/two.png\",\"width\":100,\"height\":50},"                                    \
  "{\"id\":-1,\"file_name\":\"a/one.jpg\",\"width\":60,\"height\":40}]"
#define CATEGORIES "\"categories\":[{\"id\":3,\"name\":\"cat, tabby\"},{\"id\":1,\"name\":\"dog\"}]"

static void
test_coco (Folder *folder, gconstpointer data)
{
  g_autofree gchar *file
      = write_file (folder, "coco.json",
                    "{\"info\":{}," IMAGES "," CATEGORIES ",\"annotations\":["
                    "{\"id\":1,\"image_id\":-1,\"category_id\":3,\"bbox\":[1.5,2,10,20.25],\"iscrowd\":0},"
                    "{\"id\":2,\"image_id\":-1,\"category_id\":1,\"bbox\":[-0.5,0,61,40.5],\"iscrowd\":1}]}");
  SppnetPictureSets sets = { .coco = (gchar *[]) { file, NULL } };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) annotations = sppnet_picture_sets_load (&sets, &error);
  const SppnetAnnotation *annotation;
  const SppnetObject *object;

  g_assert_no_error (error);
  g_assert_cmpuint (annotations->len, ==, 2);
  annotation = g_ptr_array_index (annotations, 0);
  g_assert_true (g_str_has_suffix (annotation->picture, "/a/two.png"));
  g_assert_cmpuint (annotation->objects->len, ==, 0);
  annotation = g_ptr_array_index (annotations, 1);
  g_assert_cmpint (annotation->width, ==, 60);
  g_assert_cmpint (annotation->height, ==, 40);
  g_assert_cmpuint (annotation->objects->len, ==, 2);
  object = &g_array_index (annotation->objects, SppnetObject, 0);
  g_assert_cmpstr (object->label, ==, "cat, tabby");
  g_assert_cmpfloat (object->box.x, ==, 1.5);
  g_assert_cmpfloat (object->box.y, ==, 2);
  g_assert_cmpfloat (object->box.width, ==, 10);
  g_assert_cmpfloat (object->box.height, ==, 20.25);
  g_assert_false (object->difficult);
  g_assert_cmpfloat (object->confidence, ==, 1);
  object = &g_array_index (annotation->objects, SppnetObject, 1); /* clipped */
  g_assert_cmpfloat (object->box.x, ==, 0);
  g_assert_cmpfloat (object->box.width, ==, 60);
  g_assert_cmpfloat (object->box.height, ==, 40);
  g_assert_true (object->difficult);
}

typedef struct
{
  const gchar *name, *text, *reason;
} Bad;

#define DOCUMENT(annotations) "{" IMAGES "," CATEGORIES ",\"annotations\":[" annotations "]}"
#define OBJECT(image, category, box) DOCUMENT ("{\"image_id\":" image ",\"category_id\":" category ",\"bbox\":" box "}")

static const Bad bad_files[] = {
  { "empty", "", "1: text ends too early" },
  { "syntax", "{\n\"images\": [,]}", "2:" },
  { "array", "[]", "is not a JSON object" },
  { "no-categories", "{" IMAGES ",\"annotations\":[]}", "\"categories\"" },
  { "no-annotations", "{" IMAGES "," CATEGORIES "}", "\"annotations\"" },
  { "images-object", "{\"images\":{}," CATEGORIES ",\"annotations\":[]}", "\"images\"" },
  { "images-none", "{\"images\":[]," CATEGORIES ",\"annotations\":[]}", "no pictures" },
  { "image-number", "{\"images\":[4]," CATEGORIES ",\"annotations\":[]}", "images[0]: is not an object" },
  { "image-twice",
    "{\"images\":[{\"id\":7,\"file_name\":\"a/two.png\",\"width\":1,\"height\":1},"
    "{\"id\":7,\"file_name\":\"a/two.png\",\"width\":1,\"height\":1}]," CATEGORIES ",\"annotations\":[]}",
    "images[1]: id 7 is there twice" },
  { "image-size",
    "{\"images\":[{\"id\":7,\"file_name\":\"a/two.png\",\"width\":0,\"height\":1}]," CATEGORIES ",\"annotations\":[]}",
    "images[0]: width and height" },
  { "image-missing",
    "{\"images\":[{\"id\":7,\"file_name\":\"b.png\",\"width\":1,\"height\":1}]," CATEGORIES ",\"annotations\":[]}",
    "b.png" },
  { "category-nameless", "{" IMAGES ",\"categories\":[{\"id\":1,\"name\":\"\"}],\"annotations\":[]}",
    "categories[0]: \"name\"" },
  { "no-image", OBJECT ("8", "1", "[1,1,2,2]"), "annotations[0]: \"image_id\": there is no id 8" },
  { "image-text", OBJECT ("\"7\"", "1", "[1,1,2,2]"), "annotations[0]: \"image_id\"" },
  { "image-fraction", OBJECT ("7.5", "1", "[1,1,2,2]"), "annotations[0]: \"image_id\"" },
  { "no-category", OBJECT ("7", "2", "[1,1,2,2]"), "annotations[0]: \"category_id\": there is no id 2" },
  { "box-short", OBJECT ("7", "1", "[1,1,2]"), "annotations[0]: \"bbox\"" },
  { "box-text", OBJECT ("7", "1", "[1,1,2,\"2\"]"), "annotations[0]: \"bbox\"" },
  { "box-null", OBJECT ("7", "1", "null"), "annotations[0]: \"bbox\"" },
  { "box-negative", OBJECT ("7", "1", "[1,1,-2,2]"), "annotations[0]: empty box" },
  { "crowd-text", DOCUMENT ("{\"image_id\":7,\"category_id\":1,\"bbox\":[1,1,2,2],\"iscrowd\":\"1\"}"),
    "annotations[0]: \"iscrowd\"" },
  { "comment", "/* \" */" DOCUMENT (""), "1: unexpected character" },
  { "comment-later", "{" IMAGES ",\n/*\"*/" CATEGORIES "}", "2: unexpected character" },
  { "more-text", DOCUMENT ("") "\n\n{}", "3: text after the document" },
  { "box-outside", OBJECT ("7", "1", "[90,1,20,2]"), "annotations[0]: box outside the picture" },
  { "box-huge", OBJECT ("7", "1", "[1,1,1e300,1e300]"), "annotations[0]: box outside the picture" },
};

static void
test_bad_coco (Folder *folder, gconstpointer data)
{
  const Bad *bad = data;
  g_autofree gchar *file = write_file (folder, "bad.json", bad->text);
  g_autoptr (GError) error = NULL;

  g_assert_null (sppnet_coco_load (file, folder->dir, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT);
  g_test_message ("%s", error->message);
  g_assert_true (g_str_has_prefix (error->message, file));
  g_assert_nonnull (strstr (error->message, bad->reason));
}

/* A parser that calls itself must not be led to the end of the stack, nor by what only it takes for JSON. */
static void
test_deep_coco (Folder *folder, gconstpointer data)
{
  static const gchar *const before[] = { "", "{\"categories\":", "/* \" */{\"categories\":", "/\"/{\"categories\":" };

  for (guint i = 0; i < G_N_ELEMENTS (before); i++) {
    g_autofree gchar *brackets = g_strnfill (3000000, '[');
    g_autofree gchar *text = g_strconcat (before[i], brackets, NULL);
    g_autofree gchar *file = write_file (folder, "deep.json", text);
    g_autoptr (GError) error = NULL;

    g_assert_null (sppnet_coco_load (file, folder->dir, &error));
    g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT);
    g_assert_nonnull (strstr (error->message, i < 2 ? "nested" : "unexpected"));
  }
}

/* What other tools write: a byte order mark, true and false, null, boxes without an area. */
static void
test_other_coco (Folder *folder, gconstpointer data)
{
#define OTHER(crowd, box) "{\"image_id\":7,\"category_id\":1,\"bbox\":" box ",\"iscrowd\":" crowd "}"
  g_autofree gchar *file
      = write_file (folder, "other.json",
                    "\xef\xbb\xbf" DOCUMENT (OTHER ("true", "[1,1,2,2]") "," OTHER ("null", "[1,2,3.0,0.0]") "," OTHER (
                        "null", "[0,2,0,4]") "," OTHER ("false", "[3,1,2,2]")));
  g_autoptr (GPtrArray) annotations = NULL;
  g_autoptr (GError) error = NULL;
  const GArray *objects;

  annotations = sppnet_coco_load (file, folder->dir, &error);
  g_assert_no_error (error);
  objects = ((SppnetAnnotation *) g_ptr_array_index (annotations, 0))->objects;
  g_assert_cmpuint (objects->len, ==, 2);
  g_assert_true (g_array_index (objects, SppnetObject, 0).difficult);
  g_assert_false (g_array_index (objects, SppnetObject, 1).difficult);
  g_assert_cmpfloat (g_array_index (objects, SppnetObject, 1).box.x, ==, 3);
}

/* Every prefix and many single bytes changed: an answer or an error, never a crash. */
static void
test_damaged_coco (Folder *folder, gconstpointer data)
{
  static const gchar whole[] = OBJECT ("7", "1", "[1,1,2,2]");

  for (gsize i = 0; i < sizeof whole; i++) {
    g_autofree gchar *text = i % 2 ? g_strndup (whole, i) : g_strdup (whole);
    g_autofree gchar *file = NULL;
    g_autoptr (GPtrArray) annotations = NULL;
    g_autoptr (GError) error = NULL;

    if (i % 2 == 0 && i + 1 < sizeof whole)
      text[i] = "{}[]\",:0-"[i % 9];
    file = write_file (folder, "damaged.json", text);
    annotations = sppnet_coco_load (file, folder->dir, &error);
    g_assert_true ((annotations == NULL) == (error != NULL));
  }
}

static void
test_folder_without_lists (Folder *folder, gconstpointer data)
{
  static const gchar xml[] = "<annotation><size><width>9</width><height>9</height></size></annotation>";
  SppnetPictureSets sets = { .voc = (gchar *[]) { folder->dir, NULL } };
  g_autoptr (GPtrArray) annotations = NULL, none = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *extra = NULL;

  none = sppnet_picture_sets_load (&sets, &error);
  g_assert_null (none);
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_free (write_file (folder, "Annotations/b.xml", xml));
  g_free (write_file (folder, "Annotations/a.xml", xml));
  g_free (write_file (folder, "Annotations/notes.txt", "no annotation"));
  g_free (write_file (folder, "JPEGImages/a.JPG", ""));
  g_free (write_file (folder, "JPEGImages/b.jpeg", ""));
  annotations = sppnet_picture_sets_load (&sets, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (annotations->len, ==, 2);
  g_assert_cmpstr (((SppnetAnnotation *) g_ptr_array_index (annotations, 0))->id, ==, "a");
  g_assert_cmpstr (((SppnetAnnotation *) g_ptr_array_index (annotations, 1))->id, ==, "b");

  extra = write_file (folder, "Annotations/c.xml", xml);
  none = sppnet_picture_sets_load (&sets, &error);
  g_assert_null (none);
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, extra));
}

static GPtrArray *
numbered (guint n)
{
  GPtrArray *annotations = g_ptr_array_new_with_free_func ((GDestroyNotify) sppnet_annotation_free);

  for (guint i = 0; i < n; i++) {
    SppnetAnnotation *annotation = g_new0 (SppnetAnnotation, 1);

    annotation->width = (gint) i;
    annotation->picture = g_strdup_printf ("%u.png", i);
    annotation->objects = g_array_new (FALSE, FALSE, sizeof (SppnetObject));
    g_ptr_array_add (annotations, annotation);
  }
  return annotations;
}

/* The two parts make up the whole, in order; the seed decides. */
static void
test_split (void)
{
  static const gdouble fractions[] = { .01, .2, .5, .9 };
  guint first[4] = { 0 };

  for (guint f = 0; f < G_N_ELEMENTS (fractions); f++)
    for (guint n = 1; n < 50; n++) {
      g_autoptr (GPtrArray) training = sppnet_picture_sets_split (numbered (n), fractions[f], 5, FALSE);
      g_autoptr (GPtrArray) validation = sppnet_picture_sets_split (numbered (n), fractions[f], 5, TRUE);
      g_autoptr (GPtrArray) again = sppnet_picture_sets_split (numbered (n), fractions[f], 5, TRUE);
      guint t = 0, v = 0;

      g_assert_cmpuint (training->len + validation->len, ==, n);
      g_assert_cmpuint (validation->len, ==, n == 1 ? 1 : CLAMP ((guint) (fractions[f] * n + .5), 1, n - 1));
      g_assert_cmpuint (again->len, ==, validation->len);
      for (guint i = 0; i < n; i++) {
        gboolean left = t < training->len && ((SppnetAnnotation *) g_ptr_array_index (training, t))->width == (gint) i;

        if (!left) {
          g_assert_cmpint (((SppnetAnnotation *) g_ptr_array_index (validation, v))->width, ==, (gint) i);
          g_assert_cmpint (((SppnetAnnotation *) g_ptr_array_index (again, v))->width, ==, (gint) i);
        }
        *(left ? &t : &v) += 1;
      }
    }
  for (guint seed = 0; seed < 64; seed++) {
    g_autoptr (GPtrArray) validation = sppnet_picture_sets_split (numbered (4), .25, seed, TRUE);

    first[((SppnetAnnotation *) g_ptr_array_index (validation, 0))->width]++;
  }
  for (guint i = 0; i < 4; i++)
    g_assert_cmpuint (first[i], >, 4);
}

/* Pictures that are there three times are trained on three times or not at all. */
static void
test_split_repeated (void)
{
  for (gint validation = 0; validation < 2; validation++) {
    GPtrArray *all = numbered (40);
    g_autoptr (GPtrArray) part = NULL;
    guint times[40] = { 0 };

    for (guint k = 0; k < 2; k++)
      g_ptr_array_extend_and_steal (all, numbered (40));
    part = sppnet_picture_sets_split (all, .25, 5, validation);
    g_assert_cmpuint (part->len, ==, validation ? 10 : 90);
    for (guint i = 0; i < part->len; i++)
      times[((SppnetAnnotation *) g_ptr_array_index (part, i))->width]++;
    for (guint i = 0; i < 40; i++)
      g_assert_true (times[i] == 0 || times[i] == (validation ? 1 : 3));
  }
}

static void
test_labels (Folder *folder, gconstpointer data)
{
  g_autofree gchar *file = write_file (folder, "labels.txt", "\xef\xbb\xbfzebra \r\n\n cat, tabby\ndog");
  g_autofree gchar *twice = write_file (folder, "twice.txt", "cat\n\ncat\n");
  g_autofree gchar *none = write_file (folder, "none.txt", "\n \n");
  g_autofree gchar *binary = write_file (folder, "binary.txt", "\xff\xfe");
  const gchar *bad[] = { twice, none, binary }, *reason[] = { "twice.txt:3: cat", "no labels", "UTF-8" };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) labels = sppnet_labels_load (file, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (labels), ==, 3);
  g_assert_cmpstr (labels[0], ==, "zebra");
  g_assert_cmpstr (labels[1], ==, "cat, tabby");
  g_assert_cmpstr (labels[2], ==, "dog");
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_assert_null (sppnet_labels_load (bad[i], &error));
    g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT);
    g_assert_nonnull (strstr (error->message, reason[i]));
    g_clear_error (&error);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/sets/coco", Folder, NULL, set_up, test_coco, tear_down);
  for (gsize i = 0; i < G_N_ELEMENTS (bad_files); i++) {
    g_autofree gchar *path = g_strconcat ("/sets/bad-coco/", bad_files[i].name, NULL);

    g_test_add (path, Folder, &bad_files[i], set_up, test_bad_coco, tear_down);
  }
  g_test_add ("/sets/deep-coco", Folder, NULL, set_up, test_deep_coco, tear_down);
  g_test_add ("/sets/other-coco", Folder, NULL, set_up, test_other_coco, tear_down);
  g_test_add ("/sets/damaged-coco", Folder, NULL, set_up, test_damaged_coco, tear_down);
  g_test_add ("/sets/folder-without-lists", Folder, NULL, set_up, test_folder_without_lists, tear_down);
  g_test_add_func ("/sets/split", test_split);
  g_test_add_func ("/sets/split-repeated", test_split_repeated);
  g_test_add ("/sets/labels", Folder, NULL, set_up, test_labels, tear_down);
  return g_test_run ();
}
