-- SPDX-License-Identifier: MIT
--- A child of fork() has copies of everything and may use none: the parent must not notice it.
local kit = require("kit")
local mquic = require("mquic")
local test, equal = kit.test, kit.equal

local built, forking = pcall(require, "mquic.forking")
if not built then
	test("a child of fork", function()
		kit.skip("mquic.forking, which no package has, is not built")
	end)
	return
end

-- How many of the calls, given as functions, do not refuse.
local function willing(calls)
	local count = 0
	for _, call in ipairs(calls) do
		local got, text, code = call()
		if got ~= nil or code ~= mquic.ERR_FORKED or not text:find("parent process") then
			count = count + 1
		end
	end
	return count
end

-- The client still gets what it publishes, and has not been away.
local function goes_on(client, messages)
	local before = #messages
	assert(client:publish({ topic = "fork/on", payload = "on", qos = 1 }))
	kit.wait(function()
		return #messages > before
	end, client)
	equal(client:connected(), true)
	equal(messages[#messages].topic, "fork/on")
end

test("child_is_refused_and_told_why", function()
	local client, messages = kit.subscribed("fork/#", 1, { will = { topic = "fork/will" } })
	client:on("close", function()
		error("the parent's connection ended")
	end)
	local endpoint = client.endpoint
	equal(forking(function()
		return willing({
			function() return client:publish({ topic = "fork/child" }) end,
			function() return client:subscribe({ topic = "x" }) end,
			function() return client:unsubscribe({ topic = "x" }) end,
			function() return client:disconnect() end,
			function() return client:migrate() end,
			function() return client:process() end,
			function() return client:getfd() end,
			function() return client:run() end,
			function() return client:connect() end,
			function() return mquic.run({ client }, 1) end,
			function() return endpoint:dial({ host = "localhost", port = 9 }) end,
			function() return endpoint:reload() end,
			function() return mquic.client({ endpoint = endpoint }) end,
		})
	end), 0)
	goes_on(client, messages)
end)

test("child_that_closes_and_collects_says_goodbye_to_nobody", function()
	local client, messages = kit.subscribed("fork/#", 1, { will = { topic = "fork/will" } })
	equal(forking(function()
		client:close()
		client, messages = nil, nil
		collectgarbage()
		collectgarbage()
		return 0
	end), 0)
	goes_on(client, messages)
end)

test("child_has_a_client_of_its_own", function()
	local client, messages = kit.subscribed("fork/#", 1)
	equal(forking(function()
		local own = kit.connected()
		local done = false
		own:publish({ topic = "child", qos = 1, callback = function() done = true end })
		kit.wait(function() return done end, own)
		own:close()
		return 0
	end), 0)
	goes_on(client, messages)
end)
