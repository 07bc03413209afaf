#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Headers stand on their own, and the example in sppnet.h compiles: headers.sh SOURCE-ROOT COMPILER...
. "$(dirname "$0")/../tap.sh"
root=$1
shift
warnings="-Wall -Wextra -Wstrict-prototypes -Wshadow -Wundef -Werror"
relaxed=
packages=$(pkg-config --cflags glib-2.0 gobject-2.0 gio-2.0)

# alone HEADER FLAGS... : C
alone()
{
  header=$1
  shift
  printf '#include "%s"\n' "$header" | "$@" -x c -std=gnu11 $warnings $relaxed $packages -fsyntax-only -
}

alone_cxx()
{
  printf '#include <%s>\nint main () { return 0; }\n' "$1" |
    c++ -x c++ -std=c++11 -Wall -Wextra -Wshadow -Wundef -Werror -I"$root/engine/include" $packages -fsyntax-only -
}

# The program between |[ and ]| of the umbrella header, in a function.
example()
{
  echo '#include <sppnet/sppnet.h>'
  echo 'void example (const guint8 *pixels, gint width, gint height);'
  echo 'void example (const guint8 *pixels, gint width, gint height) {'
  sed -n '/|\[/,/\]|/p' "$root/engine/include/sppnet/sppnet.h" | sed -e '1d;$d' -e 's/^ \* \{0,1\}//'
  echo '}'
}

example_compiles()
{
  example >"$scratch/example.c"
  test "$(wc -l <"$scratch/example.c")" -gt 10 || { echo "no example found"; return 1; }
  "$@" -std=gnu11 $warnings -Wno-missing-field-initializers -I"$root/engine/include" $packages -c "$scratch/example.c" -o "$scratch/example.o"
}

for path in "$root"/engine/include/sppnet/*.h; do
  name=sppnet/$(basename "$path")
  check "$name compiles alone" alone "$name" "$@" -I"$root/engine/include"
  if command -v c++ >/dev/null; then
    check "$name compiles alone as C++" alone_cxx "$name"
  else
    skip "$name compiles alone as C++" "no C++ compiler"
  fi
done
# Headers of the kernels define functions. The flag must follow -Wall: clang takes the last word.
relaxed=-Wno-unused-function
for path in "$root"/engine/*/*.h; do
  name=${path#"$root/engine/"}
  check "$name compiles alone" alone "$name" "$@" -I"$root/engine" -I"$root/engine/include" \
    $(pkg-config --cflags json-glib-1.0)
done
check "the example in sppnet.h compiles" example_compiles "$@"
echo 'int *undeclared (gsomething x);' >"$scratch/bad.h"
refuses "a broken header is noticed" alone bad.h "$@" -I"$scratch"
tap_done
