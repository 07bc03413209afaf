/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>
#include <sys/types.h>

/* Whole lines to a file, a pipe or the standard output, also of several writers in one process. A pipe that is full is
 * waited for, in poll(): nobody but its reader decides for how long, so the waiting can be ended from any thread. One
 * thread at a time, but for that. */
typedef struct
{
  gint fd;           /* -1: closed */
  gboolean standard; /* the standard output, where the application prints, too */
  gboolean gave_way; /* to what was printed before the line that waits */
  gboolean socket;   /* that was given as such */
  gsize most;        /* bytes for one write */
  dev_t device;      /* which file it is */
  ino_t inode;
  GString *waiting; /* what is not handed over yet */
  GstPoll *poll;    /* (nullable): the system had no descriptor left */
  GstPollFD poll_fd;
} GstSppnetWriter;

void gst_sppnet_writer_init (GstSppnetWriter *writer);
void gst_sppnet_writer_clear (GstSppnetWriter *writer);

/* location: file name, or "-" or "stdout". FALSE with errno. A pipe is waited for until somebody reads it. */
gboolean gst_sppnet_writer_open (GstSppnetWriter *writer, const gchar *location, gboolean append);
/* What is still waiting is lost. FALSE with errno: the system could not keep what it had taken. */
gboolean gst_sppnet_writer_close (GstSppnetWriter *writer);

/* Hands over what waits; what could not be goes on waiting. FALSE with errno: EBUSY when flushing, ETIMEDOUT when
 * nothing was taken for so long, or not all in five times that (GST_CLOCK_TIME_NONE: for ever), else that of the write.
 */
gboolean gst_sppnet_writer_flush (GstSppnetWriter *writer, GstClockTime patience);

/* Any thread: TRUE ends the waiting and lets none begin. */
void gst_sppnet_writer_set_flushing (GstSppnetWriter *writer, gboolean flushing);
