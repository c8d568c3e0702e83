/* postgres_conn.c: connections to PostgreSQL: how to connect, sending statements, what failures mean. */
#include "store/postgres.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is set for each connection unless the URL says otherwise. With several hosts in the URL, only one that can be written to will
 * do: after a failover libpq finds it by itself. A peer that is gone is noticed within seconds, not within TCP's hours. */
static const struct {
	const char *keyword, *value;
} defaults[] = {
    {"target_session_attrs", "read-write"}, {"connect_timeout", "2"},  {"keepalives_idle", "5"},
    {"keepalives_interval", "2"},           {"keepalives_count", "3"}, {"tcp_user_timeout", "10000"},
    {"application_name", "jari"},
};

/* Sent in front of the URL's own options, which win. Statements are prepared once and their arrays are short, so one plan that goes from
 * the array to the index serves all, and statistics of an empty table must not lead to another. */
#define SESSION                                                                                                                                           \
	"-c search_path=jari -c statement_timeout=60s -c lock_timeout=2s -c idle_in_transaction_session_timeout=5s"                                       \
	" -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_bitmapscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off" \
	" -c client_min_messages=warning -c bytea_output=hex"

/* ---- the URL ---- */

static void set(struct pg_target *t, const char *keyword, const char *value)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->keywords[i], keyword) == 0)
			return;
	t->keywords = mem_grow(t->keywords, (t->n + 2) * sizeof *t->keywords);
	t->values = mem_grow(t->values, (t->n + 2) * sizeof *t->values);
	t->owned = mem_grow(t->owned, (t->n + 1) * 2 * sizeof *t->owned);
	size_t k = strlen(keyword) + 1, v = strlen(value) + 1;
	t->keywords[t->n] = t->owned[2 * t->n] = memcpy(mem_alloc(k), keyword, k);
	t->values[t->n] = t->owned[2 * t->n + 1] = memcpy(mem_alloc(v), value, v);
	t->n++;
	t->keywords[t->n] = t->values[t->n] = NULL;
}

static const char *given(const struct pg_target *t, const char *keyword, const char *otherwise)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->keywords[i], keyword) == 0)
			return t->values[i];
	return otherwise;
}

static void set_options(struct pg_target *t, const PQconninfoOption *info)
{
	struct buf session = {0};
	buf_str(&session, SESSION);
	for (const PQconninfoOption *o = info; o->keyword; o++)
		if (strcmp(o->keyword, "options") == 0 && o->val)
			buf_printf(&session, " %s", o->val);
	buf_char(&session, '\0');
	set(t, "options", session.p);
	buf_free(&session);
}

bool pg_target_read(const char *url, struct pg_target *out, char error[STORE_ERROR_SIZE])
{
	char *why = NULL;
	const char *rest = strchr(url, ':');
	*out = (struct pg_target){0};
	/* "postgresql:host=db dbname=jari" is for those who write keywords */
	PQconninfoOption *info = PQconninfoParse(rest && strncmp(rest, "://", 3) != 0 ? rest + 1 : url, &why);
	if (!info) {
		/* libpq's own sentence repeats the URL, which may hold a password */
		(void)snprintf(error, STORE_ERROR_SIZE,
		               "the store's URL can't be understood: write --store postgresql://USER@HOST:PORT/DATABASE");
		PQfreemem(why);
		return false;
	}
	set_options(out, info);
	for (const PQconninfoOption *o = info; o->keyword; o++)
		if (o->val && strcmp(o->keyword, "options") != 0)
			set(out, o->keyword, o->val);
	PQconninfoFree(info);
	for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
		set(out, defaults[i].keyword, defaults[i].value);
	set(out, "client_encoding", "UTF8");
	const char *port = given(out, "port", "");
	bool has_port = port[strspn(port, ",")] != '\0'; /* several hosts without one are "," */
	(void)snprintf(out->shown, sizeof out->shown, "postgresql://%s%s%s%s%s/%s", given(out, "user", ""),
	               given(out, "user", NULL) ? "@" : "", given(out, "host", given(out, "hostaddr", "")), has_port ? ":" : "",
	               has_port ? port : "", given(out, "dbname", ""));
	return true;
}

void pg_target_free(struct pg_target *t)
{
	for (size_t i = 0; i < 2 * t->n; i++)
		free(t->owned[i]);
	free(t->owned);
	free(t->keywords);
	free(t->values);
	*t = (struct pg_target){0};
}

/* ---- what a failure means ---- */

static void keep_said(struct pg_conn *c, const char *said)
{
	size_t n = said && !c->late ? strcspn(said, "\n") : 0; /* what follows is where and why, in lines of their own */
	(void)snprintf(c->said, sizeof c->said, "%.*s", (int)n, said ? said : "");
	if (c->late)
		(void)snprintf(c->said, sizeof c->said, "the database has not answered for %d ms", c->answer_ms);
	else if (n == 0)
		(void)snprintf(c->said, sizeof c->said, "the connection was lost");
}

/* Of several hosts each has said something: the one that matters may be the last, a standby that was not promoted yet. Hints are in lines that begin
 * with a tab. */
static void keep_hosts_said(struct pg_conn *c, const char *said)
{
	keep_said(c, said);
	size_t used = strlen(c->said);
	for (const char *line = strchr(said, '\n'); line && used < sizeof c->said; line = strchr(line, '\n')) {
		size_t n = strcspn(++line, "\n");
		if (n == 0 || *line == '\t')
			continue;
		(void)snprintf(c->said + used, sizeof c->said - used, "; %.*s", (int)n, line);
		used += strlen(c->said + used);
	}
}

static bool one_of(const char *state, const char *const *states)
{
	for (; *states; states++)
		if (strncmp(state, *states, strlen(*states)) == 0)
			return true;
	return false;
}

/* Serialization failure, deadlock, a lock or a statement that took too long: the batch is run again. Everything that says that this
 * connection, or this server, is not the one to write to any more: again as well, on a new connection. */
static enum store_result meaning(const char *state, bool *drop, enum store_trouble *trouble)
{
	static const char *const again[] = {"40001", "40P01", "40003", "55P03", "57014", NULL};
	static const char *const lost[] = {"08", "57P01", "57P02", "57P03", "53300", "25006", "25P03", "57P05", NULL};
	static const char *const conflict[] = {"23", "JR001", NULL};
	*drop = false;
	*trouble = STORE_CONTENDED;
	if (one_of(state, again))
		return STORE_BUSY;
	*trouble = STORE_REFUSING;
	if (one_of(state, conflict))
		return STORE_CONFLICT;
	*drop = one_of(state, lost);
	if (*drop)
		*trouble = strcmp(state, "25006") == 0   ? STORE_READ_ONLY
		           : strcmp(state, "57P03") == 0 ? STORE_STARTING
		                                         : STORE_UNREACHABLE;
	return *drop ? STORE_BUSY : STORE_BROKEN;
}

enum store_result pg_failed(struct pg_conn *c, const PGresult *res, const char *what)
{
	const char *state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
	const char *primary = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	bool drop = false;
	enum store_result result = STORE_BUSY;
	c->trouble = c->late ? STORE_SILENT : STORE_UNREACHABLE;
	if (state)
		result = meaning(state, &drop, &c->trouble);
	if (!state || PQstatus(c->pg) != CONNECTION_OK)
		drop = true;
	keep_said(c, primary ? primary : c->pg ? PQerrorMessage(c->pg) : NULL);
	if (!c->quiet)
		log_event(result == STORE_BROKEN ? LOG_ERROR : LOG_WARN,
		          result == STORE_BROKEN     ? "store_broken"
		          : result == STORE_CONFLICT ? "store_conflict"
		                                     : "store_busy",
		          "cause", "%s: %s: %s (%s)", c->target->shown, what, c->said, state ? state : "no answer");
	if (drop)
		pg_drop(c);
	return result;
}

/* ---- connecting ---- */

static void noticed(void *arg, const PGresult *res)
{
	struct pg_conn *c = arg;
	const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *primary = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	if (!severity || strcmp(severity, "WARNING") != 0)
		return;
	c->warned = true;
	if (!c->quiet)
		log_event(LOG_WARN, "store_warning", "cause", "%s: %s", c->target->shown, primary ? primary : "");
}

/* A commit is answered when it is durable (I7): a role or a database that is set up otherwise is put right here. */
static enum store_result prepare_session(struct pg_conn *c)
{
	enum store_result result;
	char *level = pg_ask(c, "SELECT current_setting('synchronous_commit')", &result);
	if (level && strcmp(level, "off") == 0)
		result = pg_do(c, "SET synchronous_commit = on");
	free(level);
	return result;
}

/* libpq tells of each host that it tried. One that is there and can't be used says more than those that are not. */
static enum store_trouble why_not(const char *said, bool slow)
{
	if (strstr(said, "read-only") || strstr(said, "hot standby"))
		return STORE_READ_ONLY;
	if (strstr(said, "starting up") || strstr(said, "shutting down") || strstr(said, "in recovery") ||
	    strstr(said, "not yet accepting"))
		return STORE_STARTING;
	return slow ? STORE_SILENT : STORE_UNREACHABLE;
}

/* To read, a primary that was set read-only will do. A standby will not: it may be behind what was told already. */
static const char **reading_values(const struct pg_target *t)
{
	const char **values = mem_alloc((t->n + 1) * sizeof *values);
	for (size_t i = 0; i <= t->n; i++) {
		bool writes =
		    i < t->n && strcmp(t->keywords[i], "target_session_attrs") == 0 && strcmp(t->values[i], "read-write") == 0;
		values[i] = writes ? "primary" : t->values[i];
	}
	return values;
}

enum store_result pg_connect(struct pg_conn *c, const struct pg_target *target, bool pipeline)
{
	int64_t began_us = clock_elapsed_us();
	if (c->pg)
		return STORE_OK;
	if (began_us < c->after_us)
		return STORE_BUSY;
	c->target = target;
	c->pipeline = false;
	c->failed = STORE_OK;
	c->late = false;
	c->sent_bytes = 0;
	c->made++;
	const char **values = c->reads ? reading_values(target) : target->values;
	c->pg = PQconnectdbParams(target->keywords, values, 0);
	if (c->reads)
		free(values);
	if (PQstatus(c->pg) != CONNECTION_OK) {
		/* libpq's sentence is about hosts, users and databases; a password is never in it */
		keep_hosts_said(c, PQerrorMessage(c->pg));
		int64_t now_us = clock_elapsed_us();
		bool slow = now_us - began_us > PG_CONNECT_SLOW_MS * 1000LL;
		c->after_us = slow ? now_us + PG_CONNECT_PAUSE_MS * 1000LL : 0;
		c->trouble = why_not(PQerrorMessage(c->pg), slow);
		if (!c->quiet && now_us >= c->tell_after_us) {
			c->tell_after_us = now_us + PG_TELL_MS * 1000LL;
			log_event(LOG_WARN, "store_unreachable", "cause", "%s: %s", target->shown, c->said);
		}
		pg_drop(c);
		return STORE_BUSY;
	}
	(void)PQsetNoticeReceiver(c->pg, noticed, c);
	enum store_result result = STORE_OK;
	if (c->answer_ms > 0 && PQsetnonblocking(c->pg, 1) != 0)
		result = pg_failed(c, NULL, "connect");
	if (result == STORE_OK)
		result = prepare_session(c);
	if (result == STORE_OK && pipeline && !PQenterPipelineMode(c->pg))
		result = pg_failed(c, NULL, "pipeline");
	c->pipeline = result == STORE_OK && pipeline;
	if (result != STORE_OK)
		pg_drop(c);
	return result;
}

void pg_drop(struct pg_conn *c)
{
	pg_clear(c);
	c->sent_n = 0;
	PQfinish(c->pg);
	c->pg = NULL;
	memset(c->prepared, 0, sizeof c->prepared);
}

void pg_conn_free(struct pg_conn *c)
{
	pg_drop(c);
	free(c->sent);
	free(c->results);
	c->sent = NULL;
	c->results = NULL;
	c->sent_cap = c->results_cap = 0;
}

/* ---- pipeline ---- */

static void name_of(int which, char out[16])
{
	(void)snprintf(out, 16, "s%d", which);
}

static void push_sent(struct pg_conn *c, int which, bool prepares)
{
	if (c->sent_n == c->sent_cap) {
		c->sent_cap = c->sent_cap ? c->sent_cap * 2 : 32;
		c->sent = mem_grow(c->sent, c->sent_cap * sizeof *c->sent);
	}
	c->sent[c->sent_n++] = (struct pg_sent){which, prepares};
}

static bool send_prepare(struct pg_conn *c, int which, const char *name)
{
	struct buf scratch = {0};
	const char *sql = pg_sql_text(which, &scratch);
	bool ok = sql && PQsendPrepare(c->pg, name, sql, 0, NULL);
	buf_free(&scratch);
	if (ok)
		push_sent(c, which, true);
	return ok;
}

void pg_send(struct pg_conn *c, int which, const struct pg_params *params)
{
	char name[16];
	name_of(which, name);
	if (!c->pg || c->failed != STORE_OK)
		return;
	for (int i = 0; params && i < params->n; i++)
		c->sent_bytes += params->lengths[i];
	bool ok = c->prepared[which] || send_prepare(c, which, name);
	c->prepared[which] = ok; /* taken back when its answer is no */
	if (ok)
		ok = PQsendQueryPrepared(c->pg, name, params ? params->n : 0, params ? params->values : NULL,
		                         params ? params->lengths : NULL, params ? params->formats : NULL, 1);
	if (ok)
		push_sent(c, which, false);
	else
		c->failed = pg_failed(c, NULL, "send");
}

static void keep_result(struct pg_conn *c, PGresult *res)
{
	if (c->results_n == c->results_cap) {
		c->results_cap = c->results_cap ? c->results_cap * 2 : 32;
		c->results = mem_grow(c->results, c->results_cap * sizeof(PGresult *));
	}
	c->results[c->results_n++] = res;
}

static const char *what_of(int which)
{
	return which < PG_LOOK      ? "load"
	       : which < PG_INSERT  ? "look"
	       : which < PG_BEGIN   ? "save"
	       : which == PG_COMMIT ? "commit"
	                            : "statement";
}

/* The answer to one statement that was sent. The first that failed decides; those behind it were not run. */
static void take_answer(struct pg_conn *c, struct pg_sent sent, enum store_result *first, bool *lost)
{
	PGresult *res = pg_next(c);
	ExecStatusType status = PQresultStatus(res);
	bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
	if (!ok && sent.prepares)
		c->prepared[sent.which] = false;
	if (!ok && status != PGRES_PIPELINE_ABORTED && *first == STORE_OK) {
		*first = pg_failed(c, res, what_of(sent.which));
		if (sent.which == PG_TAKE_IDS)
			pg_drop(c); /* it may have failed between its lock and its unlock, and that lock is the connection's */
		*lost = !c->pg;
	}
	if (ok && !sent.prepares)
		keep_result(c, res);
	else
		PQclear(res);
	if (*lost)
		return;
	while ((res = pg_next(c)))
		PQclear(res);
	if (c->late) {
		enum store_result late = pg_failed(c, NULL, what_of(sent.which));
		*first = *first == STORE_OK ? late : *first;
		*lost = true;
	}
}

enum store_result pg_sync(struct pg_conn *c)
{
	enum store_result first = c->failed;
	bool lost = !c->pg;
	c->failed = STORE_OK;
	if (lost)
		return first == STORE_OK ? STORE_BUSY : first;
	if (!PQpipelineSync(c->pg))
		return pg_failed(c, NULL, "send");
	c->trips++;
	for (size_t i = 0; i < c->sent_n && !lost; i++)
		take_answer(c, c->sent[i], &first, &lost);
	c->sent_n = 0;
	if (lost)
		return first;
	PGresult *res = pg_next(c);
	c->sent_bytes = 0;
	bool synced = PQresultStatus(res) == PGRES_PIPELINE_SYNC;
	PQclear(res);
	if (synced || (first != STORE_OK && !c->late))
		return first;
	enum store_result failed = pg_failed(c, NULL, "sync");
	return first != STORE_OK ? first : failed;
}

void pg_clear(struct pg_conn *c)
{
	for (size_t i = 0; i < c->results_n; i++)
		PQclear(c->results[i]);
	c->results_n = 0;
}

/* ---- plain ---- */

PGresult *pg_run(struct pg_conn *c, int which, const struct pg_params *params, enum store_result *result)
{
	char name[16];
	name_of(which, name);
	*result = STORE_OK;
	if (!c->prepared[which]) {
		struct buf scratch = {0};
		PGresult *prepared = PQsendPrepare(c->pg, name, pg_sql_text(which, &scratch), 0, NULL) ? pg_last(c) : NULL;
		buf_free(&scratch);
		c->prepared[which] = PQresultStatus(prepared) == PGRES_COMMAND_OK;
		if (!c->prepared[which])
			*result = pg_failed(c, prepared, "prepare");
		PQclear(prepared);
		if (*result != STORE_OK)
			return NULL;
	}
	c->trips++;
	bool sent = PQsendQueryPrepared(c->pg, name, params ? params->n : 0, params ? params->values : NULL,
	                                params ? params->lengths : NULL, params ? params->formats : NULL, 1);
	PGresult *res = sent ? pg_last(c) : NULL;
	ExecStatusType status = PQresultStatus(res);
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return res;
	*result = pg_failed(c, res, "read");
	PQclear(res);
	return NULL;
}

enum store_result pg_do(struct pg_conn *c, const char *sql)
{
	PGresult *res = PQsendQuery(c->pg, sql) ? pg_last(c) : NULL;
	ExecStatusType status = PQresultStatus(res);
	enum store_result result =
	    status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? STORE_OK : pg_failed(c, res, "statement");
	PQclear(res);
	return result;
}

char *pg_ask(struct pg_conn *c, const char *sql, enum store_result *result)
{
	PGresult *res = PQsendQuery(c->pg, sql) ? pg_last(c) : NULL;
	char *out = NULL;
	*result = STORE_OK;
	if (PQresultStatus(res) != PGRES_TUPLES_OK) {
		*result = pg_failed(c, res, "statement");
	} else if (PQntuples(res) > 0 && !PQgetisnull(res, 0, 0)) {
		size_t n = strlen(PQgetvalue(res, 0, 0)) + 1;
		out = memcpy(mem_alloc(n), PQgetvalue(res, 0, 0), n);
	}
	PQclear(res);
	return out;
}

enum store_result pg_ask_int(struct pg_conn *c, const char *sql, int64_t *out)
{
	enum store_result result;
	char *said = pg_ask(c, sql, &result);
	if (result == STORE_OK && (!said || !text_to_int(text_of(said), INT64_MIN, INT64_MAX, out)))
		*out = 0;
	free(said);
	return result;
}
