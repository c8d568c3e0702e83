/* pg_server.h: a PostgreSQL server of a test program's own: made in a temporary folder, on a free port of the loopback address and a socket in that
 * folder, ended with the program. PostgreSQL refuses to run as root, so there it runs as the user postgres. */
#ifndef JARI_TESTS_STORE_PG_SERVER_H
#define JARI_TESTS_STORE_PG_SERVER_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <glob.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PG_MAYBE __attribute__((unused)) static

struct pg_server {
	char folder[128], bin[128];
	uid_t uid; /* 0: nobody else */
	gid_t gid;
	int port;
	pid_t pid; /* 0 while it does not run */
	bool durable;
};

PG_MAYBE void pg_pause(int ms)
{
	(void)nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

PG_MAYBE int pg_free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || getsockname(fd, (struct sockaddr *)&at, &size) != 0)
		return 0;
	(void)close(fd);
	return ntohs(at.sin_port);
}

/* Where Debian puts the server's programs, the newest version last. */
PG_MAYBE bool pg_find_programs(struct pg_server *p)
{
	glob_t found;
	if (glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found) != 0)
		return false;
	const char *last = found.gl_pathv[found.gl_pathc - 1];
	snprintf(p->bin, sizeof p->bin, "%.*s", (int)(strlen(last) - strlen("/postgres")), last);
	globfree(&found);
	return true;
}

/* Runs a program of PostgreSQL's as its user. It ends when this program does, however that ends. */
PG_MAYBE pid_t pg_spawn(const struct pg_server *p, const char *const argv[])
{
	char path[256], log[256];
	snprintf(path, sizeof path, "%s/%s", p->bin, argv[0]);
	snprintf(log, sizeof log, "%s/log", p->folder);
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	if (p->uid && (setgid(p->gid) != 0 || setuid(p->uid) != 0))
		_exit(126);
	(void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
	(void)unsetenv("ASAN_OPTIONS");
	(void)execv(path, (char *const *)(uintptr_t)argv);
	_exit(127);
}

PG_MAYBE PGconn *pg_admin(const struct pg_server *p)
{
	char info[384];
	snprintf(
	    info, sizeof info,
	    "host=127.0.0.1 port=%d user=postgres dbname=postgres connect_timeout=5 options='-c client_min_messages=warning -c default_transaction_read_only=off -c idle_in_transaction_session_timeout=5s'",
	    p->port);
	PGconn *c = PQconnectdb(info);
	if (PQstatus(c) == CONNECTION_OK)
		return c;
	PQfinish(c);
	return NULL;
}

/* Starts the server, and waits until it takes connections. */
PG_MAYBE bool pg_start(struct pg_server *p)
{
	char data[160], port[16], sync[32], socket_folder[256];
	snprintf(data, sizeof data, "%s/data", p->folder);
	snprintf(port, sizeof port, "%d", p->port);
	snprintf(sync, sizeof sync, "fsync=%s", p->durable ? "on" : "off");
	snprintf(socket_folder, sizeof socket_folder, "unix_socket_directories=%s", p->folder);
	const char *argv[] = {"postgres",
	                      "-D",
	                      data,
	                      "-p",
	                      port,
	                      "-h",
	                      "127.0.0.1",
	                      "-c",
	                      sync,
	                      "-c",
	                      socket_folder,
	                      "-c",
	                      "shared_buffers=64MB",
	                      "-c",
	                      "autovacuum=off",
	                      "-c",
	                      "max_connections=60",
	                      NULL};
	p->pid = pg_spawn(p, argv);
	for (int i = 0; i < 200; i++) {
		PGconn *c = pg_admin(p);
		PQfinish(c);
		if (c)
			return true;
		if (waitpid(p->pid, NULL, WNOHANG) == p->pid)
			break;
		pg_pause(50);
	}
	return false;
}

/* SIGQUIT: at once, as in a crash; SIGINT: connections are ended, then all is written. */
PG_MAYBE void pg_stop(struct pg_server *p, int how)
{
	if (p->pid <= 0)
		return;
	(void)kill(p->pid, how);
	(void)waitpid(p->pid, NULL, 0);
	p->pid = 0;
}

PG_MAYBE bool pg_make(struct pg_server *p)
{
	*p = (struct pg_server){.port = pg_free_port()};
	const char *tmp = getenv("TMPDIR");
	snprintf(p->folder, sizeof p->folder, "%s/jari-pg-XXXXXX", tmp ? tmp : "/tmp");
	if (!pg_find_programs(p) || !mkdtemp(p->folder))
		return false;
	const struct passwd *who = getuid() == 0 ? getpwnam("postgres") : NULL;
	if (who) {
		p->uid = who->pw_uid;
		p->gid = who->pw_gid;
		if (chown(p->folder, p->uid, p->gid) != 0)
			return false;
	}
	char data[160];
	snprintf(data, sizeof data, "%s/data", p->folder);
	const char *argv[] = {"initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N", NULL};
	int status = -1;
	pid_t pid = pg_spawn(p, argv);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 && pg_start(p);
}

PG_MAYBE void pg_remove(struct pg_server *p)
{
	char command[192];
	pg_stop(p, SIGINT);
	snprintf(command, sizeof command, "rm -rf '%s'", p->folder);
	if (p->folder[0] && system(command) != 0)
		fprintf(stderr, "%s could not be removed\n", p->folder);
}

/* Runs SQL as the server's owner. */
__attribute__((format(printf, 2, 3))) PG_MAYBE bool pg_sql(const struct pg_server *p, const char *format, ...)
{
	char sql[2048];
	va_list args;
	va_start(args, format);
	vsnprintf(sql, sizeof sql, format, args);
	va_end(args);
	PGconn *c = pg_admin(p);
	if (!c)
		return false;
	PGresult *res = PQexec(c, sql);
	bool ok = PQresultStatus(res) == PGRES_COMMAND_OK || PQresultStatus(res) == PGRES_TUPLES_OK;
	if (!ok)
		fprintf(stderr, "%s", PQerrorMessage(c));
	PQclear(res);
	PQfinish(c);
	return ok;
}

/* One number that SQL gives; -1 when it does not. */
PG_MAYBE long long pg_number(const struct pg_server *p, const char *sql)
{
	long long n = -1;
	PGconn *c = pg_admin(p);
	PGresult *res = c ? PQexec(c, sql) : NULL;
	if (PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1)
		n = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	PQfinish(c);
	return n;
}

#endif
