/* sim.h: one seeded run of the core on a store in memory, beside the model.
 *
 * test_model.c drives: it makes batches, some of them aborted, and has every answer checked by model.c. generate.c makes the
 * commands, compare.c holds what is stored against the model and asserts the invariants on it.
 * Everything that is random comes from the seed. Threads: one. Errors: false, with a sentence in sim->m->why. */
#ifndef JARI_TESTS_SIM_H
#define JARI_TESTS_SIM_H

#include "base/arena.h"
#include "model.h"
#include "store/store.h"

enum { SIM_BATCH_MAX = 8, SIM_HOLD_SEATS = 4, SIM_MEMORY = 32, SIM_HEARD = 4 };

/* A command with a key, kept to be sent again. */
struct sim_sent {
	struct core_cmd cmd;
	int64_t seats[SIM_HOLD_SEATS];
};

struct sim {
	uint64_t random;
	struct store *store;
	struct store_reader *reader;
	struct model *m;
	struct arena arena; /* of the batch */
	int64_t now;
	int queues_made;
	struct sim_sent sent[SIM_MEMORY];
	int sent_count;
	int64_t seen[CORE_TICK + 1][CORE_CODE_COUNT]; /* answers by command and code */
	int64_t replays;
	int64_t passed, returned, abandoned; /* tickets at the end of the seeds */
};

/* A random number below n. */
int64_t sim_below(struct sim *s, int64_t n);
/* True in `percent` of 100. */
bool sim_chance(struct sim *s, int percent);

/* Any command but a catalogue, from what the last commit showed. */
void sim_command(struct sim *s, struct core_cmd *cmd);
/* A catalogue document: `queues` new queues and `concerts` concerts; at times wrong in one way, then its actor is "wrong". */
void sim_catalogue(struct sim *s, struct core_cmd *cmd, int queues, int concerts, bool may_be_wrong);

/* I10: what the changed rows are, in one number. */
uint64_t sim_fingerprint(const struct core_rows *rows);

/* Holds every stored row that a scan shows against the model. */
bool sim_compare(struct sim *s);
/* Does the same for what a scan does not show: ended reservations and the ledger. */
bool sim_compare_all(struct sim *s);

#endif
