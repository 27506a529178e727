-- SPDX-License-Identifier: MIT
--- Objects that are closed, dropped or collected, in any order and at any moment.
local kit = require("kit")
local mquic = require("mquic")
local test, equal, refused = kit.test, kit.equal, kit.refused

local function collect()
	for _ = 1, 3 do
		collectgarbage()
	end
end

test("closed_client_says_so", function()
	local client = kit.connected()
	equal(client:close(), true)
	equal(client:close(), true)
	refused(mquic.ERR_CLOSED, client:connect())
	refused(mquic.ERR_CLOSED, client:publish({ topic = "t" }))
	refused(mquic.ERR_CLOSED, client:subscribe({ topic = "t" }))
	refused(mquic.ERR_CLOSED, client:unsubscribe({ topic = "t" }))
	refused(mquic.ERR_CLOSED, client:acknowledge({ packet_id = 1 }))
	refused(mquic.ERR_CLOSED, client:auth(0x18))
	refused(mquic.ERR_CLOSED, client:disconnect())
	refused(mquic.ERR_CLOSED, client:getfd())
	refused(mquic.ERR_CLOSED, client:process())
	refused(mquic.ERR_CLOSED, client:info())
	refused(mquic.ERR_CLOSED, client:statistics())
	refused(mquic.ERR_CLOSED, client:id())
	equal(client:alive(), false)
	equal(client:connected(), false)
	equal(client:timeout(), nil)
	equal(tostring(client), "mquic.client (closed)")
	equal(mquic.run({ client }), true)
end)

test("closed_endpoint_closes_what_was_made_on_it", function()
	local endpoint = kit.keep(assert(mquic.endpoint()))
	local client = kit.connected({ endpoint = endpoint })
	endpoint:close()
	refused(mquic.ERR_CLOSED, endpoint:dial({ host = "localhost" }))
	refused(mquic.ERR_CLOSED, endpoint:getfd())
	refused(mquic.ERR_CLOSED, endpoint:accept())
	refused(mquic.ERR_CLOSED, endpoint:process())
	refused(mquic.ERR_CLOSED, client:process())
	equal((client:publish({ topic = "t" })), nil)
	equal(client:alive(), false)
	equal(client:close(), true)
	refused(mquic.ERR_CLOSED, mquic.client({ endpoint = endpoint }))
end)

local function watch_will(topic)
	local watcher, messages = kit.subscribed(topic, 1)
	return watcher, messages, { topic = topic, payload = "gone", qos = 1 }
end

test("client_that_is_collected_leaves_its_will", function()
	local watcher, messages, will = watch_will("will/dropped")
	do
		local client = assert(mquic.client(kit.options({ will = will })))
		assert(client:connect())
		kit.wait(function()
			return client:connected()
		end, client)
		client = nil -- luacheck: ignore
	end
	collect()
	kit.wait(function()
		return messages[1]
	end, watcher)
	equal(messages[1].payload, "gone")
end)

test("client_that_is_closed_takes_its_will_along", function()
	local watcher, messages, will = watch_will("will/closed")
	local client = kit.connected({ will = will })
	client:close()
	pcall(mquic.run, { watcher }, 0.3)
	equal(#messages, 0)
end)

test("client_with_handlers_is_collected_too", function()
	local weak = setmetatable({}, { __mode = "v" })
	do
		local client = assert(mquic.client(kit.options()))
		client:on("message", function(msg)
			client:acknowledge(msg)
		end)
		assert(client:connect())
		weak[1] = client
		client = nil -- luacheck: ignore
	end
	collect()
	equal(weak[1], nil)
end)

test("client_may_be_closed_in_its_own_handler", function()
	local client, messages = kit.subscribed("suicide", 1)
	client:on("message", function()
		client:close()
	end)
	for _ = 1, 3 do
		assert(client:publish({ topic = "suicide", qos = 1 }))
	end
	client:run(kit.patience)
	equal(client:alive(), false)
	equal(#messages, 1)
end)

test("client_may_be_collected_in_its_own_handler", function()
	local client = kit.subscribed("collect", 1)
	local count = 0
	client:on("message", function()
		collect()
		count = count + 1
	end)
	for _ = 1, 3 do
		assert(client:publish({ topic = "collect", qos = 1 }))
	end
	kit.wait(function()
		return count == 3
	end, client)
end)

test("process_may_be_called_in_a_handler", function()
	local client, messages = kit.subscribed("nested", 1)
	local order = {}
	client:on("message", function(msg)
		order[#order + 1] = msg.payload
		client:process()
	end)
	for i = 1, 5 do
		assert(client:publish({ topic = "nested", payload = i, qos = 1 }))
	end
	kit.wait(function()
		return #messages == 5
	end, client)
	equal(table.concat(order), "12345")
end)

test("objects_may_be_dropped_in_any_order", function()
	for seed = 1, 12 do
		local endpoint = assert(mquic.endpoint())
		local all = { endpoint }
		for i = 2, 5 do
			all[i] = assert(mquic.client(kit.options({ endpoint = endpoint })))
			assert(all[i]:connect())
		end
		all[6] = assert(endpoint:dial({ host = "localhost", port = tonumber(os.getenv("MQUIC_PORT")),
			ca_file = kit.ca }))
		all[7] = assert(all[6]:open())
		all[8] = assert(all[6]:open())
		mquic.run({ endpoint }, seed % 4 * 0.01)
		endpoint = nil -- luacheck: ignore
		while #all > 0 do
			local one = table.remove(all, (seed * 7 + #all * 5) % #all + 1)
			if seed % 2 == 0 then
				one:close()
			end
			one = nil -- luacheck: ignore
			collectgarbage()
		end
	end
end)

-- Only Lua 5.4 can read it. Lua 5.1 loads strings under another name.
local scope = (rawget(_G, "loadstring") or load)([[
	local mquic, options = ...
	local kept
	do
		local client <close> = assert(mquic.client(options))
		kept = client
	end
	return kept
]])
if scope then
	test("scope_closes_its_objects", function()
		equal(scope(mquic, kit.options()):alive(), false)
	end)
end

-- Runs a script that has a session at work, then does as told; gives its output. `start` is a
-- shell command with %s for the interpreter and the script.
local function with_session(last_words, start)
	local script = os.tmpname()
	local file = assert(io.open(script, "w"))
	file:write(([[
		local mquic = require("mquic")
		client = assert(mquic.client{ uri = %q, ca_file = %q, id = %q })
		client:on("message", print)
		assert(client:connect())
		while not client:connected() do mquic.run({ client }, 0.05) end
		%s
	]]):format(kit.uri, kit.ca, kit.name("end"), last_words))
	file:close()
	-- Whoever ends by os.exit() frees nothing: that is no leak to look for.
	local command = "ASAN_OPTIONS=detect_leaks=0 " .. start:format(arg[-1] .. " " .. script)
	local pipe = assert(io.popen(command))
	local output = pipe:read("*a")
	pipe:close()
	os.remove(script)
	return output
end

test("interpreter_may_end_with_a_live_session", function()
	local start = "%s 2>&1; echo exit $?"
	equal(with_session("", start), "exit 0\n")
	equal(with_session("os.exit(0)", start), "exit 0\n")
	equal(with_session("os.exit(0, true)", start), "exit 0\n")
	local output = with_session("error('over', 0)", start)
	equal(output:match("over\n") ~= nil, true, output)
	equal(output:match("exit %d+\n$"), "exit 1\n")
end)

test("interrupt_ends_the_plain_loop_at_once", function()
	-- A shell in the background sends the signal, when the script is in its loop again.
	local output = with_session(
		"os.execute('(sleep 0.3; kill -INT ' .. arg[1] .. ') &') client:run(40)",
		"sh -c 'exec %s $$' 2>&1")
	equal(output:find("interrupted!", 1, true) ~= nil, true, output)
end)

test("memory_stays_flat", function()
	local client, messages = kit.subscribed("flat", 0)
	local payload = ("x"):rep(1000)
	local function rounds(count)
		for i = 1, count do
			local id = client:publish({ topic = "flat", payload = payload, qos = 0 })
			while not id do
				mquic.run({ client }, 0.001)
				id = client:publish({ topic = "flat", payload = payload, qos = 0 })
			end
			if i % 50 == 0 then
				kit.wait(function()
					return #messages >= 50
				end, client)
				for j = #messages, 1, -1 do
					messages[j] = nil
				end
			end
		end
		collect()
		return collectgarbage("count")
	end
	local before = rounds(500)
	local after = rounds(1500)
	equal(after < before + 64, true, ("%.0f kB, then %.0f kB"):format(before, after))
end)
