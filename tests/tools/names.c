/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names.h"

static const struct
{
  const gchar *list, *names[4];
} lists[] = {
  { "person", { "person" } },
  { "person,dog", { "person", "dog" } },
  { " person ,\tdog ", { "person", "dog" } },
  { "cat\\, tabby,dog", { "cat, tabby", "dog" } },
  { "a\\\\,b", { "a\\", "b" } },
  { "a\\b", { "ab" } },
  { "a\\", { "a\\" } },
  { "", { NULL } },
  { "dog, ,,", { "dog" } },
  { "\xc3\xa9,\xe2\x82\xac", { "\xc3\xa9", "\xe2\x82\xac" } },
};

static void
test_split (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++) {
    g_auto (GStrv) names = sppnet_names_split (lists[i].list);

    for (gsize k = 0; k < 4; k++) {
      g_assert_cmpstr (names[k], ==, lists[i].names[k]);
      if (!names[k])
        break;
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/names/split", test_split);
  return g_test_run ();
}
