/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What gst-inspect-1.0 and the documentation say: complete, and true as far as a test can tell. */
#include "element.h"

static const gchar *const elements[] = { "sppnetdetect", "sppnetoverlay", "sppnetpublish" };

static void
test_properties (void)
{
  for (guint e = 0; e < G_N_ELEMENTS (elements); e++) {
    g_autoptr (GstElement) element = gst_object_ref_sink (gst_element_factory_make (elements[e], NULL));
    g_autofree GParamSpec **specs = NULL;
    guint n, own = 0;

    g_assert_nonnull (element);
    specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
    for (guint i = 0; i < n; i++) {
      const GParamFlags mutable = GST_PARAM_MUTABLE_READY | GST_PARAM_MUTABLE_PLAYING;

      if (specs[i]->owner_type != G_OBJECT_TYPE (element))
        continue;
      own++;
      g_assert_cmpuint (strlen (g_param_spec_get_blurb (specs[i])), >, 15);
      if (specs[i]->flags & G_PARAM_WRITABLE)
        g_assert_true (specs[i]->flags & mutable);
    }
    g_assert_cmpuint (own, >=, 4);
    g_assert_cmpstr (gst_element_get_metadata (element, GST_ELEMENT_METADATA_KLASS), ==,
                     e == 1 ? "Filter/Editor/Video" : "Filter/Analyzer/Video");
    g_assert_nonnull (gst_element_get_metadata (element, GST_ELEMENT_METADATA_DESCRIPTION));
  }
}

/* A value that is not the default. */
static void
choose_value (GParamSpec *spec, GValue *value)
{
  g_value_init (value, spec->value_type);
  g_param_value_set_default (spec, value);
  if (G_VALUE_HOLDS_STRING (value))
    g_value_set_string (value, "any, other");
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    g_value_set_boolean (value, !g_value_get_boolean (value));
  else if (G_VALUE_HOLDS_FLOAT (value))
    g_value_set_float (value, 0.25f);
  else if (G_VALUE_HOLDS_UINT (value))
    g_value_set_uint (value, 7);
  else if (G_VALUE_HOLDS_ENUM (value))
    g_value_set_enum (value, 1);
  else
    g_error ("%s: no value of a %s", spec->name, g_type_name (spec->value_type));
  g_assert_false (g_param_value_defaults (spec, value));
}

static gboolean
is_settable (GObject *object, const GParamSpec *spec)
{
  return spec->owner_type == G_OBJECT_TYPE (object) && (spec->flags & G_PARAM_WRITABLE);
}

/* Sets one property of a new element; the others stay as they are. */
static void
check_property (const gchar *name, guint number)
{
  g_autoptr (GstElement) element = gst_object_ref_sink (gst_element_factory_make (name, NULL));
  g_autofree GParamSpec **specs = NULL;
  g_auto (GValue) chosen = G_VALUE_INIT;
  guint n;

  specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  choose_value (specs[number], &chosen);
  g_object_set_property (G_OBJECT (element), specs[number]->name, &chosen);
  for (guint i = 0; i < n; i++) {
    g_auto (GValue) value = G_VALUE_INIT;

    if (!is_settable (G_OBJECT (element), specs[i]))
      continue;
    g_value_init (&value, specs[i]->value_type);
    g_object_get_property (G_OBJECT (element), specs[i]->name, &value);
    if (i == number ? g_param_values_cmp (specs[i], &value, &chosen) != 0 : !g_param_value_defaults (specs[i], &value))
      g_error ("%s: %s set, %s has another value", name, specs[number]->name, specs[i]->name);
  }
}

static void
test_every_property (void)
{
  for (gsize e = 0; e < G_N_ELEMENTS (elements); e++) {
    g_autoptr (GstElement) element = gst_object_ref_sink (gst_element_factory_make (elements[e], NULL));
    g_autofree GParamSpec **specs = NULL;
    guint n, settable = 0;

    specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
    for (guint i = 0; i < n; i++)
      if (is_settable (G_OBJECT (element), specs[i])) {
        check_property (elements[e], i);
        settable++;
      }
    g_assert_cmpuint (settable, >, 1);
  }
}

/* The nicks of the property are those of the engine and of the tool. */
static void
test_nicks (void)
{
  g_autoptr (GstElement) element = gst_object_ref_sink (gst_element_factory_make ("sppnetdetect", NULL));
  GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (element), "proposals");
  const GEnumClass *values = G_PARAM_SPEC_ENUM (spec)->enum_class;

  g_assert_cmpuint (values->n_values, ==, SPPNET_PROPOSALS_AUTO + 1);
  for (guint i = 0; i < values->n_values; i++)
    g_assert_cmpstr (values->values[i].value_nick, ==,
                     sppnet_proposals_to_nick ((SppnetProposals) values->values[i].value));
}

/* The launch line in text, from "|[" on, without the comment's stars and the shell's part. (transfer full) */
static gchar *
launch_line (const gchar *text)
{
  g_auto (GStrv) parts = g_strsplit (text, "]|", 2);
  g_auto (GStrv) lines = g_strsplit (parts[0], "\n", -1);
  g_autoptr (GString) joined = g_string_new (NULL);

  if (!lines[0] || !lines[1] || !strstr (lines[1], "* gst-launch-1.0 "))
    return NULL;
  for (guint i = 1; lines[i]; i++) {
    /* As a shell takes it: the text goes on in the next line only behind a backslash. */
    if (lines[i + 1] && lines[i + 2] && !g_str_has_suffix (lines[i], "\\"))
      g_error ("\"%s\" does not end in a backslash", lines[i]);
    g_string_append_printf (joined, "%s ", lines[i] + strspn (lines[i], " *"));
  }
  g_string_replace (joined, "\\ ", " ", 0);
  g_string_erase (joined, 0, (gssize) strlen ("gst-launch-1.0"));
  while (joined->str[0] == ' ' || joined->str[0] == '-')
    g_string_erase (joined, 0, joined->str[0] == '-' ? 2 : 1);
  return g_strdup (joined->str);
}

/* Every launch line in the documentation of an element makes a pipeline. */
static void
test_launch_lines (void)
{
  guint found = 0, missing = 0;

  for (guint e = 0; e < G_N_ELEMENTS (elements); e++) {
    g_autofree gchar *name = g_strconcat (elements[e] + strlen ("sppnet"), ".c", NULL);
    g_autofree gchar *path = g_test_build_filename (G_TEST_DIST, "..", "gst-plugin", name, NULL);
    g_autofree gchar *source = NULL;

    g_assert_true (g_file_get_contents (path, &source, NULL, NULL));
    for (const gchar *at = source; (at = strstr (at, "* |[\n")); at++) {
      g_autofree gchar *line = launch_line (at);
      g_autoptr (GstElement) pipeline = NULL;
      g_autoptr (GError) error = NULL;

      if (!line)
        continue;
      found++;
      pipeline = gst_parse_launch (line, &error);
      if (g_error_matches (error, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT)) {
        g_test_message ("%s: %s", line, error->message);
        missing++;
        continue;
      }
      if (error)
        g_error ("%s: %s: %s", name, line, error->message);
    }
  }
  g_assert_cmpuint (found, >=, 8);
  if (missing == found)
    g_test_skip ("GStreamer's common plugins are not here");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  element_init (&argc, &argv);
  g_test_add_func ("/gst/manual/properties", test_properties);
  g_test_add_func ("/gst/manual/every-property", test_every_property);
  g_test_add_func ("/gst/manual/nicks", test_nicks);
  g_test_add_func ("/gst/manual/launch-lines", test_launch_lines);
  return element_run ();
}
