-- SPDX-License-Identifier: MIT
--- Endpoints, connections and streams, both ends in this process.
local kit = require("kit")
local mquic = require("mquic")
local test, equal, refused, raises = kit.test, kit.equal, kit.refused, kit.raises

local function identity(more)
	local given = {
		address = "127.0.0.1", alpn = "echo",
		cert_file = kit.certs .. "/server.crt", key_file = kit.certs .. "/server.key",
	}
	for name, value in pairs(more or {}) do
		given[name] = value
	end
	return given
end

local function echo(stream)
	while true do
		local data, _, code = stream:receive()
		if data == "" then
			stream:finish()
			return
		elseif not data then
			return code
		end
		assert(stream:send(data))
	end
end

-- An endpoint that echoes every stream, and its port.
local function echo_server(more, handed)
	local server = kit.keep(assert(mquic.endpoint()))
	server:on("acceptable", function(endpoint)
		for connection in endpoint.accept, endpoint do
			connection:on("stream", function(one)
				for stream in one.accept, one do
					stream:on("readable", echo)
					echo(stream)
				end
			end)
		end
	end)
	local given = identity(more)
	if handed then
		given.address, given.fd = nil, handed
	end
	return server, assert(server:listen(given))
end

local function dial(port, more)
	local endpoint = kit.keep(assert(mquic.endpoint()))
	local given = { host = "localhost", port = port, ca_file = kit.ca, alpn = "echo" }
	for name, value in pairs(more or {}) do
		given[name] = value
	end
	return assert(endpoint:dial(given)), endpoint
end

-- Collects what a stream receives; the second result tells how it ended.
local function reader(stream)
	local chunks, state = {}, {}
	local function read()
		local data, _, code = stream:receive()
		while data and data ~= "" do
			chunks[#chunks + 1] = data
			data, _, code = stream:receive()
		end
		if data == "" then
			state.finished = true
		elseif code ~= mquic.ERR_AGAIN then
			state.code = code
		end
	end
	stream:on("readable", read)
	stream:on("close", function(_, record)
		state.closed = record
	end)
	return chunks, state
end

test("stream_echoes", function()
	local server, port = echo_server()
	local connection, endpoint = dial(port)
	local ready
	connection:on("ready", function(one)
		ready = one
	end)
	local stream = assert(connection:open())
	local chunks, state = reader(stream)
	equal(stream:send("hel\0lo"), 6)
	equal(stream:finish(), true)
	local why = refused(mquic.ERR_STATE, stream:send("more"))
	assert(why:find("finished by this side", 1, true), why)
	kit.wait(function()
		return state.finished and state.closed
	end, endpoint, server)
	equal(table.concat(chunks), "hel\0lo")
	equal(ready == connection, true)
	equal(stream:id(), 0)
	equal(stream:bytes_sent(), 6)
	equal(stream:bytes_received(), 6)
	equal(stream:bytes_pending(), 0)
	equal(state.closed.code, 0)
	refused(mquic.ERR_CLOSED, stream:send("more"))
end)

test("server_listens_on_a_socket_that_was_handed_over", function()
	local server, port = echo_server(nil, tonumber(os.getenv("MQUIC_SOCKET")))
	equal(port, tonumber(os.getenv("MQUIC_SOCKET_PORT")))
	local connection, endpoint = dial(port)
	local stream = assert(connection:open())
	local chunks = reader(stream)
	assert(stream:send("handed"))
	kit.wait(function()
		return table.concat(chunks) == "handed"
	end, endpoint, server)
end)

test("stream_carries_more_than_its_buffers", function()
	local server, port = echo_server({ send_buffer = 4194304 })
	local connection, endpoint = dial(port, { send_buffer = 65536 })
	local stream = assert(connection:open())
	local chunks, state = reader(stream)
	local data, sent, full = ("0123456789"):rep(60000), 0, 0
	local function feed()
		while sent < #data do
			local upto, _, code = stream:send(data, sent + 1)
			if not upto then
				equal(code, mquic.ERR_AGAIN)
				full = full + 1
				return
			end
			sent = upto
		end
		stream:finish()
	end
	stream:on("writable", feed)
	feed()
	kit.wait(function()
		return state.finished
	end, endpoint, server)
	equal(table.concat(chunks) == data, true, "data")
	equal(full > 0, true)
end)

test("stream_gives_no_more_than_asked", function()
	local server, port = echo_server()
	local connection, endpoint = dial(port)
	local stream = assert(connection:open())
	assert(stream:send("abcdef"))
	local first
	kit.wait(function()
		first = first or stream:receive(2)
		return first
	end, endpoint, server)
	equal(first, "ab")
	equal(stream:receive(1), "c")
	refused(mquic.ERR_AGAIN, kit.keep(assert(connection:open())):receive())
	raises("max must be", stream.receive, stream, 0)
	raises("max must be", stream.receive, stream, "2")
end)

test("stream_is_reset", function()
	local server, port = echo_server()
	local connection, endpoint = dial(port)
	local stream = assert(connection:open())
	local _, state = reader(stream)
	assert(stream:send("x"))
	kit.wait(function()
		return stream:bytes_received() == 1
	end, endpoint, server)
	assert(stream:reset(7))
	equal((stream:send("y")), nil)
	assert(stream:stop(8))
	kit.wait(function()
		return state.closed
	end, endpoint, server)
	raises("code must be", stream.reset, stream, -1)
	raises("code must be", stream.reset, stream, 2 ^ 60)
end)

test("connection_tells_facts", function()
	local server, port = echo_server()
	local connection, endpoint = dial(port)
	local ready = false
	connection:on("ready", function()
		ready = true
	end)
	kit.wait(function()
		return ready
	end, endpoint, server)
	local info = connection:info()
	equal(info.peer_address, "127.0.0.1:" .. port)
	equal(info.alpn, "echo")
	equal(info.tls_version, "TLS1.3")
	equal(connection:statistics().packets_received > 0, true)
end)

test("client_that_comes_back_resumes", function()
	local server, port = echo_server()
	local connection, endpoint = dial(port)
	kit.wait(function()
		return endpoint:statistics().handshakes_done == 1
	end, endpoint, server)
	equal(connection:info().resumed, false)
	local stream = assert(connection:open())
	assert(stream:send("x")) -- what comes back comes behind the ticket
	kit.wait(function()
		return stream:receive() == "x"
	end, endpoint, server)
	local options = { host = "localhost", port = port, ca_file = kit.ca, alpn = "echo" }
	local again = kit.keep(assert(endpoint:dial(options)))
	kit.wait(function()
		return endpoint:statistics().handshakes_done == 2
	end, endpoint, server)
	equal(again:info().resumed, true)
	equal(endpoint:statistics().handshakes_resumed, 1)
end)

test("endpoint_counts", function()
	local server, port = echo_server()
	local connection, endpoint = dial(port)
	kit.wait(function()
		return endpoint:statistics().handshakes_done == 1
	end, endpoint, server)
	local counts = endpoint:statistics()
	equal(counts.handshakes_begun, 1)
	equal(counts.connections, 1)
	equal(counts.bytes_sent, connection:statistics().bytes_sent)
	equal(server:statistics().handshakes_failed, 0)
	connection:close()
	equal(endpoint:statistics().connections, 0)
	endpoint:close()
	refused(mquic.ERR_CLOSED, endpoint:statistics())
end)

test("connection_moves_to_another_socket", function()
	local server, port = echo_server()
	local connection, endpoint = dial(port)
	refused(mquic.ERR_STATE, connection:migrate())
	local before
	kit.wait(function()
		before = connection:info().local_address
		return connection:migrate() -- refused until the server has confirmed the handshake
	end, endpoint, server)
	kit.wait(function()
		return connection:info().local_address ~= before
	end, endpoint, server)
	connection:close()
	refused(mquic.ERR_CLOSED, connection:migrate())
end)

test("connection_ends_with_code_and_reason", function()
	local server, port = echo_server()
	local connection, endpoint = dial(port)
	local record
	local accepted
	server:on("acceptable", function()
		accepted = true
	end)
	kit.wait(function()
		return accepted
	end, endpoint, server)
	connection:on("close", function(_, one)
		record = one
	end)
	server:close()
	kit.wait(function()
		return record
	end, endpoint)
	equal(record.origin, mquic.ORIGIN_PEER)
	equal(record.code, 0)
	refused(mquic.ERR_CLOSED, connection:open())
	equal(connection:close(5, "late"), true)
	refused(mquic.ERR_CLOSED, connection:info())
end)

test("connection_is_refused_without_a_common_protocol", function()
	local server, port = echo_server()
	local connection, endpoint = dial(port, { alpn = "other" })
	local record
	connection:on("close", function(_, one)
		record = one
	end)
	kit.wait(function()
		return record
	end, endpoint, server)
	equal(record.status ~= mquic.OK, true)
end)

test("unknown_name_is_told_when_the_system_has_answered", function()
	local endpoint = kit.keep(assert(mquic.endpoint()))
	local connection = assert(endpoint:dial({ host = "no.such.host.invalid", insecure = true }))
	local record
	connection:on("close", function(_, one)
		record = one
	end)
	kit.wait(function()
		return record
	end, endpoint)
	equal(record.status, mquic.ERR_RESOLVE)
	equal(record.origin, mquic.ORIGIN_SYSTEM)
	equal(record.text:find("no.such.host.invalid", 1, true) ~= nil, true, record.text)
end)

test("listener_takes_more_certificates", function()
	local elsewhere = kit.certs .. "/wrong-host"
	local more = { { cert_file = elsewhere .. ".crt", key_file = elsewhere .. ".key" } }
	local server, port = echo_server({ more_certificates = more })
	for _, name in ipairs({ "localhost", "elsewhere.example" }) do
		local connection, endpoint = dial(port, { host = "127.0.0.1", server_name = name })
		local ready = false
		connection:on("ready", function() ready = true end)
		kit.wait(function() return ready end, server, endpoint)
	end
	raises("unknown option", server.listen, server, identity({ more_certificates = { { x = "" } } }))
	local text = refused(mquic.ERR_INVALID,
		server:listen(identity({ more_certificates = { { cert_file = "/x.crt" } } })))
	equal(text:find("the key is missing", 1, true) ~= nil, true, text)
end)

test("endpoint_explains_what_it_refuses", function()
	local endpoint = kit.keep(assert(mquic.endpoint()))
	refused(mquic.ERR_INVALID, endpoint:listen(identity({ address = "not an address" })))
	local text = refused(mquic.ERR_TLS, endpoint:listen(identity({ cert_file = "/nowhere.crt" })))
	equal(text:find("/nowhere.crt", 1, true) ~= nil, true, text)
	refused(mquic.ERR_INVALID, endpoint:listen({ cert_file = "/only.crt" }))
	local key, cert = identity().key_file, identity().cert_file
	text = refused(mquic.ERR_INVALID, endpoint:listen(identity({ worker = 2, workers = 2 })))
	equal(text:find("no worker 2 among 2", 1, true) ~= nil, true, text)
	text = refused(mquic.ERR_INVALID, endpoint:listen(identity({ server_secret = "x" })))
	equal(text:find("32 bytes, not 1", 1, true) ~= nil, true, text)
	assert(endpoint:listen(identity({ server_secret = ("\0"):rep(32) })))
	text = refused(mquic.ERR_INVALID, endpoint:listen({ fd = 0, key_file = key, cert_file = cert }))
	equal(text:find("descriptor 0 is no UDP socket", 1, true) ~= nil, true, text)
	raises("leave address and port away", endpoint.listen, endpoint, identity({ fd = 0 }))
	raises("fd must be a whole number", endpoint.listen, endpoint, { fd = "0" })
	refused(mquic.ERR_TLS, endpoint:listen(identity({ reset_key_file = kit.certs .. "/server.crt" })))
	refused(mquic.ERR_INVALID, endpoint:dial({ host = "localhost", idle_timeout_ms = 1 }))
	raises("host is missing", endpoint.dial, endpoint, {})
	raises("port must be", endpoint.dial, endpoint, { host = "h", port = 65536 })
	raises("unknown option hosst", endpoint.dial, endpoint, { hosst = "h" })
	refused(mquic.ERR_AGAIN, endpoint:accept())
	equal(endpoint:reload(), true)
end)

test("endpoint_reloads_its_certificates", function()
	local server = echo_server()
	equal(server:reload(), true)
	equal(#server:expiring(), 0)
end)

test("streams_with_handlers_live_on_unheld", function()
	local server, port = echo_server()
	local connection, endpoint = dial(port)
	local got
	do
		local stream = assert(connection:open())
		stream:on("readable", function(one)
			got = got or one:receive()
		end)
		assert(stream:send("alive"))
	end
	collectgarbage()
	collectgarbage()
	kit.wait(function()
		return got
	end, endpoint, server)
	equal(got, "alive")
end)

test("endpoint_logs_to_a_function", function()
	local lines = {}
	local endpoint = kit.keep(assert(mquic.endpoint({
		log_level = "debug",
		log = function(level, line)
			lines[#lines + 1] = level .. ": " .. line
		end,
	})))
	local client = kit.connected({ endpoint = endpoint })
	client:disconnect()
	kit.wait(function()
		return not client:alive()
	end, client)
	equal(#lines > 0, true)
	for _, line in ipairs(lines) do
		equal(line:match("^%l+: ") ~= nil and not line:find("\n"), true, line)
	end
	raises("log_level must be", mquic.endpoint, { log_level = "loud" })
	raises("log belongs to", mquic.client, { endpoint = endpoint, log = print })
end)

test("endpoint_that_logs_may_be_collected_at_work", function()
	for _ = 1, 3 do
		local client = assert(mquic.client(kit.options({ log_level = "debug", log = print })))
		assert(client:connect())
		client.endpoint:pump()
		client = nil -- luacheck: ignore
		collectgarbage()
		collectgarbage()
	end
end)
