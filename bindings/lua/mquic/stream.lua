-- SPDX-License-Identifier: MIT
--- A QUIC stream: feels like a TCP socket that never blocks.
local core = require("mquic.core")
local object = require("mquic.object")
local options = require("mquic.options")

local Stream = object.class("stream", { "readable", "writable", "close" })

local CHUNK = 65536

local function alive(self)
	return object.native(self, Stream)
end

local function refused(handle, status)
	return object.failure(status, core.stream_error(handle))
end

local function answer(handle, status)
	if status ~= core.OK then
		return refused(handle, status)
	end
	return true
end

function Stream.make(endpoint, handle)
	return object.new(Stream, endpoint, handle, core.stream_tag)
end

function Stream:deliver(type, record)
	if type == core.EVENT_STREAM_READABLE then
		self:emit("readable", self)
	elseif type == core.EVENT_STREAM_WRITABLE then
		self:emit("writable", self)
	elseif type == core.EVENT_STREAM_CLOSED then
		self.endpoint.kept[self] = nil
		self:emit("close", self, record)
	end
end

--- send(data, [from]): queues bytes from a position on. Returns the position of the last byte
-- taken, as LuaSocket does; ERR_AGAIN: none, wait for the event writable.
function Stream:send(data, from)
	local handle = alive(self)
	options.check("send: data", data, "string", 2)
	options.check("send: from", from or 1, "size", 2)
	if not handle then
		return object.closed(Stream)
	end
	from = from or 1
	local status, sent = core.stream_send(handle, from == 1 and data or data:sub(from))
	if status ~= core.OK then
		return refused(handle, status)
	end
	return from - 1 + sent
end

--- receive([max]): the next bytes, "" at the end of the stream; ERR_AGAIN: nothing yet, wait
-- for the event readable.
function Stream:receive(max)
	local handle = alive(self)
	options.check("receive: max", max or CHUNK, "size", 2)
	if not handle then
		return object.closed(Stream)
	end
	local data, status = core.stream_receive(handle, max or CHUNK)
	if not data then
		return refused(handle, status)
	end
	return data
end

--- No more will be sent; the other direction goes on.
function Stream:finish()
	local handle = alive(self)
	if not handle then
		return object.closed(Stream)
	end
	return answer(handle, core.stream_finish(handle))
end

local function with_code(name, call)
	return function(self, code)
		local handle = alive(self)
		options.check(name .. ": code", code or 0, "code", 2)
		if not handle then
			return object.closed(Stream)
		end
		return answer(handle, call(handle, code or 0))
	end
end

--- reset([code]): gives up sending.
Stream.reset = with_code("reset", core.stream_reset)
--- stop([code]): gives up receiving.
Stream.stop = with_code("stop", core.stream_stop)

local function counter(call)
	return function(self)
		local handle = alive(self)
		if not handle then
			return object.closed(Stream)
		end
		return call(handle)
	end
end

--- The stream identifier, -1 while it waits to be opened.
Stream.id = counter(core.stream_id)
--- Bytes taken from us, given to us, and sent but not acknowledged.
Stream.bytes_sent = counter(core.stream_bytes_sent)
Stream.bytes_received = counter(core.stream_bytes_received)
Stream.bytes_pending = counter(core.stream_bytes_pending)

--- Gives the stream up. What was sent before finish() still arrives; else it is reset.
function Stream:close()
	alive(self)
	object.release(self)
	return true
end

return Stream
