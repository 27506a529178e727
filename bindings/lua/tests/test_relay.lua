-- SPDX-License-Identifier: MIT
--- A relay: the bytes of a client of ours, carried to the broker's plain TCP port by hand.
local kit = require("kit")
local mquic = require("mquic")
local test, equal, refused = kit.test, kit.equal, kit.refused

local CONNACK = "\32\3\0\0\0"

test("relay_shows_connect_and_passes_bytes", function()
	local server = kit.keep(assert(mquic.endpoint()))
	local relay, shown, closed
	local bytes = {}
	server:on("acceptable", function()
		local connection = assert(server:accept())
		relay = kit.keep(assert(connection:relay()))
		refused(mquic.ERR_CLOSED, connection:info())
		refused(mquic.ERR_STATE, relay:client())
		relay:on({
			connect = function(one)
				shown = one:client()
				assert(one:set_username("other"))
				assert(one:open())
				equal(one:send(CONNACK), #CONNACK)
			end,
			readable = function(one)
				local data = one:receive()
				while data and data ~= "" do
					bytes[#bytes + 1] = data
					data = one:receive()
				end
			end,
			close = function(_, record)
				closed = record
			end,
		})
	end)
	local port = assert(server:listen({ address = "127.0.0.1", alpn = "mqtt",
		cert_file = kit.certs .. "/server.crt", key_file = kit.certs .. "/server.key" }))
	local client = kit.client({ uri = "localhost:" .. port, id = "seen", username = "name",
		keep_alive = 77 })
	assert(client:connect())
	kit.wait(function()
		return client:connected()
	end, client, server)
	equal(shown.protocol, 5)
	equal(shown.client_id, "seen")
	equal(shown.username, "name")
	equal(shown.clean_start, true)
	equal(shown.keep_alive, 77)
	equal(relay:info().alpn, "mqtt")
	equal(relay:statistics().packets_received > 0, true)
	assert(client:publish({ topic = "through", payload = "pipe" }))
	kit.wait(function()
		return table.concat(bytes):find("pipe", 1, true)
	end, client, server)
	equal(table.concat(bytes):find("other", 1, true) ~= nil, true)
	equal(table.concat(bytes):find("name", 1, true), nil)
	assert(client:disconnect())
	kit.wait(function()
		return closed
	end, client, server)
	relay:close()
	refused(mquic.ERR_CLOSED, relay:receive())
	refused(mquic.ERR_CLOSED, relay:client())
end)

test("relay_cuts_a_client_off", function()
	local server = kit.keep(assert(mquic.endpoint()))
	server:on("acceptable", function()
		assert(assert(server:accept()):relay()):on("connect", function(one)
			one:close(3, "not today")
		end)
	end)
	local port = assert(server:listen({ address = "127.0.0.1", alpn = "mqtt",
		cert_file = kit.certs .. "/server.crt", key_file = kit.certs .. "/server.key" }))
	local client = kit.client({ uri = "localhost:" .. port })
	local ended
	client:on("close", function(record)
		ended = record
	end)
	assert(client:connect())
	kit.wait(function()
		return ended
	end, client, server)
	equal(ended.origin, mquic.ORIGIN_PEER)
	equal(ended.code, 3)
end)

test("relay_finishes_with_a_reason", function()
	local server = kit.keep(assert(mquic.endpoint()))
	server:on("acceptable", function()
		assert(assert(server:accept()):relay()):on("connect", function(one)
			assert(one:open())
			refused(mquic.ERR_INVALID, one:finish(("x"):rep(257)))
			assert(one:finish("gone fishing"))
			refused(mquic.ERR_STATE, one:finish())
		end)
	end)
	local port = assert(server:listen({ address = "127.0.0.1", alpn = "mqtt",
		cert_file = kit.certs .. "/server.crt", key_file = kit.certs .. "/server.key" }))
	local client = kit.client({ uri = "localhost:" .. port })
	local ended
	client:on("close", function(record)
		ended = record
	end)
	assert(client:connect())
	kit.wait(function()
		return ended
	end, client, server)
	equal(ended.code, 0)
	equal(ended.text:find("gone fishing", 1, true) ~= nil, true)
end)
