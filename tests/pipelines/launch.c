/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every pipeline that the documentation shows can be made: its elements exist, link, and have the properties. */
#include <gst/gst.h>
#include <string.h>

static gchar *
read_text (const gchar *root, const gchar *name)
{
  g_autofree gchar *path = g_build_filename (root, name, NULL);
  g_autoptr (GError) error = NULL;
  gchar *text = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

/* The arguments of gst-launch-1.0 without its own options; NULL where the shell's quoting is wrong. */
static gchar **
launch_arguments (const gchar *command)
{
  g_auto (GStrv) words = NULL;
  g_autoptr (GStrvBuilder) kept = g_strv_builder_new ();

  if (!g_shell_parse_argv (command, NULL, &words, NULL))
    return NULL;
  for (gsize i = 1; words[i]; i++)
    if (words[i][0] != '-')
      g_strv_builder_add (kept, words[i]);
  return g_strv_builder_end (kept);
}

static void
check_pipeline (gconstpointer data)
{
  const gchar *command = data;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) arguments = launch_arguments (command);
  GstElement *pipeline;

  g_assert_nonnull (arguments);
  pipeline = gst_parse_launchv ((const gchar **) arguments, &error);
  if (pipeline)
    gst_object_unref (pipeline);
  if (g_error_matches (error, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT) && !strstr (error->message, "sppnet")) {
    g_test_skip (error->message);
    return;
  }
  if (error)
    g_test_message ("%s", command);
  g_assert_no_error (error);
}

static void
check_refusal (void)
{
  const gchar *broken[] = { "videotestsrc", "!", "sppnetdetect", "no-such-property=1", "!", "fakesink", NULL };
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launchv (broken, &error);

  if (pipeline)
    gst_object_unref (pipeline);
  g_assert_error (error, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_PROPERTY);
}

/* The reference has a row for every property that the element adds. */
static void
check_documented (gconstpointer data)
{
  const gchar *const *names = data; /* element, text of docs/elements.md */
  g_autoptr (GstElement) element = gst_element_factory_make (names[0], NULL);
  g_autofree GParamSpec **properties = NULL;
  g_autofree gchar *heading = g_strdup_printf ("\n## %s\n", names[0]);
  const gchar *section = strstr (names[1], heading);
  const gchar *end;
  guint n;

  g_assert_nonnull (element);
  g_assert_nonnull (section);
  end = strstr (section + 1, "\n## ");
  properties = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (guint i = 0; i < n; i++) {
    g_autofree gchar *row = g_strdup_printf ("\n| `%s` | ", properties[i]->name);
    const gchar *found = strstr (section, row);

    if (properties[i]->owner_type != G_OBJECT_TYPE (element))
      continue;
    if (!found || (end && found > end))
      g_test_message ("%s has no row for the property %s", names[0], properties[i]->name);
    g_assert_true (found && (!end || found < end));
  }
}

/* One test per command; a backslash at a line's end continues it. */
static void
add_commands (const gchar *root, const gchar *name)
{
  g_autofree gchar *text = read_text (root, name);
  g_autoptr (GString) joined = g_string_new (text);
  g_auto (GStrv) lines = NULL;
  guint count = 0;

  g_string_replace (joined, "\\\n", " ", 0);
  lines = g_strsplit (joined->str, "\n", -1);
  for (gsize i = 0; lines[i]; i++) {
    g_autofree gchar *test = NULL;

    g_strstrip (lines[i]);
    if (!g_str_has_prefix (lines[i], "gst-launch-1.0 "))
      continue;
    test = g_strdup_printf ("/launch/%s/%u", name, ++count);
    g_test_add_data_func_full (test, g_strdup (lines[i]), check_pipeline, g_free);
  }
  g_assert_cmpuint (count, >=, 3);
}

int
main (int argc, char **argv)
{
  const gchar *root = argv[argc - 1];
  g_autofree gchar *reference = NULL;
  const gchar *elements[3][2] = { { "sppnetdetect" }, { "sppnetoverlay" }, { "sppnetpublish" } };
  int status;

  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  add_commands (root, "README.md");
  add_commands (root, "docs/elements.md");
  reference = read_text (root, "docs/elements.md");
  for (guint i = 0; i < G_N_ELEMENTS (elements); i++) {
    g_autofree gchar *test = g_strdup_printf ("/launch/documented/%s", elements[i][0]);

    elements[i][1] = reference;
    g_test_add_data_func (test, elements[i], check_documented);
  }
  g_test_add_func ("/launch/refusal", check_refusal);
  status = g_test_run ();
  gst_deinit ();
  return status;
}
