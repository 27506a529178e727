-- SPDX-License-Identifier: MIT
--- What a server says of itself in CONNACK and DISCONNECT; the server is in this process.
local kit = require("kit")
local mquic = require("mquic")
local test, equal = kit.test, kit.equal

local function text(value)
	return string.char(0, #value) .. value
end

-- A packet of MQTT 5 of less than 128 bytes, with what comes before its properties.
local function packet(first, before, properties)
	local body = before .. string.char(#properties) .. properties
	return string.char(first, #body) .. body
end

-- A server that answers whatever the first client sends first; its endpoint and URI. What comes
-- goes to `heard`, if given, one text after the other.
local function server(answer, heard)
	local endpoint = kit.keep(assert(mquic.endpoint()))
	endpoint:on("acceptable", function(one)
		for connection in one.accept, one do
			connection:on("stream", function(with)
				for stream in with.accept, with do
					local function read()
						local data = stream:receive()
						if heard and data then
							heard[#heard + 1] = data
						end
						if data and data ~= "" and answer then
							assert(stream:send(answer))
							answer = nil
						end
					end
					stream:on("readable", read)
					read()
				end
			end)
		end
	end)
	local port = assert(endpoint:listen({
		address = "127.0.0.1", cert_file = kit.certs .. "/server.crt",
		key_file = kit.certs .. "/server.key",
	}))
	return endpoint, "localhost:" .. port
end

-- What the event brings that a client gets of this answer.
local function event(name, answer, more)
	local endpoint, uri = server(answer)
	local given = kit.options(more)
	given.uri = uri
	local client = kit.keep(assert(mquic.client(given)))
	local record
	client:on(name, function(one)
		record = one
	end)
	assert(client:connect())
	kit.wait(function()
		return record
	end, endpoint, client)
	return record
end

local moved = "\28" .. text("other.example") .. "\31" .. text("moved")

test("connect_brings_what_the_server_names", function()
	local said = "\17\0\0\14\16\19\0\30\26" .. text("here") .. "\31" .. text("welcome")
		.. "\33\0\7\34\0\5\36\1\37\0\39\0\1\17\112\40\0\41\0\42\1"
	local got = event("connect", packet(0x20, "\0\0", said),
		{ properties = { request_response_information = true } }).properties
	local wanted = {
		session_expiry_interval = 3600, server_keep_alive = 30, response_information = "here",
		reason_string = "welcome", receive_maximum = 7, topic_alias_maximum = 5, maximum_qos = 1,
		retain_available = false, maximum_packet_size = 70000,
		wildcard_subscription_available = false, subscription_identifier_available = false,
		shared_subscription_available = true,
	}
	for name, value in pairs(wanted) do
		equal(got[name], value, name)
	end
	for name in pairs(got) do
		equal(wanted[name] ~= nil, true, name)
	end
end)

test("connect_brings_nothing_that_the_server_does_not_name", function()
	equal(next(event("connect", packet(0x20, "\0\0", "")).properties), nil)
end)

test("close_brings_the_server_to_turn_to", function()
	local record = event("close", packet(0x20, "\0\157", moved))
	equal(record.properties.server_reference, "other.example")
	equal(record.properties.reason_string, "moved")
	record = event("close", packet(0x20, "\0\0", "") .. packet(0xe0, "\156", moved))
	equal(record.code, 0x9c)
	equal(record.properties.server_reference, "other.example")
end)

-- A client that has connected, and the list of what its server hears.
local function connected(more)
	local heard, up = {}, false
	local endpoint, uri = server(packet(0x20, "\0\0", ""), heard)
	local given = kit.options(more)
	given.uri = uri
	local client = kit.keep(assert(mquic.client(given)))
	client:on("connect", function()
		up = true
	end)
	assert(client:connect())
	kit.wait(function()
		return up
	end, endpoint, client)
	return client, endpoint, heard
end

local function until_heard(client, endpoint, heard, wanted)
	kit.wait(function()
		return table.concat(heard, "", 2) == wanted
	end, endpoint, client)
end

test("disconnect_carries_what_it_is_given", function()
	local client, endpoint, heard = connected({ properties = { session_expiry_interval = 100 } })
	assert(client:disconnect(4, {
		properties = { session_expiry_interval = 70, reason_string = "bye" },
		user_properties = { a = 1 },
	}))
	kit.refused(mquic.ERR_STATE, client:disconnect(0, { properties = { reason_string = "late" } }))
	until_heard(client, endpoint, heard,
		packet(0xe0, "\4", "\17\0\0\0\70\31" .. text("bye") .. "\38" .. text("a") .. text("1")))
end)

test("disconnect_that_is_refused_leaves_nothing_behind", function()
	local client, endpoint, heard = connected()
	kit.refused(mquic.ERR_INVALID,
		client:disconnect(0, { properties = { session_expiry_interval = 5 } }))
	kit.refused(mquic.ERR_INVALID,
		client:disconnect(0, { properties = { reason_string = ("x"):rep(65536) } }))
	equal(client:connected(), true)
	assert(client:disconnect())
	until_heard(client, endpoint, heard, "\224\0")
end)

test("disconnect_names_what_it_does_not_know", function()
	local client = connected()
	kit.raises("disconnect: unknown option reason_string", client.disconnect, client, 0,
		{ reason_string = "bye" })
	kit.raises("disconnect: properties: unknown option content_type", client.disconnect, client, 0,
		{ properties = { content_type = "x" } })
	equal(client:connected(), true)
end)

test("codes_and_versions_have_names", function()
	equal(mquic.CLOSE_NORMAL, 0)
	equal(mquic.CLOSE_CONTROL_GONE, 1)
	equal(mquic.CLOSE_OVERLOADED, 2)
	equal(("%d.%d.%d"):format(mquic.VERSION_MAJOR, mquic.VERSION_MINOR, mquic.VERSION_PATCH),
		mquic.version())
end)
