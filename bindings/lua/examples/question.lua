-- SPDX-License-Identifier: MIT
--[[
question.lua URI CA-FILE: question and answer with MQTT 5 properties on a cqueues controller. The
handler of the one who answers sleeps, as if it asked a slow device; nothing else waits for it.
]]
local mquic = require("mquic")
local attach = require("mquic.cqueues").attach
local condition = require("cqueues.condition")
local cqueues = require("cqueues")

local controller = cqueues.new()

-- A client whose subscription is made when this returns; runs in a coroutine.
local function subscribed(topic, handler)
	local client = assert(mquic.client{ uri = arg[1], ca_file = arg[2] })
	local ready = condition.new()
	client:on{
		connect = function()
			client:subscribe{ topic = topic, qos = 1 }
		end,
		subscribe = function()
			ready:signal()
		end,
		message = handler,
	}
	assert(client:connect())
	attach(controller, client)
	ready:wait()
	return client
end

controller:wrap(function()
	local device
	device = subscribed("device/question", function(msg)
		cqueues.sleep(0.2)
		device:publish{
			topic = msg.properties.response_topic, qos = 1,
			payload = "the answer to " .. msg.payload,
			properties = { correlation_data = msg.properties.correlation_data },
		}
	end)

	local answers, came = {}, condition.new()
	local asker = subscribed("asker/answers", function(msg)
		answers[msg.properties.correlation_data] = msg.payload
		came:signal()
	end)
	for i = 1, 3 do
		asker:publish{
			topic = "device/question", payload = "question " .. i, qos = 1,
			properties = { response_topic = "asker/answers", correlation_data = tostring(i) },
		}
	end
	while not answers["3"] do
		came:wait()
	end
	for i = 1, 3 do
		print(answers[tostring(i)])
	end
	asker:disconnect()
	device:disconnect()
end)
assert(controller:loop())
