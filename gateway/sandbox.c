/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "filter.h"
#include "sandbox.h"

/* Limits that no process of this user may raise again. */
static bool set_limits(void)
{
	static const struct rlimit none = {0, 0};

	return setrlimit(RLIMIT_CORE, &none) == 0 && setrlimit(RLIMIT_NPROC, &none) == 0;
}

bool sandbox_enter(const struct sandbox *sandbox)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return false;
	if (!sandbox->strict)
		return true;
	/* Its memory has keys, and is nobody else's to read. */
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && set_limits() &&
	       realm_enter(&sandbox->realm) &&
	       filter_load(getpid(), sandbox->realm.written != NULL);
}

bool sandbox_can_filter(void)
{
	return filter_is_built();
}
