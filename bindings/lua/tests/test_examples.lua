-- SPDX-License-Identifier: MIT
--- The examples, run as a reader would run them.
local kit = require("kit")
local test, equal = kit.test, kit.equal

local examples = arg[0]:match("^(.*)/tests/") .. "/examples/"

local function start(name, more)
	return assert(io.popen(("%s %s%s.lua %s %s %s"):format(arg[-1], examples, name, kit.uri, kit.ca,
		more or "")))
end

local function need(module)
	if not pcall(require, module) then
		kit.skip(module .. " is not installed")
	end
end

test("example_hello", function()
	local pipe = start("hello")
	equal(pipe:read("*a"), "greetings/lua\thello\n")
	pipe:close()
end)

test("example_gateway", function()
	local client, messages = kit.subscribed("sensors/#", 1)
	local lines = os.tmpname()
	local file = assert(io.open(lines, "w"))
	for i = 1, 150 do
		file:write(('{"sensor": "s%d", "temperature": %d.5, "state": "on"}\n'):format(i, i))
	end
	file:write("nonsense\n")
	file:close()
	local pipe = start("gateway", "2>/dev/null < " .. lines)
	local output = pipe:read("*a")
	pipe:close()
	os.remove(lines)
	equal(output, "connected\tanew\npublished\t300\n")
	kit.wait(function()
		return #messages == 300
	end, client)
	equal(messages[1].topic, "sensors/s1/temperature")
	equal(messages[1].payload, "1.5")
	equal(messages[300].topic, "sensors/s150/state")
	equal(messages[300].payload, "on")
end)

test("example_dashboard", function()
	need("luv")
	local pipe = start("dashboard", "3")
	equal(pipe:read("*l"), "subscribed")
	local client = kit.connected()
	for i = 1, 3 do
		assert(client:publish({ topic = "sensors/hall/" .. i % 2, payload = i, qos = 1 }))
	end
	kit.wait(function()
		return client:inflight() == 0
	end, client)
	equal(pipe:read("*a"), ("%-30s 2\n%-30s 3\n"):format("sensors/hall/0", "sensors/hall/1"))
	pipe:close()
end)

test("example_question", function()
	need("cqueues")
	local pipe = start("question")
	equal(pipe:read("*a"), "the answer to question 1\nthe answer to question 2\n"
		.. "the answer to question 3\n")
	pipe:close()
end)
