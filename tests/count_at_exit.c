/* count_at_exit.c: linked into the tests when branches are counted (script/coverage), before _exit and abort: children of tests end so, and what they have
 * run is to count as well. */
#include <stdlib.h>
#include <unistd.h>

void __gcov_dump(void); /* of libgcov, whose header comes with gcc alone */
_Noreturn void __real__exit(int status);
_Noreturn void __real_abort(void);
_Noreturn void __wrap__exit(int status);
_Noreturn void __wrap_abort(void);

void __wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}

void __wrap_abort(void)
{
	__gcov_dump();
	__real_abort();
}
