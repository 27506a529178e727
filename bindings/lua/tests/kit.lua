-- SPDX-License-Identifier: MIT
--- What the tests share: a suite that speaks TAP, checks, and clients of the broker that
-- with_broker.py has started.
local mquic = require("mquic")

local kit = {
	uri = assert(os.getenv("MQUIC_URI"), "run me with with_broker.py"),
	ca = os.getenv("MQUIC_CA"),
	certs = os.getenv("MQUIC_CERTS"),
}

local cases, made = {}, {}

--- Adds a test; the name is a sentence.
function kit.test(name, body)
	cases[#cases + 1] = { name, body }
end

local SKIP = {}

--- Ends the test that runs as skipped.
function kit.skip(why)
	error(setmetatable({ why = why }, SKIP), 0)
end

local function close_all()
	for _, one in ipairs(made) do
		one:close()
	end
	made = {}
end

local function report(number, name, passed, problem)
	if passed then
		print(("ok %d %s"):format(number, name))
	elseif getmetatable(problem) == SKIP then
		print(("ok %d %s # SKIP %s"):format(number, name, problem.why))
	else
		print(("not ok %d %s"):format(number, name))
		print("# " .. tostring(problem):gsub("\n", "\n# "))
		return false
	end
	return true
end

local function trace(problem)
	return type(problem) == "table" and problem or debug.traceback(tostring(problem), 2)
end

--- Runs all tests; true if none failed.
function kit.run()
	local good = true
	print("1.." .. #cases)
	for i, case in ipairs(cases) do
		local passed, problem = xpcall(case[2], trace)
		close_all()
		good = report(i, case[1], passed, problem) and good
		io.stdout:flush()
	end
	return good
end

-- ---- Checks ----------------------------------------------------------------

function kit.equal(got, wanted, what)
	if got ~= wanted then
		error(("%s: got %s, wanted %s"):format(what or "value", tostring(got), tostring(wanted)), 2)
	end
end

--- The call must return nil, a sentence and the code.
function kit.refused(code, got, text, status)
	if got ~= nil or type(text) ~= "string" or text == "" or status ~= code then
		error(("got %s, %s, %s, wanted nil, a sentence, %s"):format(tostring(got), tostring(text),
			tostring(status), tostring(code)), 2)
	end
	return text
end

--- The call must raise an error that matches the pattern.
function kit.raises(pattern, call, ...)
	local passed, problem = pcall(call, ...)
	if passed or not tostring(problem):find(pattern) then
		error(("got %s, wanted an error like %s"):format(passed and "no error" or tostring(problem),
			pattern), 2)
	end
end

--- Seconds that end what hangs: far more than anything takes, also on a machine that is busy.
kit.patience = 40

--- Processes the sources until the condition holds.
function kit.wait(condition, ...)
	local deadline = mquic.now() + kit.patience
	while not condition() do
		if mquic.now() > deadline then
			error("waited in vain", 2)
		end
		mquic.run({ ... }, 0.02)
	end
end

-- ---- Objects, closed at the end of their test ---------------------------------

--- Has an object closed at the end of the test.
function kit.keep(one)
	made[#made + 1] = one
	return one
end

local count = 0

--- A name that no other test uses.
function kit.name(stem)
	count = count + 1
	return ("%s-%d"):format(stem, count)
end

--- Options of a client of the broker, and more.
function kit.options(more)
	local given = { uri = kit.uri, ca_file = kit.ca, id = kit.name("lua") }
	for name, value in pairs(more or {}) do
		given[name] = value
	end
	return given
end

--- A client that is not connected.
function kit.client(more)
	return kit.keep(assert(mquic.client(kit.options(more))))
end

--- A client that is.
function kit.connected(more)
	local client = kit.client(more)
	assert(client:connect())
	kit.wait(function()
		return client:connected()
	end, client)
	return client
end

--- A client that has subscribed, and the list that its messages go to.
function kit.subscribed(topic, qos, more)
	local client = kit.connected(more)
	local messages, ready = {}, false
	client:on({
		message = function(msg)
			messages[#messages + 1] = msg
		end,
	})
	assert(client:subscribe({ topic = topic, qos = qos or 0, callback = function()
		ready = true
	end }))
	kit.wait(function()
		return ready
	end, client)
	return client, messages
end

return kit
