/* notify.h: tells the service manager that has started us how we are, in sd_notify(3)'s protocol: one datagram of lines NAME=VALUE to the
 * socket that NOTIFY_SOCKET names. The protocol is small and promised to stay, so this takes no library.
 *
 * Ownership: nothing is kept. Threads: any, but NOTIFY_SOCKET is read from the environment, which nobody may change meanwhile.
 * Errors: what could not be told is a line in the log, and no more: a server serves also when nobody listens to how it is. */
#ifndef JARI_CLI_NOTIFY_H
#define JARI_CLI_NOTIFY_H

#include <stdint.h>

/* Connections are accepted. Nothing happens when NOTIFY_SOCKET is not set, here and below. */
void cli_notify_ready(void);
/* The end has begun, and may take this long; the manager waits at least that long before it loses patience. */
void cli_notify_stopping(int64_t seconds);

#endif
