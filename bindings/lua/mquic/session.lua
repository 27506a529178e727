-- SPDX-License-Identifier: MIT
--- From the options of mquic.client{} to a native session.
local core = require("mquic.core")
local Endpoint = require("mquic.endpoint")
local message = require("mquic.message")
local object = require("mquic.object")
local options = require("mquic.options")
local settings = require("mquic.settings")

local session = {}

local known = {
	uri = "name", id = "string", clean = "boolean", version = "version", keep_alive = "short",
	username = "string", password = "string", will = "table", manual_ack = "boolean",
	reconnect = "reconnect", endpoint = "table", properties = "table",
	user_properties = "table", topic_aliases = "short", maximum_packet_size = "whole",
	maximum_properties = "whole",
}
for _, more in ipairs({ settings.known, Endpoint.known }) do
	for name, kind in pairs(more) do
		known[name] = kind
	end
end

local known_properties = {
	session_expiry_interval = "whole", receive_maximum = "short", maximum_packet_size = "whole",
	topic_alias_maximum = "short", authentication_method = "string",
	authentication_data = "string", request_problem_information = "boolean",
	request_response_information = "boolean",
}

local known_farewell = { properties = "table", user_properties = "table" }
local known_farewell_properties = { session_expiry_interval = "whole", reason_string = "string" }

local known_will = message.known({ delay = "whole" })

-- Option, setter: given as it is.
local setters = {
	{ "version", core.session_set_protocol },
	{ "id", core.session_set_client_id },
	{ "username", core.session_set_username },
	{ "password", core.session_set_password },
	{ "keep_alive", core.session_set_keep_alive_s },
	{ "clean", core.session_set_clean_start },
	{ "manual_ack", core.session_set_manual_ack },
	{ "topic_aliases", core.session_set_topic_aliases },
	{ "maximum_packet_size", core.session_set_maximum_packet_size },
	{ "maximum_properties", core.session_set_maximum_properties },
}

local property_setters = {
	{ "session_expiry_interval", core.session_set_expiry_s },
	{ "receive_maximum", core.session_set_receive_maximum },
	{ "maximum_packet_size", core.session_set_maximum_packet_size },
	{ "topic_alias_maximum", core.session_set_topic_alias_maximum },
	{ "request_problem_information", core.session_set_problem_information },
	{ "request_response_information", core.session_set_response_information },
}

local function set(handle, list, given, try)
	for _, entry in ipairs(list) do
		if given[entry[1]] ~= nil then
			try(entry[2](handle, given[entry[1]]))
		end
	end
end

local farewell_setters = {
	{ "session_expiry_interval", core.session_set_disconnect_expiry_s },
	{ "reason_string", core.session_set_disconnect_text },
}

-- A function that takes statuses, and one that returns true, or nil, message, code of the first
-- refusal.
local function trial(handle)
	local refused
	return function(status)
		if status ~= core.OK and not refused then
			refused = { object.failure(status, core.session_error(handle)) }
		end
	end, function()
		if refused then
			return nil, refused[2], refused[3]
		end
		return true
	end
end

-- Sets everything; returns nil, message, code of the first refusal.
local function configure(handle, given, will, user_pairs)
	local try, verdict = trial(handle)
	local properties = given.properties or {}
	set(handle, setters, given, try)
	set(handle, property_setters, properties, try)
	if properties.authentication_method then
		try(core.session_set_authentication(handle, properties.authentication_method,
			properties.authentication_data))
	end
	for _, pair in ipairs(user_pairs) do
		try(core.session_add_user_property(handle, pair[1], pair[2]))
	end
	if will then
		try(core.session_set_will(handle, will, given.will.delay or 0))
	end
	return verdict()
end

--- The pairs of user properties of a DISCONNECT; raises an error unless all of `given` is right.
function session.check_farewell(given, level)
	options.check_all("disconnect", given, known_farewell, level + 1)
	options.check_all("disconnect: properties", given.properties or {}, known_farewell_properties,
		level + 1)
	return message.user_pairs("disconnect", given.user_properties or {}, level + 1)
end

--- Has the next DISCONNECT carry this and nothing of the one before; true, or nil, message, code.
function session.set_farewell(handle, given, user_pairs)
	local try, verdict = trial(handle)
	try(core.session_clear_disconnect_properties(handle))
	set(handle, farewell_setters, given.properties or {}, try)
	for _, pair in ipairs(user_pairs) do
		try(core.session_add_disconnect_user_property(handle, pair[1], pair[2]))
	end
	return verdict()
end

--- Raises an error unless the options are right; `level` as for error(), 1 is the caller.
function session.check(given, level)
	options.check_all("client", given, known, level + 1)
	options.check_all("client: properties", given.properties or {}, known_properties, level + 1)
	if given.will then
		options.check_all("client: will", given.will, known_will, level + 1)
		options.need("client: will", given.will, "topic", level + 1)
	end
	if given.endpoint and getmetatable(given.endpoint) ~= Endpoint then
		error("client: endpoint must come from mquic.endpoint()", level + 1)
	end
	if given.endpoint and given.log then
		error("client: log belongs to mquic.endpoint{} when the endpoint is shared", level + 1)
	end
end

local function new_session(given, endpoint)
	if not endpoint.handle then
		return object.closed(Endpoint)
	end
	local made, text, code = settings.make(given)
	if not made then
		return nil, text, code
	end
	local status, handle = core.session_new(endpoint.handle, made)
	if status ~= core.OK then
		return object.failure(status, core.endpoint_error(endpoint.handle))
	end
	return handle
end

--- A native session with everything set, or nil, message, code. The options have passed check().
function session.make(given, endpoint, user_pairs)
	local handle, text, code = new_session(given, endpoint)
	if not handle then
		return nil, text, code
	end
	local will
	if given.will then
		will, text, code = message.make("client: will", given.will, 3)
	end
	local done = will or not given.will
	if done then
		done, text, code = configure(handle, given, will, user_pairs)
	end
	if not done then
		core.free(handle)
		return nil, text, code
	end
	return handle
end

return session
