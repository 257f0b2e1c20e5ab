#!lua flags=no-writes
-- Reads one book at one moment. A script runs alone, so no commit falls between its pages.
--
-- KEYS[1]  the book
-- ARGV     1 pattern of all fields but events   2 prefix of the owners' fields
--
-- Answers the owners' totals summed, their number, the number of events, and all other fields with their values.

local pattern, owner_prefix = ARGV[1], ARGV[2]
local micros, owners, rest, cursor = 0, 0, {}, '0'
repeat
  local page = redis.call('HSCAN', KEYS[1], cursor, 'MATCH', pattern, 'COUNT', 10000)
  local found = page[2]
  cursor = page[1]
  for i = 1, #found, 2 do
    if string.sub(found[i], 1, #owner_prefix) == owner_prefix then
      local total = tonumber(found[i + 1])
      if not total or total % 1 ~= 0 then return {'unreadable', found[i]} end
      micros, owners = micros + total, owners + 1
    else
      rest[#rest + 1], rest[#rest + 2] = found[i], found[i + 1]
    end
  end
until cursor == '0'
local events = redis.call('HLEN', KEYS[1]) - owners - #rest / 2
return {'read', string.format('%.0f', micros), owners, events, rest}
