-- SPDX-License-Identifier: MIT
--- From a table to a native message, and user properties from a table to wherever.
local core = require("mquic.core")
local object = require("mquic.object")
local options = require("mquic.options")

local message = {}

--- Kinds of the options that every message has; publish and will add theirs.
function message.known(more)
	local known = {
		topic = "string", payload = "text", qos = "qos", retain = "boolean",
		properties = "table", user_properties = "table",
	}
	for name, kind in pairs(more or {}) do
		known[name] = kind
	end
	return known
end

local property_kinds = {
	payload_format_indicator = "qos",
	message_expiry_interval = "whole",
	content_type = "string",
	response_topic = "string",
	correlation_data = "string",
}

--- User properties as a list of pairs, in order; { name = value } is taken as well.
function message.user_pairs(what, given, level)
	local list = {}
	local function add(name, value)
		if type(name) ~= "string" then
			error(what .. ": the name of a user property must be a string", level + 2)
		end
		options.check(what .. ": user property " .. name, value, "text", level + 2)
		list[#list + 1] = { name, tostring(value) }
	end
	for _, pair in ipairs(given) do
		options.check(what .. ": a user property by position", pair, "table", level + 1)
		add(pair[1], pair[2])
	end
	-- A received list has its pairs by name as well: they are not sent twice.
	if #list == 0 then
		local names = {}
		for name in pairs(given) do
			names[#names + 1] = name
		end
		table.sort(names, function(a, b)
			return tostring(a) < tostring(b)
		end)
		for _, name in ipairs(names) do
			add(name, given[name])
		end
	end
	return list
end

local function set_properties(made, given, try)
	if given.payload_format_indicator then
		try(core.message_set_utf8_payload(made, given.payload_format_indicator == 1),
			"payload_format_indicator")
	end
	if given.message_expiry_interval then
		try(core.message_set_expiry_s(made, given.message_expiry_interval),
			"message_expiry_interval")
	end
	for _, name in ipairs({ "content_type", "response_topic", "correlation_data" }) do
		if given[name] then
			try(core["message_set_" .. name](made, given[name]), name)
		end
	end
end

local function set_all(made, given, pairs_of_user, try)
	try(core.message_set_topic(made, given.topic), "topic")
	if given.payload ~= nil then
		try(core.message_set_payload(made, tostring(given.payload)), "payload")
	end
	if given.qos then
		try(core.message_set_qos(made, given.qos), "qos")
	end
	if given.retain then
		try(core.message_set_retain(made, true), "retain")
	end
	set_properties(made, given.properties or {}, try)
	for _, pair in ipairs(pairs_of_user) do
		try(core.message_add_user_property(made, pair[1], pair[2]), "user property " .. pair[1])
	end
end

--- A native message from a table that passed check_all(), or nil, message, code. Whoever calls
-- this frees it: Lua's collector does not know how large a payload is.
function message.make(what, given, level)
	options.need(what, given, "topic", level + 1)
	if given.properties then
		options.check_all(what .. ": properties", given.properties, property_kinds, level + 1)
	end
	local pairs_of_user = message.user_pairs(what, given.user_properties or {}, level + 1)
	local status, made = core.message_new()
	if status ~= core.OK then
		return object.failure(status)
	end
	local refused, why
	set_all(made, given, pairs_of_user, function(answer, name)
		if answer ~= core.OK and not refused then
			refused, why = answer, name .. ": " .. core.message_error(made)
		end
	end)
	if refused then
		core.free(made)
		return object.failure(refused, why)
	end
	return made
end

return message
