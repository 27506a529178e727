-- SPDX-License-Identifier: MIT
--- run.lua: runs every test file under this interpreter.
local here = arg[0]:match("^(.*)/") or "."
package.path = here .. "/?.lua;" .. package.path

local kit = require("kit")
for _, name in ipairs({
	"arguments", "client", "connack", "fork", "life", "loops", "quic", "relay", "examples",
}) do
	require("test_" .. name)
end
-- os.exit does not close the state in 5.1: whatever is left is collected here.
local good = kit.run()
collectgarbage()
collectgarbage()
if not good then
	os.exit(1)
end
