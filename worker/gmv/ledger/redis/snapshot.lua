#!lua flags=no-writes
-- Reads one book at one moment. A script runs alone, so no commit falls between its pages.
--
-- KEYS[1]  the book
-- ARGV     1 pattern of all fields but events   2 prefix of the owners' fields   3 'each' or 'summed'
--
-- Answers the owners' totals summed, their number, the number of events, all other fields with their values, and,
-- for 'each', the owners' fields with theirs.

local pattern, owner_prefix, is_each_wanted = ARGV[1], ARGV[2], ARGV[3] == 'each'
local micros, owners, rest, each, cursor = 0, 0, {}, {}, '0'
repeat
  local page = redis.call('HSCAN', KEYS[1], cursor, 'MATCH', pattern, 'COUNT', 10000)
  local found = page[2]
  cursor = page[1]
  for i = 1, #found, 2 do
    if string.sub(found[i], 1, #owner_prefix) == owner_prefix then
      if not string.find(found[i + 1], '^%d+$') then return {'unreadable', found[i]} end
      micros, owners = micros + tonumber(found[i + 1]), owners + 1
      if is_each_wanted then each[2 * owners - 1], each[2 * owners] = found[i], found[i + 1] end
    else
      rest[#rest + 1], rest[#rest + 2] = found[i], found[i + 1]
    end
  end
until cursor == '0'
local events = redis.call('HLEN', KEYS[1]) - owners - #rest / 2
return {'read', string.format('%.0f', micros), owners, events, rest, each}
