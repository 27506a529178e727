-- SPDX-License-Identifier: MIT
-- What every Lua from 5.1 on, and LuaJIT, has in common.
std = "min"
max_line_length = 100
