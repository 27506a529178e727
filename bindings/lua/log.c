/* SPDX-License-Identifier: MIT */
/*
 * Log lines of an endpoint, kept until Lua asks for them: a line may come at any moment, also
 * while the endpoint is being freed by the collector, when no Lua code may run.
 */
#include "native.h"

#include <string.h>

#include <lauxlib.h>

#define BOX_BYTES 65536

/* Records: one byte of level, the line, NUL. What does not fit is counted and dropped. */
struct log_box {
	size_t used;
	size_t dropped;
	char records[BOX_BYTES];
};

static void keep_line(void *userdata, enum mquic_log_level level, const char *line)
{
	struct log_box *box = userdata;
	size_t len = strlen(line) + 1;

	if (len + 1 > sizeof(box->records) - box->used) {
		box->dropped++;
		return;
	}
	box->records[box->used++] = (char)level;
	memcpy(box->records + box->used, line, len);
	box->used += len;
}

/*
 * The box hangs on the handle, in the table that Lua lets a userdata carry: the collector
 * frees it after the handle's finalizer, which frees the endpoint, has run.
 */
static void attach_box(lua_State *L, int handle)
{
	lua_createtable(L, 1, 0);
	lua_insert(L, -2);
	lua_rawseti(L, -2, 1);
#if LUA_VERSION_NUM >= 502
	lua_setuservalue(L, handle);
#else
	lua_setfenv(L, handle);
#endif
}

static struct log_box *attached_box(lua_State *L, int handle)
{
#if LUA_VERSION_NUM >= 502
	lua_getuservalue(L, handle);
#else
	lua_getfenv(L, handle);
#endif
	if (!lua_istable(L, -1)) {
		lua_pop(L, 1);
		return NULL;
	}
	lua_rawgeti(L, -1, 1);
	struct log_box *box = lua_touserdata(L, -1);
	lua_pop(L, 2);
	return box;
}

void native_endpoint_log(lua_State *L, struct mquic_endpoint *endpoint, int level)
{
	struct log_box *box = lua_newuserdata(L, sizeof(*box));

	box->used = 0;
	box->dropped = 0;
	attach_box(L, 1);
	mquic_endpoint_set_log(endpoint, keep_line, (enum mquic_log_level)level, box);
}

int native_endpoint_lines(lua_State *L, struct mquic_endpoint *endpoint)
{
	struct log_box *box = attached_box(L, 1);
	int count = 0;

	(void)endpoint;
	if (box == NULL || box->used == 0) {
		lua_pushnil(L);
		return 1;
	}
	lua_newtable(L);
	for (size_t at = 0; at < box->used;) {
		native_push_whole(L, box->records[at++]);
		lua_rawseti(L, -2, ++count);
		lua_pushstring(L, box->records + at);
		lua_rawseti(L, -2, ++count);
		at += strlen(box->records + at) + 1;
	}
	native_push_whole(L, (int64_t)box->dropped);
	box->used = 0;
	box->dropped = 0;
	return 2;
}
