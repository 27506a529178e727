-- SPDX-License-Identifier: MIT
--[[
gateway.lua URI CA-FILE: reads what local sensors print, one flat JSON object a line,

    {"sensor": "kitchen", "temperature": 21.5, "humidity": 48}

and publishes each value to sensors/NAME/KEY with QoS 1. It connects again when the network
fails, reads on only while there is room, and at the end of its input waits until the broker
has acknowledged everything. Try:

    some-sensor-program | lua gateway.lua mqtt-quic://localhost ca.crt
]]
local mquic = require("mquic")

local MOST_UNSETTLED = 100 -- messages

local client = assert(mquic.client{
	uri = arg[1], ca_file = arg[2], keep_alive = 30, reconnect = true,
	will = { topic = "gateway/state", payload = "lost", retain = true },
})

local function parse(line)
	local values, name = {}, nil
	for key, quote, value in line:gmatch('"([^"/+#]+)"%s*:%s*("?)([^",{}]*)') do
		if key == "sensor" and quote == '"' then
			name = value:match("^[^/+#]+$")
		else
			values[#values + 1] = { key, value:match("^%s*(.-)%s*$") }
		end
	end
	return name, values
end

-- What did not fit is kept for the next time.
local waiting = {}

local function flush()
	while waiting[1] and client:connected() and client:inflight() < MOST_UNSETTLED do
		local id, text, code = client:publish(waiting[1])
		if not id and code ~= mquic.ERR_INVALID then
			return
		elseif not id then
			io.stderr:write(("%s: %s\n"):format(waiting[1].topic, text))
		end
		table.remove(waiting, 1)
	end
end

-- The sensors: one more source of mquic.run(), with the methods that a client has as well.
-- Without a buffer of its own, stdin is readable exactly when a line has come.
io.stdin:setvbuf("no")
local sensors = { open = true }

function sensors:alive()
	return self.open
end

function sensors.getfd()
	return #waiting < MOST_UNSETTLED and 0 or nil -- standard input, unless there is no room
end

function sensors.timeout()
	return nil
end

function sensors:process()
	local line = io.stdin:read("*l")
	if not line then
		self.open = false
	else
		local name, values = parse(line)
		if not name then
			io.stderr:write("no sensor in: ", line, "\n")
		end
		for _, pair in ipairs(name and values or {}) do
			waiting[#waiting + 1] = {
				topic = ("sensors/%s/%s"):format(name, pair[1]), payload = pair[2], qos = 1,
			}
		end
	end
	return true
end

client:on{
	connect = function(answer)
		print("connected", answer.session_present and "again" or "anew")
		client:publish{ topic = "gateway/state", payload = "here", retain = true }
	end,
	error = function(text)
		io.stderr:write("not connected: ", text, "\n")
	end,
}
assert(client:connect())

local published = 0
client:on("delivered", function()
	published = published + 1
end)

-- One turn after the other, until the sensors are through and everything is settled.
repeat
	mquic.run({ client, sensors }, 0.1)
	flush()
until not sensors.open and #waiting == 0 and client:inflight() == 0
client:disconnect()
client:run(5)
print("published", published)
