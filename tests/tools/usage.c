/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Help, and every mistake on the command line: status 2, one line that names it, nothing else happens. */
#include "tool.h"

static const gchar *const commands[] = { "average", "bench",  "calibrate", "compress", "detect", "evaluate",
                                         "export",  "import", "info",      "propose",  "train" };

static void
test_help (Tool *tool, gconstpointer data)
{
  tool_run_ok (tool, "--help");
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++) {
    g_autofree gchar *line = g_strconcat ("\n  ", commands[i], " ", NULL);

    g_assert_nonnull (strstr (tool->out, line));
  }
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++) {
    g_autofree gchar *line = g_strconcat (commands[i], " --help", NULL);
    g_autofree gchar *usage = g_strconcat ("Usage:\n  sppnet ", commands[i], " [OPTION", NULL);

    tool_run_ok (tool, line);
    g_assert_true (g_str_has_prefix (tool->out, usage));
  }
  tool_run_ok (tool, "--version");
  g_assert_cmpstr (tool->out, ==, "sppnet " SPPNET_VERSION "\n");
  tool_run (tool, "");
  g_assert_cmpint (tool->status, ==, 2);
  g_assert_cmpstr (tool->out, ==, "");
  g_assert_nonnull (strstr (tool->err, "Usage:"));
}

/* Every option that a command's help lists is in the man page. */
static void
test_man_page (Tool *tool, gconstpointer data)
{
  g_autoptr (GString) page = g_string_new (NULL);
  g_autofree gchar *text = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (SPPNET_MAN_PAGE, &text, NULL, &error);
  g_assert_no_error (error);
  g_string_assign (page, text);
  g_string_replace (page, "\\-", "-", 0);
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++) {
    g_autofree gchar *line = g_strconcat (commands[i], " --help-all", NULL);
    g_auto (GStrv) words = NULL;

    tool_run_ok (tool, line);
    words = g_strsplit_set (tool->out, " ,=\n", -1);
    for (gchar **word = words; *word; word++) {
      g_autofree gchar *option = g_strconcat (*word, "\\fR", NULL);

      if (!g_str_has_prefix (*word, "--") || g_str_has_prefix (*word, "--help"))
        continue;
      g_test_message ("%s %s", commands[i], *word);
      g_assert_nonnull (strstr (page->str, option));
    }
  }
}

typedef struct
{
  const gchar *name, *line, *text;
} Mistake;

static const Mistake mistakes[] = {
  { "command", "find red.png", "\"find\"" },
  { "option", "--json detect red.png", "\"--json\"" },
  { "calibrate/nothing", "calibrate --output new.safetensors", "--voc" },
  { "calibrate/pairs", "calibrate --voc a --voc b --set c --output new.safetensors", "--set" },
  { "calibrate/output", "calibrate --voc a --set b", "--output" },
  { "calibrate/labels", "calibrate --voc a --set b --labels red --output new.safetensors", "--labels" },
  { "calibrate/limit", "calibrate --voc a --set b --limit=-1 --output new.safetensors", "--limit: -1 " },
  { "detect/nothing", "detect", "no picture" },
  { "detect/unknown", "detect --jason red.png", "--jason" },
  { "detect/no-value", "detect red.png --threshold", "threshold" },
  { "detect/threshold-high", "detect --threshold 7 red.png", "--threshold: 7 " },
  { "detect/threshold-low", "detect --threshold=-0.1 red.png", "--threshold: -0.1 " },
  { "detect/threshold-nan", "detect --threshold nan red.png", "--threshold: nan" },
  { "detect/threshold-word", "detect --threshold low red.png", "low" },
  { "detect/threshold-comma", "detect --threshold 0,5 red.png", "0,5" },
  { "train/rpn-and-proposals", "train --voc v --output o --rpn --proposals grid", "--proposals has no meaning" },
  { "train/rpn-and-max-proposals", "train --voc v --output o --rpn --max-proposals 100", "--max-proposals is for" },
  { "train/heads-only-and-rate", "train --voc v --output o --heads-only --backbone-learning-rate 1e-4",
    "--backbone-learning-rate has no meaning" },
  { "train/around-scale-alone", "train --voc v --output o --around-scale 2", "needs --around" },
  { "train/add-class-and-decay", "train --voc v --output o --add-class x --weight-decay 0.1",
    "--weight-decay has no meaning" },
  { "train/add-class-and-dropout", "train --voc v --output o --add-class x --dropout 0.1", "--dropout has no meaning" },
  { "train/add-class-and-heads-only", "train --voc v --output o --add-class x --heads-only",
    "--heads-only has no meaning" },
  { "train/add-class-and-label", "train --voc v --output o --add-class x --label y", "--label has no meaning" },
  { "train/split-seed-alone", "train --voc v --output o --split-seed 3", "needs --validation" },
  { "train/heads-only-and-blend", "train --voc v --output o --heads-only --blend 0.5", "with --heads-only" },
  { "train/heads-only-and-mosaic", "train --voc v --output o --heads-only --mosaic 0.5", "with --heads-only" },
  { "train/heads-only-and-scale", "train --voc v --output o --heads-only --max-scale 2", "with --heads-only" },
  { "train/heads-only-and-erase", "train --voc v --output o --heads-only --erase 0.5", "with --heads-only" },
  { "train/teacher-part-alone", "train --voc v --output o --teacher-part 0.3", "needs --teacher" },
  { "train/teacher-and-heads-only", "train --voc v --output o --heads-only --teacher m", "--teacher has no meaning" },
  { "train/rpn-only-and-erase", "train --voc v --output o --rpn-only --erase 0.5", "with --rpn-only" },
  { "train/rpn-only-and-epochs", "train --voc v --output o --rpn-only --epochs 3", "--epochs has no meaning" },
  { "train/rpn-only-and-head", "train --voc v --output o --rpn-only --head 64,64", "--head has no meaning" },
  { "train/rpn-only-and-warm-up", "train --voc v --output o --rpn-only --warm-up 7", "--warm-up has no meaning" },
  { "train/rpn-only-and-heads-only", "train --voc v --output o --rpn-only --heads-only",
    "--heads-only has no meaning" },
  { "train/validation-set-alone", "train --voc v --validation-set val --output o", "--set says" },
  { "train/rpn-only-and-average", "train --voc v --output o --rpn-only --average 0.5", "--average has no meaning" },
  { "train/few-candidates", "train --voc v --output o --candidates 64", "--candidates" },
  { "train/teacher-part-0", "train --voc v --output o --teacher m --teacher-part 0", "teacher-part" },
  { "train/candidates-and-heads-only", "train --voc v --output o --heads-only --candidates 300", "--candidates" },
  { "train/aspect-below-1", "train --voc v --output o --aspect 0.5", "aspect" },
  { "train/add-class-and-colour", "train --voc v --output o --add-class x --colour 0.5", "with --add-class" },
  { "train/anchors", "train --voc v --output o --anchors 9", "--anchors" },
  { "train/rpn-epochs", "train --voc v --output o --rpn --rpn-epochs 3", "--rpn-only" },
  { "train/proposals", "train --voc v --output o --proposals auto", "\"auto\"" },
  { "train/add-class-and-rpn", "train --voc v --output o --add-class x --rpn", "--add-class" },
  { "detect/precision", "detect --precision float16 red.png", "--precision: \"float16\" " },
  { "detect/nms-threshold", "detect --nms-threshold 1.01 red.png", "--nms-threshold: 1.01 " },
  { "calibrate/agnostic", "calibrate --voc v --output o --agnostic-nms-threshold 0.7", "--agnostic-nms-threshold" },
  { "detect/agnostic-nms-threshold", "detect --agnostic-nms-threshold -1 red.png", "--agnostic-nms-threshold: -1 " },
  { "detect/min-objectness", "detect --min-objectness 1.5 red.png", "--min-objectness: 1.5 " },
  { "detect/max-proposals", "detect --max-proposals=-1 red.png", "--max-proposals: -1 " },
  { "detect/max-proposals-many", "detect --max-proposals 100001 red.png", "--max-proposals: 100001 " },
  { "detect/max-proposals-huge", "detect --max-proposals 99999999999 red.png", "99999999999" },
  { "detect/reduction", "detect --reduction 17 red.png", "--reduction: 17 " },
  { "detect/threads", "detect --threads=-1 red.png", "--threads: -1 " },
  { "detect/seed", "detect --seed 4294967296 red.png", "--seed: 4294967296 " },
  { "detect/proposals", "detect --proposals edges red.png", "\"edges\"" },
  { "detect/label", "detect -m scene.safetensors --labels red,blue red.png", "\"blue\"" },
  { "detect/label-none", "detect -m scene.safetensors --labels '' red.png", "labels" },
  { "detect/regions-few", "detect --regions 1,2,3 red.png", "\"1,2,3\"" },
  { "detect/regions-many", "detect --regions 1,2,3,4,5 red.png", "\"1,2,3,4,5\"" },
  { "detect/regions-word", "detect --regions 1,2,x,4 red.png", "\"1,2,x,4\"" },
  { "detect/regions-empty", "detect --regions 1,2,0,4 red.png", "\"1,2,0,4\"" },
  { "detect/regions-nan", "detect --regions 1,nan,3,4 red.png", "\"1,nan,3,4\"" },
  { "detect/regions-far", "detect --regions 1,1e9,3,4 red.png", "\"1,1e9,3,4\"" },
  { "detect/overlay", "detect --overlay out.jpg red.png", "\"out.jpg\"" },
  { "detect/overlay-picture", "detect -m scene.safetensors --overlay ./red.png red.png", "is one of the pictures" },
  { "evaluate/nothing", "evaluate", "--voc" },
  { "evaluate/set", "evaluate --set a", "--voc" },
  { "evaluate/mistakes", "evaluate --voc . --mistakes a.jpg", "--mistakes: \"a.jpg\"" },
  { "evaluate/mistakes-proposals", "evaluate --voc . --proposals grid --mistakes a.png", "--mistakes" },
  { "evaluate/mean-of-proposals", "evaluate --voc . --proposals grid --mean-of a", "--mean-of" },
  { "evaluate/threshold-proposals", "evaluate --voc . --proposals grid --threshold 0.5",
    "no meaning with --proposals" },
  { "evaluate/method-proposals", "evaluate --voc . --proposals grid --method grid", "no meaning with --proposals" },
  { "calibrate/context-threshold", "calibrate --voc v --output o --context --threshold 0.2", "at most 0.05" },
  { "evaluate/images", "evaluate --coco a --coco b --images c", "--images" },
  { "evaluate/validation", "evaluate --voc . --validation 1", "--validation: 1 " },
  { "evaluate/split-seed", "evaluate --voc . --validation 0.5 --split-seed=-1", "--split-seed: -1 " },
  { "evaluate/pairs", "evaluate --voc . --set a --set b", "--set" },
  { "evaluate/limit", "evaluate --voc . --set a --limit=-3", "--limit: -3 " },
  { "evaluate/proposals", "evaluate --voc . --set a --proposals best", "\"best\"" },
  { "evaluate/proposals-none", "evaluate --voc . --set a --proposals regions", "\"regions\"" },
  { "train/rpn", "train --voc . --set a --output b --rpn --rpn-only", "exclude each other" },
  { "evaluate/too-many", "evaluate --voc . --set a b", "\"b\"" },
  { "propose/nothing", "propose", "no picture" },
  { "propose/method", "propose --method some red.png", "\"some\"" },
  { "propose/regions", "propose --method regions red.png", "\"regions\"" },
  { "propose/rpn", "propose -m scene.safetensors --method rpn red.png", "has no region proposal network" },
  { "detect/rpn", "detect -m scene.safetensors --proposals rpn red.png", "has no region proposal network" },
  { "propose/none", "propose --max-proposals 0 red.png", "--max-proposals: 0 " },
  { "bench/size", "bench --size 640", "\"640\"" },
  { "bench/size-zero", "bench --size 0x480", "\"0x480\"" },
  { "bench/size-large", "bench --size 640x8193", "\"640x8193\"" },
  { "bench/size-sign", "bench --size=-1x-1", "\"-1x-1\"" },
  { "bench/size-tail", "bench --size 640x480x3", "\"640x480x3\"" },
  { "bench/both", "bench --size 64x48 --image red.png", "--image" },
  { "bench/regions", "bench --regions=-1", "--regions: -1 " },
  { "bench/regions-none", "bench --regions 0", "--regions: 0 " },
  { "bench/regions-and-proposals", "bench --regions 10 --proposals grid", "--proposals" },
  { "bench/rcnn-and-proposals", "bench --rcnn --proposals grid", "--proposals" },
  { "bench/repeat", "bench --repeat 0", "--repeat: 0 " },
  { "info/two", "info scene.safetensors scene.safetensors", "one model" },
  { "info/size", "info scene.safetensors --size big", "\"big\"" },
  { "import/kind", "import a.cfg a.weights --output a.safetensors", "--darknet" },
  { "import/files", "import --darknet a.cfg --output a.safetensors", "WEIGHTS" },
  { "import/output", "import --darknet a.cfg a.weights", "--output" },
  { "import/layers", "import --darknet a b --output c --layers=-1", "--layers: -1 " },
  { "import/dtype", "import --darknet a b --output c --dtype f64", "\"f64\"" },
  { "compress/how", "compress --output a.safetensors scene.safetensors", "--rank" },
  { "compress/both", "compress --rank 3 --energy 0.5 --output a.safetensors scene.safetensors", "--energy" },
  { "compress/rank", "compress --rank 0 --output a.safetensors scene.safetensors", "--rank: 0 " },
  { "compress/energy", "compress --energy 2 --output a.safetensors scene.safetensors", "--energy: 2 " },
  { "compress/output", "compress --rank 3 scene.safetensors", "--output" },
  { "compress/none", "compress --rank 3 --output a.safetensors scene.safetensors", "no fully connected layer" },
  { "average/one", "average --output a.safetensors scene.safetensors", "two models or more" },
  { "average/output", "average scene.safetensors scene.safetensors", "--output" },
  { "export/kind", "export scene.safetensors", "--onnx" },
  { "export/size", "export --onnx --size 64 scene.safetensors", "\"64\"" },
  { "export/two", "export --onnx a.safetensors b.safetensors", "one model" },
  { "train/nothing", "train", "--voc" },
  { "train/output", "train --coco a", "--output" },
  { "train/name", "train --voc . --output a --name ''", "--name is empty" },
  { "train/work", "train --voc . --output a --work ''", "--work is empty" },
  { "train/iou-aware", "train --voc . --output a --rpn-only --iou-aware", "--iou-aware" },
  { "train/labels", "train --voc . --output a --label b --label-file c", "--label-file" },
  { "train/add-class", "train --voc . --output a --add-class b --label c", "--add-class" },
  { "train/validation", "train --voc . --output a --validation .2 --validation-set b", "--validation-set" },
};

static void
test_mistake (Tool *tool, gconstpointer data)
{
  const Mistake *mistake = data;

  tool_run_fails (tool, mistake->line, 2, mistake->text);
}

/* Threads that wait leave the processors to others soon, unless the environment says something about it: libgomp shows
 * what it took. */
static void
test_spin_count (Tool *tool, gconstpointer data)
{
  const gchar *last;

  g_setenv ("OMP_DISPLAY_ENV", "verbose", TRUE);
  g_unsetenv ("GOMP_SPINCOUNT");
  g_unsetenv ("OMP_WAIT_POLICY");
  tool_run (tool, "--version");
  last = g_strrstr (tool->err, "GOMP_SPINCOUNT = ");
  if (!last) {
    g_test_skip ("this OpenMP is not libgomp");
  } else {
    g_assert_true (g_str_has_prefix (last, "GOMP_SPINCOUNT = '3000'"));
    g_setenv ("GOMP_SPINCOUNT", "7", TRUE);
    tool_run (tool, "--version");
    last = g_strrstr (tool->err, "GOMP_SPINCOUNT = ");
    g_assert_true (last && g_str_has_prefix (last, "GOMP_SPINCOUNT = '7'"));
    g_unsetenv ("GOMP_SPINCOUNT");
  }
  g_unsetenv ("OMP_DISPLAY_ENV");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/usage/help", Tool, NULL, tool_set_up, test_help, tool_tear_down);
  g_test_add ("/usage/spin-count", Tool, NULL, tool_set_up, test_spin_count, tool_tear_down);
  g_test_add ("/usage/man-page", Tool, NULL, tool_set_up, test_man_page, tool_tear_down);
  for (gsize i = 0; i < G_N_ELEMENTS (mistakes); i++) {
    g_autofree gchar *path = g_strconcat ("/usage/mistake/", mistakes[i].name, NULL);

    g_test_add (path, Tool, &mistakes[i], tool_set_up, test_mistake, tool_tear_down);
  }
  return g_test_run ();
}
