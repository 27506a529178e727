-- SPDX-License-Identifier: MIT
--- The server side of one MQTT client: shows its CONNECT, lets the user name be replaced, and
-- is a pipe of MQTT bytes from then on. For those who carry them to a broker.
local core = require("mquic.core")
local Connection = require("mquic.connection")
local object = require("mquic.object")
local options = require("mquic.options")

local Relay = object.class("relay", { "connect", "readable", "writable", "close" })

local CHUNK = 65536
local CONNECT_TIMEOUT_MS, CONNECT_BYTES = 10000, 65536

local function alive(self)
	return object.native(self, Relay)
end

local function answer(self, status)
	if status ~= core.OK then
		return object.failure(status, core.relay_error(self.handle))
	end
	return true
end

local known = { connect_timeout_ms = "whole", max_connect = "whole" }

--- connection:relay{ connect_timeout_ms=, max_connect= }: makes a relay of an accepted
-- connection, which belongs to the relay from then on and is closed as an object.
function Connection:relay(given)
	local handle = object.native(self, Connection)
	given = options.check_all("relay", given or {}, known, 2)
	if not handle then
		return object.closed(Connection)
	end
	local status, relay = core.relay_new(handle, given.connect_timeout_ms or CONNECT_TIMEOUT_MS,
		given.max_connect or CONNECT_BYTES)
	if status ~= core.OK then
		return object.failure(status, core.connection_error(handle))
	end
	core.disown(handle)
	self.handle = nil
	self.endpoint.kept[self] = nil
	return object.new(Relay, self.endpoint, relay, core.relay_tag)
end

local names = {
	[core.EVENT_RELAY_CONNECT] = "connect",
	[core.EVENT_RELAY_READABLE] = "readable",
	[core.EVENT_RELAY_WRITABLE] = "writable",
}

function Relay:deliver(type, record)
	if type == core.EVENT_RELAY_CLOSED then
		self.endpoint.kept[self] = nil
		self:emit("close", self, record)
	elseif names[type] then
		self:emit(names[type], self)
	end
end

--- What CONNECT says: protocol (3, 4 or 5), client_id, username, clean_start, keep_alive; and its
-- size in bytes. Protocol 0: malformed, or of another version; its answer is the broker's.
function Relay:client()
	local handle = alive(self)
	if not handle then
		return object.closed(Relay)
	end
	if not core.relay_client_id(handle) then
		return object.failure(core.ERR_STATE, "the client has not sent CONNECT yet")
	end
	return {
		protocol = core.relay_protocol(handle),
		size = core.relay_connect_size(handle),
		client_id = core.relay_client_id(handle),
		username = core.relay_username(handle),
		clean_start = core.relay_clean_start(handle),
		keep_alive = core.relay_keep_alive_s(handle),
	}
end

--- After the event connect: the user name that the broker will read.
function Relay:set_username(name)
	local handle = alive(self)
	options.check("set_username: the name", name, "string", 2)
	if not handle then
		return object.closed(Relay)
	end
	return answer(self, core.relay_set_username(handle, name))
end

local function simple(call)
	return function(self)
		local handle = alive(self)
		if not handle then
			return object.closed(Relay)
		end
		return answer(self, call(handle))
	end
end

--- After the event connect: lets the bytes flow, CONNECT first.
Relay.open = simple(core.relay_open)
--- finish([reason]): the broker is done; delivers what is queued and ends; the event close follows.
function Relay:finish(reason)
	local handle = alive(self)
	options.check("finish: reason", reason or "", "name", 2)
	if not handle then
		return object.closed(Relay)
	end
	return answer(self, core.relay_finish(handle, reason))
end

--- receive([max]): the next bytes for the broker, "" when the client has finished.
function Relay:receive(max)
	local handle = alive(self)
	options.check("receive: max", max or CHUNK, "size", 2)
	if not handle then
		return object.closed(Relay)
	end
	local data, status = core.relay_receive(handle, max or CHUNK)
	if not data then
		return object.failure(status, core.relay_error(handle))
	end
	return data
end

--- send(data, [from]): queues bytes from the broker, as stream:send().
function Relay:send(data, from)
	local handle = alive(self)
	options.check("send: data", data, "string", 2)
	options.check("send: from", from or 1, "size", 2)
	if not handle then
		return object.closed(Relay)
	end
	from = from or 1
	local status, sent = core.relay_write(handle, from == 1 and data or data:sub(from))
	if status ~= core.OK then
		return object.failure(status, core.relay_error(handle))
	end
	return from - 1 + sent
end

local function of_connection(describe)
	return function(self)
		local handle = alive(self)
		if not handle then
			return object.closed(Relay)
		end
		return describe(core.relay_connection(handle))
	end
end

--- Addresses and TLS facts, counts and times of the client's connection.
Relay.info = of_connection(Connection.describe)
Relay.statistics = of_connection(Connection.measure)

--- close([code], [reason]): cuts the client off.
function Relay:close(code, reason)
	local handle = alive(self)
	options.check("close: code", code or 0, "code", 2)
	options.check("close: reason", reason or "", "name", 2)
	if handle then
		core.relay_close(handle, code or 0, reason)
		object.release(self)
	end
	return true
end

return Relay
