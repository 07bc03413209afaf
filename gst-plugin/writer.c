/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Writers with a line that is begun: others of the same file wait until it ends. */
static GMutex lock;
static GList *begun; /* (element-type GstSppnetWriter), under lock */

/* A last flush takes at most so many times the patience with a single write. */
#define MOST_PATIENCE 5

void
gst_sppnet_writer_init (GstSppnetWriter *writer)
{
  *writer = (GstSppnetWriter) { .fd = -1, .waiting = g_string_new (NULL), .poll = gst_poll_new (TRUE) };
}

void
gst_sppnet_writer_clear (GstSppnetWriter *writer)
{
  g_string_free (writer->waiting, TRUE);
  g_clear_pointer (&writer->poll, gst_poll_free);
}

/* The standard output's flags are not only ours to change, and what poll() calls ready may still not have room for all
 * of a write: so a pipe or a terminal is opened once more. Where that is not allowed, it is used as it is. */
static gint
open_standard_output (void)
{
  struct stat info;
  gint fd = -1;

  if (fstat (STDOUT_FILENO, &info) == 0 && (S_ISFIFO (info.st_mode) || S_ISCHR (info.st_mode)))
    fd = g_open ("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  return fd < 0 ? STDOUT_FILENO : fd;
}

/* Whether the descriptor is the application's. */
static gboolean
is_borrowed (const GstSppnetWriter *writer)
{
  return writer->standard && writer->fd == STDOUT_FILENO;
}

gboolean
gst_sppnet_writer_open (GstSppnetWriter *writer, const gchar *location, gboolean append)
{
  struct stat info;

  if (!writer->poll) {
    errno = EMFILE;
    return FALSE;
  }
  writer->standard = g_str_equal (location, "-") || g_str_equal (location, "stdout");
  /* Several elements may write to one file: each line goes behind what is there. */
  writer->fd = writer->standard
                   ? open_standard_output ()
                   : g_open (location, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (append ? 0 : O_TRUNC), 0666);
  if (writer->fd < 0)
    return FALSE;
  if (fstat (writer->fd, &info) != 0)
    info = (struct stat) { 0 };
  writer->device = info.st_dev;
  writer->inode = info.st_ino;
  /* A file takes all in one piece, a pipe so much in one piece or nothing, a terminal what it has room for. */
  writer->most = S_ISREG (info.st_mode) ? G_MAXSSIZE : PIPE_BUF;
  writer->socket = S_ISSOCK (info.st_mode);
  if (writer->most == PIPE_BUF && !is_borrowed (writer))
    fcntl (writer->fd, F_SETFL, fcntl (writer->fd, F_GETFL) | O_NONBLOCK);
  writer->gave_way = FALSE;
  gst_poll_fd_init (&writer->poll_fd);
  writer->poll_fd.fd = writer->fd;
  gst_poll_add_fd (writer->poll, &writer->poll_fd);
  gst_poll_fd_ctl_write (writer->poll, &writer->poll_fd, TRUE);
  return TRUE;
}

gboolean
gst_sppnet_writer_close (GstSppnetWriter *writer)
{
  gboolean borrowed = is_borrowed (writer);
  gint fd = writer->fd;

  g_string_truncate (writer->waiting, 0);
  g_mutex_lock (&lock);
  begun = g_list_remove (begun, writer);
  g_mutex_unlock (&lock);
  if (fd < 0)
    return TRUE;
  gst_poll_remove_fd (writer->poll, &writer->poll_fd);
  writer->fd = -1;
  return borrowed || close (fd) == 0;
}

/* Bytes of text for one write: whole lines, where one is not longer than that. */
static gsize
piece (const GString *text, gsize most)
{
  gsize length = MIN (text->len, most);
  const gchar *end = length < text->len ? g_strrstr_len (text->str, (gssize) length, "\n") : NULL;

  return end ? (gsize) (end - text->str) + 1 : length;
}

/* What the application has printed comes first, where that needs no waiting: nobody else is printing, and there is no
 * more of it than a pipe that is ready takes. What a terminal takes is not known. 1: something was, -1 with errno. */
static gint
flush_printed (const GstSppnetWriter *writer)
{
  gsize printed;
  gint result = 0;

  if (isatty (writer->fd) || ftrylockfile (stdout) != 0)
    return 0;
  printed = __fpending (stdout);
  if (printed > 0 && printed <= writer->most)
    result = fflush (stdout) == 0 ? 1 : -1;
  funlockfile (stdout);
  return result;
}

/* A piece of what waits. Returns how much, 0: not now, -1 with errno. */
static gssize
hand_over (GstSppnetWriter *writer)
{
  gsize length = piece (writer->waiting, writer->most);
  GList *own = g_list_find (begun, writer);
  gssize written;
  gint printed;

  for (const GList *i = begun; i; i = i->next) {
    const GstSppnetWriter *other = i->data;

    if (other != writer && other->device == writer->device && other->inode == writer->inode)
      return 0;
  }
  /* That may take the room, but only once for each line: others may print all the time. */
  printed = writer->standard && !own && !writer->gave_way ? flush_printed (writer) : 0;
  writer->gave_way |= printed > 0;
  if (printed != 0)
    return printed > 0 ? 0 : -1;
  written = writer->socket ? send (writer->fd, writer->waiting->str, length, MSG_DONTWAIT)
                           : write (writer->fd, writer->waiting->str, length);
  if (written <= 0)
    return written;
  writer->gave_way = FALSE;
  if (own)
    begun = g_list_delete_link (begun, own);
  if (writer->waiting->str[written - 1] != '\n')
    begun = g_list_prepend (begun, writer);
  return written;
}

/* The same, but a pipe whose reader has gone away is an error, with EPIPE, and not the end of the application. */
static gssize
hand_over_quietly (GstSppnetWriter *writer)
{
  const struct timespec at_once = { 0 };
  sigset_t pipe, before, pending;
  gssize written;
  gint reason;

  /* Whoever has it writes, or waits for a terminal that could not be opened again. */
  if (!g_mutex_trylock (&lock))
    return 0;
  sigemptyset (&pipe);
  sigaddset (&pipe, SIGPIPE);
  pthread_sigmask (SIG_BLOCK, &pipe, &before);
  sigpending (&pending);
  written = hand_over (writer);
  reason = errno;
  /* Ours, and not one that was pending before. */
  if (written < 0 && reason == EPIPE && !sigismember (&pending, SIGPIPE))
    while (sigtimedwait (&pipe, NULL, &at_once) < 0 && errno == EINTR)
      ;
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  g_mutex_unlock (&lock);
  errno = reason;
  return written;
}

gboolean
gst_sppnet_writer_flush (GstSppnetWriter *writer, GstClockTime patience)
{
  gint64 end = GST_CLOCK_TIME_IS_VALID (patience)
                   ? g_get_monotonic_time () + MOST_PATIENCE * (gint64) (patience / GST_USECOND)
                   : G_MAXINT64;

  while (writer->waiting->len > 0) {
    gint ready = gst_poll_wait (writer->poll, patience);
    gssize written;

    if (ready == 0 || g_get_monotonic_time () > end) {
      errno = ETIMEDOUT;
      return FALSE;
    }
    if (ready < 0 && errno != EINTR && errno != EAGAIN)
      return FALSE;
    if (ready < 0)
      continue;
    written = hand_over_quietly (writer);
    if (written > 0)
      g_string_erase (writer->waiting, 0, written);
    else if (written == 0 || errno == EAGAIN)
      g_usleep (500); /* others are first */
    else if (errno != EINTR)
      return FALSE;
  }
  return TRUE;
}

void
gst_sppnet_writer_set_flushing (GstSppnetWriter *writer, gboolean flushing)
{
  if (writer->poll)
    gst_poll_set_flushing (writer->poll, flushing);
}
