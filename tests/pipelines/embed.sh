#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The C example: the README shows the one that is compiled, and it copes with bad input: embed.sh SOURCE-ROOT PROGRAM
. "$(dirname "$0")/../tap.sh"
root=$1
embed=$2
model=$root/models/voc20.safetensors

same_as_readme()
{
  sed -n '/^```c$/,/^```$/p' "$root/README.md" | sed '1d;$d' >"$scratch/readme.c"
  diff "$root/pipelines/embed.c" "$scratch/readme.c"
}

# status WANTED TEXT INPUT ARGUMENT...: exit status, and a word that the output must contain
status()
{
  wanted=$1
  text=$2
  input=$3
  shift 3
  output=$("$embed" "$@" <"$input" 2>&1)
  got=$?
  echo "status $got: $output"
  test $got -eq "$wanted" && case $output in *"$text"*) ;; *) false ;; esac
}

head -c 300 /dev/zero >"$scratch/not-a-model"
: >"$scratch/nothing"
head -c 9216 /dev/zero >"$scratch/black"
printf 'P6 64 48 255\n' >"$scratch/short.ppm"
printf 'P6 0 48 255\n' >"$scratch/empty.ppm"
printf 'P6 2147483647 1 255\n' >"$scratch/overflow.ppm"
printf 'P6 64 48 65535\n' | cat - "$scratch/black" >"$scratch/deep.ppm"
cat "$scratch/short.ppm" "$scratch/black" >"$scratch/black.ppm"
printf 'P6\n# a comment\n64 48 255\n' | cat - "$scratch/black" >"$scratch/comment.ppm"
cat "$scratch/black.ppm" "$scratch/comment.ppm" >"$scratch/second.ppm"
printf 'P6 20000 2 255\n' | cat - "$scratch/black" "$scratch/black" "$scratch/black" "$scratch/black" "$scratch/black" \
  "$scratch/black" >"$scratch/large.ppm"

check "README.md shows pipelines/embed.c" same_as_readme
check "a missing model is named" status 1 no-such-model "$scratch/nothing" "$scratch/no-such-model"
check "a broken model is named" status 1 not-a-model "$scratch/nothing" "$scratch/not-a-model"
if test -f "$model"; then
  check "no picture, no output" status 0 "" "$scratch/nothing" "$model"
  check "a black picture is searched" status 0 "" "$scratch/black.ppm" "$model"
  check "a picture that ends early is an error" status 1 "not a whole" "$scratch/short.ppm" "$model"
  check "a picture without pixels is an error" status 1 "not a whole" "$scratch/empty.ppm" "$model"
  check "a picture that is too large is an error" status 1 "not a whole" "$scratch/large.ppm" "$model"
  check "a width that overflows is an error" status 1 "not a whole" "$scratch/overflow.ppm" "$model"
  check "16 bits are an error" status 1 "not a whole" "$scratch/deep.ppm" "$model"
  check "a comment is an error, not the end" status 1 "not a whole" "$scratch/second.ppm" "$model"
else
  skip "pictures" "no models/voc20.safetensors"
fi
tap_done
