-- SPDX-License-Identifier: MIT
--- Runs clients and endpoints on the loop of luv. Handlers run in a coroutine: one that yields
-- holds back further handlers of the same endpoint until it is resumed to its end.
local uv = require("luv")

local adapter = {}

-- While a handler sleeps, events wait and keep the descriptor readable: look now and then.
local STALLED_MS = 50

local function stop(watch)
	if not watch.stopped then
		watch.stopped = true
		watch.poll:stop()
		watch.poll:close()
		watch.timer:stop()
		watch.timer:close()
	end
end

local turn

-- Looks at the descriptor, or only at the clock while a handler sleeps.
local function arm(watch)
	local timeout = watch.source:timeout()
	if watch.source:stalled() then
		watch.poll:stop()
		timeout = STALLED_MS / 1000
	else
		watch.poll:start("r", watch.turn)
	end
	watch.timer:stop()
	if timeout then
		watch.timer:start(math.ceil(timeout * 1000), 0, watch.turn)
	end
end

local function settle(watch)
	if watch.stopped then
		return
	end
	if watch.source:alive() then
		arm(watch)
	else
		stop(watch)
	end
end

-- luv prints an error in a callback and goes on: so it is ours to pass to whoever asked.
local function dispatch(watch)
	local thread = coroutine.create(function()
		watch.source:dispatch()
		settle(watch)
	end)
	local done, problem = coroutine.resume(thread)
	if not done then
		watch.on_error(debug.traceback(thread, tostring(problem)))
	end
end

turn = function(watch)
	if watch.source:alive() then
		local done, text = watch.source:pump()
		if not done then
			stop(watch)
			return watch.on_error(text)
		end
		dispatch(watch)
	end
	settle(watch)
end

--- attach(source, [on_error]): runs a connecting client, or an endpoint, on luv's loop until it
-- ends. An error in a handler is passed to `on_error` with a traceback; by default it ends the
-- loop's turn as luv handles errors in callbacks.
function adapter.attach(source, on_error)
	local watch = {
		source = source,
		poll = uv.new_poll(source:getfd()),
		timer = uv.new_timer(),
		on_error = on_error or function(text)
			error(text, 0)
		end,
	}
	watch.turn = function()
		turn(watch)
	end
	-- luv must forget a descriptor before it is closed.
	source.endpoint:before_close(function()
		stop(watch)
	end)
	arm(watch)
	return source
end

return adapter
