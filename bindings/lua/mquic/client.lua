-- SPDX-License-Identifier: MIT
--- An MQTT client over QUIC.
local core = require("mquic.core")
local Connection = require("mquic.connection")
local Endpoint = require("mquic.endpoint")
local message = require("mquic.message")
local object = require("mquic.object")
local options = require("mquic.options")
local session = require("mquic.session")
local subscription = require("mquic.subscription")

local Client = object.class("client", {
	"connect", "message", "delivered", "subscribe", "unsubscribe", "writable", "auth", "close",
	"error",
})

local FIRST_RETRY, LAST_RETRY = 1, 60 -- seconds

-- The library's times are of 32 bits.
local function milliseconds(seconds)
	return math.min(math.ceil(seconds * 1000), 0xffffffff)
end

local function alive(self)
	return object.native(self, Client)
end

local function explained(self, status)
	return object.failure(status, core.session_error(self.handle))
end

-- ---- Making one ------------------------------------------------------------

--- mquic.client{ uri=, id=, clean=, username=, password=, will=, keep_alive=, ca_file=, ... }:
-- a client that is not connected, or nil, message, code.
function Client.make(given)
	session.check(given, 2)
	local user_pairs = message.user_pairs("client", given.user_properties or {}, 2)
	local endpoint, text, code = given.endpoint
	if not endpoint then
		endpoint, text, code = Endpoint.make({ log = given.log, log_level = given.log_level })
	end
	local handle
	if endpoint then
		handle, text, code = session.make(given, endpoint, user_pairs)
	end
	if not handle then
		return nil, text, code
	end
	local self = object.new(Client, endpoint, handle, core.session_tag)
	self.own_endpoint = not given.endpoint
	self.uri = given.uri
	self.reconnect = given.reconnect
	self.failures = 0 -- pauses since there was a connection
	self.manual_ack = given.manual_ack
	self.state = "idle"
	self.callbacks = { delivered = {}, subscribe = {}, unsubscribe = {} }
	return self
end

-- ---- Connecting and parting ---------------------------------------------------

local function url(uri)
	return uri:find("://", 1, true) and uri or "mqtt-quic://" .. uri
end

local function dial(self)
	local status = core.session_connect_url(self.handle, url(self.uri))
	if status ~= core.OK then
		return explained(self, status)
	end
	self.state = "connecting"
	return true
end

--- connect([uri]): dials and sends CONNECT; the event connect or close follows, the latter also
-- if there is no such host.
function Client:connect(uri)
	local handle = alive(self)
	options.check("connect: uri", uri or "", "name", 2)
	if not handle then
		return object.closed(Client)
	end
	self.uri = uri or self.uri
	if not self.uri then
		error("connect: a uri is missing, here and in mquic.client{}", 2)
	end
	self.retry_at, self.ended, self.failed = nil, nil, nil
	return dial(self)
end

-- What follows after an end that nobody asked for.
local function schedule(self)
	local first, longest = self.reconnect, self.reconnect
	if first == true then
		first, longest = FIRST_RETRY, LAST_RETRY
	end
	self.retry_at = core.now()
		+ core.reconnect_pause_ms(self.failures, milliseconds(first), milliseconds(longest)) / 1000
	self.failures = self.failures + 1
end

-- Whether coming back will fail again until somebody has changed something.
local function is_final(record)
	return core.reconnect_advice(record.status, record.origin or core.ORIGIN_LOCAL,
		record.code or 0) == core.RECONNECT_NEVER
end

-- A connection that ended, or was not made.
local function over(self, text, code, record)
	self.state = "idle"
	self.callbacks.subscribe, self.callbacks.unsubscribe = {}, {}
	record.final = is_final(record)
	if code ~= core.OK then
		self.failed = { text, code }
	end
	if self.reconnect and not self.ended then
		schedule(self)
	end
	if code ~= core.OK then
		self:emit("error", text, code, record)
	end
	self:emit("close", record)
end

local function retry(self)
	self.retry_at = nil
	local done, text, code = dial(self)
	if not done then
		over(self, text, code, { status = code, text = text, properties = {} })
	end
end

--- disconnect([reason, { properties=, user_properties= }]): sends what is queued and DISCONNECT,
-- and does not connect again; the event close follows.
function Client:disconnect(reason, words)
	local handle = alive(self)
	options.check("disconnect: reason", reason or 0, "byte", 2)
	local user_pairs = session.check_farewell(words or {}, 2)
	if not handle then
		return object.closed(Client)
	end
	if self.state ~= "closing" then
		local done, text, code = session.set_farewell(handle, words or {}, user_pairs)
		if not done then
			return nil, text, code
		end
	end
	self.ended = true
	if self.retry_at then
		self.retry_at = nil
		return true
	end
	local status = core.session_disconnect(handle, reason or 0)
	if status ~= core.OK then
		return explained(self, status)
	end
	self.state = "closing"
	return true
end

--- Gives the client up. If it is connected it says goodbye as well as it can without waiting;
-- disconnect() and the event close are the sure way. A client that is collected instead is cut
-- off, and the server publishes its will.
function Client:close()
	local handle = alive(self)
	if handle then
		self.retry_at = nil
		if self.state == "connected" and self.endpoint.handle then
			core.session_disconnect(handle, 0)
			core.endpoint_process(self.endpoint.handle)
		end
		self.state = "idle"
		object.release(self)
		if self.own_endpoint then
			self.endpoint:close()
		else
			self.endpoint:wakeup()
		end
	end
	return true
end

-- ---- Messages -------------------------------------------------------------------

local publish_known = message.known({ callback = "function" })

--- publish{ topic=, payload=, qos=, retain=, properties=, user_properties=, callback= }: the
-- packet id that the event delivered will carry, 0 for QoS 0. ERR_AGAIN: wait for writable.
function Client:publish(given)
	local handle = alive(self)
	options.check_all("publish", given, publish_known, 2)
	if not handle then
		return object.closed(Client)
	end
	local made, text, code = message.make("publish", given, 2)
	if not made then
		return nil, text, code
	end
	local status, id = core.session_publish(handle, made)
	core.free(made)
	if status ~= core.OK then
		return explained(self, status)
	end
	if given.callback and id ~= 0 then
		self.callbacks.delivered[id] = given.callback
	end
	return id
end

local subscribe_known = {
	topic = "string", qos = "qos", callback = "function", no_local = "boolean",
	retain_as_published = "boolean", retain_handling = "qos", properties = "table",
	user_properties = "table",
}

-- Sends a list of filters and frees it.
local function ask(self, what, call, list, callback)
	local status, id = call(self.handle, list)
	core.free(list)
	if status ~= core.OK then
		return explained(self, status)
	end
	self.callbacks[what][id] = callback
	return id
end

--- subscribe{ topic=, qos=, no_local=, retain_as_published=, retain_handling=, callback= }: the
-- packet id that the event subscribe will carry.
function Client:subscribe(given)
	local handle = alive(self)
	options.check_all("subscribe", given, subscribe_known, 2)
	if not handle then
		return object.closed(Client)
	end
	local list, text, code = subscription.make("subscribe", given, 2)
	if not list then
		return nil, text, code
	end
	return ask(self, "subscribe", core.session_subscribe_all, list, given.callback)
end

local unsubscribe_known = { topic = "string", callback = "function", user_properties = "table" }

--- unsubscribe{ topic=, callback= }: the packet id that the event unsubscribe will carry.
function Client:unsubscribe(given)
	local handle = alive(self)
	options.check_all("unsubscribe", given, unsubscribe_known, 2)
	if not handle then
		return object.closed(Client)
	end
	local list, text, code = subscription.make("unsubscribe", given, 2)
	if not list then
		return nil, text, code
	end
	return ask(self, "unsubscribe", core.session_unsubscribe_all, list, given.callback)
end

--- acknowledge(msg, [reason]): with manual_ack, settles a message of QoS 1 or 2. Without, and
-- for QoS 0, there is nothing to do, and it returns true.
function Client:acknowledge(msg, reason)
	local handle = alive(self)
	options.check("acknowledge: the message", msg, "table", 2)
	options.check("acknowledge: its packet_id", msg.packet_id, "short", 2)
	options.check("acknowledge: reason", reason or 0, "byte", 2)
	if not handle then
		return object.closed(Client)
	end
	if msg.packet_id == 0 or not self.manual_ack then
		return true
	end
	local status = core.session_ack(handle, msg.packet_id, reason or 0)
	if status ~= core.OK then
		return explained(self, status)
	end
	return true
end

--- auth(reason, [data]): answers the event auth (MQTT 5.0 section 4.12).
function Client:auth(reason, data)
	local handle = alive(self)
	options.check("auth: reason", reason, "byte", 2)
	options.check("auth: data", data or "", "string", 2)
	if not handle then
		return object.closed(Client)
	end
	local status = core.session_auth(handle, reason, data)
	if status ~= core.OK then
		return explained(self, status)
	end
	return true
end

-- ---- Events --------------------------------------------------------------------

local function answered(self, name, record)
	local callback = self.callbacks[name][record.packet_id]
	if callback then
		self.callbacks[name][record.packet_id] = nil
		callback(record)
	end
	self:emit(name, record)
end

local deliveries = {
	[core.EVENT_MESSAGE] = function(self, record)
		self:emit("message", record)
	end,
	[core.EVENT_CONNECTED] = function(self, record)
		self.state = "connected"
		self.failures = 0
		self:emit("connect", record)
	end,
	[core.EVENT_DELIVERED] = function(self, record)
		answered(self, "delivered", record)
	end,
	[core.EVENT_SUBSCRIBED] = function(self, record)
		answered(self, "subscribe", record)
	end,
	[core.EVENT_UNSUBSCRIBED] = function(self, record)
		answered(self, "unsubscribe", record)
	end,
	[core.EVENT_WRITABLE] = function(self)
		self:emit("writable")
	end,
	[core.EVENT_AUTH] = function(self, record)
		self:emit("auth", record)
	end,
	[core.EVENT_DISCONNECTED] = function(self, record)
		over(self, record.text ~= "" and record.text or core.status_text(record.status),
			record.status, record)
	end,
}

function Client:deliver(type, record)
	local delivery = deliveries[type]
	if delivery then
		delivery(self, record)
	end
end

-- ---- For event loops -------------------------------------------------------------

--- The descriptor: readable means, call process(). It stays the same.
function Client:getfd()
	if not alive(self) then
		return object.closed(Client)
	end
	return self.endpoint:getfd()
end

--- Seconds until process() must be called though the descriptor is not readable: nil, never.
function Client:timeout()
	alive(self)
	return self.retry_at and math.max(0, self.retry_at - core.now())
end

--- Whether a loop has a reason to go on: it is, or will be, connected.
function Client:alive()
	return alive(self) ~= nil and self.endpoint.handle ~= nil
		and (self.state ~= "idle" or self.retry_at ~= nil)
end

--- Whether the server has accepted us and has not gone since.
function Client:connected()
	return alive(self) ~= nil and self.endpoint.handle ~= nil and self.state == "connected"
end

--- Does what is due on the network; calls handlers only if connecting again has failed.
function Client:pump()
	if not alive(self) then
		return object.closed(Client)
	end
	if self.retry_at and core.now() >= self.retry_at then
		retry(self)
	end
	return self.endpoint:pump()
end

--- Calls the handlers of what has happened.
function Client:dispatch()
	if not alive(self) then
		return object.closed(Client)
	end
	return self.endpoint:dispatch()
end

--- Whether a handler has yielded and not come back.
function Client:stalled()
	alive(self)
	return self.endpoint:stalled()
end

--- Does what is due and calls handlers; call it when the descriptor is readable.
function Client:process()
	local done, text, code = self:pump()
	if not done then
		return nil, text, code
	end
	return self:dispatch()
end

-- ---- Facts -----------------------------------------------------------------------

--- The client identifier in use: ours, or the one that the server chose.
function Client:id()
	local handle = alive(self)
	if not handle then
		return object.closed(Client)
	end
	return core.session_client_id(handle)
end

--- Messages of ours with QoS 1 or 2 that are not settled.
function Client:inflight()
	local handle = alive(self)
	if not handle then
		return object.closed(Client)
	end
	return core.session_inflight(handle)
end

--- The keep-alive in force, in seconds.
function Client:keep_alive()
	local handle = alive(self)
	if not handle then
		return object.closed(Client)
	end
	return core.session_keep_alive_s(handle)
end

-- Calls with the native connection, once there is one.
local function of_connection(describe)
	return function(self)
		local handle = alive(self)
		if not handle then
			return object.closed(Client)
		end
		local connection = core.session_connection(handle)
		if not connection then
			return object.failure(core.ERR_STATE, "the client has not been connected yet")
		end
		return describe(connection)
	end
end

--- Addresses and TLS facts of the connection.
Client.info = of_connection(Connection.describe)
--- Counts and times of the connection.
Client.statistics = of_connection(Connection.measure)

--- Moves the connection to a new socket, whose address the system chooses; nothing is lost. A
-- client does so by itself when the system's addresses or routes change. ERR_AGAIN: the server
-- does not allow it, or not yet.
Client.migrate = of_connection(function(connection)
	local status = core.connection_migrate(connection)
	if status ~= core.OK then
		return object.failure(status, core.connection_error(connection))
	end
	return true
end)

return Client
