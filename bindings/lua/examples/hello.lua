-- SPDX-License-Identifier: MIT
-- hello.lua URI CA-FILE: a message to oneself over QUIC.
local mquic = require("mquic")

local client = assert(mquic.client{ uri = arg[1], ca_file = arg[2] })
client:on{
	connect = function() client:subscribe{ topic = "greetings/#", qos = 1 } end,
	subscribe = function() client:publish{ topic = "greetings/lua", payload = "hello" } end,
	message = function(msg) print(msg.topic, msg.payload) client:disconnect() end,
}
assert(client:connect())
assert(client:run())
