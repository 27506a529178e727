-- SPDX-License-Identifier: MIT
--- A QUIC connection, dialed or accepted.
local core = require("mquic.core")
local Endpoint = require("mquic.endpoint")
local object = require("mquic.object")
local options = require("mquic.options")
local settings = require("mquic.settings")
local Stream = require("mquic.stream")

local Connection = object.class("connection", { "ready", "stream", "close" })

local function alive(self)
	return object.native(self, Connection)
end

local function explained(self, status)
	return object.failure(status, core.connection_error(self.handle))
end

function Connection:deliver(type, record)
	if type == core.EVENT_CONNECTION_READY then
		self:emit("ready", self)
	elseif type == core.EVENT_STREAM_ACCEPTABLE then
		self:emit("stream", self)
	elseif type == core.EVENT_CONNECTION_CLOSED then
		self.endpoint.kept[self] = nil
		self:emit("close", self, record)
	end
end

local function make(endpoint, handle)
	return object.new(Connection, endpoint, handle, core.connection_tag)
end

local dial = { host = "name", port = "short" }
for name, kind in pairs(settings.known) do
	dial[name] = kind
end

--- endpoint:dial{ host=, port=, ca_file=, ... }: a connection that is being made; its event
-- ready or close follows. Streams may be opened and written at once.
function Endpoint:dial(given)
	local handle = object.native(self, Endpoint)
	options.check_all("dial", given, dial, 2)
	options.need("dial", given, "host", 2)
	if not handle then
		return object.closed(Endpoint)
	end
	local made, text, code = settings.make(given)
	if not made then
		return nil, text, code
	end
	local status, connection = core.connection_dial(handle, made, given.host,
		given.port or core.PORT)
	if status ~= core.OK then
		return object.failure(status, core.endpoint_error(handle))
	end
	return make(self, connection)
end

--- endpoint:accept(): a connection whose handshake is complete; ERR_AGAIN: none waits.
function Endpoint:accept()
	local handle = object.native(self, Endpoint)
	if not handle then
		return object.closed(Endpoint)
	end
	local status, connection = core.endpoint_accept(handle)
	if status ~= core.OK then
		return object.failure(status)
	end
	return make(self, connection)
end

--- Opens a bidirectional stream.
function Connection:open()
	local handle = alive(self)
	if not handle then
		return object.closed(Connection)
	end
	local status, stream = core.stream_open(handle)
	if status ~= core.OK then
		return explained(self, status)
	end
	return Stream.make(self.endpoint, stream)
end

--- A stream that the peer opened; ERR_AGAIN: none waits.
function Connection:accept()
	local handle = alive(self)
	if not handle then
		return object.closed(Connection)
	end
	local status, stream = core.connection_accept_stream(handle)
	if status ~= core.OK then
		return object.failure(status)
	end
	return Stream.make(self.endpoint, stream)
end

local statistics = {
	"smoothed_rtt_us", "min_rtt_us", "rtt_variation_us", "congestion_window",
	"bytes_in_flight", "bytes_sent", "bytes_received", "packets_sent", "packets_received",
	"packets_lost", "handshake_us", "memory", "streams", "bytes_queued",
}

local function alternative_names(handle)
	local names = {}
	repeat
		local name = core.connection_peer_alt_name(handle, #names)
		names[#names + 1] = name
	until not name
	return names
end

--- Facts about a native connection, for connections and clients alike.
function Connection.describe(handle)
	return {
		peer_address = core.connection_peer_address(handle),
		local_address = core.connection_local_address(handle),
		tls_version = core.connection_tls_version(handle),
		cipher = core.connection_cipher(handle),
		alpn = core.connection_alpn(handle),
		resumed = core.connection_resumed(handle),
		peer_common_name = core.connection_peer_common_name(handle),
		peer_subject = core.connection_peer_subject(handle),
		peer_subject_der = core.connection_peer_subject_der(handle),
		peer_alt_names = alternative_names(handle),
	}
end

--- Counts and times of a native connection; the unit of a time is in its name.
function Connection.measure(handle)
	local counts = {}
	for _, name in ipairs(statistics) do
		counts[name] = core.connection_statistic(handle, core["STATISTIC_" .. name:upper()])
	end
	return counts
end

--- Addresses and TLS facts.
function Connection:info()
	local handle = alive(self)
	if not handle then
		return object.closed(Connection)
	end
	return Connection.describe(handle)
end

--- Counts and times; they stay readable after the end.
function Connection:statistics()
	local handle = alive(self)
	if not handle then
		return object.closed(Connection)
	end
	return Connection.measure(handle)
end

--- Moves a dialed connection to a new socket, whose address the system chooses; streams go on. A
-- client does so by itself when the system's addresses or routes change. ERR_AGAIN: the server
-- does not allow it, or not yet.
function Connection:migrate()
	local handle = alive(self)
	if not handle then
		return object.closed(Connection)
	end
	local status = core.connection_migrate(handle)
	if status ~= core.OK then
		return explained(self, status)
	end
	return true
end

--- close([code], [reason]): ends the connection at once; bytes not acknowledged may be lost.
function Connection:close(code, reason)
	local handle = alive(self)
	options.check("close: code", code or 0, "code", 2)
	options.check("close: reason", reason or "", "name", 2)
	if handle then
		core.connection_close(handle, code or 0, reason)
		object.release(self)
	end
	return true
end

return Connection
