-- SPDX-License-Identifier: MIT
--- A plain loop around poll(2), for scripts that have no other.
local core = require("mquic.core")
local options = require("mquic.options")

local loop = {}

-- A source is a client, an endpoint, or anything with these methods. A getfd() that returns nil
-- means that there is nothing to wait for now but the time; nil, message, code is a failure.
local needed = { "getfd", "timeout", "process", "alive" }

local function check(sources)
	options.check("run: the sources", sources, "table", 3)
	for i, source in ipairs(sources) do
		for _, name in ipairs(needed) do
			if type(source) ~= "table" or type(source[name]) ~= "function" then
				error(("run: source %d has no method %s"):format(i, name), 3)
			end
		end
	end
end

-- The sources that are alive, their descriptors, and the shortest time one can wait; or nil,
-- message, code.
local function survey(sources, left)
	local living, fds, wait = {}, {}, left
	for _, source in ipairs(sources) do
		if source:alive() then
			living[#living + 1] = source
			local fd, text, code = source:getfd()
			if code then
				return nil, text, code
			end
			fds[#fds + 1] = fd or -1
			local timeout = source:timeout()
			wait = timeout and math.min(timeout, wait or timeout) or wait
		end
	end
	return living, fds, wait
end

-- The first failure among clients whose connection ended with one.
local function failure(sources)
	for _, source in ipairs(sources) do
		if source.failed then
			return nil, source.failed[1], source.failed[2]
		end
	end
	return true
end

local function process(source)
	-- A handler of another source may have closed this one meanwhile.
	if not source:alive() then
		return true
	end
	return source:process()
end

local function turn(living, fds, wait)
	local due = {}
	for _, position in ipairs(core.poll(fds, wait or -1)) do
		due[position] = true
	end
	for i, source in ipairs(living) do
		if due[i] or source:timeout() == 0 then
			local done, text, code = process(source)
			if not done then
				return nil, text, code
			end
		end
	end
	return true
end

--- run({ source, ... }, [seconds]): processes until no source is alive: clients that have
-- parted and do not connect again, closed endpoints. Returns true; nil, message, code of a
-- client that ended with a failure; or ERR_TIMEOUT after the time.
function loop.run(sources, seconds)
	check(sources)
	local deadline = seconds and core.now() + options.check("run: seconds", seconds, "number", 2)
	while true do
		local left = deadline and math.max(0, deadline - core.now())
		local living, fds, wait = survey(sources, left)
		if not living then
			return nil, fds, wait
		end
		if #living == 0 then
			return failure(sources)
		end
		local done, text, code = turn(living, fds, wait)
		if not done then
			return nil, text, code
		end
		if left == 0 then
			return nil, core.status_text(core.ERR_TIMEOUT), core.ERR_TIMEOUT
		end
	end
end

return loop
