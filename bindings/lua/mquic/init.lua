-- SPDX-License-Identifier: MIT
--- MQTT over QUIC. A call that can fail returns nil, message, code; a mistake in the program, a
-- misspelt option say, raises an error.
local core = require("mquic.core")
local Client = require("mquic.client")
local Endpoint = require("mquic.endpoint")
local loop = require("mquic.loop")
local options = require("mquic.options")
require("mquic.relay")

local mquic = {
	v311 = core.PROTOCOL_MQTT_3_1_1,
	v50 = core.PROTOCOL_MQTT_5,
	PORT = core.PORT,
	client = Client.make,
	endpoint = Endpoint.make,
	run = loop.run,
	now = core.now,
}

-- mquic.OK, mquic.ERR_..., mquic.ORIGIN_..., mquic.REASON_..., mquic.CLOSE_... and
-- mquic.VERSION_... as in mquic.h.
local families = { ERR = true, ORIGIN = true, REASON = true, CLOSE = true, VERSION = true }
for name, value in pairs(core) do
	if name == "OK" or families[name:match("^(%u+)_")] then
		mquic[name] = value
	end
end

--- printable(text): text of others, for people: with "?" for what could forge a line of a log
-- or take over a terminal, such as ends of lines, control characters and marks of direction.
-- Messages of failures, log lines and record.text have gone through it; topics have not.
function mquic.printable(text)
	options.check("printable: the text", text, "string", 2)
	return core.text_printable(text)
end

--- topic_matches(filter, topic): whether a subscription with this filter gets messages of this
-- topic (MQTT 5.0 section 4.7); "$share/group/filter" gets those of `filter`.
function mquic.topic_matches(filter, topic)
	options.check("topic_matches: the filter", filter, "string", 2)
	options.check("topic_matches: the topic", topic, "string", 2)
	return core.topic_matches(filter, topic)
end

--- The version of the library.
function mquic.version()
	return core.version()
end

--- What a code means, in a few words.
function mquic.status_text(code)
	if type(code) ~= "number" or code % 1 ~= 0 or math.abs(code) > 0x7fffffff then
		error("status_text: the code must be a whole number", 2)
	end
	return core.status_text(code)
end

local function run(self, seconds)
	if seconds ~= nil then
		options.check("run: seconds", seconds, "number", 2)
	end
	return loop.run({ self }, seconds)
end

--- client:run([seconds]) and endpoint:run([seconds]): mquic.run() for one.
Client.run = run
Endpoint.run = run

return mquic
