-- SPDX-License-Identifier: MIT
--- Checks the tables that callers hand in. A wrong option is a mistake in the program, so it
-- raises an error that points at the caller and names the option.
local options = {}

local function whole(from, to)
	return function(value)
		return type(value) == "number" and value % 1 == 0 and value >= from and value <= to
	end
end

local function has_type(name)
	return function(value)
		return type(value) == name
	end
end

--- Kinds of values: how to say them, and a test.
local kinds = {
	string = { "a string", has_type("string") },
	name = { "a string without NUL", function(value)
		return type(value) == "string" and not value:find("\0", 1, true)
	end },
	boolean = { "true or false", has_type("boolean") },
	table = { "a table", has_type("table") },
	["function"] = { "a function", has_type("function") },
	text = { "a string or a number", function(value)
		return type(value) == "string" or type(value) == "number"
	end },
	number = { "a number of seconds, 0 or more", function(value)
		return type(value) == "number" and value >= 0
	end },
	byte = { "a whole number from 0 to 255", whole(0, 255) },
	short = { "a whole number from 0 to 65535", whole(0, 65535) },
	whole = { "a whole number from 0 to 4294967295", whole(0, 4294967295) },
	size = { "a whole number from 1 to 2147483647", whole(1, 2147483647) },
	code = { "a whole number from 0 to 2^53", whole(0, 9007199254740992) },
	qos = { "0, 1 or 2", whole(0, 2) },
	level = { "error, warning, info or debug", function(value)
		return value == "error" or value == "warning" or value == "info" or value == "debug"
	end },
	version = { "4 (MQTT 3.1.1) or 5", whole(4, 5) },
	reconnect = { "true, false or a number of seconds", function(value)
		return type(value) == "boolean" or (type(value) == "number" and value > 0)
	end },
}

--- Raises an error unless `value` is of the kind; `level` as for error(), 1 is the caller.
function options.check(what, value, kind, level)
	if not kinds[kind][2](value) then
		error(("%s must be %s, not %s"):format(what, kinds[kind][1],
			type(value) == "number" and tostring(value) or type(value)), level + 1)
	end
	return value
end

local function listed(known)
	local names = {}
	for name in pairs(known) do
		names[#names + 1] = name
	end
	table.sort(names)
	return table.concat(names, ", ")
end

--- Checks every option in `given` against `known`, a table of kinds by name.
function options.check_all(what, given, known, level)
	options.check(what .. ": the argument", given, "table", level + 1)
	for name, value in pairs(given) do
		local kind = known[name]
		if not kind then
			error(("%s: unknown option %s; known are %s"):format(what, tostring(name),
				listed(known)), level + 1)
		end
		options.check(what .. ": " .. name, value, kind, level + 1)
	end
	return given
end

--- Raises an error unless the option is there.
function options.need(what, given, name, level)
	if given[name] == nil then
		error(("%s: %s is missing"):format(what, name), level + 1)
	end
end

return options
