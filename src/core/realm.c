/* realm.c: whose the accounts are. See core.h. */
#include "core/core.h"

#define FNV_BASIS 14695981039346656037u
#define FNV_PRIME 1099511628211u

int64_t core_realm(struct text issuer)
{
	uint64_t hash = FNV_BASIS;

	if (issuer.n == 0)
		return CORE_REALM_OF_NAMES;
	for (size_t i = 0; i < issuer.n; i++)
		hash = (hash ^ (uint8_t)issuer.p[i]) * FNV_PRIME;
	return (int64_t)(hash >> 2) + CORE_REALM_OF_NAMES + 1;
}

bool core_realm_may(int64_t was, int64_t is, bool used, bool same_people)
{
	return was == 0 || was == is || !used || same_people;
}
