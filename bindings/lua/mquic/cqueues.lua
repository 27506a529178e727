-- SPDX-License-Identifier: MIT
--- Runs clients and endpoints on a cqueues controller. Handlers may sleep and wait as they like:
-- the network goes on meanwhile, only further handlers of the same endpoint wait their turn.
local condition = require("cqueues.condition")
local cqueues = require("cqueues")

local adapter = {}

-- While a handler sleeps, events wait and keep the descriptor readable: look now and then.
local STALLED = 0.05

local function wait(source, changed)
	if source:stalled() then
		cqueues.poll(changed, STALLED)
	else
		local fd, text = source:getfd()
		if not fd then
			error(text, 0)
		end
		cqueues.poll({ pollfd = fd, events = "r" }, changed, source:timeout())
	end
end

local function pump(source, news, changed)
	while source:alive() do
		wait(source, changed)
		if source:alive() then
			local done, text = source:pump()
			if not done then
				error(text, 0)
			end
		end
		news:signal()
	end
end

local function dispatch(source, news, changed)
	while source:alive() do
		local waits = source:timeout() ~= nil
		source:dispatch()
		-- What the other coroutine waits for is out of date.
		if not source:alive() or (source:timeout() ~= nil) ~= waits then
			changed:signal()
		end
		if source:alive() then
			news:wait()
		end
	end
end

--- attach(controller, source): runs a connecting client, or an endpoint, until it ends. An
-- error in a handler comes out of the controller's step() or loop().
function adapter.attach(controller, source)
	local news, changed = condition.new(), condition.new()
	local fd = source:getfd()
	-- cqueues must forget a descriptor before it is closed.
	source.endpoint:before_close(function()
		controller:cancel(fd)
		changed:signal()
	end)
	controller:wrap(pump, source, news, changed)
	controller:wrap(dispatch, source, news, changed)
	return source
end

return adapter
