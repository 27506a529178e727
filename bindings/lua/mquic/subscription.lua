-- SPDX-License-Identifier: MIT
--- From the table of subscribe{} or unsubscribe{} to a native list of filters.
local core = require("mquic.core")
local message = require("mquic.message")
local object = require("mquic.object")
local options = require("mquic.options")

local subscription = {}

local retain_handling = { [0] = 0, core.SUBSCRIBE_RETAINED_IF_NEW, core.SUBSCRIBE_RETAINED_NEVER }

local function subscribe_options(given)
	return (given.no_local and core.SUBSCRIBE_NO_LOCAL or 0)
		+ (given.retain_as_published and core.SUBSCRIBE_RETAIN_AS_PUBLISHED or 0)
		+ retain_handling[given.retain_handling or 0]
end

--- A native list of one filter with its properties, or nil, message, code. Whoever calls this
-- frees it.
function subscription.make(what, given, level)
	options.need(what, given, "topic", level + 1)
	options.check_all(what .. ": properties", given.properties or {},
		{ subscription_identifier = "whole" }, level + 1)
	local user_pairs = message.user_pairs(what, given.user_properties or {}, level + 1)
	local status, list = core.subscription_new()
	if status ~= core.OK then
		return object.failure(status)
	end
	local id = given.properties and given.properties.subscription_identifier
	local function refuse(answer, what_of_it)
		local why = what_of_it .. ": " .. core.subscription_error(list)
		core.free(list)
		return object.failure(answer, why)
	end
	status = core.subscription_add(list, given.topic, given.qos or 0, subscribe_options(given))
	if status ~= core.OK then
		return refuse(status, "topic")
	end
	status = id and core.subscription_set_id(list, id) or core.OK
	if status ~= core.OK then
		return refuse(status, "subscription_identifier")
	end
	for _, pair in ipairs(user_pairs) do
		status = core.subscription_add_user_property(list, pair[1], pair[2])
		if status ~= core.OK then
			return refuse(status, "user property " .. pair[1])
		end
	end
	return list
end

return subscription
