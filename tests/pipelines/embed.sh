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
printf 'P6 64 48 255\n' >"$scratch/short.ppm"
printf 'P6 0 48 255\n' >"$scratch/empty.ppm"
printf 'P6 20000 2 255\n' >"$scratch/large.ppm"
head -c 9216 /dev/zero >"$scratch/black"
cat "$scratch/short.ppm" "$scratch/black" >"$scratch/black.ppm"
printf 'P6 20000 2 255\n' | cat - "$scratch/black" "$scratch/black" "$scratch/black" "$scratch/black" "$scratch/black" \
  "$scratch/black" >"$scratch/large.ppm"

check "README.md shows pipelines/embed.c" same_as_readme
check "a missing model is named" status 1 no-such-model "$scratch/nothing" "$scratch/no-such-model"
check "a broken model is named" status 1 not-a-model "$scratch/nothing" "$scratch/not-a-model"
if test -f "$model"; then
  check "no picture, no output" status 0 "" "$scratch/nothing" "$model"
  check "a black picture is searched" status 0 "" "$scratch/black.ppm" "$model"
  check "a picture that ends early is an error" status 1 early "$scratch/short.ppm" "$model"
  check "a picture without pixels is an error" status 1 "" "$scratch/empty.ppm" "$model"
  check "a picture that is too large is an error" status 1 "" "$scratch/large.ppm" "$model"
else
  skip "pictures" "no models/voc20.safetensors"
fi
tap_done
