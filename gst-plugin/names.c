/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names.h"

gchar **
sppnet_names_split (const gchar *list)
{
  g_autoptr (GString) name = g_string_new (NULL);
  GPtrArray *names = g_ptr_array_new ();

  for (gboolean more = *list != '\0'; more; list++) {
    if (*list == '\\' && list[1])
      g_string_append_c (name, *++list);
    else if (*list && *list != ',')
      g_string_append_c (name, *list);
    else {
      if (*g_strstrip (name->str))
        g_ptr_array_add (names, g_strdup (name->str));
      g_string_truncate (name, 0);
      more = *list != '\0';
    }
  }
  g_ptr_array_add (names, NULL);
  return (gchar **) g_ptr_array_free (names, FALSE);
}
