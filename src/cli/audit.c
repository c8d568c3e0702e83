/* audit.c: `jari audit`: every invariant, checked over the whole store. */
#include "cli/cli.h"

static void print_check(void *arg, const char *invariant, const char *what, int64_t violations, const char *example)
{
	struct cli_audit_sum *a = arg;

	a->checks++;
	if (violations == 0) {
		if (!a->failures_only)
			(void)printf("ok   %-3s %s\n", invariant, what);
		return;
	}
	a->failed++;
	(void)printf("FAIL %-3s %s: %lld %s%s%s\n", invariant, what, (long long)violations, violations == 1 ? "row" : "rows",
	             example[0] != '\0' ? ", first: " : "", example);
}

enum store_result cli_audit_run(struct store *store, struct cli_audit_sum *sum)
{
	return store_audit(store, print_check, sum);
}

int cli_audit(const struct cli_options *options)
{
	struct store *store = NULL;
	struct cli_audit_sum a = {0};
	char error[STORE_ERROR_SIZE], shown[STORE_SHOWN_SIZE];
	enum store_result result = cli_store_open(options, STORE_READ, &store, error);

	if (result != STORE_OK)
		return cli_fail("%s", error);
	result = cli_audit_run(store, &a);
	store_close(store);
	if (result != STORE_OK) {
		(void)cli_flush(); /* what was found so far comes before the line that says why there is no more */
		store_shown(options->store, shown);
		return cli_fail("the audit of %s could not be finished: %s", shown,
		                result == STORE_BUSY ? "the store is busy; try again"
		                                     : "the store cannot be read; the log has the cause");
	}
	if (a.failed > 0)
		(void)printf("%lld of %lld checks fail\n", (long long)a.failed, (long long)a.checks);
	else
		(void)printf("all %lld checks hold\n", (long long)a.checks);
	return cli_flush() == CLI_EXIT_OK && a.failed == 0 ? CLI_EXIT_OK : CLI_EXIT_FAILED;
}
