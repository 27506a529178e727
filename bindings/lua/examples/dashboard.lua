-- SPDX-License-Identifier: MIT
--[[
dashboard.lua URI CA-FILE [COUNT]: on luv's loop, shows the latest value of every sensor once a
second, or as soon as COUNT messages have come, and then ends.
]]
local mquic = require("mquic")
local attach = require("mquic.luv").attach
local uv = require("luv")

local count = tonumber(arg[3])
local latest, received = {}, 0
local client = assert(mquic.client{ uri = arg[1], ca_file = arg[2] })
local timer = uv.new_timer()

local function show()
	local topics = {}
	for topic in pairs(latest) do
		topics[#topics + 1] = topic
	end
	table.sort(topics)
	for _, topic in ipairs(topics) do
		print(("%-30s %s"):format(topic, latest[topic]))
	end
end

client:on{
	connect = function()
		client:subscribe{ topic = "sensors/#", qos = 1 }
	end,
	subscribe = function()
		print("subscribed")
		io.stdout:flush()
	end,
	message = function(msg)
		latest[msg.topic] = msg.payload
		received = received + 1
		if received == count then
			show()
			client:disconnect()
		end
	end,
	error = function(text)
		io.stderr:write(text, "\n")
	end,
	close = function()
		timer:stop()
		timer:close()
	end,
}
assert(client:connect())
attach(client)
if not count then
	timer:start(1000, 1000, show)
end
uv.run()
