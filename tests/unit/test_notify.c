/* What a service manager hears: a real datagram socket stands for it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/notify.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct manager {
	int fd;
	char folder[64], name[128]; /* name: as NOTIFY_SOCKET has it */
};

static void listen_at(struct manager *m, bool abstract)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t n;

	(void)snprintf(m->folder, sizeof(m->folder), "/tmp/jari-notify-XXXXXX");
	assert_non_null(mkdtemp(m->folder));
	(void)snprintf(m->name, sizeof(m->name), "%s%s/socket", abstract ? "@" : "", m->folder);
	n = strlen(m->name);
	memcpy(at.sun_path, m->name, n);
	if (abstract)
		at.sun_path[0] = '\0';
	m->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(m->fd >= 0);
	assert_int_equal(bind(m->fd, (const struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", m->name, 1), 0);
}

/* A datagram is there as soon as it was sent. */
static void hears(const struct manager *m, const char *wanted)
{
	char heard[256];
	ssize_t n = recv(m->fd, heard, sizeof(heard) - 1, 0);

	assert_true(n > 0);
	heard[n] = '\0';
	assert_string_equal(heard, wanted);
}

static void hears_nothing(const struct manager *m)
{
	char heard[16];

	assert_int_equal(recv(m->fd, heard, sizeof(heard), 0), -1);
	assert_int_equal(errno, EAGAIN);
}

static void end(struct manager *m)
{
	assert_int_equal(close(m->fd), 0);
	if (m->name[0] == '/')
		assert_int_equal(unlink(m->name), 0);
	assert_int_equal(rmdir(m->folder), 0);
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
}

static void is_told(bool abstract)
{
	struct manager m;

	listen_at(&m, abstract);
	cli_notify_ready();
	hears(&m, "READY=1");
	cli_notify_stopping(75);
	hears(&m, "STOPPING=1\nEXTEND_TIMEOUT_USEC=75000000");
	hears_nothing(&m);
	end(&m);
}

static void at_a_path(void **state)
{
	(void)state;
	is_told(false);
}

static void at_an_abstract_name(void **state)
{
	(void)state;
	is_told(true);
}

/* Nobody to tell, or a name that is none: a line in the log at most. */
static void nobody(void **state)
{
	static const char *const names[] = {"", "/", "@", "relative/socket", "/tmp/jari-notify-nobody/socket"};
	char long_name[300];
	struct manager m;

	(void)state;
	listen_at(&m, false);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(setenv("NOTIFY_SOCKET", names[i], 1), 0);
		cli_notify_ready();
	}
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[0] = '/';
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(setenv("NOTIFY_SOCKET", long_name, 1), 0);
	cli_notify_ready();
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	cli_notify_ready();
	hears_nothing(&m);
	end(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(at_a_path),
	    cmocka_unit_test(at_an_abstract_name),
	    cmocka_unit_test(nobody),
	};

	return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
