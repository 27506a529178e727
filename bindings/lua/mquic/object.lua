-- SPDX-License-Identifier: MIT
--- What clients, endpoints, connections, streams and relays have in common: a native handle
-- that may be gone, handlers by event name, and failures as nil, message, code.
local core = require("mquic.core")

local object = {}

--- A failure in the way of Lua: nil, a sentence, a code (mquic.ERR_...).
function object.failure(status, sentence)
	if sentence == nil or sentence == "" then
		sentence = core.status_text(status)
	end
	-- A peer's words may be in it, and must not forge lines of a log or terminal.
	return nil, core.text_printable(sentence), status
end

local methods = {}

--- The native handle, nil once the object is closed. Called first in every method.
function object.native(self, class)
	if getmetatable(self) ~= class then
		error(("call methods of a %s with a colon, as in object:method()"):format(class.kind), 3)
	end
	return self.handle
end

--- What a method of a closed object returns.
function object.closed(class)
	return nil, ("the %s is closed"):format(class.kind), core.ERR_CLOSED
end

-- Handlers are lists that are replaced, never changed, so that one may be taken off while it
-- runs, or while another one sleeps.
local function with(list, handler)
	local longer = {}
	for i = 1, #(list or longer) do
		longer[i] = list[i]
	end
	longer[#longer + 1] = handler
	return longer
end

local function without(list, handler)
	local shorter = {}
	for i = 1, #(list or shorter) do
		if list[i] ~= handler then
			shorter[#shorter + 1] = list[i]
		end
	end
	return #shorter > 0 and shorter or nil
end

local function check_event(self, name, level)
	if not self.events[name] then
		local known = {}
		for one in pairs(self.events) do
			known[#known + 1] = one
		end
		table.sort(known)
		error(("a %s has no event %s; it has %s"):format(self.kind, tostring(name),
			table.concat(known, ", ")), level)
	end
end

-- Both ways to name handlers as one table.
local function by_name(self, event, handler)
	if type(event) == "table" then
		return event
	end
	check_event(self, event, 4)
	return { [event] = handler or false }
end

--- on{ event = handler, ... } or on(event, handler): adds handlers. An object with handlers
-- lives on, also when nobody else holds it, until it or its endpoint is closed.
function methods:on(event, handler)
	for name, one in pairs(by_name(self, event, handler)) do
		check_event(self, name, 3)
		if type(one) ~= "function" then
			error(("the handler of %s must be a function"):format(name), 2)
		end
		self.handlers[name] = with(self.handlers[name], one)
	end
	if self.handle then
		self.endpoint.kept[self] = true
	end
	return self
end

--- off(event): takes all handlers of an event off; off(event, handler) or off{...}: one.
function methods:off(event, handler)
	for name, one in pairs(by_name(self, event, handler)) do
		check_event(self, name, 3)
		self.handlers[name] = one and without(self.handlers[name], one) or nil
	end
	return self
end

--- Calls the handlers of an event. An error in one of them is the caller's to see.
function methods:emit(name, ...)
	local list = self.handlers[name]
	if list then
		for i = 1, #list do
			list[i](...)
		end
	end
end

--- Makes a class: `kind` for messages, `events` the names that on() takes.
function object.class(kind, events)
	local class = { kind = kind, events = {} }
	for _, name in ipairs(events) do
		class.events[name] = true
	end
	for name, method in pairs(methods) do
		class[name] = method
	end
	class.__index = class
	class.__name = "mquic." .. kind
	class.__tostring = function(self)
		return ("mquic.%s%s"):format(kind, self.handle and "" or " (closed)")
	end
	class.__close = function(self)
		self:close()
	end
	return class
end

--- Makes an instance that gets the events of its native handle; `tag` is a core function.
function object.new(class, endpoint, handle, tag)
	local self = setmetatable({ endpoint = endpoint, handle = handle, handlers = {} }, class)
	endpoint:adopt(self, tag)
	return self
end

--- Frees the native handle; nothing happens to a closed object.
function object.release(self)
	local handle = self.handle
	if handle then
		self.handle = nil
		self.endpoint.kept[self] = nil
		core.free(handle)
	end
end

return object
