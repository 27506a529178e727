-- SPDX-License-Identifier: MIT
--- The client against a real broker.
local kit = require("kit")
local mquic = require("mquic")
local test, equal, refused = kit.test, kit.equal, kit.refused

local function receive(client, messages, count)
	kit.wait(function()
		return #messages >= (count or 1)
	end, client)
	return messages[1]
end

for qos = 0, 2 do
	test("client_gets_its_own_message_with_qos_" .. qos, function()
		local topic = kit.name("own")
		local client, messages = kit.subscribed(topic, qos)
		local settled
		client:on("delivered", function(answer)
			settled = answer.packet_id
		end)
		local id = assert(client:publish({ topic = topic, payload = "hello", qos = qos }))
		local msg = receive(client, messages)
		equal(msg.topic, topic)
		equal(msg.payload, "hello")
		equal(msg.qos, qos)
		equal(msg.retain, false)
		equal(msg.dup, false)
		if qos > 0 then
			kit.wait(function()
				return settled
			end, client)
			equal(settled, id)
		else
			equal(id, 0)
		end
	end)
end

test("client_keeps_nul_bytes_in_payloads", function()
	local client, messages = kit.subscribed("nul/#", 1)
	local payload = "\0a\0\0b\255\0"
	assert(client:publish({ topic = "nul/x", payload = payload, qos = 1 }))
	equal(receive(client, messages).payload, payload)
end)

test("client_carries_empty_and_large_payloads", function()
	local client, messages = kit.subscribed("size/#", 1)
	local large = ("0123456789abcdef"):rep(20000)
	assert(client:publish({ topic = "size/a", qos = 1 }))
	assert(client:publish({ topic = "size/b", payload = large, qos = 1 }))
	receive(client, messages, 2)
	equal(messages[1].payload, "")
	equal(messages[2].payload == large, true, "large payload")
end)

test("client_sends_numbers_as_text", function()
	local client, messages = kit.subscribed("number", 1)
	assert(client:publish({ topic = "number", payload = 21.5, qos = 1 }))
	equal(receive(client, messages).payload, "21.5")
end)

test("client_carries_properties_both_ways", function()
	local client, messages = kit.subscribed("prop", 1)
	assert(client:publish({
		topic = "prop", payload = "p", qos = 1,
		properties = {
			content_type = "text/plain", response_topic = "answers/here",
			correlation_data = "\0\1", message_expiry_interval = 100,
			payload_format_indicator = 1,
		},
		user_properties = { { "b", "1" }, { "a", "2" }, { "b", 3 } },
	}))
	local msg = receive(client, messages)
	equal(msg.properties.content_type, "text/plain")
	equal(msg.properties.response_topic, "answers/here")
	equal(msg.properties.correlation_data, "\0\1")
	equal(msg.properties.payload_format_indicator, 1)
	equal(msg.properties.message_expiry_interval <= 100, true)
	equal(#msg.user_properties, 3)
	equal(msg.user_properties[1][1] .. msg.user_properties[1][2], "b1")
	equal(msg.user_properties[3][2], "3")
	equal(msg.user_properties.a, "2")
end)

test("client_passes_user_properties_on_as_received", function()
	local client, messages = kit.subscribed("pass/#", 1)
	assert(client:publish({ topic = "pass/1", qos = 1, user_properties = { x = "1", y = "2" } }))
	local first = receive(client, messages)
	assert(client:publish({ topic = "pass/2", qos = 1, user_properties = first.user_properties }))
	receive(client, messages, 2)
	equal(#messages[2].user_properties, 2)
	equal(messages[2].user_properties.y, "2")
end)

test("client_gets_retained_messages", function()
	local first = kit.connected()
	local stored = false
	assert(first:publish({ topic = "kept", payload = "r", qos = 1, retain = true,
		callback = function()
			stored = true
		end }))
	kit.wait(function()
		return stored
	end, first)
	local second, messages = kit.subscribed("kept", 1)
	equal(receive(second, messages).retain, true)
	assert(first:publish({ topic = "kept", retain = true }))
end)

test("client_subscribes_with_options_and_identifier", function()
	local client = kit.connected()
	local messages, reasons = {}, nil
	client:on({
		message = function(msg)
			messages[#messages + 1] = msg
		end,
		subscribe = function(answer)
			reasons = answer.reasons
		end,
	})
	assert(client:subscribe({ topic = "opt/#", qos = 2, properties = { subscription_identifier = 7 },
		retain_handling = 2, retain_as_published = true }))
	kit.wait(function()
		return reasons
	end, client)
	equal(reasons[1], 2)
	assert(client:publish({ topic = "opt/1", qos = 1 }))
	kit.wait(function()
		return messages[1]
	end, client)
	equal(messages[1].properties.subscription_identifiers[1], 7)
end)

test("client_does_not_hear_itself_if_it_asks_so", function()
	local client = kit.connected()
	local heard, other = 0, 0
	client:on("message", function(msg)
		heard = heard + (msg.topic == "echo/own" and 1 or 0)
		other = other + (msg.topic == "echo/end" and 1 or 0)
	end)
	assert(client:subscribe({ topic = "echo/own", no_local = true }))
	assert(client:subscribe({ topic = "echo/end" }))
	assert(client:publish({ topic = "echo/own" }))
	assert(client:publish({ topic = "echo/end" }))
	kit.wait(function()
		return other == 1
	end, client)
	equal(heard, 0)
end)

test("client_unsubscribes", function()
	local client, messages = kit.subscribed("gone/#")
	local reason
	client:on("unsubscribe", function(answer)
		reason = answer.reason
	end)
	assert(client:unsubscribe({ topic = "gone/#" }))
	kit.wait(function()
		return reason
	end, client)
	equal(reason, 0)
	local settled = false
	assert(client:publish({ topic = "gone/1", qos = 1, callback = function()
		settled = true
	end }))
	kit.wait(function()
		return settled
	end, client)
	equal(#messages, 0)
end)

test("client_acknowledges_by_hand", function()
	local topic = kit.name("hand")
	local client, messages = kit.subscribed(topic, 1, { manual_ack = true })
	assert(client:publish({ topic = topic, qos = 1 }))
	local msg = receive(client, messages)
	equal(client:acknowledge(msg), true)
	refused(mquic.ERR_INVALID, client:acknowledge(msg))
end)

test("client_has_nothing_to_acknowledge_by_default", function()
	local client, messages = kit.subscribed("auto", 1)
	assert(client:publish({ topic = "auto", qos = 1 }))
	equal(client:acknowledge(receive(client, messages)), true)
end)

test("client_speaks_mqtt_3_1_1", function()
	local client, messages = kit.subscribed("old", 1, { version = mquic.v311 })
	assert(client:publish({ topic = "old", payload = "x", qos = 1 }))
	equal(receive(client, messages).payload, "x")
end)

test("client_learns_the_name_the_server_chose", function()
	local given = kit.options()
	given.id = nil
	local client = kit.keep(assert(mquic.client(given)))
	assert(client:connect())
	kit.wait(function()
		return client:connected()
	end, client)
	equal(#client:id() > 0, true)
end)

test("client_tells_facts_of_its_connection", function()
	local client = kit.connected({ keep_alive = 33 })
	local info, statistics = client:info(), client:statistics()
	equal(info.tls_version, "TLS1.3")
	equal(info.alpn, "mqtt")
	equal(info.peer_common_name, "localhost")
	equal(info.peer_alt_names[1], "DNS:localhost")
	equal(info.peer_subject, "CN=localhost")
	equal(info.peer_subject_der:byte(1), 0x30) -- a SEQUENCE
	equal(info.peer_subject_der:sub(-9), "localhost")
	equal(statistics.handshake_us > 0, true)
	equal(statistics.bytes_sent > 0, true)
	equal(statistics.streams, 1)
	equal(client:keep_alive(), 33)
	equal(client:inflight(), 0)
end)

test("client_moves_to_another_socket", function()
	local client = kit.client()
	kit.refused(mquic.ERR_STATE, client:migrate())
	client = kit.connected()
	local before = client:info().local_address
	kit.wait(function()
		return client:migrate() -- refused until the server has confirmed the handshake
	end, client)
	kit.wait(function()
		return client:info().local_address ~= before
	end, client)
	local settled
	client:publish({ topic = "a", qos = 1, callback = function()
		settled = true
	end })
	kit.wait(function()
		return settled
	end, client)
end)

test("client_logs_in_with_a_password", function()
	local client = kit.connected({ username = "user", password = "secret" })
	equal(client:connected(), true)
end)

test("client_is_told_why_it_was_refused", function()
	local client = kit.client({ username = "user", password = "wrong" })
	local told, closed
	client:on({
		error = function(text, code, record)
			told = { text, code, record }
		end,
		close = function(record)
			closed = record
		end,
	})
	assert(client:connect())
	refused(mquic.ERR_REFUSED, client:run(kit.patience))
	equal(told[2], mquic.ERR_REFUSED)
	equal(told[3].origin, mquic.ORIGIN_MQTT)
	equal(told[3] == closed, true)
end)

test("client_refuses_a_server_it_cannot_trust", function()
	local given = kit.options()
	given.ca_file = nil
	local client = kit.keep(assert(mquic.client(given)))
	assert(client:connect())
	refused(mquic.ERR_TLS, client:run(kit.patience))
end)

test("client_trusts_anybody_if_told_so", function()
	local given = kit.options({ insecure = true })
	given.ca_file = nil
	local client = kit.keep(assert(mquic.client(given)))
	assert(client:connect())
	kit.wait(function()
		return client:connected()
	end, client)
end)

test("client_tells_which_file_is_missing", function()
	local client = kit.client({ ca_file = "/nowhere/ca.crt" })
	local text = refused(mquic.ERR_TLS, client:connect())
	equal(text:find("/nowhere/ca.crt", 1, true) ~= nil, true, text)
end)

test("client_disconnects_in_peace", function()
	local client = kit.connected()
	local record
	client:on("close", function(one)
		record = one
	end)
	assert(client:disconnect())
	equal(client:run(kit.patience), true)
	equal(record.status, mquic.OK)
	equal(client:alive(), false)
end)

test("client_may_be_connected_again", function()
	local client = kit.connected()
	for _ = 1, 2 do
		assert(client:disconnect())
		equal(client:run(kit.patience), true)
		assert(client:connect())
		kit.wait(function()
			return client:connected()
		end, client)
	end
end)

test("client_connects_again_by_itself", function()
	local server = kit.keep(assert(mquic.endpoint()))
	local accepted = 0
	server:on("acceptable", function(endpoint)
		local connection = endpoint:accept()
		while connection do
			accepted = accepted + 1
			connection:close(1, "go away")
			connection = endpoint:accept()
		end
	end)
	local port = assert(server:listen({ address = "127.0.0.1", alpn = "mqtt",
		cert_file = kit.certs .. "/server.crt", key_file = kit.certs .. "/server.key" }))
	local errors = 0
	local client = kit.client({ uri = "localhost:" .. port, reconnect = 0.05 })
	client:on("error", function()
		errors = errors + 1
	end)
	assert(client:connect())
	kit.wait(function()
		return accepted >= 3 and errors >= 3
	end, client, server)
	assert(client:disconnect())
	kit.wait(function()
		return not client:alive()
	end, client, server)
end)

-- A client that has failed to connect, and what the event close told.
local function failed_one(given)
	local client = kit.client(given)
	local closed
	client:on("close", function(record)
		closed = record
	end)
	assert(client:connect())
	kit.wait(function()
		return closed
	end, client)
	return client, closed
end

test("client_comes_back_after_a_pause_that_is_left_to_chance_in_part", function()
	local client, record = failed_one({
		uri = "127.0.0.1:1", reconnect = 1000, handshake_timeout_ms = 200,
	})
	equal(record.final, false)
	local wait = client:timeout()
	assert(wait > 990 and wait <= 1250, wait)
end)

test("client_waits_by_the_policy_of_the_library", function()
	local core = require("mquic.core")
	local native, asked = core.reconnect_pause_ms, {}
	rawset(core, "reconnect_pause_ms", function(...)
		asked[#asked + 1] = { ... }
		return 1
	end)
	local failures = 0
	local client = kit.client({ uri = "127.0.0.1:1", reconnect = true, handshake_timeout_ms = 200 })
	client:on("error", function()
		failures = failures + 1
	end)
	assert(client:connect())
	kit.wait(function()
		return failures >= 3
	end, client)
	client:disconnect()
	rawset(core, "reconnect_pause_ms", native)
	for i = 1, 3 do
		equal(asked[i][1], i - 1)
		equal(asked[i][2], 1000)
		equal(asked[i][3], 60000)
	end
end)

test("close_tells_whether_coming_back_can_help", function()
	local _, record = failed_one({ server_name = "other.example" })
	equal(record.code, 42) -- bad_certificate
	equal(record.final, true)
end)

test("handlers_are_taken_off", function()
	local client, messages = kit.subscribed("off", 1)
	local first, second = 0, 0
	local function handler()
		first = first + 1
	end
	client:on("message", handler)
	client:on({ message = function()
		second = second + 1
	end })
	assert(client:publish({ topic = "off", qos = 1 }))
	receive(client, messages)
	client:off("message", handler)
	assert(client:publish({ topic = "off", qos = 1 }))
	receive(client, messages, 2)
	equal(first, 1)
	equal(second, 2)
	client:off("message")
	local settled = false
	assert(client:publish({ topic = "off", qos = 1, callback = function()
		settled = true
	end }))
	kit.wait(function()
		return settled
	end, client)
	equal(#messages, 2)
end)

test("error_in_a_handler_comes_out_and_loses_nothing", function()
	local client, messages = kit.subscribed("throw", 1)
	local failing = true
	client:on("message", function(msg)
		if failing and msg.payload == "2" then
			failing = false
			error({ mark = "mine" })
		end
	end)
	for i = 1, 4 do
		assert(client:publish({ topic = "throw", payload = i, qos = 1 }))
	end
	local passed, problem
	repeat
		passed, problem = pcall(client.run, client, kit.patience)
	until not passed
	equal(problem.mark, "mine")
	receive(client, messages, 4)
	equal(messages[2].payload .. messages[3].payload .. messages[4].payload, "234")
end)

test("client_tells_when_there_is_room_again", function()
	local client = kit.connected({ send_buffer = 65536 })
	local writable, code = false, nil
	client:on("writable", function()
		writable = true
	end)
	for _ = 1, 1000 do
		code = code or select(3, client:publish({ topic = "full", payload = ("x"):rep(10000) }))
	end
	equal(code, mquic.ERR_AGAIN)
	kit.wait(function()
		return writable
	end, client)
	assert(client:publish({ topic = "full" }))
end)

test("two_clients_share_an_endpoint", function()
	local endpoint = kit.keep(assert(mquic.endpoint()))
	local receiver, messages = kit.subscribed("shared", 1, { endpoint = endpoint })
	local sender = kit.connected({ endpoint = endpoint })
	equal(receiver:getfd(), sender:getfd())
	assert(sender:publish({ topic = "shared", payload = "1", qos = 1 }))
	equal(receive(receiver, messages).payload, "1")
	sender:close()
	equal(receiver:connected(), true)
end)
