-- SPDX-License-Identifier: MIT
--- An endpoint owns the UDP sockets, the clock and one descriptor; everything else is made on
-- one. It hands each event to the object it belongs to.
local core = require("mquic.core")
local object = require("mquic.object")
local options = require("mquic.options")
local settings = require("mquic.settings")

local Endpoint = object.class("endpoint", { "acceptable" })

local BATCH = 64

local levels = {
	error = core.LOG_ERROR, warning = core.LOG_WARNING, info = core.LOG_INFO,
	debug = core.LOG_DEBUG,
}
local level_names = {}
for name, level in pairs(levels) do
	level_names[level] = name
end

--- Kinds of the options about logging.
Endpoint.known = { log = "function", log_level = "level" }

--- mquic.endpoint{ log=, log_level= }: a new endpoint, or nil, message, code. `log` is called
-- with a level, "error" to "debug", and a line; never with a payload, password or key.
function Endpoint.make(given)
	given = options.check_all("endpoint", given or {}, Endpoint.known, 2)
	local status, handle = core.endpoint_new()
	if status ~= core.OK then
		return object.failure(status)
	end
	local self = setmetatable({
		handle = handle,
		handlers = {},
		objects = setmetatable({}, { __mode = "v" }), -- by tag
		kept = {}, -- objects with handlers, kept alive
		turn = setmetatable({}, { __mode = "v" }), -- the coroutine that calls handlers
		closing = {}, -- to be called before the descriptor is closed
		tags = 0,
		at = 1,
	}, Endpoint)
	self.endpoint = self
	if given.log then
		self.log = given.log
		core.endpoint_log(handle, levels[given.log_level or "info"])
	end
	return self
end

--- Gives a new object a tag, by which its events find it.
function Endpoint:adopt(one, tag)
	self.tags = self.tags + 1
	self.objects[self.tags] = one
	tag(one.handle, self.tags)
end

--- The sentence about the last call on this endpoint that failed.
local function explained(self, status)
	return object.failure(status, core.endpoint_error(self.handle))
end

local where = { address = "name", port = "short", fd = "whole" }
for name, kind in pairs(settings.known) do
	where[name] = kind
end

--- listen{ address=, port=, cert_file=, key_file=, ... }: the port in use, or nil, message,
-- code. The address is numeric, "::" (all of IPv6) by default; port 0 lets the system choose.
-- In place of both `fd=`, a UDP socket that is bound already, as systemd hands over; it is the
-- endpoint's from then on, unless listening fails.
function Endpoint:listen(given)
	if not object.native(self, Endpoint) then
		return object.closed(Endpoint)
	end
	options.check_all("listen", given, where, 2)
	if given.fd and (given.address or given.port) then
		error("listen: fd is bound already, so leave address and port away", 2)
	end
	local made, text, code = settings.make(given)
	if not made then
		return nil, text, code
	end
	local status, port
	if given.fd then
		status, port = core.endpoint_listen_fd(self.handle, made, given.fd)
	else
		status, port = core.endpoint_listen(self.handle, made, given.address or "::",
			given.port or 0)
	end
	if status ~= core.OK then
		return explained(self, status)
	end
	return port
end

--- Reads the certificate files of every listener again.
function Endpoint:reload()
	if not object.native(self, Endpoint) then
		return object.closed(Endpoint)
	end
	local status = core.endpoint_reload(self.handle)
	if status ~= core.OK then
		return explained(self, status)
	end
	return true
end

--- What the listeners have loaded that has expired or will within so many days (21):
--- a table of sentences, one for each certificate, CA or revocation list.
function Endpoint:expiring(days)
	if not object.native(self, Endpoint) then
		return object.closed(Endpoint)
	end
	local sentences = {}
	while true do
		local text = core.endpoint_expiring(self.handle, days or 21, #sentences)
		if not text then
			return sentences
		end
		sentences[#sentences + 1] = text
	end
end

local statistics = {
	"connections", "memory", "handshakes_begun", "handshakes_done", "handshakes_failed",
	"failed_by_caller", "failed_by_peer", "failed_by_system", "failed_by_mquic",
	"failed_timeout", "failed_certificate", "failed_alpn", "failed_tls", "failed_version",
	"failed_refused", "failed_unreachable", "failed_closed", "failed_abandoned",
	"failed_protocol", "failed_other", "refusals_sent", "retries_sent", "tokens_refused",
	"version_negotiations_sent", "resets_sent", "resets_received", "datagrams_sent",
	"datagrams_received", "bytes_sent", "bytes_received", "dropped_unknown",
	"dropped_invalid", "dropped_late", "dropped_misdirected", "packets_lost", "migrations",
	"dropped_busy", "handshakes_resumed",
}

--- Counts of all connections that it has or had.
function Endpoint:statistics()
	if not object.native(self, Endpoint) then
		return object.closed(Endpoint)
	end
	local counts = {}
	for _, name in ipairs(statistics) do
		counts[name] = core.endpoint_statistic(self.handle,
			core["TOTAL_" .. name:upper()])
	end
	return counts
end

--- The descriptor for an event loop; readable means: call process().
function Endpoint:getfd()
	if not object.native(self, Endpoint) then
		return object.closed(Endpoint)
	end
	local fd = core.endpoint_get_fd(self.handle)
	if fd < 0 then
		return object.failure(core.ERR_FORKED)
	end
	return fd
end

--- Seconds until process() must be called though the descriptor is not readable: nil, never.
function Endpoint:timeout()
	object.native(self, Endpoint)
	return nil
end

--- Whether a loop has a reason to go on.
function Endpoint:alive()
	return object.native(self, Endpoint) ~= nil
end

--- Does what is due on the network; calls no handler.
function Endpoint:pump()
	if not object.native(self, Endpoint) then
		return object.closed(Endpoint)
	end
	local status = core.endpoint_process(self.handle)
	if status ~= core.OK then
		return explained(self, status)
	end
	return true
end

--- Whether a handler has yielded and not come back: then no other one is called, so that events
-- stay in order.
function Endpoint:stalled()
	local turn = self.turn[1]
	return turn ~= nil and coroutine.status(turn) == "suspended"
end

-- The next event: tag, type, record; nothing when there is none.
local function take(self)
	local batch, at = self.batch, self.at
	if not batch or at > #batch then
		batch = self.handle and core.endpoint_drain(self.handle, BATCH)
		at = 1
		self.batch = batch or nil
		if not batch then
			return nil
		end
	end
	self.at = at + 3
	return batch[at], batch[at + 1], batch[at + 2]
end

-- Hands on the lines that have come since the last time.
local function pass_log(self)
	local lines, dropped = core.endpoint_lines(self.handle)
	if not lines then
		return
	end
	for i = 1, #lines, 2 do
		self.log(level_names[lines[i]], lines[i + 1])
	end
	if dropped > 0 then
		self.log("warning", ("%d more log lines were dropped"):format(dropped))
	end
end

--- Calls the handlers of what has happened. They may yield where the interpreter lets them. An
-- error in one comes out here; the events behind it wait for the next call.
function Endpoint:dispatch()
	if not object.native(self, Endpoint) then
		return object.closed(Endpoint)
	end
	if self:stalled() then
		return true
	end
	-- Lua 5.1 has no name for the main thread, which cannot yield anyway.
	self.turn[1] = coroutine.running()
	if self.log then
		pass_log(self)
	end
	for tag, type, record in take, self do
		if tag == 0 then
			if type == core.EVENT_ACCEPTABLE then
				self:emit("acceptable", self)
			end
		else
			local one = self.objects[tag]
			if one and one.handle then
				one:deliver(type, record)
			end
		end
	end
	self.turn[1] = nil
	return true
end

--- Does what is due and calls handlers; call it when the descriptor is readable.
function Endpoint:process()
	local done, text, code = self:pump()
	if not done then
		return nil, text, code
	end
	return self:dispatch()
end

--- Makes the descriptor readable.
function Endpoint:wakeup()
	if not object.native(self, Endpoint) then
		return object.closed(Endpoint)
	end
	core.endpoint_wakeup(self.handle)
	return true
end

--- For adapters: `call` runs before the descriptor is closed.
function Endpoint:before_close(call)
	self.closing[#self.closing + 1] = call
end

--- Closes all its connections at once. What was made on it answers "closed" from then on.
function Endpoint:close()
	object.native(self, Endpoint)
	if self.handle then
		for _, call in ipairs(self.closing) do
			call()
		end
		self.batch = nil
		object.release(self)
		self.kept = {}
	end
	return true
end

return Endpoint
