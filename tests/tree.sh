#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The shape of the tree: tree.sh SOURCE-ROOT
. "$(dirname "$0")/tap.sh"
root=$1
top="gst-plugin engine pipelines tests meson.build README.md tools models bench docs"

# What is under version control; in a release tree, everything.
if git -C "$root" rev-parse --git-dir >/dev/null 2>&1 && test -e "$root/.git"; then
  git -C "$root" ls-files >"$scratch/files"
else
  (cd "$root" && find . -type f -not -path './build*' -not -path './.git/*' | sed 's|^\./||') >"$scratch/files"
fi

top_level()
{
  sed 's|/.*||' "$1" | sort -u | grep -v '^\.' | while read -r name; do
    case " $top " in
      *" $name "*) ;;
      *) echo "$name" ;;
    esac
  done >"$scratch/strangers"
  test ! -s "$scratch/strangers" || { cat "$scratch/strangers"; return 1; }
}

no_utils()
{
  ! grep -iE '(^|[/_-])utils?([/._-]|$)' "$1"
}

# spdx ROOT LIST: every text file says its licence in its first lines. The licence's own text, pictures, weights and data
# formats without comments cannot.
spdx()
{
  # Files that are listed but deleted are git's matter; empty ones say nothing.
  grep -vE '^docs/COPYING$|\.(safetensors|png|jpg|jpeg|webm|json|jsonl|bin)$' "$2" | while read -r name; do
    test ! -s "$1/$name" || echo "$name"
  done >"$scratch/texts"
  (cd "$1" && xargs -d '\n' awk 'FNR == 1 && file { print file } FNR == 1 { file = FILENAME }
    FNR <= 5 && /SPDX-License-Identifier: / { file = "" } END { if (file) print file }' <"$scratch/texts") >"$scratch/bare"
  test ! -s "$scratch/bare" || { cat "$scratch/bare"; return 1; }
}

executable()
{
  grep -E '\.sh$|^\.ci/run$' "$scratch/files" | while read -r name; do
    # A script with #! is run; one without is sourced.
    if head -n 1 "$root/$name" | grep -q '^#!'; then
      test -x "$root/$name" || echo "not executable: $name"
    fi
  done >"$scratch/plain"
  test ! -s "$scratch/plain" || { cat "$scratch/plain"; return 1; }
}

# links ROOT LIST: every relative link and picture in a document leads to a file
links()
{
  grep '\.md$' "$2" | while read -r name; do
    test -f "$1/$name" || continue
    grep -oE '\]\([^)]+\)' "$1/$name" | sed -E 's/^\]\(//; s/\)$//; s/#.*//' | while read -r link; do
      case $link in
        '' | *://*) ;;
        *) test -e "$1/$(dirname "$name")/$link" || echo "$name: $link" ;;
      esac
    done
  done >"$scratch/dead"
  test ! -s "$scratch/dead" || { cat "$scratch/dead"; return 1; }
}

# formatted ROOT LIST: C is as clang-format would have it
formatted()
{
  grep -E '\.[ch]$' "$2" | while read -r name; do
    test ! -e "$1/$name" || echo "$name"
  done >"$scratch/c"
  (cd "$1" && xargs -d '\n' clang-format --style=file --dry-run --Werror <"$scratch/c" 2>&1) | grep 'error:' >"$scratch/unformatted"
  test ! -s "$scratch/unformatted" || { cat "$scratch/unformatted"; return 1; }
}

check "there are files" test -s "$scratch/files"
check "the top level has no other names" top_level "$scratch/files"
check "no file is called utils" no_utils "$scratch/files"
check "every file names its licence" spdx "$root" "$scratch/files"
check "scripts are executable" executable
check "links in the documents lead somewhere" links "$root" "$scratch/files"

mkdir -p "$scratch/fake"
if clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
  check "C is formatted" formatted "$root" "$scratch/files"
  cp "$root/.clang-format" "$scratch/fake/"
  echo 'int  x ;' >"$scratch/fake/other.c"
  echo other.c >"$scratch/list"
  refuses "unformatted C is noticed" formatted "$scratch/fake" "$scratch/list"
else
  skip "C is formatted" "other versions than clang-format 14 format differently"
fi
echo 'int x;' >"$scratch/fake/box-utils.c"
echo '[here](nowhere.md)' >"$scratch/fake/README.md"
printf '%s\n' box-utils.c other/utils.h README.md >"$scratch/list"
refuses "a stranger at the top is noticed" top_level "$scratch/list"
refuses "utils are noticed" no_utils "$scratch/list"
refuses "a dead link is noticed" links "$scratch/fake" "$scratch/list"
refuses "a missing licence line is noticed" spdx "$scratch/fake" "$scratch/list"
tap_done
