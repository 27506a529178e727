/* SPDX-License-Identifier: MIT */
/* fork() for the tests, as Lua has none: run(f) gives what f returns, a number, in a child. */
#include <sys/wait.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

static int run(lua_State *L)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		int code = 99; /* an error, told by the name of the test */

		if (lua_pcall(L, 0, 1, 0) == 0)
			code = (int)lua_tonumber(L, -1);
		_exit(code);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		status = 98 << 8;
	lua_pushnumber(L, WEXITSTATUS(status));
	return 1;
}

__attribute__((visibility("default"))) int luaopen_mquic_forking(lua_State *L);

int luaopen_mquic_forking(lua_State *L)
{
	lua_pushcfunction(L, run);
	return 1;
}
