-- SPDX-License-Identifier: MIT
--- Handlers that yield, and the event loops of others.
local kit = require("kit")
local mquic = require("mquic")
local test, equal = kit.test, kit.equal

local function need(module)
	local found, value = pcall(require, module)
	if not found then
		kit.skip(module .. " is not installed")
	end
	return value
end

test("handler_may_yield_and_the_others_wait_their_turn", function()
	local client, messages = kit.subscribed("yield", 1)
	local order = {}
	client:on("message", function(msg)
		order[#order + 1] = "<" .. msg.payload
		if msg.payload == "1" then
			coroutine.yield()
		end
		order[#order + 1] = msg.payload .. ">"
	end)
	for i = 1, 3 do
		assert(client:publish({ topic = "yield", payload = i, qos = 1 }))
	end
	local thread
	repeat
		thread = coroutine.create(function()
			repeat
				mquic.run({ client }, 0.02)
			until #messages >= 3
		end)
		assert(coroutine.resume(thread))
	until client:stalled()
	for _ = 1, 5 do
		client:process()
	end
	equal(table.concat(order), "<1")
	assert(coroutine.resume(thread))
	kit.wait(function()
		return #messages == 3
	end, client)
	equal(table.concat(order), "<11><22><33>")
end)

test("handler_that_never_comes_back_is_forgotten_with_its_coroutine", function()
	local client, messages = kit.subscribed("lost", 1)
	client:on("message", function(msg)
		if msg.payload == "1" then
			coroutine.yield()
		end
	end)
	for i = 1, 2 do
		assert(client:publish({ topic = "lost", payload = i, qos = 1 }))
	end
	repeat
		local thread = coroutine.create(function()
			mquic.run({ client }, 0.02)
		end)
		assert(coroutine.resume(thread))
		thread = nil -- luacheck: ignore
	until client:stalled()
	collectgarbage()
	collectgarbage()
	kit.wait(function()
		return #messages == 2
	end, client)
end)

test("run_takes_sources_of_others", function()
	local client = kit.connected()
	local ticks = 0
	local clock = {
		alive = function()
			return ticks < 3
		end,
		getfd = function()
			return nil
		end,
		timeout = function()
			return 0
		end,
		process = function()
			ticks = ticks + 1
			return true
		end,
	}
	equal(mquic.run({ clock }), true)
	equal(ticks, 3)
	assert(client:disconnect())
	equal(mquic.run({ clock, client }, kit.patience), true)
end)

test("cqueues_runs_clients_whose_handlers_sleep", function()
	local cqueues = need("cqueues")
	local attach = require("mquic.cqueues").attach
	local controller = cqueues.new()
	local client = kit.client()
	local order, naps = {}, 0
	client:on({
		connect = function()
			client:subscribe({ topic = "nap", qos = 1 })
		end,
		subscribe = function()
			for i = 1, 3 do
				client:publish({ topic = "nap", payload = i, qos = 1 })
			end
		end,
		message = function(msg)
			cqueues.sleep(0.15)
			order[#order + 1] = msg.payload
			if #order == 3 then
				client:disconnect()
			end
		end,
	})
	assert(client:connect())
	attach(controller, client)
	controller:wrap(function()
		while #order < 3 do
			naps = naps + 1
			cqueues.sleep(0.02)
		end
	end)
	assert(controller:loop(kit.patience))
	equal(table.concat(order), "123")
	equal(naps > 3, true) -- many more, if nobody else has the machine
	equal(client:alive(), false)
end)

test("cqueues_keeps_a_connection_while_a_handler_sleeps_long", function()
	local cqueues = need("cqueues")
	local controller = cqueues.new()
	local client = kit.client({ keep_alive = 3, idle_timeout_ms = 4500 })
	local ended
	client:on({
		connect = function()
			cqueues.sleep(6)
			client:disconnect()
		end,
		close = function(record)
			ended = record
		end,
	})
	assert(client:connect())
	require("mquic.cqueues").attach(controller, client)
	assert(controller:loop(kit.patience))
	equal(ended.status, mquic.OK, ended.text)
end)

test("cqueues_ends_when_a_client_is_closed", function()
	local cqueues = need("cqueues")
	local controller = cqueues.new()
	local client = kit.connected()
	require("mquic.cqueues").attach(controller, client)
	controller:wrap(function()
		cqueues.sleep(0.05)
		client:close()
	end)
	assert(controller:loop(kit.patience))
	equal(controller:empty(), true)
end)

test("cqueues_connects_again", function()
	local cqueues = need("cqueues")
	local controller = cqueues.new()
	local client = kit.client({ uri = "127.0.0.1:1", reconnect = 0.02, handshake_timeout_ms = 200 })
	local failures = 0
	client:on("error", function()
		failures = failures + 1
		if failures == 3 then
			client:disconnect()
		end
	end)
	assert(client:connect())
	require("mquic.cqueues").attach(controller, client)
	assert(controller:loop(kit.patience))
	equal(failures, 3)
	equal(controller:empty(), true)
end)

test("cqueues_passes_errors_of_handlers_on", function()
	local cqueues = need("cqueues")
	local controller = cqueues.new()
	local client = kit.client()
	client:on("connect", function()
		error("mine", 0)
	end)
	assert(client:connect())
	require("mquic.cqueues").attach(controller, client)
	local done, problem = controller:loop(kit.patience)
	equal(not done, true)
	equal(tostring(problem):find("mine", 1, true) ~= nil, true, problem)
end)

test("luv_runs_clients", function()
	local uv = need("luv")
	local attach = require("mquic.luv").attach
	local client = kit.client()
	local got
	client:on({
		connect = function()
			client:subscribe({ topic = "luv", qos = 1 })
		end,
		subscribe = function()
			client:publish({ topic = "luv", payload = "x", qos = 1 })
		end,
		message = function(msg)
			got = msg.payload
			client:disconnect()
		end,
	})
	assert(client:connect())
	attach(client)
	uv.run()
	equal(got, "x")
	equal(client:alive(), false)
end)

test("luv_lets_handlers_yield", function()
	local uv = need("luv")
	local client = kit.client()
	local order = {}
	local function sleep(ms)
		local thread, timer = coroutine.running(), uv.new_timer()
		timer:start(ms, 0, function()
			timer:close()
			assert(coroutine.resume(thread))
		end)
		coroutine.yield()
	end
	client:on({
		connect = function()
			client:subscribe({ topic = "luvs", qos = 1 })
		end,
		subscribe = function()
			for i = 1, 3 do
				client:publish({ topic = "luvs", payload = i, qos = 1 })
			end
		end,
		message = function(msg)
			sleep(60)
			order[#order + 1] = msg.payload
			if #order == 3 then
				client:disconnect()
			end
		end,
	})
	assert(client:connect())
	require("mquic.luv").attach(client)
	uv.run()
	equal(table.concat(order), "123")
end)

test("luv_connects_again", function()
	local uv = need("luv")
	local client = kit.client({ uri = "127.0.0.1:1", reconnect = 0.02, handshake_timeout_ms = 200 })
	local failures = 0
	client:on("error", function()
		failures = failures + 1
		if failures == 3 then
			client:disconnect()
		end
	end)
	assert(client:connect())
	require("mquic.luv").attach(client)
	uv.run()
	equal(failures, 3)
end)

test("luv_passes_errors_of_handlers_on", function()
	local uv = need("luv")
	local client = kit.client()
	local problem
	client:on("connect", function()
		error("mine", 0)
	end)
	assert(client:connect())
	require("mquic.luv").attach(client, function(text)
		problem = text
		client:close()
	end)
	uv.run()
	equal(problem:find("mine", 1, true) ~= nil, true, problem)
end)

test("threads_have_clients_of_their_own", function()
	need("cqueues")
	local thread = require("cqueues.thread")
	local client, messages = kit.subscribed("threads", 1)
	local threads = {}
	for i = 1, 3 do
		threads[i] = assert(thread.start(function(_, path, cpath, uri, ca, payload)
			package.path, package.cpath = path, cpath
			local own = require("mquic")
			local sender = assert(own.client({ uri = uri, ca_file = ca }))
			sender:on("delivered", function()
				sender:disconnect()
			end)
			assert(sender:connect())
			assert(sender:publish({ topic = "threads", payload = payload, qos = 1 }))
			assert(sender:run(40))
		end, package.path, package.cpath, kit.uri, kit.ca, tostring(i)))
	end
	kit.wait(function()
		return #messages == 3
	end, client)
	for _, one in ipairs(threads) do
		local done, problem = one:join()
		equal(done, true, problem)
		equal(problem, nil)
	end
end)
