-- SPDX-License-Identifier: MIT
--- Options of QUIC and TLS, the same for clients, connections and listeners.
local core = require("mquic.core")
local object = require("mquic.object")
local options = require("mquic.options")

local settings = {}

local congestion = {
	cubic = core.CONGESTION_CUBIC,
	reno = core.CONGESTION_RENO,
	bbr = core.CONGESTION_BBR,
}
local redundancy = {
	off = core.REDUNDANCY_OFF,
	handshake = core.REDUNDANCY_HANDSHAKE,
}
local retry = {
	adaptive = core.RETRY_ADAPTIVE,
	always = core.RETRY_ALWAYS,
	never = core.RETRY_NEVER,
}

--- Kinds of the options, for options.check_all().
settings.known = {
	ca_file = "name", ca_path = "name", crl_file = "name",
	cert_file = "name", key_file = "name", more_certificates = "table",
	require_certificate = "boolean",
	resumption = "boolean", ticket_file = "name", ticket_key_file = "name",
	insecure = "boolean", server_name = "name", alpn = "name", keylog_file = "name",
	idle_timeout_ms = "whole", handshake_timeout_ms = "whole", quic_keep_alive_ms = "whole",
	initial_rtt_ms = "whole", max_streams = "whole", receive_window = "whole", send_buffer = "whole",
	congestion_control = "name", redundancy = "name", retry = "name",
	max_connections = "whole", max_connections_per_address = "whole", max_handshakes = "whole",
	worker = "whole", workers = "whole",
	reset_key_file = "name", server_secret = "string",
}

-- The same for one of more_certificates.
local pairs_known = { cert_file = "name", key_file = "name" }

-- Setters that take the option as it is, in an order that always tells the same fault first.
local setters = {
	"ca_file", "ca_path", "crl_file", "require_certificate", "insecure", "server_name", "alpn",
	"resumption", "ticket_file", "ticket_key_file",
	"keylog_file", "idle_timeout_ms", "handshake_timeout_ms", "initial_rtt_ms", "max_streams",
	"receive_window", "send_buffer", "max_connections", "max_connections_per_address",
	"max_handshakes", "worker", "workers", "reset_key_file", "server_secret",
}

local function choose(name, choices, value)
	if value ~= nil and not choices[value] then
		local names = {}
		for one in pairs(choices) do
			names[#names + 1] = one
		end
		table.sort(names)
		error(("%s must be one of %s"):format(name, table.concat(names, ", ")), 0)
	end
	return choices[value]
end

local function apply(made, given, add)
	for _, name in ipairs(setters) do
		if given[name] ~= nil then
			add(core["settings_set_" .. name](made, given[name]))
		end
	end
	if given.cert_file ~= nil or given.key_file ~= nil then
		add(core.settings_set_certificate(made, given.cert_file, given.key_file))
	end
	for _, pair in ipairs(given.more_certificates or {}) do
		options.check_all("more_certificates", pair, pairs_known, 3)
		add(core.settings_add_certificate(made, pair.cert_file, pair.key_file))
	end
	if given.quic_keep_alive_ms ~= nil then
		add(core.settings_set_keep_alive_ms(made, given.quic_keep_alive_ms))
	end
	local algorithm = choose("congestion_control", congestion, given.congestion_control)
	if algorithm then
		add(core.settings_set_congestion_control(made, algorithm))
	end
	local copies = choose("redundancy", redundancy, given.redundancy)
	if copies then
		add(core.settings_set_redundancy(made, copies))
	end
	local when = choose("retry", retry, given.retry)
	if when then
		add(core.settings_set_retry(made, when))
	end
end

--- A native settings object, or nil, message, code for a value that the library refuses.
function settings.make(given)
	local status, made = core.settings_new()
	if status ~= core.OK then
		return object.failure(status)
	end
	local refused
	apply(made, given, function(answer)
		if answer ~= core.OK and not refused then
			refused = { answer, core.settings_error(made) }
		end
	end)
	if refused then
		return object.failure(refused[1], refused[2])
	end
	return made
end

return settings
