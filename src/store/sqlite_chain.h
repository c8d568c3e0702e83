/* sqlite_chain.h: the chains of the wallets' entries, for a batch that is being saved.
 *
 * In the SQLite store a user's row has the user's newest ledger entry, and each entry the one before it (migration 0003): that is how a wallet's
 * entries are found. It is an index, kept by the store; the rules know nothing of it (docs/decisions/0015-a-wallets-chain.md).
 *
 * Ownership: the arena's, and rows are pointed to. Thread: the store's. Errors: none. Not for anything outside the SQLite store. */
#ifndef JARI_STORE_SQLITE_CHAIN_H
#define JARI_STORE_SQLITE_CHAIN_H

#include "core/rows.h"

struct chain_link {
	int64_t user_id, entry_id;
};
struct chain {
	struct chain_link *links; /* of the batch's new entries, by user and entry */
	size_t n;
};

/* The new entries among the dirty rows. */
struct chain chain_of(const struct core_rows *rows, struct arena *arena);
/* The entry of the same user before this one in the batch; 0: it is the user's first there, and what comes before it is in the store. */
int64_t chain_previous(const struct chain *chain, int64_t user_id, int64_t entry_id);
/* The user's newest entry in the batch; 0 when there is none. */
int64_t chain_last(const struct chain *chain, int64_t user_id);

/* ---- what the store has ---- */

#define CHAIN_HEADS 2048 /* a power of two */

/* The newest entries of users whose rows the batch has loaded, so that saving need not ask for them again; of two users at one place the later. */
struct chain_heads {
	int64_t batch;
	struct {
		int64_t batch, user_id, entry_id;
	} of[CHAIN_HEADS];
};

/* At the beginning of each batch: what others did is not known. */
void chain_heads_forget(struct chain_heads *heads);
void chain_heads_note(struct chain_heads *heads, int64_t user_id, int64_t entry_id);
/* False, and *entry_id as it was, when it is not known. *entry_id is 0 when the user has none. */
bool chain_heads_find(const struct chain_heads *heads, int64_t user_id, int64_t *entry_id);

#endif
