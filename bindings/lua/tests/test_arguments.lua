-- SPDX-License-Identifier: MIT
--- Wrong arguments: an error that names the option, or nil, message, code; never a crash.
local core = require("mquic.core")
local kit = require("kit")
local mquic = require("mquic")
local unpack = table.unpack or rawget(_G, "unpack") -- luacheck: ignore 143
local test, equal, refused, raises = kit.test, kit.equal, kit.refused, kit.raises

test("module_leaves_no_global_behind", function()
	equal(rawget(_G, "mquic"), nil)
	equal(rawget(_G, "mquic_core"), nil)
	equal(mquic.version():match("^%d+%.%d+%.%d+$") ~= nil, true)
	equal(mquic.status_text(mquic.ERR_TIMEOUT), core.status_text(core.ERR_TIMEOUT))
end)

test("text_of_peers_is_printable", function()
	equal(core.text_printable("a\nb\27\226\128\168 \195\188"), "a?b?? \195\188")
	equal(core.text_printable("\255\0"), "??")
	equal(core.text_printable(""), "")
end)

test("failures_are_one_line_whoever_worded_them", function()
	local evil = "bye\nERROR: \27[2J\226\128\174x"
	local _, text = require("mquic.object").failure(mquic.ERR_CLOSED, evil)
	equal(text, "bye?ERROR: ?[2J?x")
	equal(mquic.printable("a\nb"), "a?b")
	raises("printable: the text", mquic.printable, 7)
end)

test("topics_match_filters", function()
	equal(mquic.topic_matches("a/+/c", "a/b/c"), true)
	equal(mquic.topic_matches("a/#", "a"), true)
	equal(mquic.topic_matches("#", "$SYS/a"), false)
	equal(mquic.topic_matches("$share/g/a/+", "a/b"), true)
	equal(mquic.topic_matches("a/#/c", "a/b/c"), false)
	raises("topic_matches: the filter", mquic.topic_matches, 7, "a")
	raises("topic_matches: the topic", mquic.topic_matches, "a")
end)

test("misspelt_options_are_named", function()
	raises("unknown option usrname", mquic.client, { usrname = "x" })
	raises("unknown option qoss", function()
		kit.client():publish({ topic = "t", qoss = 1 })
	end)
	raises("will: unknown option text", mquic.client, { will = { topic = "t", text = "x" } })
	raises("properties: unknown option expiry", mquic.client, { properties = { expiry = 1 } })
end)

test("wrong_types_are_named", function()
	raises("keep_alive must be", mquic.client, { keep_alive = "60" })
	raises("keep_alive must be", mquic.client, { keep_alive = 70000 })
	raises("keep_alive must be", mquic.client, { keep_alive = 1.5 })
	raises("version must be", mquic.client, { version = 3 })
	raises("clean must be", mquic.client, { clean = 1 })
	raises("insecure must be", mquic.client, { insecure = "no" })
	raises("ca_file must be a string without NUL", mquic.client, { ca_file = "a\0b" })
	raises("endpoint must come from", mquic.client, { endpoint = {} })
	raises("argument must be a table", mquic.client)
	raises("argument must be a table", mquic.client, "mqtt-quic://localhost")
	raises("cubic, reno", mquic.client, { congestion_control = "fast" })
	raises("handshake, off", mquic.client, { redundancy = "twice" })
end)

test("publish_checks_its_options", function()
	local client = kit.client()
	raises("topic is missing", client.publish, client, {})
	raises("topic must be a string, not 5", client.publish, client, { topic = 5 })
	raises("qos must be 0, 1 or 2", client.publish, client, { topic = "t", qos = 3 })
	raises("qos must be 0, 1 or 2", client.publish, client, { topic = "t", qos = "1" })
	raises("payload must be a string or a number", client.publish, client,
		{ topic = "t", payload = {} })
	raises("user property a", client.publish, client,
		{ topic = "t", user_properties = { a = true } })
	raises("name of a user property", client.publish, client,
		{ topic = "t", user_properties = { { 1, "x" } } })
	raises("callback must be a function", client.publish, client, { topic = "t", callback = 1 })
end)

test("mistakes_point_at_the_caller", function()
	local client, endpoint = kit.client(), kit.keep(assert(mquic.endpoint()))
	local function faulty(object, method, ...)
		local arguments = { ... }
		local _, problem = pcall(function()
			return object[method](object, unpack(arguments)), nil -- no tail call
		end)
		equal(tostring(problem):match("([%w_]+%.lua):%d+:"), "test_arguments.lua", problem)
	end
	local bad_user = { { 1, 2 } }
	faulty(client, "publish", { topic = "t", qos = 9 })
	faulty(client, "publish", {})
	faulty(client, "publish", { topic = "t", properties = { x = 1 } })
	faulty(client, "publish", { topic = "t", user_properties = bad_user })
	faulty(client, "publish", { topic = "t", user_properties = { 1 } })
	faulty(client, "subscribe", { qos = 1 })
	faulty(client, "subscribe", { topic = "t", properties = { x = 1 } })
	faulty(client, "subscribe", { topic = "t", user_properties = bad_user })
	faulty(client, "acknowledge", "msg")
	faulty(client, "on", "mesage", print)
	faulty(client, "off", { mesage = print })
	faulty(client, "run", "soon")
	faulty(endpoint, "dial", { host = 5 })
	faulty(endpoint, "listen", { x = 5 })
	for _, given in ipairs({ { x = 1 }, { will = {} }, { will = { topic = "t", qos = 5 } },
		{ properties = { x = 1 } }, { user_properties = bad_user } }) do
		faulty({ make = function(_, ...)
			return mquic.client(...), nil
		end }, "make", given)
	end
	faulty({ make = function()
		return mquic.endpoint({ x = 1 }), nil
	end }, "make")
	faulty({ make = function()
		return mquic.run({ {} }), nil
	end }, "make")
end)

test("malformed_topics_are_refused_whole", function()
	local client = kit.connected()
	for _, topic in ipairs({ "", "a/+", "a/#", "a\0b", "\255", ("x"):rep(65536) }) do
		refused(mquic.ERR_INVALID, client:publish({ topic = topic }))
	end
	for _, topic in ipairs({ "", "a#", "#/a", "a\0b", "\237\160\128" }) do
		refused(mquic.ERR_INVALID, client:subscribe({ topic = topic }))
		refused(mquic.ERR_INVALID, client:unsubscribe({ topic = topic }))
	end
	refused(mquic.ERR_INVALID, mquic.client({ will = { topic = "a/#" } }))
	refused(mquic.ERR_INVALID, mquic.client({ id = "a\0b" }))
end)

test("malformed_addresses_are_refused", function()
	for _, uri in ipairs({ "http://x", "mqtt-quic://", "mqtt-quic://h:99999", "mqtt-quic://%zz" }) do
		refused(mquic.ERR_INVALID, kit.client():connect(uri))
	end
	raises("uri is missing", function()
		kit.keep(mquic.client({})):connect()
	end)
end)

test("wrong_states_are_told", function()
	local client = kit.client()
	refused(mquic.ERR_STATE, client:publish({ topic = "t" }))
	refused(mquic.ERR_STATE, client:subscribe({ topic = "t" }))
	refused(mquic.ERR_STATE, client:disconnect())
	refused(mquic.ERR_STATE, client:info())
	assert(client:connect())
	refused(mquic.ERR_STATE, client:connect())
end)

test("methods_want_their_object", function()
	local client = kit.client()
	raises("with a colon", client.publish, { topic = "t" })
	raises("with a colon", client.connect)
	raises("with a colon", client.getfd, io.stdout)
	raises("with a colon", client.alive, kit.keep(assert(mquic.endpoint())))
end)

test("events_are_known_by_name", function()
	local client = kit.client()
	raises("has no event mesage; it has auth, close", client.on, client, { mesage = print })
	raises("must be a function", client.on, client, "message")
	raises("must be a function", client.on, client, { message = "print" })
	raises("has no event nil", client.on, client, nil)
	raises("has no event x", client.off, client, "x")
end)

test("run_wants_sources", function()
	raises("must be a table", mquic.run)
	raises("source 1 has no method", mquic.run, { {} })
	raises("seconds must be", mquic.run, {}, -1)
	equal(mquic.run({}), true)
	refused(mquic.ERR_TIMEOUT, kit.connected():run(0.05))
end)

-- The native half is private, but must not crash either.
local function values()
	local _, endpoint = core.endpoint_new()
	local _, message = core.message_new()
	local _, freed = core.settings_new()
	core.free(freed)
	return {
		false, true, 0, -1, 1.5, 2 ^ 70, 0 / 0, "", "a\0b", "text", {}, print, endpoint, message,
		freed, coroutine.create(function() end), io.stdout,
	}
end

local function try(name, call, list)
	if os.getenv("MQUIC_TRACE") then
		io.stderr:write(name, "\n")
	end
	-- now() and others take nothing; the rest must refuse what does not fit.
	for i = 1, #list do
		pcall(call, list[i])
		for j = 1, #list do
			pcall(call, list[i], list[j])
			pcall(call, list[i], list[j], list[(i + j) % #list + 1])
		end
		pcall(call, nil, list[i])
		pcall(call, list[i], nil, nil, list[i])
	end
	return name
end

-- Some of these values ask to wait without end, or to forget what must be freed.
local left_out = { poll = true, endpoint_wait = true, disown = true }

test("native_half_survives_any_arguments", function()
	for name, call in pairs(core) do
		if type(call) == "function" and not left_out[name] and not name:find("^swig") then
			try(name, call, values())
		end
	end
	collectgarbage()
end)

test("native_half_takes_no_freed_handle", function()
	local _, endpoint = core.endpoint_new()
	core.free(endpoint)
	core.free(endpoint)
	raises("a live endpoint", core.endpoint_get_fd, endpoint)
	raises("argument 1", core.endpoint_get_fd, nil)
	raises("whole number", core.endpoint_wait, select(2, core.endpoint_new()), "1")
	raises("NUL", core.settings_set_ca_file, select(2, core.settings_new()), "a\0b")
end)
