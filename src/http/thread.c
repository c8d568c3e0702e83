/* thread.c: one event loop: its listener, its tick, and the way back from the engine. */
#include "base/log.h"
#include "base/thread.h"
#include "http/conn.h"
#include "http/rendered.h"
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TICK_US 250000
#define WARN_US 1000000 /* the same warning at most this often */

/* ---- time ---- */

void http_thread_date(struct http_thread *t)
{
	time_t now = time(NULL);
	struct tm parts;
	if (now == t->date_second || !gmtime_r(&now, &parts))
		return;
	t->date_second = now;
	/* Jari sets no locale, so the names are English ones. */
	t->date_n = strftime(t->date, sizeof(t->date), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
}

static void close_all(struct http_thread *t)
{
	for (int state = 0; state < HTTP_CONN_STATES; state++)
		while (t->lists[state].first)
			http_conn_close(t->lists[state].first);
}

int http_thread_retry_seconds(struct http_thread *t)
{
	t->chance = (t->chance ^ (uint64_t)clock_elapsed_us()) * 0x9e3779b97f4a7c15ULL;
	return 1 + (int)((t->chance >> 32) % JARI_RETRY_SECONDS_MAX);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct http_thread *t = arg;
	(void)fd, (void)what;
	t->now_us = clock_elapsed_us();
	http_thread_date(t);
	http_conn_sweep(t);
	if (t->draining && t->now_us >= t->drain_deadline_us) {
		close_all(t);
		event_base_loopbreak(t->base);
	}
}

static void on_feeding(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	http_feed_step(arg);
}

/* ---- accepting ---- */

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int length, void *arg)
{
	(void)listener;
	http_door(arg, fd, address, (socklen_t)length);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct http_thread *t = arg;
	(void)fd, (void)what;
	if (t->listener)
		evconnlistener_enable(t->listener);
}

/* Without descriptors or memory, accept fails for as long as the connection waits. One that is idle gives its place; where there is
 * none, the listener is left alone for a moment instead of spinning. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct http_thread *t = arg;
	struct timeval pause = {0, HTTP_ACCEPT_PAUSE_MS * 1000L};
	int error = errno;
	if (error == ECONNABORTED || error == EINTR || error == EPROTO)
		return;
	t->now_us = clock_elapsed_us();
	if ((error == EMFILE || error == ENFILE) && http_door_make_room(t))
		return;
	evconnlistener_disable(listener);
	event_add(t->pause, &pause);
	if (t->now_us - t->warned_us >= WARN_US || !t->warned_us) {
		t->warned_us = t->now_us;
		log_event(LOG_WARN, "connections are not accepted for a moment", "cause", "%s", strerror(error));
	}
}

/* ---- stopping ---- */

void http_thread_check_drained(struct http_thread *t)
{
	if (t->draining && !t->conns && !t->in_engine)
		event_base_loopbreak(t->base);
}

/* Connections that the kernel has made already are this server's to answer. */
static void accept_rest(struct http_thread *t)
{
	int listening = evconnlistener_get_fd(t->listener), fd;
	struct sockaddr_storage from;
	socklen_t n = sizeof(from);
	for (; (fd = accept4(listening, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0; n = sizeof(from))
		http_door(t, fd, (struct sockaddr *)&from, n);
}

static void begin_draining(struct http_thread *t)
{
	accept_rest(t);
	evconnlistener_free(t->listener);
	t->listener = NULL;
	t->now_us = clock_elapsed_us();
	t->draining = true;
	t->drain_deadline_us = t->now_us + HTTP_STOP_MS * INT64_C(1000);
	http_conn_drain(t);
	http_thread_check_drained(t);
}

/* ---- back from the engine ---- */

static void wake(struct http_thread *t)
{
	uint64_t one = 1;
	while (write(t->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		continue;
}

/* Wakes the other threads that have something to take. They can't end before they have, nor the server before `t` has the request that is
 * still to be handed to it. */
static void wake_others(struct http_thread *t)
{
	for (int i = 0; i < t->server->count; i++) {
		struct http_thread *other = &t->server->threads[i];
		if (other == t)
			continue;
		pthread_mutex_lock(&other->done_lock);
		if (other->done_first)
			wake(other);
		pthread_mutex_unlock(&other->done_lock);
	}
}

void http_thread_done(struct http_request *req, bool more_follow)
{
	struct http_thread *t = req->thread;
	req->next_done = NULL;
	if (!more_follow)
		wake_others(t);
	pthread_mutex_lock(&t->done_lock);
	if (t->done_first)
		t->done_last->next_done = req;
	else
		t->done_first = req;
	t->done_last = req;
	/* Within the lock: once the request can be taken, the thread may answer it, end, and be freed. */
	if (!more_follow)
		wake(t);
	pthread_mutex_unlock(&t->done_lock);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct http_thread *t = arg;
	uint64_t times;
	(void)what;
	if (read(fd, &times, sizeof(times)) < 0 && errno != EAGAIN)
		return;
	pthread_mutex_lock(&t->done_lock);
	struct http_request *req = t->done_first;
	t->done_first = t->done_last = NULL;
	pthread_mutex_unlock(&t->done_lock);
	for (struct http_request *next; req; req = next) {
		next = req->next_done;
		http_slot_back(req);
	}
	if (atomic_load(&t->server->stopping) && !t->draining)
		begin_draining(t);
}

/* ---- waiting ---- */

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct http_thread *t = arg;
	struct http_request *req = t->waiting;
	(void)fd, (void)what;
	t->waiting = NULL;
	t->waiting_count = 0;
	for (struct http_request *next; req; req = next) {
		next = req->next_done;
		http_slot_back(req);
	}
}

bool http_thread_wait(struct http_request *req)
{
	struct http_thread *t = req->thread;
	struct timeval step = {0, HTTP_TICKET_STEP_MS * 1000L};
	if (t->waiting_count == HTTP_TICKET_WAITERS || (!t->waiting && event_add(t->again, &step) < 0))
		return false;
	req->next_done = t->waiting;
	t->waiting = req;
	t->waiting_count++;
	http_slot_of(req)->in_engine = true;
	t->in_engine++;
	return true;
}

/* ---- the loop ---- */

bool http_thread_open(struct http_thread *t, struct http_server *s, int fd, const uint8_t seal_key[SEAL_KEY_BYTES])
{
	t->server = s;
	t->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_mutex_init(&t->done_lock, NULL);
	struct event_config *config = event_config_new();
	if (config) {
		/* The base is its thread's alone. */
		event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
		t->base = event_base_new_with_config(config);
		event_config_free(config);
	}
	t->seal = seal_new(seal_key);
	t->rendered = rendered_new();
	if (t->wake_fd < 0 || !t->base || !t->seal) {
		close(fd);
		return false;
	}
	t->wake = event_new(t->base, t->wake_fd, EV_READ | EV_PERSIST, on_wake, t);
	t->tick = event_new(t->base, -1, EV_PERSIST, on_tick, t);
	t->pause = event_new(t->base, -1, 0, on_resume, t);
	t->feeding = event_new(t->base, -1, 0, on_feeding, t);
	t->again = event_new(t->base, -1, 0, on_again, t);
	t->listener =
	    evconnlistener_new(t->base, on_accept, t, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, JARI_LISTEN_BACKLOG, fd);
	if (!t->listener)
		close(fd);
	struct timeval period = {0, TICK_US};
	http_thread_date(t);
	if (!t->listener || !t->wake || !t->tick || !t->pause || !t->feeding || !t->again || event_add(t->wake, NULL) < 0 ||
	    event_add(t->tick, &period) < 0)
		return false;
	evconnlistener_set_error_cb(t->listener, on_accept_error);
	return true;
}

void *http_thread_run(void *thread)
{
	struct http_thread *t = thread;
	thread_is_called("http");
	event_base_loop(t->base, 0);
	return NULL;
}

void http_thread_close(struct http_thread *t)
{
	close_all(t);
	if (t->listener)
		evconnlistener_free(t->listener);
	if (t->wake)
		event_free(t->wake);
	if (t->tick)
		event_free(t->tick);
	if (t->pause)
		event_free(t->pause);
	if (t->feeding)
		event_free(t->feeding);
	if (t->again)
		event_free(t->again);
	/* A connection that was closed while a callback of it was due is kept by that callback until its turn. */
	if (t->base && event_base_loop(t->base, EVLOOP_NONBLOCK) < 0)
		log_event(LOG_WARN, "connections are not freed", "cause", "%s", "the event loop has failed");
	if (t->base)
		event_base_free(t->base);
	if (t->wake_fd >= 0)
		close(t->wake_fd);
	http_slots_free(t);
	buf_free(&t->news);
	seal_free(t->seal);
	rendered_free(t->rendered);
	pthread_mutex_destroy(&t->done_lock);
}
